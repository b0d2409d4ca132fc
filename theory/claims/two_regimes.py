"""The two ends of a chain, for any data law: what is within patches and what is between them.

High noise: Cov(x_0|x_t) -> Sigma, so with J Phi_t = (sin phi_s/sin phi_t) I + (sin Delta cos phi_t/sin^3 phi_t) Cov,
both kappa - cos Delta and delta vanish, in proportion to cos phi_t:

    kappa = (sin phi_s + sin Delta cos phi_t max_k |Sigma_kk|/sin^2 phi_t)/sin phi_t,
    delta = sin Delta cos phi_t max_k sum_j |Sigma_kj|/sin^3 phi_t,          to an error of order sin Delta cos^2 phi_t.

Low noise: delta -> 0, and kappa tends to what the data are made of. The weights of points localise, and the step
contracts by the floor sin phi_s/sin phi_t < 1; for a density kappa -> r_t > 1, as Cov(x_0|x_t) -> tan^2 phi_t I, but at
fixed phi_s/phi_t that tends to 1. That kappa grows towards the clean end is not general: see `low-noise-expansion`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, marginals, patch_contraction
from pifs_sim.diffusion.measures import PointCloud
from pifs_sim.dynamics import Patches, block_norms
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, R, evaluate, steps_of
from theory.marginals import Array, Law, drawn_law

SIGMA = sp.Symbol("sigma", positive=True)  # max_k sum_j |Sigma_kj|; LAM is max_k |Sigma_kk|
c, s, s_s = sp.cos(PHI_T), sp.sin(PHI_T), sp.sin(PHI_S)
own = (s_s + sp.sin(DELTA) * c * LAM / s**2) / s
coupling = sp.sin(DELTA) * c * SIGMA / s**3
PATCHES = Patches(4, 2)
HIGH, LOW = 1e-5, 1e-4  # pi/2 - phi_t, and phi_t
kappa, delta, largest, r_t, phi_t = sp.symbols("kappa_t delta_t lambda_max r_t phi_t")

CLAIM = Claim(
    label="two-regimes",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised; the limits derived here",
    statement="At high noise κ_t → cos Δ_t and δ_t → 0, both by sin Δ_t cos φ_t times the data's covariance within and "
    "between patches. At low noise δ_t → 0; for points the weights localise and κ_t → sin φ_s / sin φ_t, for a density "
    "κ_t → r_t.",
    equation=(
        sp.Eq(kappa, own.subs(LAM, largest), evaluate=False),
        sp.Eq(delta, coupling, evaluate=False),
        sp.Eq(sp.Limit(kappa, phi_t, 0), sp.Piecewise((s_s / s, sp.Symbol("points")), (r_t, True)), evaluate=False),
    ),
    formula=sp.Tuple(own, coupling, s_s / s, R),
    assumptions="the exact denoiser, x ~ p_t, finite third moments; points apart; a density with bounded curvature",
    scope="limits in φ_t of one step, at fixed φ_s or fixed φ_s/φ_t, every law; measured 1e-5 and 1e-4 from the ends "
    "on mixtures and points in two patches of two",
    uses=("tweedie-jacobian", "coupling-is-posterior-covariance"),
    witness={
        "three components": {"count": 3, "ratio": 0.5, "seed": 1},
        "a Gaussian, a short step": {"count": 1, "ratio": 0.9, "seed": 2},
        "two components, a long step": {"count": 2, "ratio": 0.1, "seed": 3},
    },
    mutants={
        "coupling of order alpha_bar": sp.Tuple(own, coupling * c, s_s / s, R),
        "the covariance of the noise": sp.Tuple((s_s + sp.sin(DELTA) * c / s**2) / s, coupling, s_s / s, R),
        "points contract by v_s/v_t": sp.Tuple(own, coupling, (s_s / s) ** 2, R),
        "a density contracts to the floor": sp.Tuple(own, coupling, s_s / s, s_s / s),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "count": st.integers(1, 3),
    "ratio": st.floats(0.05, 0.95),
    "seed": st.integers(0, 2**32 - 1),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The step's Jacobian with the limits of the posterior covariance: Sigma, 0, and tan^2 phi_t."""
    high, between, points, density = formula
    covariance, u, w, z = sp.symbols("C u w z", positive=True)
    jacobian = s_s / s + sp.sin(DELTA) * c / s**3 * covariance  # tweedie-jacobian along a direction
    cross = sp.sin(DELTA) * c / s**3 * SIGMA  # coupling-is-posterior-covariance
    yield Identity(
        "the four limits",
        (high - jacobian.subs(covariance, LAM))
        + u * (between - cross)
        + w * (points - jacobian.subs(covariance, 0))
        + z * (density - jacobian.subs(covariance, sp.tan(PHI_T) ** 2)),
    )
    yield Identity("kappa at pi/2 is cos Delta", own.subs(PHI_T, sp.pi / 2) - sp.cos(sp.pi / 2 - PHI_S))
    yield Positive("r - 1 > 0 times cos phi_t", sp.cos(PHI_S) - c, (PHI_S, PHI_T))
    yield NotProved("Cov(x_0|x_t) tends to Sigma, to 0 at points, to tan^2 phi_t I", "analysis (a proof assistant)")


@cache
def law_and_points(count: int, seed: int) -> tuple[Law, dict[str, Any]]:
    """A mixture of `count` components, and the denoisers of it and of four points."""
    law, rng = drawn_law(seed, 4, count), np.random.default_rng(seed)
    cloud = rng.permutation(np.eye(4)) + law.mean
    return law, {"density": law.denoiser, "points": exact_denoiser(PointCloud(cloud))}


@cache
def observe(kind: str, count: int, seed: int, angles: tuple[float, float]) -> tuple[Any, float]:
    """Block norms of one step at points of p_t, and the largest entropy of the posterior weights."""
    denoiser = law_and_points(count, seed)[1][kind]
    chain = Chain(Schedule(np.array(angles)), denoiser)
    x = marginals(chain, 4, np.random.default_rng(seed))
    weights = denoiser.posterior(x[0], angles[1]).weights
    entropy = -np.sum(weights * np.log(np.maximum(weights, 1e-300)), axis=1)
    return patch_contraction(chain, x, PATCHES), float(entropy.max())


def _spread(covariance: Array) -> dict[sp.Symbol, Any]:
    """max_k |Sigma_kk| and max_k sum_j |Sigma_kj|."""
    found = block_norms(covariance, PATCHES)
    return {LAM: float(found.kappa[0]), SIGMA: float(found.delta[0])}


def holds(formula: Formula, count: int, ratio: float, seed: int) -> float:
    """Both ends: a mixture at high noise; at low noise the mixture, a density, and four points."""
    law, _ = law_and_points(count, seed)
    high, between, points, density = formula
    noisy, clean = (np.pi / 2 * ratio, np.pi / 2 - HIGH), (ratio * LOW, LOW)
    late, early = (steps_of(Schedule(np.array(angles))) for angles in (noisy, clean))
    values, turn = late | _spread(law.covariance), np.sin(noisy[1] - noisy[0])
    found, _ = observe("density", count, seed, noisy)
    reach = 1 + float(np.linalg.norm(law.covariance, 2)) + float(np.linalg.norm(law.means, axis=1).max()) ** 2
    scale = turn * np.cos(noisy[1]) * reach  # what the first order is made of; the next is cos phi_t times x as much
    bound = 100 * HIGH * reach + 1e-9
    error = close("kappa at high noise", found.kappa[0], evaluate(high, values), bound, scale)
    close("delta at high noise", found.delta[0], evaluate(between, values), bound, scale)
    at_points, entropy = observe("points", count, seed, clean)
    close("kappa of points", at_points.kappa[0], evaluate(points, early), 1e-9)
    close("delta of points, entropy of their weights", [at_points.delta.max(), entropy], 0.0, 1e-9, 1.0)
    of_density, _ = observe("density", count, seed, clean)
    close("kappa of a density", of_density.kappa[0], evaluate(density, early), 1e-5)
    close("delta of a density", of_density.delta[0], 0.0, 1e-5, 1.0)
    return error
