"""A direction expands where its posterior variance exceeds P*_t = v_t cos(mean)/(cos phi_t cos(Delta/2)).

By `tweedie-jacobian` the Rayleigh quotient of J Phi_t along a unit vector u is sqrt(v_s/v_t) + |b_t| alpha_bar_t
v_t^(-3/2) Var(<u, x_0>|x_t). It is 1 at P*_t = (v_t/alpha_bar_t)(1 - sqrt(v_t) L*_t), which tends to v_t for small
steps and is the posterior variance of a Gaussian of variance lam*_t. mean = (phi_s + phi_t)/2.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, Violation, close
from theory.claims.tweedie_jacobian import c, floor, s, weight
from theory.differences import jacobians
from theory.formulas import DELTA, MEAN_ANGLE, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.marginals import Array, Law, drawn_law, normal_law, two_normals

phi_t, mean, Delta_t = sp.symbols("phi_t \\bar{\\phi}_t Delta_t")
threshold = s**2 * sp.cos(MEAN_ANGLE) / (c * sp.cos(DELTA / 2))
POINTS = 4

CLAIM = Claim(
    label="posterior-threshold",
    source="derived here",
    statement="The Rayleigh quotient of JΦ_t along u exceeds 1 exactly where Var(⟨u, x_0⟩ | x_t) > P*_t = "
    "v_t cos φ̄_t / (cos φ_t cos(Δ_t/2)) = (v_t/ᾱ_t)(1 − √v_t L*_t); P*_t → v_t as Δ_t → 0, and a Gaussian of variance "
    "λ*_t has posterior variance P*_t.",
    equation=sp.Eq(
        sp.Symbol("P^*_t"), sp.sin(phi_t) ** 2 * sp.cos(mean) / (sp.cos(phi_t) * sp.cos(Delta_t / 2)), evaluate=False
    ),
    formula=threshold,
    assumptions="0 <= phi_s < phi_t < pi/2, the exact denoiser",
    scope="every law, every step with φ_t < π/2; measured on mixtures in one and two dimensions",
    uses=("tweedie-jacobian", "threshold-closed-form", "step-threshold-closed-form"),
    witness={
        "two components": {
            "law": two_normals(0.6, [-2.5, 2.5], [0.3, 0.3]),
            "schedule": schedules.from_angles([0.0, 0.1, 0.6, 1.2]),
            "seed": 1,
        },
        "a Gaussian": {
            "law": normal_law([1.0, 0.0], [[4.0, 0.9], [0.9, 1.0]]),
            "schedule": schedules.linear(2),
            "seed": 2,
        },
        "three components": {"law": drawn_law(3, 2, 3), "schedule": schedules.uniform_angle(3, 0.1, 1.4), "seed": 3},
    },
    mutants={
        "v_t, the limit": s**2,
        "half angles exchanged": s**2 * sp.cos(DELTA / 2) / (c * sp.cos(MEAN_ANGLE)),
        "with the threshold squared": s**2 / c**2 * (1 - ((R - 1) / B) ** 2),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.sampled_from([1, 2]), st.sampled_from([1, 2, 3])),
    "schedule": st.sampled_from([0.7, 1.3, 1.5]).flatmap(lambda stop: strategies.schedules(max_steps=1, stop=stop)),
    "seed": st.integers(0, 2**32 - 1),
}

REGIONS: dict[str, Any] = {"stretched": lambda **point: bool((observe(**point)[0] > 1).any())}


def prove(formula: Formula) -> Iterator[Obligation]:
    """floor + weight P* = 1, and the weight is positive; then the other forms."""
    yield Identity("floor + weight P* = 1", floor + weight * formula - 1)
    yield Positive("the weight times sin^3", sp.sin(DELTA) * c, (PHI_S, PHI_T))
    variance = sp.Symbol("V", positive=True)
    stretched, beyond = floor + weight * variance > 1, variance > formula
    yield Implies("above P* a direction is stretched", (beyond,), stretched, (PHI_S, PHI_T))
    yield Implies("and only there", (stretched,), beyond, (PHI_S, PHI_T))
    yield Identity("by L*", formula - s**2 / c**2 * (1 - s * (R - 1) / -B))
    star = s * sp.cos(MEAN_ANGLE) / (c * sp.sin(MEAN_ANGLE))
    yield Identity("a Gaussian of variance lam*", star * s**2 - formula * N(PHI_T, star))
    yield Identity("small steps", formula.subs(PHI_S, PHI_T) - s**2)


def observe(law: Law, schedule: Schedule, seed: int) -> tuple[Array, Array]:
    """Rayleigh quotients along random directions at some points, (T, n), by differences, and posterior variances."""
    chain, rng = Chain(schedule, law.denoiser), np.random.default_rng(seed)
    x, u = 2 * rng.standard_normal((POINTS, law.dim)), rng.standard_normal((POINTS, law.dim))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    quotients, variances = [], []
    for t in range(1, schedule.steps + 1):
        steps = jacobians(lambda z, t=t: chain.step(z, schedule.steps - t), x)  # type: ignore[misc]
        covariance = chain.denoiser.posterior(x, float(schedule.angles[t])).covariance
        quotients.append(np.einsum("ni,nij,nj->n", u, steps, u))
        variances.append(np.sum(u * (covariance @ u[:, :, None])[:, :, 0], axis=1))
    return np.array(quotients), np.array(variances)


def holds(formula: Formula, law: Law, schedule: Schedule, seed: int) -> float:
    """The quotients exceed 1 where the variances exceed P*, in its proportion; the library's P*; a Gaussian at lam*."""
    quotients, variances = observe(law, schedule, seed)
    values = steps_of(schedule)
    star, factor = (evaluate(part, values)[:, None] for part in (formula, weight))
    size = 1 + factor * (variances + star)
    decided = np.abs(quotients - 1) > 1e-7 * size
    if np.any(decided & ((quotients > 1) != (variances > star))):
        raise Violation(f"quotients {quotients!r}, variances {variances!r}, P* {star.ravel()!r}")
    close("library's P*", geometry.posterior_threshold(schedule), star[:, 0], 1e-12)
    gaussian = []
    for angle, lam in zip(schedule.angles[1:], geometry.step_threshold(schedule), strict=True):
        denoiser = normal_law([0.0], [[lam]]).denoiser
        gaussian.append(denoiser.posterior(np.zeros((1, 1)), float(angle)).covariance.dense()[0, 0, 0])
    close("posterior variance of a Gaussian at lam*", gaussian, star[:, 0], 1e-12)
    return close("quotient - 1", quotients - 1, factor * (variances - star), 1e-7, size)
