"""A step's Jacobian is J Phi_t = sqrt(v_s/v_t) I + |b_t| alpha_bar_t v_t^(-3/2) Cov(x_0|x_t), for any data law.

With M_0, M_1, M_2 the moments of x_0 under e^(c<x, x_0>/s^2 - c^2|x_0|^2/(2 s^2)) times the law, x_hat = M_1/M_0, and
a derivative by x brings down c x_0/s^2: J x_hat = (c/s^2)(M_2/M_0 - M_1 M_1^T/M_0^2). A covariance is positive
semidefinite, so every singular value is at least the contraction floor sqrt(v_s/v_t), and the step, whose Jacobian is
symmetric, is the gradient of a convex function, injective if phi_s > 0. This holds of each step, not of the chain: a
product of symmetric matrices is not symmetric.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, Violation, close
from theory.differences import jacobians
from theory.formulas import DELTA, PHI_S, PHI_T, B, R, evaluate, steps_of
from theory.marginals import Array, Law, drawn_law, normal_law, two_normals

c, s = sp.cos(PHI_T), sp.sin(PHI_T)
floor, weight = sp.sin(PHI_S) / s, sp.sin(DELTA) * c / s**3
b_t = sp.Symbol("b_t", real=True)
alpha_bar, v_s, v_t = sp.symbols("\\bar{\\alpha}_t v_s v_t", positive=True)
POINTS = 4

CLAIM = Claim(
    label="tweedie-jacobian",
    source="derived here from Tweedie's formula: Robbins 1956, Proc. Third Berkeley Symp.; Efron 2011, JASA 106",
    statement="For any data law, JΦ_t = √(v_s/v_t) I + |b_t| ᾱ_t v_t^{−3/2} Cov(x_0 | x_t): symmetric, every singular "
    "value at least the contraction floor √(v_s/v_t); each step is the gradient of a convex function, injective if "
    "φ_s > 0.",
    equation=sp.Eq(
        sp.Symbol("{J\\Phi_t}"),
        sp.sqrt(v_s / v_t) * sp.Symbol("I")
        + sp.Abs(b_t) * alpha_bar * v_t ** sp.Rational(-3, 2) * sp.Symbol("{\\mathrm{Cov}(x_0|x_t)}"),
    ),
    formula=sp.Tuple(floor, weight),
    assumptions="0 <= phi_s < phi_t <= pi/2, the exact denoiser",
    scope="every law, every step; takes differentiation under the integral, and that a map with positive semidefinite "
    "Jacobian is the gradient of a convex function, from analysis; measured on mixtures in one to three dimensions",
    uses=("jacobian-form",),
    witness={
        "two components": {
            "law": two_normals(0.6, [-2.5, 2.5], [0.3, 0.3]),
            "schedule": schedules.from_angles([0.1, 0.6, 1.2]),
            "seed": 1,
        },
        "to pi/2": {"law": drawn_law(2, 2, 3), "schedule": schedules.uniform_angle(3), "seed": 2},
        "a Gaussian": {
            "law": normal_law([1.0, 0.0], [[2.0, 0.9], [0.9, 1.0]]),
            "schedule": schedules.from_angles([0.2, 0.5]),
            "seed": 3,
        },
    },
    mutants={
        "floor r_t": sp.Tuple(R, weight),
        "alpha_bar left out": sp.Tuple(floor, weight / c**2),
        "the Jacobian of x_hat": sp.Tuple(0 * floor, c / s**2),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3)),
    "schedule": strategies.schedules(max_steps=1),
    "seed": st.integers(0, 2**32 - 1),
}


@cache
def moments() -> tuple[sp.Matrix, sp.Matrix]:
    """J x_hat and Cov(x_0|x) in two coordinates, as symbols m for the moments, whose derivative brings down q x_0."""
    x = sp.symbols("x_1 x_2")
    total, first = sp.Function("M")(*x), [sp.Function(f"M_{i}")(*x) for i in (1, 2)]
    m = sp.Symbol("m", positive=True)
    m_1, m_2 = sp.symbols("m_1 m_2"), [[sp.Symbol(f"m_{min(i, j)}{max(i, j)}") for j in (1, 2)] for i in (1, 2)]
    rule = {sp.diff(total, x[j]): sp.Symbol("q") * m_1[j] for j in (0, 1)}
    rule |= {sp.diff(first[i], x[j]): sp.Symbol("q") * m_2[i][j] for i in (0, 1) for j in (0, 1)}
    plain = {total: m, **dict(zip(first, m_1, strict=True))}
    slope = sp.Matrix(2, 2, lambda i, j: sp.diff(first[i] / total, x[j]).subs(rule).subs(plain))
    covariance = sp.Matrix(2, 2, lambda i, j: m_2[i][j] / m - m_1[i] * m_1[j] / m**2)
    return slope, covariance


def prove(formula: Formula) -> Iterator[Obligation]:
    """r I + b J eps_hat with J eps_hat = (I - c J x_hat)/s, entry by entry; then the rule itself, and the signs."""
    own, across, w = sp.symbols("V C w")  # entries of Cov(x_0|x_t), on the diagonal and off it
    slope = c / s**2  # J x_hat = slope Cov
    diagonal = R + B * (1 - c * slope * own) / s - formula[0] - formula[1] * own
    yield Identity("on the diagonal and across", diagonal + w * (-B * c * slope * across / s - formula[1] * across))
    derivative, covariance = moments()
    residual = derivative - sp.Symbol("q") * covariance
    yield Identity("J x_hat = (c/s^2) Cov, by the rule for moments", residual[0, 0] + w * residual[0, 1])
    x, y, power = sp.symbols("x y E", positive=True)
    moment = sp.diff(sp.exp(c * x * y / s**2 - c**2 * y**2 / (2 * s**2)), x)
    yield Identity(
        "a derivative brings down q x_0, q = c/s^2", moment.replace(sp.exp, lambda _: power) - c / s**2 * y * power
    )
    p, q, y_1, y_2, y_3 = sp.symbols("p q y_1:4")
    weights, points = (p, q, 1 - p - q), (y_1, y_2, y_3)
    mean = sum(w * z for w, z in zip(weights, points, strict=True))
    variance = sum(w * z**2 for w, z in zip(weights, points, strict=True)) - mean**2
    squares = p * q * (y_1 - y_2) ** 2 + (1 - p - q) * (p * (y_1 - y_3) ** 2 + q * (y_2 - y_3) ** 2)
    yield Identity("a variance is a sum of squares, three points", variance - squares)
    yield Positive("the floor, phi_s > 0", sp.sin(PHI_S) / s, (PHI_S, PHI_T), from_zero=False)
    yield Positive("the weight times sin^3", sp.sin(DELTA) * c, (PHI_S, PHI_T))


def observe(law: Law, schedule: Schedule, seed: int) -> tuple[Array, Array]:
    """Jacobians of every step at some points by differences, (T, n, d, d), and the posterior covariances there."""
    chain, rng = Chain(schedule, law.denoiser), np.random.default_rng(seed)
    x, steps, covariances = 2 * rng.standard_normal((POINTS, law.dim)), [], []
    for t in range(1, schedule.steps + 1):
        steps.append(jacobians(lambda z, t=t: chain.step(z, schedule.steps - t), x))  # type: ignore[misc]
        covariances.append(chain.denoiser.posterior(x, float(schedule.angles[t])).covariance.dense())
    return np.array(steps), np.array(covariances)


def holds(formula: Formula, law: Law, schedule: Schedule, seed: int) -> float:
    """To 1e-7, the differences' error; no eigenvalue of the symmetric part below the floor."""
    steps, covariances = observe(law, schedule, seed)
    least, factor = (evaluate(part, steps_of(schedule))[:, None, None, None] for part in formula)
    with np.errstate(invalid="ignore", over="ignore"):  # a wrong formula may be infinite at pi/2
        expected = least * np.eye(law.dim) + factor * covariances
    error = close("the step's Jacobian", steps, expected, 1e-7, 1 + np.abs(steps).max())
    close("symmetry", steps, steps.swapaxes(2, 3), 1e-7, 1 + np.abs(steps).max())
    eigenvalues = np.linalg.eigvalsh((steps + steps.swapaxes(2, 3)) / 2)
    if np.any(eigenvalues < least[..., 0] - 1e-7 * (1 + np.abs(steps).max())):
        raise Violation(f"the least eigenvalue is {eigenvalues.min()!r}, the floor {least.ravel()!r}")
    return error
