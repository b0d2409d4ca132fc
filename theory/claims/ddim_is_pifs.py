"""A DDIM step is a soft choice, by the state, among the affine block maps of the data's components.

Phi_t(x) = rho x + tau x_hat, rho = sin phi_s/sin phi_t and tau = sin Delta/sin phi_t, is linear in x_hat, which for a
mixture is the mean of the components' estimates under the responsibilities r_k(x). So

    Phi_t(x) = sum_k r_k(x) (A_k (x - cos phi_t mu_k) + cos phi_s mu_k),        A_k = f_t(C_k),

the affine DDIM steps of the components, which are fixed, gated by r(x), which moves with the state. One component
(Gaussian data): an affine block map, a PIFS step that changes with t. Point clouds: similarities x -> rho x + tau y_k
of one ratio; where r tends to a single 1 the step is affine between switches. Else the gate moves: only Gaussian data
have affine steps (an affine x_hat makes p_t Gaussian, and so the data). `ddim-is-affine-pifs` has what is false.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, N, evaluate
from theory.instruments import EPS
from theory.marginals import Array, Law, drawn_law, normal_law, two_normals

state, r, A, mu, k = (sp.Symbol(name, commutative=False) for name in ("x", "r_k(x)", "A_k", "mu_k", "k"))


class Branches(NamedTuple):
    """The slope of an affine branch along a direction of variance lam, and the weights of the branches.

    gate(weights, densities) of the components at a state, each a list.
    """

    slope: sp.Expr
    gate: Callable[[Sequence[Any], Sequence[Any]], list[Any]]


def normalised(values: Sequence[Any]) -> list[Any]:
    """Values over their sum."""
    return [value / sum(values) for value in values]


def posterior(weights: Sequence[Any], densities: Sequence[Any]) -> list[Any]:
    """Responsibilities: w_k p_k over their sum."""
    return normalised([w * p for w, p in zip(weights, densities, strict=True)])


def prior(weights: Sequence[Any], densities: Sequence[Any]) -> list[Any]:  # noqa: ARG001
    """The weights alone: the same pairing at every state."""
    return normalised(weights)


def densities_alone(weights: Sequence[Any], densities: Sequence[Any]) -> list[Any]:  # noqa: ARG001
    """p_k over their sum."""
    return normalised(densities)


def doubled(weights: Sequence[Any], densities: Sequence[Any]) -> list[Any]:
    """(w_k p_k)^2 over their sum: half the temperature."""
    return normalised([(w * p) ** 2 for w, p in zip(weights, densities, strict=True)])


SLOPE = (LAM * sp.cos(PHI_S) * sp.cos(PHI_T) + sp.sin(PHI_S) * sp.sin(PHI_T)) / N(PHI_T)
THREE_POINTS = Law(np.array([0.5, 0.2, 0.3]), np.array([[0.0, 1.0], [1.5, -0.5], [-1.0, -1.0]]), np.zeros((3, 2, 2)))
TWO = two_normals(0.3, [-2.0, 1.0], [0.2, 1.5])

CLAIM = Claim(
    label="ddim-is-pifs",
    source="Dooms 2026, arXiv:2603.13069, as summarised; decided here",
    statement="On a mixture of Gaussians a step is Φ_t(x) = Σ_k r_k(x) (A_k (x − cos φ_t μ_k) + cos φ_s μ_k), "
    "A_k = f_t(C_k): fixed affine block maps, chosen softly by the state. One component (and only Gaussian data): an "
    "affine PIFS step; point clouds: similarities of one ratio sin φ_s / sin φ_t, affine between switches in the hard "
    "limit.",
    equation=sp.Eq(
        sp.Function("Phi_t")(state), sp.Sum(r * (A * (state - sp.cos(PHI_T) * mu) + sp.cos(PHI_S) * mu), (k, 1, "K"))
    ),
    formula=Branches(SLOPE, posterior),
    assumptions="exact denoiser, 0 < phi_t <= pi/2, 0 <= phi_s < phi_t",
    scope="mixtures of any Gaussians, point clouds among them; the symbolic part in one dimension; that no other data "
    "make the step affine is taken from analysis",
    uses=("diagonal-expansion",),
    witness={
        "one Gaussian": {
            "law": normal_law([1.0, -1.0], [[2.0, 0.9], [0.9, 1.0]]),
            "schedule": schedules.cosine(2, max_beta=None),
            "seed": 1,
        },
        "three points": {"law": THREE_POINTS, "schedule": schedules.from_angles([0.3, 0.9]), "seed": 2},
        "three points, the hard limit": {"law": THREE_POINTS, "schedule": schedules.from_angles([0, 0.05]), "seed": 3},
        "two normals": {"law": TWO, "schedule": schedules.from_angles([0.1, 0.6]), "seed": 4},
    },
    mutants={
        "the same pairing at every state": Branches(SLOPE, prior),
        "densities without the weights": Branches(SLOPE, densities_alone),
        "half the temperature": Branches(SLOPE, doubled),
        "one ratio for all components": Branches(sp.sin(PHI_S) / sp.sin(PHI_T), posterior),
        "the slope of unit variance": Branches(sp.cos(DELTA), posterior),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.sampled_from([1, 2]), st.sampled_from([1, 2, 3])),
    "schedule": st.sampled_from([1e-3, 0.2]).flatmap(lambda start: strategies.schedules(max_steps=1, start=start)),
    "seed": st.integers(0, 2**32 - 1),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """N(1, lam) and the point 0 on the line, at x = 0; the slope in x; the step as a function of x_hat."""
    x, clean, w, p = sp.symbols("x x_hat w p")
    at, turn, c = sp.sin(PHI_T), sp.sin(DELTA), sp.cos(PHI_T)
    total = N(PHI_T)  # x_hat = 1 + (lam c/total)(x - c), and 1 - lam c^2/total = sin^2 phi_t/total
    r, _ = formula.gate([w, sp.Integer(1)], [p, sp.Integer(1)])
    branch = total * (sp.cos(PHI_S) - formula.slope * c)
    yield Identity("gated branches at 0", turn * at * w * p / (w * p + 1) - r * branch)
    yield Identity("a branch's slope", total * (sp.sin(PHI_S) - at * formula.slope) + turn * LAM * c)
    step = sp.cos(PHI_S) * at * clean + sp.sin(PHI_S) * (x - c * clean)  # times sin phi_t
    yield Identity("the step is rho x + tau x_hat", step - sp.sin(PHI_S) * x - turn * clean)
    yield NotProved("x_hat is affine for Gaussian data only", "p_t is then Gaussian; Cramer's theorem (analysis)")


def observe(law: Law, schedule: Schedule, t: int, points: Array) -> Array:
    """The chain's step from phi_t."""
    return np.asarray(Chain(schedule, law.denoiser).step(points, schedule.steps - t))


def predicted(formula: Branches, law: Law, angles: tuple[float, float], points: Array) -> tuple[Array, Array]:
    """The gated branches at points (n, d), and (n,) the largest exponent of a density there."""
    marginal = law.marginal(angles[1])
    before, after = marginal.means, law.marginal(angles[0]).means
    variances, axes = np.linalg.eigh(law.covariances)
    total = np.linalg.eigvalsh(marginal.covariances)
    slopes = evaluate(formula.slope, {PHI_S: angles[0], PHI_T: angles[1], LAM: np.maximum(variances, 0).ravel()})
    off = np.einsum("kij,nki->nkj", axes, points[:, None] - before)  # along the axes
    exponents = -0.5 * np.sum(off**2 / total, axis=2)  # (n, K)
    relative = exponents - 0.5 * np.log(total).sum(axis=1)
    densities = np.exp(relative - relative.max(axis=1, keepdims=True))
    gates = np.stack(formula.gate(list(law.weights), list(densities.T)), axis=-1) * np.ones_like(densities)
    branches = np.einsum("kij,nkj->nki", axes, slopes.reshape(variances.shape) * off) + after
    return np.einsum("nk,nki->ni", gates, branches), -exponents.min(axis=1)


def holds(formula: Branches, law: Law, schedule: Schedule, seed: int) -> float:
    """Every step at points of p_t, to rounding times the exponents; a lone component's step is affine."""
    rng, errors = np.random.default_rng(seed), []
    for t in range(1, schedule.steps + 1):
        angles = float(schedule.angles[t - 1]), float(schedule.angles[t])
        marginal, n = law.marginal(angles[1]), 6
        chosen = rng.choice(len(law.weights), size=n, p=law.weights)
        roots = np.linalg.cholesky(marginal.covariances)
        points = marginal.means[chosen] + np.einsum("nij,nj->ni", roots[chosen], rng.standard_normal((n, law.dim)))
        found, (claimed, exponents) = observe(law, schedule, t, points), predicted(formula, law, angles, points)
        size = np.abs(points).max() + np.abs(law.means).max() + np.sqrt(law.covariances.max())
        scale = size * (1 + np.sin(angles[1] - angles[0]) / np.sin(angles[1])) * (1 + exponents[:, None])
        errors.append(close(f"step {t}", found, claimed, 256 * EPS, scale))
        if len(law.weights) == 1:
            bend = found[0] - 2 * observe(law, schedule, t, (points[:1] + points[1:2]) / 2)[0] + found[1]
            close("second difference", bend, 0.0, 64 * EPS, scale[0])
    return max(errors)
