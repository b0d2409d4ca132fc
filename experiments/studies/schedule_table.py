"""Do the reported means and spreads of L*_t hold at every number of steps, or only where they were printed?

Falsifier: a schedule of the paper's table whose mean L*_t or coefficient of variation leaves the printed value by more
than 0.005 when T goes from 10 to 10^4. As T grows both tend to those of the continuous angle, int sin phi dt over the
schedule's own time; only L*_1 = tan(phi_1/2) goes to 0, like the first angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Schedule, geometry, schedules

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "linear_beta", "plot", "run", "verdict"]

NAME = "schedule_table"
VERSION = 1
CLAIMS = ("weakest-link-is-first", "reported-linear", "reported-cosine", "reported-cosine-offset", "reported-ddim-50")
_NAMES = ["linear", "cosine", "cosine, offset 0.008", "uniform angle"]
GRIDS = {
    "smoke": {"schedule": _NAMES, "steps": [10, 100, 1000]},
    "paper": {"schedule": _NAMES, "steps": [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]},
}
TOLERANCE = 1e-9
_PRINTED = {"linear": (0.805, 0.341), "cosine": (0.637, 0.483), "cosine, offset 0.008": (0.641, 0.474)}


def linear_beta(steps: int) -> Schedule:
    """Linear beta with T steps: every so many of 1000 for fewer, and smaller betas of the same sum for more."""
    if steps < 1000:
        return schedules.linear(1000).subsample(np.round(np.linspace(0, 1000, steps + 1)).astype(int))
    return schedules.linear(steps, 1e-4 * (1000 / steps), 0.02 * (1000 / steps))


def _schedule(name: str, steps: int) -> Schedule:
    if name == "linear":
        return linear_beta(steps)
    if name == "uniform angle":
        return schedules.uniform_angle(steps)
    return schedules.cosine(steps, 0.008 if "offset" in name else 0.0, max_beta=None)


def run(*, schedule: str, steps: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Mean, coefficient of variation and first value of L*_t, and lam**."""
    del rng
    made = _schedule(schedule, steps)
    threshold = geometry.contraction_threshold(made)
    return [
        {
            "mean": float(threshold.mean()),
            "variation": float(threshold.std() / threshold.mean()),
            "first": float(threshold[0]),
            "smallest": float(threshold.min()),
            "moran": min(float(geometry.moran_threshold(made)), 1e300),
        }
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if every mean and variation of a printed schedule stays within 0.005 of its figure."""
    off = {
        (row["schedule"], row["steps"]): max(
            abs(float(row["mean"]) - _PRINTED[str(row["schedule"])][0]),
            abs(float(row["variation"]) - _PRINTED[str(row["schedule"])][1]),
        )
        for row in rows
        if row["schedule"] in _PRINTED
    }
    worst = max(off, key=lambda case: off[case])
    first = all(row["first"] == row["smallest"] for row in rows)
    text = (
        f"Mean and spread of L*_t leave the printed figures by at most {off[worst]:.2g} ({worst[0]}, T = {worst[1]}); "
        f"the least L*_t is {'always' if first else 'not always'} the first."
    )
    steady = [case for case, gap in off.items() if gap <= 0.005]
    numbers = {"largest gap": off[worst], "cases within 0.005": float(len(steady)), "cases": float(len(off))}
    return Verdict("confirmed" if len(steady) == len(off) and first else "refuted", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Mean, variation and first value of L*_t over T."""
    figure, axes = figures.canvas(7.2, rows=3)
    for name, colour in zip(_NAMES, figures.COLOURS, strict=False):
        mine = sorted((row for row in rows if row["schedule"] == name), key=lambda row: float(row["steps"]))
        steps: Any = [row["steps"] for row in mine]
        for axis, what in zip(axes, ("mean", "variation", "first"), strict=True):
            axis.plot(steps, [row[what] for row in mine], "o-", color=colour, markersize=4, label=name)
    for axis, label in zip(axes, ("mean of L*", "CV of L*", "L* of the first step"), strict=True):
        axis.set(xscale="log", ylabel=label)
    axes[2].set(yscale="log", xlabel="steps T")
    axes[0].legend(fontsize=8)
    return figure
