"""Is a chain's Kaplan-Yorke dimension that of a set: its outputs, the repeated chain's attractor, or the data?

Falsifier: for each of these sets a chain on points of a fractal (dust or triangle of extent k, finer than the noise)
whose d_KY is farther than 0.1 from the set's dimension. Outputs of exact starts are counted above the noise that they
keep, 5..80 times it, and below, 0.05..0.5: boxes (D_0), entropies of boxes (D_1), balls (D_2). The repeated chain takes
its own outputs for starts. What the chain does show is the data's information dimension, in its volumes:
sum of exponents falls by n - D_1 for each unit of ln sigma, measured over one period of the fractal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Chain
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.dynamics import correlation_dimension, lyapunov_spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "attractor_dimension"
VERSION = 1
CLAIMS = ("attractor-dimension", "attractor-is-kaplan-yorke")
GRIDS = {
    "smoke": {"data": ["dust", "triangle"], "size": [1, 15], "steps": [10], "noise": [0.02], "points": [1000]},
    "paper": {
        "data": ["dust", "triangle"],
        "size": [1, 3, 7, 15],
        "steps": [5, 10, 40],
        "noise": [0.01],
        "points": [2000],
    },
}
TOLERANCE = 1e-3  # orbits near the borders of basins amplify rounding
_PERIOD = {"dust": 3.0, "triangle": 2.0}
_ORBITS, _STARTS, _REPEATS = 40, 12, 300
_SETTLED = 1e-6  # in units of k
_COARSE, _FINE = 0.1, 0.01  # boxes of the repeated chain's set, in units of k


def _boxes(x: FloatArray, side: float) -> FloatArray:
    """Masses of the occupied boxes of a grid."""
    count = np.unique(np.floor(x / side), axis=0, return_counts=True)[1]
    return np.asarray(count / len(x))


def _information(x: FloatArray, window: tuple[float, float]) -> float:
    """Slope of the entropy of boxes by -ln of their side over a window of lengths."""
    sides = np.geomspace(*window, 9)
    entropies = [-float((mass * np.log(mass)).sum()) for mass in (_boxes(x, side) for side in sides)]
    return -float(np.polyfit(np.log(sides), entropies, 1)[0])


def _repeated(chain: Chain, size: float, rng: np.random.Generator) -> float:
    """Box dimension, between two scales, of what the chain makes of its own outputs in the end."""
    x: Any = rng.standard_normal((_STARTS, chain.dim))
    for _ in range(_REPEATS):
        before, x = x, chain.run(x)
        if np.abs(x - before).max() <= _SETTLED * size:
            break
    fine, coarse = (_boxes(x, side * size).size for side in (_FINE, _COARSE))
    return math.log(fine / coarse) / math.log(_COARSE / _FINE)


def _volume(chain: Chain, x: Any) -> float:
    """Mean of ln|det D Phi| along orbits."""
    total = 0.0
    for n in range(chain.length):
        total += float(chain.jacobian(x, n).logabsdet().mean())
        x = chain.step(x, n)
    return total


def run(
    *, data: str, size: float, steps: int, noise: float, points: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """d_KY of a chain, and the dimensions of the sets that it could be the dimension of."""
    from experiments.benchmarks import attractors  # 0.3 s to import, and only needed here

    if data not in _PERIOD:
        raise ValueError(f"`data` must be dust or triangle, got {data!r}.")
    system = attractors.chain(data, size=size, steps=steps, noise=noise)
    starts, y = attractors.outputs(system, points, rng)
    found = lyapunov_spectrum(system, starts[:_ORBITS], steps, rng=rng)
    balls, boxes = attractors.above(y, noise * size)
    coarser = attractors.chain(data, size=size, steps=steps, noise=noise * _PERIOD[data])
    fallen = _volume(coarser, starts[:_ORBITS]) - _volume(system, starts[:_ORBITS])
    return [
        {
            "D": float(attractors.SETS[data].dimension or 0.0),
            "d_KY": found.kaplan_yorke.value,
            "d_KY error": found.kaplan_yorke.stderr,
            "above: D_0": boxes.value,
            "above: D_1": _information(y, attractors.window(attractors.ABOVE, noise * size)),
            "above: D_2": balls.value,
            "below: D_2": correlation_dimension(y, window=attractors.window(attractors.BELOW, noise * size)).value,
            "repeated: D_0": _repeated(system, size, rng),
            "volumes: D_1": system.dim - fallen / math.log(_PERIOD[data]),
        }
    ]


_SETS = {"data": "D", "outputs above": "above: D_2", "outputs below": "below: D_2", "repeated": "repeated: D_0"}


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if d_KY is within 0.1 of one of the sets' dimensions in all cases, refuted if of none."""
    d = np.array([float(row["d_KY"]) for row in rows])
    gaps = {name: float(np.abs(d - [float(row[what]) for row in rows]).max()) for name, what in _SETS.items()}
    most = max(int(row["steps"]) for row in rows)
    fine = [row for row in rows if int(row["steps"]) == most]
    seen = max(abs(float(row["volumes: D_1"]) - float(row["D"])) for row in fine)
    near = [name for name, gap in gaps.items() if gap <= 0.1]
    found = f"stays near {', '.join(near)}" if near else "misses every candidate"
    text = (
        f"d_KY runs from {d.min():.2f} to {d.max():.2f} over the data's scale and {found}: off by up to "
        f"{', '.join(f'{gap:.2f} ({name})' for name, gap in gaps.items())}. The volumes of T = {most} chains show the "
        f"data's information dimension within {seen:.2f}."
    )
    numbers = {f"largest gap, {name}": gap for name, gap in gaps.items()} | {"volumes": seen}
    return Verdict("confirmed" if near else "refuted", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Dimensions over the data's scale k at the most steps, a panel for each fractal."""
    sets = list(dict.fromkeys(str(row["data"]) for row in rows))
    figure, axes = figures.canvas(2.9 * len(sets) + 0.6, rows=len(sets))
    figure.subplots_adjust(top=0.91)
    most = max(int(row["steps"]) for row in rows)
    shown = {
        "d_KY": ("o-", "d_KY"),
        "D": ("--", "data"),
        "above: D_2": ("s-", "outputs, above the noise"),
        "below: D_2": ("^-", "outputs, below the noise"),
        "repeated: D_0": ("v-", "repeated chain"),
        "volumes: D_1": ("D:", "in the volumes"),
    }
    for axis, name in zip(np.atleast_1d(axes), sets, strict=True):
        mine = [row for row in rows if row["data"] == name and int(row["steps"]) == most]
        mine.sort(key=lambda row: float(row["size"]))
        x = [float(row["size"]) for row in mine]
        for (what, (style, label)), colour in zip(shown.items(), figures.COLOURS, strict=True):
            axis.plot(x, [float(row[what]) for row in mine], style, color=colour, markersize=4, label=label)
        axis.set(xscale="log", ylabel=f"dimension, {name}, T = {most}", ylim=(-0.1, 2.6), xticks=x)
        axis.set_xticklabels([f"{value:g}" for value in x])
        axis.minorticks_off()
    np.atleast_1d(axes)[0].legend(fontsize=7, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    np.atleast_1d(axes)[-1].set(xlabel="extent k of the data")
    return figure
