"""The optimal density of steps on a spectrum: rho proportional to sqrt(sum_k w_k A_k psi'_k^2), A_k = int psi'_k^2/rho.

T steps of normalised density rho leave ln c_k = -A_k/(2T) to leading order, so that KL and W_2^2 are sum_k w_k A_k^2/
(4 T^2) with w_k = n_k (KL) or n_k N_0(lam_k) (W_2^2). A_k is convex in rho, as 1/rho is, and so is the square of a
positive convex function: the stationary density is the global optimum.

On the photograph's 8 x 8 x 3 patches, sigma from 0.02 to 80, the density is within 0.4 % of the numerical optimum at 5
steps and 0.04 % at 20; Karras has 3.5, 3.7 and 3.8 times its KL at 5, 10 and 20 steps. Two scales, 1e-3 and 1e2, are
its worst case: 16 % above the optimum at 5 steps in KL, 0.5 % at 20.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, design, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, close
from theory.claims.leading_eigenvalue_saturation import photograph
from theory.formulas import LAM

Array = npt.NDArray[np.float64]
SIGMA = (0.02, 80.0)
x, density = sp.symbols("x rho", positive=True)


def optimal(weight: Any, gain: Any, slope: Any) -> Any:
    """rho^2, unnormalised, at one place: w_k and A_k, and psi'_k there along the last axis."""
    return (weight * gain * slope**2).sum(-1)


class _Pair(tuple):
    """Two symbols that multiply, square and sum as an array's last axis does."""

    def __mul__(self, other: Any) -> Any:
        return _Pair(a * b for a, b in zip(self, other, strict=True))

    def __pow__(self, power: Any) -> Any:
        return _Pair(a**power for a in self)

    def sum(self, _: int) -> Any:
        return self[0] + self[1]


CLAIM = Claim(
    label="optimal-step-density",
    source="derived here; one scale: Align Your Steps, arXiv:2404.14507; tangent laws: arXiv:2601.13602",
    statement="As T → ∞ the steps of the schedule of least error on a spectrum have the density "
    "ρ ∝ √(Σ w_k A_k ψ'_k²), ψ'_k = √λ_k/N, A_k = ∫ψ'_k²/ρ dφ, w_k = n_k (KL) or n_k N_0(λ_k) (W₂²).",
    equation=sp.Eq(
        density,
        sp.sqrt(
            sp.Sum(sp.Symbol("w_k") * sp.Symbol("A_k") * sp.Symbol("psi'_k") ** 2, (sp.Symbol("k"), 1, sp.Symbol("K")))
        ),
    ),
    formula=optimal,
    assumptions="fixed ends, x_T ~ p_T, T -> infinity",
    scope="Gaussian data, exact denoiser; measured at T = 24 on spectra of up to four decades, and on a photograph",
    uses=("telescoping", "chain-law", "optimal-schedule-one-scale"),
    witness={
        "one scale": {"lam": np.array([3.0]), "counts": np.array([1.0]), "objective": "kl"},
        "two scales": {"lam": np.array([0.05, 20.0]), "counts": np.array([30.0, 1.0]), "objective": "kl"},
        "two scales in W_2": {"lam": np.array([0.01, 50.0]), "counts": np.array([100.0, 1.0]), "objective": "w2"},
        "three": {"lam": np.array([0.03, 1.0, 40.0]), "counts": np.array([9.0, 3.0, 1.0]), "objective": "kl"},
        "photograph": {"lam": "photograph", "counts": np.full(24, 8.0), "objective": "kl"},
    },
    mutants={
        "A_k left out": lambda weight, gain, slope: optimal(weight, gain**0, slope),
        "not rooted": lambda weight, gain, slope: optimal(weight, gain, slope) ** 2,
        "a sum of slopes": lambda weight, gain, slope: ((weight * gain) ** 0.5 * slope).sum(-1) ** 2,
        "every direction alike": lambda weight, gain, slope: optimal(weight**0, gain, slope),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "lam": strategies.spectra(2, 3, 1e-2, 1e2),
    "counts": strategies.spectra(3, 3, 0.03, 30.0),
    "objective": st.sampled_from(["kl", "w2"]),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Stationary: d/d rho of sum w A^2 is constant; A convex; a step's loss; both errors to second order in ln c."""
    w, A, slope = (_Pair(sp.symbols(f"{name}_1 {name}_2", positive=True)) for name in ("w", "A", "s"))
    lost = sum(-2 * w[k] * A[k] * slope[k] ** 2 / formula(w, A, slope) for k in (0, 1))  # dA_k = -psi'^2/rho^2
    yield Identity("the slope of the functional in rho is -2 everywhere", lost + 2)
    yield Identity("second derivative of 1/rho", sp.diff(1 / density, density, 2) - 2 / density**3)
    yield Positive("1/rho is convex", 2 / density**3)
    step = sp.Symbol("phi_d", positive=True)
    yield Identity("ln cos to first order", sp.diff(sp.log(sp.cos(step)), step).subs(step, 0))
    yield Identity("ln cos to second order", sp.diff(sp.log(sp.cos(step)), step, 2).subs(step, 0) + 1)
    log_c = sp.Symbol("g", positive=True)
    kl, w2 = (sp.exp(2 * log_c) - 1 - 2 * log_c) / 2, (1 - sp.exp(log_c)) ** 2
    for name, error in (("KL", kl), ("W_2^2", w2)):
        yield Identity(
            f"{name} begins at second order", error.subs(log_c, 0) ** 2 + sp.diff(error, log_c).subs(log_c, 0) ** 2
        )
        yield Identity(f"{name} to second order", sp.diff(error, log_c, 2).subs(log_c, 0) - 2)
    tangent = x / sp.sqrt(LAM)  # tan psi = tan phi/sqrt(lam), x = tan phi
    slope_of_psi = sp.diff(tangent, x) / (1 + tangent**2) * (1 + x**2)
    yield Identity("psi' = sqrt(lam)/N", slope_of_psi - sp.sqrt(LAM) * (1 + x**2) / (LAM + x**2))
    yield NotProved("sums over steps tend to integrals, and optima to the optimum", "analysis (a proof assistant)")


def shares(formula: Formula, lam: Array, weight: Array) -> tuple[Array, Array]:
    """ln tan phi on a grid between the ends, and the share of the formula's density up to there."""
    grid = np.linspace(np.log(SIGMA[0]), np.log(SIGMA[1]), 4001)
    slope = 1 / (2 * np.cosh(grid[:, None] - np.log(lam) / 2))
    measure = np.full(grid.size, grid[1] - grid[0])
    measure[[0, -1]] /= 2
    rho = np.ones(grid.size)
    for _ in range(40):
        rho = rho / (measure @ rho)
        rho = np.sqrt(formula(weight, (measure / rho) @ slope**2, slope))
    mass = np.concatenate([[0.0], np.cumsum((rho[1:] + rho[:-1]) / 2)])
    return grid, mass / mass[-1]


def observe(lam: tuple[float, ...], counts: tuple[float, ...], objective: Any, steps: int) -> Schedule:
    """The numerical optimum, which knows no density."""
    ends: dict[str, Any] = {"sigma_min": SIGMA[0], "sigma_max": SIGMA[1]}
    return design.optimal_schedule(lam, steps, multiplicities=counts, objective=objective, method="optimise", **ends)


_optimum = cache(observe)


def holds(formula: Formula, lam: Any, counts: Array, objective: Any) -> float:
    """The optimum's steps are equal shares of the density to 0.3/T, and the density's error is its own to 1 %."""
    if isinstance(lam, str):
        lam = np.exp(np.log(photograph()).reshape(-1, 8).mean(axis=1))  # by eights
    steps, counts = 24, counts[: lam.size]
    best = _optimum(tuple(lam.tolist()), tuple(counts.tolist()), objective, steps)
    weight = counts * (1.0 if objective == "kl" else lam * best.alpha_bar[0] + best.noise_variance[0])
    grid, mass = shares(formula, lam, weight)
    even = np.arange(steps + 1) / steps
    error = close("shares", np.interp(np.log(best.sigma), grid, mass), even, 0.3 / steps, 1.0)
    inner = np.interp(even[1:-1], mass, grid)
    found = schedules.from_angles([best.angles[0], *np.arctan(np.exp(inner)), best.angles[-1]])
    ratio = design.chain_error(found, lam, counts, objective=objective) / design.chain_error(
        best, lam, counts, objective=objective
    )
    close("error by the least", ratio, 1.0, 0.01, 1.0)
    return error
