"""Optimal schedules on a spectrum: a closed form for one scale, the density, and the numerical optimum.

argmin over phi_0 < ... < phi_N, the ends given, of sum_k n_k error(lam_k; phi), error the KL or W_2^2 of the output.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import HALF_PI, differences
from pifs_sim.diffusion.design import single_step, two_step
from pifs_sim.diffusion.design.density import density_angles, uniform_in_psi
from pifs_sim.diffusion.design.directions import Directions, Objective, directions
from pifs_sim.diffusion.design.optimum import EXACT, MANY, Gain, Minimum, Problem, bounded_minimum, valley_minimum
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import check_count

__all__ = ["Method", "Solver", "chain_error", "end_angles", "gain_of", "optimal_schedule", "settle"]

Method: TypeAlias = Literal["density", "optimise"]
Solver: TypeAlias = Literal["ddim", "2m"]

_GAINS: dict[str, Gain] = {"ddim": single_step.log_gain, "2m": two_step.log_gain}
_SHORTEST = 1e-3  # of the shortest step of the starts: the shortest of 2M
_NAMES = {"ddim": "DDIM", "2m": "DPM-Solver++(2M)"}


def gain_of(solver: Solver) -> Gain:
    """ln c of a solver's chain; ValueError for an unknown one."""
    if solver not in _GAINS:
        raise ValueError(f'`solver` must be "ddim" or "2m", got {solver!r}.')
    return _GAINS[solver]


def end_angles(sigma_min: float, sigma_max: float) -> tuple[float, float]:
    """(phi_0, phi_T); ValueError unless 0 <= sigma_min < sigma_max <= inf."""
    if not (math.isfinite(sigma_min) and sigma_min >= 0):
        raise ValueError(f"`sigma_min` must be finite and non-negative, got {sigma_min!r}.")
    if not sigma_max > sigma_min:
        raise ValueError(f"`sigma_max` must exceed `sigma_min`, {sigma_min!r}, got {sigma_max!r}.")
    ends = math.atan(sigma_min), math.atan(sigma_max)
    if ends[1] - ends[0] < 1e-12:
        raise ValueError(f"`sigma_max` must leave an angle of 1e-12 from `sigma_min`, got {sigma_max!r}.")
    return ends


def chain_error(
    schedule: Schedule,
    lam: Any,
    multiplicities: npt.ArrayLike | None = None,
    *,
    objective: Objective = "kl",
    solver: Solver = "ddim",
) -> float:
    """Exact error of a solver's chain from the exact marginal p_T, for Gaussian data with the exact denoiser.

    KL = sum n (c^2 - 1 - ln c^2)/2 in nats, or W_2 = sqrt(sum n N_0 (1 - |c|)^2) (a distance, not squared), where |c|
    is the factor by which the chain's output misses the standard deviation sqrt(N_0) of p_{phi_0}.

    Args:
        schedule: the steps.
        lam: variances of the data, any shape.
        multiplicities: number of directions of each variance, like lam; 1 by default.
        objective: "kl" or "w2".
        solver: "ddim" (then this is `geometry.gaussian_error`) or "2m": DPM-Solver++(2M), first order in its first
            step, in a step to phi = 0, and in the step after one from pi/2.

    Raises:
        ValueError: a bad variance, multiplicity, objective or solver; no direction with positive variance.

    Source of the solver: Lu et al. 2022, arXiv:2211.01095; its form on Gaussian data is derived here.
    """
    spectrum = directions(lam, multiplicities, objective, float(schedule.angles[0]))
    error = spectrum.error(gain_of(solver)(schedule.angles, schedule.increments, spectrum.root)[0])[0]
    return math.sqrt(error) if objective == "w2" else error


def settle(
    spectrum: Directions, steps: int, ends: tuple[float, float], solver: Solver, largest_step: float = math.inf
) -> tuple[npt.NDArray[np.float64], Minimum]:
    """The numerical optimum, from the density (2M: or equal steps of ln sigma, whichever ends lower).

    2M may want two noise levels to coincide, which is a derivative of the denoiser there, and no schedule: its steps
    are no shorter than 1e-3 of the shortest step of the starts. A RuntimeWarning says where the search did not end at
    a minimum: its gradient exceeds 1e-8 of the objective, and (as rounding of the angles alone may move it by more
    where errors of steps nearly cancel) Newton's model sees more than 1e-14 of the objective to gain. Rounding of 0 is
    exempt. ValueError where some steps would have to be 1e-13 times as long as others.
    """
    starts = [density_angles(spectrum, ends, steps)]
    if solver == "2m" and ends[0] > 0 and ends[1] < HALF_PI:
        starts.append(np.arctan(np.geomspace(math.tan(ends[0]), math.tan(ends[1]), steps + 1)))
    lengths = [differences(start) for start in starts]
    shortest = _SHORTEST * min(float(turns.min()) for turns in lengths) if solver == "2m" else 0.0
    problem = Problem(gain_of(solver), spectrum, ends, np.full(steps, math.nan), shortest, largest_step)
    angles, found = min((bounded_minimum(problem, np.log(turns)) for turns in lengths), key=lambda pair: pair[1].value)
    negligible = math.log(EXACT * spectrum.weight.sum())
    if not found.settled and found.value > negligible and spectrum.root.size <= MANY:
        angles, found = bounded_minimum(problem, np.log(differences(angles)), valley_minimum)
    if found.value == math.inf and steps > 1:
        raise ValueError(
            f"`lam` must not need steps 1e-13 times as long as others between the noise levels, got variances from "
            f"{float(spectrum.root[0]) ** 2!r} to {float(spectrum.root[-1]) ** 2!r}."
        )
    if not found.settled and found.value > negligible:
        warnings.warn(
            f"the optimum for {_NAMES[solver]} has not settled: gradient {found.gradient:.1e} of the objective, whose "
            f"logarithm is {found.value:.3f}; its steps' errors nearly cancel, and it may be better still elsewhere.",
            RuntimeWarning,
            stacklevel=3,
        )
    return angles, found


def optimal_schedule(
    lam: Any,
    steps: int,
    *,
    sigma_min: float,
    sigma_max: float,
    multiplicities: npt.ArrayLike | None = None,
    objective: Objective = "kl",
    method: Method = "density",
    solver: Solver = "ddim",
    largest_step: float | None = None,
) -> Schedule:
    """The schedule of `steps` steps between two noise levels with the least error on Gaussian data.

    The error is that of the chain's output law from the exact marginal p_T against p_{phi_0}, `chain_error`.
    "density": equal shares of rho proportional to sqrt(sum_k w_k A_k psi'_k^2), A_k = int psi'_k^2/rho, the best as
    T -> infinity (w_k = n_k for KL, n_k N_0(lam_k) for W_2); for one variance it is uniform in
    psi = atan2(sin phi, sqrt(lam) cos phi), which is the optimum for every T. "optimise": the numerical minimum, whose
    gradient by the logarithms of the step lengths is at most 1e-8 of KL or W_2^2. For "2m" the errors of steps have
    both signs and can cancel: there may be several minima (the lower of those reached from the density and from equal
    steps of ln sigma is taken), rounding of the angles then moves the gradient by more than 1e-8, and where the search
    does not end at a minimum it says so by a RuntimeWarning. Two noise levels that want to coincide are kept apart, by
    1e-3 of the shortest step of those two.

    Args:
        lam: variances of the data, any shape; those that are 0 count nothing.
        steps: T >= 1.
        sigma_min: tan phi_0 >= 0.
        sigma_max: tan phi_T, may be infinite.
        multiplicities: number of directions of each variance, like lam; 1 by default.
        objective: "kl" or "w2".
        method: "density" (DDIM only) or "optimise".
        solver: "ddim" or "2m", DPM-Solver++(2M).
        largest_step: upper bound of Delta_t in radians, for "optimise" only.

    Raises:
        ValueError: bad variances, steps, noise levels or names; "density" for "2m" or with `largest_step`;
            `largest_step` too small for the steps to reach from end to end.

    Source: derived here; one scale: Sabour, Fidler, Kreis 2024, arXiv:2404.14507; tangent law and KL: Sun, Poor, Zhang
    2026, arXiv:2601.13602.

    >>> optimal_schedule([1.0], 2, sigma_min=0.1, sigma_max=10.0).angles.round(4).tolist()
    [0.0997, 0.7854, 1.4711]
    >>> optimal_schedule([4.0, 0.01], 4, sigma_min=0.01, sigma_max=10.0).sigma.round(3).tolist()
    [0.01, 0.086, 0.362, 1.85, 10.0]
    """
    check_count("steps", steps, 1, None)
    ends = end_angles(sigma_min, sigma_max)
    gain_of(solver)
    spectrum = directions(lam, multiplicities, objective, ends[0])
    if method not in ("density", "optimise"):
        raise ValueError(f'`method` must be "density" or "optimise", got {method!r}.')
    if method == "density" and (solver != "ddim" or largest_step is not None):
        raise ValueError(f'`method` must be "optimise" for "2m" or with `largest_step`, got {method!r}.')
    span = ends[1] - ends[0]
    if largest_step is not None and not largest_step * steps > span:
        raise ValueError(f"`largest_step` must exceed {span / steps!r}, equal steps' length, got {largest_step!r}.")
    if spectrum.root.size == 1 and solver == "ddim" and largest_step is None:
        angles = uniform_in_psi(float(spectrum.root[0]), ends, steps)
    elif method == "density":
        angles = density_angles(spectrum, ends, steps)
    else:
        angles = settle(spectrum, steps, ends, solver, math.inf if largest_step is None else largest_step)[0]
    what = "density" if method == "density" else f"optimum for {_NAMES[solver]}"
    return Schedule(angles, f"{what}, {objective}, {steps} steps")
