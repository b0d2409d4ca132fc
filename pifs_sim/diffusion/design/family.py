"""One schedule for a family of spectra: the least worst ratio of the error to each spectrum's own optimum.

Minimised is z with ln F_j(theta) - min ln F_j <= z for every j (sequential quadratic programming, analytic gradients).
At the solution weights alpha_j >= 0 with sum 1 make sum_j alpha_j grad ln F_j = 0: the certificate that is checked.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray, differences
from pifs_sim.diffusion.design.directions import Objective, directions
from pifs_sim.diffusion.design.optimal import Solver, end_angles, gain_of, settle
from pifs_sim.diffusion.design.optimum import Problem
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import check_count
from pifs_sim.dynamics.display import one_line

__all__ = ["WorstCase", "worst_case_schedule"]

_STATIONARY = 1e-5  # of the weighted gradient: the worst ratio is then exact to about its square


class WorstCase(NamedTuple):
    """The schedule; ratios (J,), error on each spectrum by its own optimum; weights (J,), 0 where it is not worst."""

    schedule: Schedule
    ratios: FloatArray
    weights: FloatArray

    def __repr__(self) -> str:
        return one_line(self)


def _weights(gradients: FloatArray) -> tuple[FloatArray, float]:
    """alpha >= 0 with sum 1 and the least |sum alpha_j g_j|, and that norm's largest entry; gradients (J, T)."""
    from scipy.optimize import nnls

    scale = np.abs(gradients).max() or 1.0
    alpha = nnls(np.vstack([gradients.T / scale, np.ones(len(gradients))]), np.append(np.zeros(gradients.shape[1]), 1))[
        0
    ]
    alpha = alpha / alpha.sum()
    return alpha, float(np.abs(alpha @ gradients).max())


def worst_case_schedule(
    spectra: Sequence[Any],
    steps: int,
    *,
    sigma_min: float,
    sigma_max: float,
    multiplicities: Sequence[npt.ArrayLike | None] | None = None,
    objective: Objective = "kl",
    solver: Solver = "ddim",
) -> WorstCase:
    """The schedule whose worst ratio of error to optimum over several spectra is least.

    Args:
        spectra: J arrays of variances, as `lam` of `optimal_schedule`.
        steps: T >= 1.
        sigma_min: tan phi_0 >= 0.
        sigma_max: tan phi_T, may be infinite.
        multiplicities: J arrays like `spectra`, or None entries; 1 by default.
        objective: "kl" or "w2": ratios of KL or of the distance W_2.
        solver: "ddim" or "2m".

    Raises:
        ValueError: no spectra; as `optimal_schedule` for each of them.

    A RuntimeWarning says where an optimum has not settled: see `optimal_schedule`.
    """
    from scipy.optimize import minimize

    check_count("steps", steps, 1, None)
    ends, gain = end_angles(sigma_min, sigma_max), gain_of(solver)
    counts = [None] * len(spectra) if multiplicities is None else list(multiplicities)
    if not len(spectra):
        raise ValueError("`spectra` must hold at least one spectrum, got none.")
    if len(counts) != len(spectra):
        raise ValueError(f"`multiplicities` must have an entry for each of {len(spectra)} spectra, got {len(counts)}.")
    family = [directions(lam, count, objective, ends[0]) for lam, count in zip(spectra, counts, strict=True)]
    problems = [Problem(gain, one, ends, np.full(steps, np.nan)) for one in family]
    settled = [settle(one, steps, ends, solver) for one in family]
    optima = np.array([found.value for _, found in settled])

    def losses(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        pairs = [problem(theta) for problem in problems]
        return np.array([value for value, _ in pairs]) - optima, np.array([gradient for _, gradient in pairs])

    starts = [np.log(differences(angles)) for angles, _ in settled]
    start = min(starts, key=lambda theta: float(losses(theta)[0].max()))
    theta = start - start.mean()
    if len(family) > 1 and steps > 1:
        outcome = minimize(
            lambda x: x[-1],
            np.append(theta, losses(theta)[0].max()),
            jac=lambda _: np.append(np.zeros(steps), 1.0),
            constraints={
                "type": "ineq",
                "fun": lambda x: x[-1] - losses(x[:-1])[0],
                "jac": lambda x: np.hstack([-losses(x[:-1])[1], np.ones((len(family), 1))]),
            },
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        theta = outcome.x[:-1]
    loss, gradients = losses(theta)
    worst = loss > loss.max() - 1e-6
    weights = np.zeros(len(family))
    weights[worst], remainder = _weights(gradients[worst])
    if remainder > _STATIONARY:
        warnings.warn(
            f"the worst case has not settled: weighted gradient {remainder:.1e}.", RuntimeWarning, stacklevel=2
        )
    ratios = np.exp(loss / 2 if objective == "w2" else loss)
    name = f"worst case of {len(family)} spectra, {objective}, {steps} steps"
    return WorstCase(Schedule(problems[0].angles(theta), name), ratios, weights)
