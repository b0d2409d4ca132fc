"""Design criteria of a schedule, each a function of the schedule and, where it matters, of the data's spectrum.

Weakest link: the least contraction threshold, min_t L*_t = L*_1. Without a budget it is degenerate: the supremum puts
every step but the first at the noisy end. The budget here is the largest turn: no Delta_t exceeds it.
Balance: how even the contributions of the steps are, for three quantities that are not the same. Along variance lam
step t multiplies lengths by f_t and adds the information I_t = ln(N_s v_t/(N_t v_s))/2 (nats) on x_0 to x; for small
steps ln f_t/I_t -> (1 - 1/lam) v_t, so that equal ones of the one are unequal ones of the other.
Workload: the share of step t in int dphi/L*, where L* = sin phi for a small step: ln(tan(phi_t/2)/tan(phi_s/2)), up to
the total. Equal shares are steps of density 1/L*: many where L* is small.
Source of the criteria: Dooms 2026, arXiv:2603.13069; the definitions here are this project's own.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray, cos_sin
from pifs_sim.diffusion.design.directions import directions
from pifs_sim.diffusion.geometry import contraction_threshold, log_expansion
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.dimension import kaplan_yorke_dimension

__all__ = [
    "Balance",
    "WeakestLink",
    "balance",
    "dimension_growth",
    "information_gain",
    "lyapunov_contributions",
    "variation",
    "weakest_link",
    "workload",
]


class WeakestLink(NamedTuple):
    """value = min_t L*_t; best, the least upper bound of it within the budget; budget, the largest Delta_t, radians."""

    value: float
    best: float
    budget: float


class Balance(NamedTuple):
    """Coefficients of variation of the steps' Lyapunov contributions, information gains and dimension growths."""

    lyapunov: float
    information: float
    dimension: float


def weakest_link(schedule: Schedule, budget: float | None = None) -> WeakestLink:
    """The least contraction threshold L*_1 = sin((phi_0 + phi_1)/2)/cos(Delta_1/2), and the best within a budget.

    Among schedules with the same ends whose steps turn by at most `budget` it is largest with
    phi_1 = phi_0 + budget; equal steps are the only ones within the least possible budget.

    Args:
        schedule: the steps.
        budget: largest Delta_t allowed, radians; by default the schedule's own largest.

    Raises:
        ValueError: `budget` not positive and finite, or below (phi_T - phi_0)/T, with which no schedule complies.
    """
    own = float(schedule.increments.max())
    span = float(schedule.angles[-1] - schedule.angles[0])
    least = span / schedule.steps * (1 - 1e-12)
    if budget is not None and not (math.isfinite(budget) and budget >= least):
        raise ValueError(f"`budget` must be finite and at least (phi_T - phi_0)/T = {least!r}, got {budget!r}.")
    turn = min(own if budget is None else budget, span)
    cos, sin = cos_sin(schedule.angles[0])
    best = (sin + (sin * math.cos(turn) + cos * math.sin(turn))) / (1 + math.cos(turn))
    return WeakestLink(float(contraction_threshold(schedule).min()), float(best), own if budget is None else budget)


def _counted(schedule: Schedule, lam: Any, multiplicities: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    """Distinct positive variances and their multiplicities, (K,) each."""
    spectrum = directions(lam, multiplicities, "kl", float(schedule.angles[0]))
    return spectrum.root**2, spectrum.weight


def lyapunov_contributions(schedule: Schedule, lam: Any, multiplicities: npt.ArrayLike | None = None) -> FloatArray:
    """sum_k n_k ln f_t(lam_k), the logarithm of what step t does to volumes, (T,), entry t-1 for step t.

    n_k are the `multiplicities`, (m,) like `lam`; 1 by default. Directions with lam = 0 are left out. Errors as for
    `geometry.log_expansion`.
    """
    values, count = _counted(schedule, lam, multiplicities)
    return np.asarray(log_expansion(schedule, values)) @ count


def information_gain(schedule: Schedule, lam: Any, multiplicities: npt.ArrayLike | None = None) -> FloatArray:
    """Information on Gaussian data gained by step t, I(x_0; x_s) - I(x_0; x_t), nats, (T,), entry t-1 for step t.

    sum_k n_k log1p(lam_k sin Delta sin(phi_t + phi_s)/(N_t v_s))/2, inf for a step to phi_s = 0; n_k are the
    `multiplicities`, (m,) like `lam`; 1 by default.
    """
    values, count = _counted(schedule, lam, multiplicities)
    cos, sin = schedule.cos, schedule.sin
    turn = np.sin(schedule.increments) * (sin[1:] * cos[:-1] + cos[1:] * sin[:-1])
    with np.errstate(divide="ignore"):
        return np.array(
            [
                0.5 * np.log1p(values * turn[t] / ((values * cos[t + 1] ** 2 + sin[t + 1] ** 2) * sin[t] ** 2)) @ count
                for t in range(schedule.steps)
            ]
        )


def dimension_growth(schedule: Schedule, lam: Any, multiplicities: npt.ArrayLike | None = None) -> FloatArray:
    """Growth of the Kaplan-Yorke dimension by step t, (T,), entry t-1 for step t.

    d_t is the dimension of the exponents summed over the steps T..t (those done by then); step t adds d_t - d_{t+1},
    with d_{T+1} := 0. The sum over the chain is its Kaplan-Yorke dimension. `multiplicities` must be integers.
    """
    values, count = _counted(schedule, lam, multiplicities)
    done = np.cumsum(np.asarray(log_expansion(schedule, values))[::-1], axis=0)
    dimension = [kaplan_yorke_dimension(exponents, count) for exponents in done]
    return np.diff(dimension, prepend=0.0)[::-1]


def workload(schedule: Schedule) -> FloatArray:
    """Share of step t in int dphi/sin phi, (T,), entry t-1 for step t; all 1/T where the criterion is met.

    The work of a step is ln(tan(phi_t/2)/tan(phi_s/2)). A step to phi_0 = 0 has it all: 1, and 0 for the others.
    """
    if schedule.angles[0] == 0.0:
        return np.eye(1, schedule.steps)[0]
    half = schedule.angles / 2
    work = np.log1p(np.sin(schedule.increments / 2) / (np.cos(half[1:]) * np.sin(half[:-1])))
    return work / work.sum()


def variation(values: npt.ArrayLike) -> float:
    """Coefficient of variation of the sizes |values|, (m,): population standard deviation by mean; 0 if all are 0.

    Raises:
        ValueError: empty or not finite.
    """
    sizes = np.abs(np.asarray(reals("values", values)[1], dtype=np.float64))
    if not (sizes.size and np.isfinite(sizes).all()):
        raise ValueError(f"`values` must be finite and not empty, got {values!r:.80}.")
    mean = float(sizes.mean())
    return float(sizes.std()) / mean if mean else 0.0


def balance(schedule: Schedule, lam: Any, multiplicities: npt.ArrayLike | None = None) -> Balance:
    """How unevenly the steps share three quantities on Gaussian data: 0 is perfect balance.

    Arguments as for `lyapunov_contributions`: lam (m,), multiplicities (m,). Of the information gains, that of a step
    to phi_0 = 0, which is infinite, is left out.

    Raises:
        ValueError: a bad variance or multiplicity (integers, for the dimension); a single step to phi_0 = 0.
    """
    information = information_gain(schedule, lam, multiplicities)
    return Balance(
        variation(lyapunov_contributions(schedule, lam, multiplicities)),
        variation(information[1:] if schedule.angles[0] == 0.0 else information),
        variation(dimension_growth(schedule, lam, multiplicities)),
    )
