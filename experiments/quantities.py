"""The three model-free quantities and both dimensions of a spectrum under a schedule.

d_full is the Kaplan-Yorke dimension of the exponents Lambda(lam_i) of every direction; d_leading gives all n
directions the exponent of the leading eigenvalue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Schedule, geometry
from pifs_sim.dynamics import kaplan_yorke_dimension

__all__ = ["QUANTITIES", "of_schedule", "of_spectrum"]

Array = npt.NDArray[np.float64]

QUANTITIES = {  # key -> what people read
    "contraction_threshold_first": "L*_1",
    "contraction_threshold_mean": "mean of L*_t",
    "contraction_threshold_cv": "CV of L*_t",
    "step_threshold_least": "least λ*_t",
    "moran_threshold": "λ**",
    "leading_eigenvalue": "leading eigenvalue λ_1",
    "largest_expansion": "largest f_t(λ_1)",
    "expanding_steps": "steps with f_t(λ_1) > 1",
    "leading_exponent": "Λ(λ_1), nats",
    "expanding_directions": "directions with Λ > 0",
    "dimension_full": "d, all eigenvalues",
    "dimension_leading": "d, leading eigenvalue for every direction",
}


def of_schedule(schedule: Schedule) -> dict[str, Any]:
    """What a schedule alone decides: L*_t, lam*_t and lam**."""
    threshold, step = geometry.contraction_threshold(schedule), geometry.step_threshold(schedule)
    return {
        "schedule": schedule.name,
        "steps": schedule.steps,
        "contraction_threshold_first": float(threshold[0]),
        "contraction_threshold_mean": float(threshold.mean()),
        "contraction_threshold_cv": float(threshold.std() / threshold.mean()),
        "step_threshold_least": float(step.min()),
        "moran_threshold": geometry.moran_threshold(schedule),
    }


def of_spectrum(schedule: Schedule, eigenvalues: Array) -> dict[str, Any]:
    """`of_schedule` with f_t, Lambda and both dimensions of a spectrum, (n,) variances in descending order."""
    expansion = geometry.diagonal_expansion(schedule, float(eigenvalues[0]))
    exponents = geometry.lyapunov_exponent(schedule, eigenvalues)
    return of_schedule(schedule) | {
        "directions": int(eigenvalues.size),
        "leading_eigenvalue": float(eigenvalues[0]),
        "largest_expansion": float(expansion.max()),
        "expanding_steps": int((expansion > 1).sum()),
        "leading_exponent": float(exponents[0]),
        "expanding_directions": int((exponents > 0).sum()),
        "dimension_full": kaplan_yorke_dimension(exponents),
        "dimension_leading": kaplan_yorke_dimension(exponents[:1], [eigenvalues.size]),
    }
