"""A schedule on the time steps of a training chain: indices i_0 < ... < i_N that no single move improves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import differences
from pifs_sim.diffusion.design.directions import Objective, directions
from pifs_sim.diffusion.design.optimal import Solver, gain_of
from pifs_sim.diffusion.schedule import Schedule

__all__ = ["on_grid"]

_SCALES = 512
_MOVES = tuple(sign * 2**power for power in range(7) for sign in (1, -1))


def _nearest(schedule: Schedule, grid: Schedule) -> npt.NDArray[np.intp]:
    """Increasing indices into the grid's angles, nearest to the schedule's where those are apart."""
    upper = np.clip(np.searchsorted(grid.angles, schedule.angles), 1, grid.steps)
    lower_is_nearer = schedule.angles - grid.angles[upper - 1] < grid.angles[upper] - schedule.angles
    index = upper - lower_is_nearer
    first, last, order = index[0], index[-1], np.arange(index.size)
    if last - first < schedule.steps:
        raise ValueError(
            f"`grid` must have {schedule.steps + 1} angles between the schedule's ends, got {int(last - first) + 1}."
        )
    rising = np.maximum.accumulate(index - order) + order
    return np.minimum(rising, last - order[::-1])


def on_grid(
    schedule: Schedule,
    grid: Schedule,
    lam: Any,
    *,
    multiplicities: npt.ArrayLike | None = None,
    objective: Objective = "kl",
    solver: Solver = "ddim",
) -> Schedule:
    """Move a schedule to angles of a training chain, then improve it until no single move lowers the error.

    The ends go to the nearest angles of `grid` and stay; each inner index is tried at distances 1, 2, 4, .., 64, with
    the error on the spectrum (condensed to 512 directions if it has more) recomputed exactly.

    Args:
        schedule: the wanted angles, such as those of `optimal_schedule`.
        grid: the training chain: every angle of the result is one of its angles.
        lam: (m,) variances of the data, as for `optimal_schedule`; multiplicities, objective and solver likewise.
        multiplicities: (m,), see `lam`.
        objective: "kl" or "w2".
        solver: "ddim" or "2m".

    Raises:
        ValueError: too few angles in `grid` between the ends; as `optimal_schedule`.
    """
    gain, index = gain_of(solver), _nearest(schedule, grid)
    spectrum = directions(lam, multiplicities, objective, float(grid.angles[index[0]])).condensed(_SCALES)

    def error(chosen: npt.NDArray[np.intp]) -> float:
        angles = grid.angles[chosen]
        return spectrum.error(gain(angles, differences(angles), spectrum.root)[0])[0]

    best, moved = error(index), True
    while moved:
        moved = False
        for t in range(1, schedule.steps):
            for move in _MOVES:
                if index[t - 1] < index[t] + move < index[t + 1]:
                    trial = index.copy()
                    trial[t] += move
                    value = error(trial)
                    if value < best * (1 - 1e-13):
                        index, best, moved = trial, value, True
    found = grid.subsample(index)
    return Schedule(found.angles, f"{schedule.name}, on the grid of {grid.name}")
