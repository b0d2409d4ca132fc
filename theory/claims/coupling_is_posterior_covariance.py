"""Patches are coupled by the posterior: [J Phi_t]_kj = |b_t| alpha_bar_t v_t^(-3/2) Cov(x_0^k, x_0^j|x_t) for k != j.

That of `tweedie-jacobian`, whose floor is on the diagonal alone. For independent patches the moments of a product are
products of moments, Cov(x_0^k, x_0^j|x_t) = 0, and the step acts on each patch by itself.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, schedules
from pifs_sim.diffusion.denoisers import exact_denoiser
from pifs_sim.diffusion.measures import Mixture, Product
from pifs_sim.dynamics import Patches
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Status, close
from theory.claims.tweedie_jacobian import b_t, c, floor, moments, s, v_t, weight
from theory.differences import jacobians
from theory.formulas import B, evaluate, steps_of
from theory.marginals import Array, Law, drawn_law, normal_law

alpha_bar = sp.Symbol("\\bar{\\alpha}_t", positive=True)
POINTS = 3
PATCHES = Patches(4, 2)

CLAIM = Claim(
    label="coupling-is-posterior-covariance",
    source="derived here",
    statement="For k ≠ j, [JΦ_t]_kj = |b_t| ᾱ_t v_t^{−3/2} Cov(x_0^k, x_0^j | x_t); 0 for independent patches.",
    equation=sp.Eq(
        sp.Symbol("{[J\\Phi_t]_{kj}}"),
        sp.Abs(b_t) * alpha_bar * v_t ** sp.Rational(-3, 2) * sp.Symbol("{\\mathrm{Cov}(x_0^k, x_0^j|x_t)}"),
    ),
    formula=weight,
    assumptions="0 <= phi_s < phi_t <= pi/2, the exact denoiser, k != j",
    scope="every law, every step; measured on mixtures in four dimensions with patches of two, and on their products",
    uses=("tweedie-jacobian",),
    witness={
        "three components": {"law": drawn_law(1, 4, 3), "schedule": schedules.uniform_angle(3), "seed": 1},
        "a Gaussian": {
            "law": normal_law(np.ones(4), np.eye(4) + 0.5),
            "schedule": schedules.from_angles([0.0, 0.4]),
            "seed": 2,
        },
    },
    mutants={
        "alpha_bar left out": weight / c**2,
        "the coupling of x_hat": c / s**2,
        "with the floor": weight + floor,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.just(4), st.sampled_from([1, 2, 3])),
    "schedule": strategies.schedules(max_steps=1),
    "seed": st.integers(0, 2**32 - 1),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """b J eps_hat off the diagonal, J eps_hat = -c J x_hat/s there, J x_hat = (c/s^2) Cov; and moments that factor."""
    across, (_, covariance) = sp.Symbol("C"), moments()
    yield Identity("across", -B * c / s * (c / s**2) * across - formula * across)
    first, second = sp.symbols("m_1 m_2")
    factored = covariance[0, 1].subs(sp.Symbol("m_12"), first * second / sp.Symbol("m", positive=True))
    yield Identity("independent patches", factored)


def observe(law: Law, schedule: Schedule, seed: int) -> tuple[Array, Array, Array]:
    """Blocks (T, 2, n, 2, 2) across the patches by differences, posterior covariances there, and a product's blocks."""
    rng = np.random.default_rng(seed)
    x, left, right = 2 * rng.standard_normal((POINTS, 4)), slice(0, 2), slice(2, 4)
    parts = [Mixture(law.weights, law.means[:, half], law.covariances[:, half, half]) for half in (left, right)]
    chain, apart = Chain(schedule, law.denoiser), Chain(schedule, exact_denoiser(Product(tuple(parts))))
    found: tuple[list[Any], ...] = ([], [], [])
    for t in range(1, schedule.steps + 1):
        whole, alone = (jacobians(lambda z, f=f, t=t: f.step(z, schedule.steps - t), x) for f in (chain, apart))  # type: ignore[misc]
        covariance = chain.denoiser.posterior(x, float(schedule.angles[t])).covariance
        found[0].append([whole[:, left, right], whole[:, right, left]])
        found[1].append([covariance.block(k, j, PATCHES) for k, j in ((0, 1), (1, 0))])
        found[2].append([alone[:, left, right], alone[:, right, left]])
    blocks, covariances, zeros = (np.array(part) for part in found)
    return blocks, covariances, zeros


def holds(formula: Formula, law: Law, schedule: Schedule, seed: int) -> float:
    """To 1e-7, the differences' error."""
    blocks, covariances, zeros = observe(law, schedule, seed)
    factor = evaluate(formula, steps_of(schedule))[:, None, None, None, None]
    with np.errstate(invalid="ignore"):  # a wrong formula may be infinite at pi/2
        expected = factor * covariances
    error = close("blocks across patches", blocks, expected, 1e-7, 1 + np.abs(blocks).max())
    close("blocks of a product", zeros, 0.0, 1e-7, 1.0)
    return error
