"""The longest first step within a schedule's global expansion threshold, hence the largest weakest link L*_1.

lam** falls as prod_t cos(psi_t - psi_s) at lam** grows. With phi_0 = 0, T, phi_T and phi_1 given, that product is
largest where the other steps are uniform in psi at lam**: the longest first step is the root of Lambda(lam**) = 0.
"""

from __future__ import annotations

import math

import numpy as np

from pifs_sim.diffusion.angles import HALF_PI
from pifs_sim.diffusion.geometry import lyapunov_exponent, moran_threshold
from pifs_sim.diffusion.schedule import Schedule

__all__ = ["longest_first_step"]


def longest_first_step(schedule: Schedule) -> Schedule:
    """The schedule with the same T, ends and lam** whose L*_1, the least threshold, is largest.

    Args:
        schedule: from phi_0 = 0, with at least two steps and a finite lam**.

    Raises:
        ValueError: phi_0 > 0, one step, or no lam**.
    """
    from scipy.optimize import brentq  # 0.1 s to import, and only needed here

    lam, last = moran_threshold(schedule), float(schedule.angles[-1])
    if schedule.angles[0] > 0 or schedule.steps < 2 or lam == math.inf:
        start = float(schedule.angles[0])
        raise ValueError(
            "`schedule` must begin at 0 and have two steps and a finite lam**, "
            f"got phi_0={start!r}, {schedule.steps} steps and lam**={lam!r}."
        )
    root = math.sqrt(lam)
    end = last if last == HALF_PI else math.atan2(math.tan(last), root)

    def uniform_after(first: float) -> Schedule:
        psi = np.linspace(math.atan2(math.tan(first), root), end, schedule.steps)[1:-1]
        angles = [0.0, first, *np.arctan(root * np.tan(psi)), last]
        return Schedule(np.array(angles), f"{schedule.name}, longest first step")

    def growth(first: float) -> float:
        return float(lyapunov_exponent(uniform_after(first), lam))

    low = float(schedule.angles[1])  # Lambda is 0 there for the schedule itself, and no less for the uniform one
    high = low
    while growth(high) > 0:
        low, high = high, high + (last - high) / 4
    if high == low:  # the schedule is the best one, to rounding
        return uniform_after(low)
    return uniform_after(brentq(growth, low, high, xtol=1e-15, rtol=1e-14))
