"""Is 2 ln(64/d) the logSNR shift that a schedule needs from 64 x 64 to d x d pixels?

Falsifier: a picture whose best shift (of the 64-pixel optimum of 20 steps, phi from 0 to pi/2, on the d-pixel spectrum)
has, over the sizes, a slope by the rule that is farther than 0.1 from 1, in KL or in W_2. The rule is right for a fixed
set of modes; a finer grid adds modes, and on 1/k^p spectra KL should ask for the share 1 - p/2 of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures, heuristics
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "resolution_shift"
VERSION = 1
CLAIMS = ("resolution-shift", "resolution-shift-rule", "fixed-mode-shift")
_POWERS = ["k^-1", "k^-1.5", "k^-2", "k^-2.5", "k^-3", "k^-3.5"]
_PHOTOGRAPHS = ["grace_hopper.jpg", *heuristics.SCIKIT]
GRIDS = {
    "smoke": {"picture": ["k^-2", "grace_hopper.jpg"]},
    "paper": {"picture": [*_POWERS, *_PHOTOGRAPHS]},
}
TOLERANCE = 1e-3  # of a shift found by Brent's method on a flat minimum


def _shifts(picture: str) -> heuristics.Shifts:
    if picture.startswith("k^-"):
        return heuristics.of_power(float(picture[3:]))
    photographs = heuristics.photographs()
    if picture not in photographs:
        raise ValueError(f"`picture` must be k^-p or one of {', '.join(photographs)}, got {picture!r}.")
    return heuristics.of_picture(photographs[picture])


def run(*, picture: str, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Best shifts at 16..512 pixels, as far as the picture has them, and the slopes over all of them by the rule."""
    del rng
    found = _shifts(picture)
    return [
        {
            "pixels": size,
            "exponent": found.power,
            "rule": float(2 * np.log(64 / size)),
            "kl": float(kl),
            "w2": float(w2),
            "kl slope": found.slope("kl"),
            "w2 slope": found.slope("w2"),
        }
        for size, kl, w2 in zip(found.sizes, found.kl, found.w2, strict=True)
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if all slopes are within 0.1 of 1 in KL and W_2; refuted if none is in both."""
    pictures = {str(row["picture"]): row for row in rows}
    kl, w2, share = (
        np.array([float(row[what]) for row in pictures.values()]) for what in ("kl slope", "w2 slope", "exponent")
    )
    share = 1 - share / 2
    right = (np.abs(kl - 1) <= 0.1) & (np.abs(w2 - 1) <= 0.1)
    power = np.array([name.startswith("k^-") for name in pictures])
    off = {kind: float(np.abs(kl - share)[chosen].max(initial=0.0)) for kind, chosen in (("p", power), ("q", ~power))}
    text = (
        f"KL asks for {kl.min():.2f} to {kl.max():.2f} of the rule, W_2 for {w2.min():.2f} to {w2.max():.2f}; both "
        f"within 0.1 of it in {int(right.sum())} of {len(pictures)} pictures. In KL the share is 1 - p/2 to "
        f"{off['p']:.2g} on power laws and to {off['q']:.2g} on photographs."
    )
    numbers = {
        "least KL slope": float(kl.min()),
        "largest KL slope": float(kl.max()),
        "least W2 slope": float(w2.min()),
        "largest W2 slope": float(w2.max()),
        "off 1 - p/2, power laws": off["p"],
        "off 1 - p/2, photographs": off["q"],
    }
    answer = "confirmed" if right.all() else "undecided" if right.any() else "refuted"
    return Verdict(answer, text, numbers)  # type: ignore[arg-type]


def plot(rows: Sequence[Row]) -> Figure:
    """Best shifts over the size in both metrics, photographs as lines and power laws dashed, and the rule."""
    figure, axes = figures.canvas(6.4, rows=2)
    pictures = list(dict.fromkeys(str(row["picture"]) for row in rows))
    for name in pictures:
        mine = sorted((row for row in rows if row["picture"] == name), key=lambda row: int(row["pixels"]))
        power = name.startswith("k^-")
        place = [other for other in pictures if other.startswith("k^-") == power].index(name)
        colour, mark = figures.COLOURS[place % len(figures.COLOURS)], "o-" if place < len(figures.COLOURS) else "s:"
        style = "--" if power else mark
        for axis, metric in zip(axes, ("kl", "w2"), strict=True):
            label = name if (metric == "kl") == power else None
            x, y = [row["pixels"] for row in mine], [row[metric] for row in mine]
            axis.plot(x, y, style, color=colour, markersize=3, linewidth=1, label=label)
    sizes = sorted({int(row["pixels"]) for row in rows})
    for axis, metric in zip(axes, ("KL", "W₂"), strict=True):
        axis.plot(sizes, 2 * np.log(64 / np.array(sizes)), color="black", linewidth=1.5)
        axis.set(xscale="log", ylabel=f"best logSNR shift, {metric}", xticks=sizes)
        axis.set_xticklabels(map(str, sizes))
        axis.minorticks_off()
        axis.legend(fontsize=6, ncols=2)
    axes[0].set_title("thick: the rule 2 ln(64/d)", fontsize=9)
    axes[1].set(xlabel="pixels d")
    return figure
