"""Does lambda** - 1 fall like the sum of squared steps, sum_t Delta_t^2/(v_T - v_0), for every schedule?

Falsifier: a family of schedules whose ratio of lambda** - 1 to that sum does not tend to 1 as T grows. Among schedules
from 0 to pi/2 none may have lambda** below sec(pi/2T)^{2T}, which uniform angles come near to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures
from experiments.studies.schedule_table import linear_beta
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Schedule, geometry, schedules

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "moran_threshold_scaling"
VERSION = 1
CLAIMS = ("moran", "moran-above-one", "moran-minimum")
_NAMES = ["linear", "cosine", "cosine, offset 0.008", "uniform angle", "karras", "log-linear", "flow"]
GRIDS = {
    "smoke": {"schedule": _NAMES, "steps": [10, 100, 1000]},
    "paper": {"schedule": _NAMES, "steps": [4, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]},
}
TOLERANCE = 1e-9


def _schedule(name: str, steps: int) -> Schedule:
    made = {
        "linear": lambda: linear_beta(steps),
        "uniform angle": lambda: schedules.uniform_angle(steps),
        "karras": lambda: schedules.karras(steps, 0.002, 80),
        "log-linear": lambda: schedules.log_linear(steps, 0.002, 80),
        "flow": lambda: schedules.flow(steps),
    }
    if name in made:
        return made[name]()
    return schedules.cosine(steps, 0.008 if "offset" in name else 0.0, max_beta=None)


def run(*, schedule: str, steps: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """lambda** - 1, its leading term, and the least value that T steps from 0 to pi/2 can have."""
    del rng
    made = _schedule(schedule, steps)
    excess = float(geometry.moran_threshold(made)) - 1
    leading = float((made.increments**2).sum() / (made.noise_variance[-1] - made.noise_variance[0]))
    least = float(np.expm1(-2 * steps * np.log(np.cos(np.pi / (2 * steps)))))
    whole = bool(made.angles[0] == 0 and made.angles[-1] == np.pi / 2)
    found: dict[str, Scalar] = {
        "excess": excess,
        "leading": leading,
        "ratio": excess / leading,
        "least": least,
        "from 0 to pi/2": whole,
    }
    return [found if np.isfinite(excess) else found | {"excess": -1.0, "ratio": -1.0}]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if at the largest T all ratios are within 10 % of 1, closer than at a tenth of it, and none too low."""
    most = max(int(row["steps"]) for row in rows)
    gaps = {(row["schedule"], row["steps"]): abs(float(row["ratio"]) - 1) for row in rows if float(row["ratio"]) > 0}
    last = {str(name): gap for (name, steps), gap in gaps.items() if steps == most}
    nearer = all(gap <= gaps.get((name, most // 10), np.inf) for name, gap in last.items())
    low = [row for row in rows if row["from 0 to pi/2"] and row["ratio"] > 0 and row["excess"] < row["least"]]
    worst = max(last, key=lambda name: last[name])
    uniform = [row for row in rows if row["schedule"] == "uniform angle" and row["steps"] == most]
    text = (
        f"At T = {most} the ratio is within {last[worst]:.2g} of 1 for every schedule ({worst} the farthest); uniform "
        f"angles lie {float(uniform[0]['excess']) / float(uniform[0]['least']) - 1:.1g} above the least possible."
    )
    within = max(last.values()) <= 0.1 and nearer and not low
    return Verdict("confirmed" if within else "refuted", text, {"largest gap": last[worst], "below": float(len(low))})


def plot(rows: Sequence[Row]) -> Figure:
    """lambda** - 1 over T with its leading term, and their ratio."""
    figure, (above, below) = figures.canvas(6.4, rows=2)
    for i, name in enumerate(_NAMES):
        mine = sorted(
            (r for r in rows if r["schedule"] == name and float(r["ratio"]) > 0), key=lambda r: int(r["steps"])
        )
        colour = figures.COLOURS[i % len(figures.COLOURS)]
        style = "o-" if i < len(figures.COLOURS) else "s--"
        steps = [row["steps"] for row in mine]
        above.plot(steps, [row["excess"] for row in mine], style, color=colour, markersize=3, label=name)
        below.plot(steps, [row["ratio"] for row in mine], style, color=colour, markersize=3)
    steps = sorted({int(row["steps"]) for row in rows})
    least = [next(float(row["least"]) for row in rows if row["steps"] == t) for t in steps]
    above.plot(steps, least, color="black", linewidth=0.8, label="least from 0 to π/2")
    above.set(xscale="log", yscale="log", ylabel="λ** − 1")
    below.set(xscale="log", xlabel="steps T", ylabel="(λ** − 1)/(ΣΔ²/(v_T − v_0))", ylim=(0.5, 3))
    above.legend(fontsize=7)
    return figure
