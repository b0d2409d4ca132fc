"""How far does the schedule choose the Kaplan-Yorke dimension: by its offset, its shift, its steps?

Falsifier: if d moved by less than one direction over all offsets, logSNR shifts and T >= 10 that are in use, the
schedule would not sculpt the dimension; the product rule says that for fine chains from 0 to pi/2 it cannot: there d
is that of the exponents ln(lam)/2, whatever the schedule. What is left is the end points and the coarse chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures
from experiments.studies.schedule_table import linear_beta
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "schedule_sculpts_dimension"
VERSION = 1
CLAIMS = ("product-rule", "kaplan-yorke", "lyapunov-gaussian")
_FAMILIES = ["cosine", "linear", "karras", "uniform angle"]
GRIDS = {
    "smoke": {"family": _FAMILIES, "steps": [10, 1000], "shift": [-4, 0, 4], "offset": [0, 0.008], "slope": [2]},
    "paper": {
        "family": _FAMILIES,
        "steps": [5, 10, 20, 50, 100, 1000],
        "shift": [-6, -4, -2, 0, 2, 4, 6],
        "offset": [0, 0.008, 0.05],
        "slope": [1, 1.5, 2, 3],
    },
}
TOLERANCE = 1e-9
_DIRECTIONS = 256


def _schedule(family: str, steps: int, offset: float) -> Schedule:
    if family == "cosine":
        return schedules.cosine(steps, offset, max_beta=None)
    if family == "linear":
        return linear_beta(steps)
    return schedules.karras(steps, 0.002, 80) if family == "karras" else schedules.uniform_angle(steps)


def run(
    *, family: str, steps: int, shift: float, offset: float, slope: float, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """d of variances 64 k^-slope, k = 1..256, under the schedule; and by the product rule."""
    del rng
    lam = 64 * np.arange(1, _DIRECTIONS + 1) ** -float(slope)
    made = _schedule(family, steps, offset).shift(float(shift))
    d = kaplan_yorke_dimension(geometry.lyapunov_exponent(made, lam))
    rule = kaplan_yorke_dimension(np.log(lam) / 2)
    return [{"dimension": d, "product rule": rule, "moran": min(float(geometry.moran_threshold(made)), 1e300)}]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if d moves by at least one direction within a slope, over schedules of at least ten steps."""
    spans, fine = {}, 0.0
    for slope in sorted({float(row["slope"]) for row in rows}):
        mine = [row for row in rows if row["slope"] == slope and int(row["steps"]) >= 10]
        found = [float(row["dimension"]) for row in mine]
        spans[slope] = max(found) - min(found)
        whole = [row for row in mine if row["steps"] == 1000 and row["family"] == "uniform angle"]
        fine = max([fine, *(abs(float(row["dimension"]) - float(row["product rule"])) for row in whole)])
    widest = max(spans, key=lambda slope: spans[slope])
    text = (
        f"Over the schedules d moves by up to {spans[widest]:.1f} directions (slope {widest:g}); fine chains from 0 to "
        f"pi/2 stay within {fine:.2g} of the product rule, whatever their shift: ends and few steps sculpt, not shape."
    )
    numbers = {"largest span": spans[widest], "off the product rule": fine}
    return Verdict("confirmed" if spans[widest] >= 1 else "refuted", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """d over the logSNR shift, for each family at the fewest and the most steps; the product rule as a line."""
    figure, axes = figures.canvas(4.2)
    slope = 2 if any(row["slope"] == 2 for row in rows) else rows[0]["slope"]
    mine = [row for row in rows if row["slope"] == slope and row["offset"] in (0, 0.0)]
    few, many = min(int(row["steps"]) for row in mine), max(int(row["steps"]) for row in mine)
    for family, colour in zip(_FAMILIES, figures.COLOURS, strict=False):
        for steps, style in ((few, "o:"), (many, "o-")):
            chosen = sorted(
                (row for row in mine if row["family"] == family and row["steps"] == steps),
                key=lambda r: float(r["shift"]),
            )
            x, y = ([float(row[what]) for row in chosen] for what in ("shift", "dimension"))
            axes.plot(x, y, style, color=colour, markersize=3, label=f"{family}, T = {steps}")
    axes.axhline(float(mine[0]["product rule"]), color="black", linewidth=0.8)
    axes.set(xlabel="logSNR shift", ylabel=f"Kaplan–Yorke dimension of {_DIRECTIONS} directions")
    axes.legend(fontsize=7, ncols=2)
    return figure
