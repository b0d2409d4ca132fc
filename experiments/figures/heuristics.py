"""Four heuristics of noise schedules against the optimum of what they are for: one panel each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.canvas import COLOURS, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["cosine_offset", "heuristics", "min_snr", "published_tables", "resolution_shift"]

_MODELS = {"sd15": "SD1.5", "sdxl": "SDXL", "svd": "SVD"}
_FAMILIES = {
    "workload": "density 1/L*",
    "log-linear": "log-linear σ",
    "angle": "uniform in φ",
    "karras": "Karras, best ρ",
    "one-scale": "one scale",
    "photograph, kl": "photograph, KL",
    "photograph, w2": "photograph, W₂",
    "log-polynomial": "log-polynomial (null)",
    "two-scale": "two scales",
}


def cosine_offset(axes: Any, found: Sequence[Any]) -> None:
    """KL by that without offset (left), share of the largest L*_1 within lam** (right, dashed), over the offset."""
    right = axes.twinx()
    for curve, colour in zip(found, COLOURS, strict=False):
        shown = curve.offset > 0
        axes.plot(curve.offset[shown], curve.kl[shown], color=colour, label=f"KL, {curve.steps} steps")
        right.plot(curve.offset[shown], curve.share[shown], "--", color=colour, linewidth=1.2)
    axes.axvline(0.008, color="black", linewidth=0.8)
    axes.text(0.0075, 1.5, "0.008", ha="right", fontsize=9)
    right.set(ylabel="L*_1 / largest at its λ** (dashed)", ylim=(0.8, 1.005))
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    axes.set(xscale="log", yscale="log", xlabel="cosine offset", ylabel="KL / KL without offset", ylim=(0.9, 70))
    axes.set_title("Cosine offset: KL wants none", fontsize=10)
    axes.legend(loc=(0.02, 0.07), fontsize=8)


def resolution_shift(axes: Any, found: Sequence[Any]) -> None:
    """Best shift by the rule over the spectrum's exponent: points for photographs, lines for power laws."""
    laws = [row for row in found if row.name.startswith("k^-")]
    for metric, label, colour in (("kl", "KL", COLOURS[0]), ("w2", "W₂", COLOURS[1])):
        axes.plot(
            [row.power for row in laws], [row.slope(metric) for row in laws], color=colour, label=f"{label}, 1/k^p"
        )
        pictures = [(row.power, row.slope(metric)) for row in found if row not in laws]
        axes.plot(*np.array(pictures).T, "o", color=colour, markersize=5, label=f"{label}, photographs")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.text(1.02, 1.03, "the rule 2 ln(64/d)", fontsize=9)
    axes.set(xlabel="exponent p of the spectrum", ylabel="best shift / rule", ylim=(-0.85, 1.22))
    axes.set_title("Resolution shift: ⅔ of it in W₂, the reverse in KL", fontsize=10)
    axes.legend(loc="lower left", fontsize=8)


def min_snr(axes: Any, found: Sequence[Any]) -> None:
    """Variation of the weighted information gains over gamma, with its minimum, on the photograph."""
    shown = [row for row in found if row.data == "photograph"]
    for row, colour in zip(shown, COLOURS, strict=False):
        order = np.argsort(row.gamma)
        gamma, uneven = row.gamma[order], row.information[order]
        finite = np.isfinite(gamma) & (gamma <= 1e3)
        axes.plot(gamma[finite], uneven[finite], color=colour, label=row.chain.split("(")[0].replace("_", " "))
        best = int(uneven.argmin())
        axes.plot(gamma[best], uneven[best], "o", color=colour, markersize=5)
    axes.axvline(5, color="black", linewidth=0.8)
    axes.text(5.6, 2.2, "γ = 5", fontsize=9)
    axes.set(xscale="log", xlabel="γ", ylabel="CV of weighted gains", ylim=(0, 2.5), xlim=(1e-3, 1e3))
    axes.set_title("Min-SNR: 5 to 18 times the best γ here", fontsize=10)
    axes.legend(loc="lower right", fontsize=8)


def published_tables(axes: Any, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Variation of the steps' shares in each density, best parameters, for each table."""
    place = np.arange(len(_FAMILIES))
    for (model, fits), colour, mark in zip(found.items(), COLOURS, "osD", strict=False):
        values = [fits[family].variation for family in _FAMILIES]
        axes.plot(values, place, mark, color=colour, markersize=5.5, label=_MODELS[model])
    axes.set_yticks(place, list(_FAMILIES.values()), fontsize=8.5)
    axes.set(xlabel="CV of the steps' shares (0: that density)", xlim=(0, 1.3))
    axes.set_title("Align Your Steps: least like 1/L*", fontsize=10)
    axes.legend(loc="lower right", fontsize=8)
    axes.invert_yaxis()


def heuristics(
    offsets: Sequence[Any], shifts: Sequence[Any], weights: Sequence[Any], tables: Mapping[str, Mapping[str, Any]]
) -> Figure:
    """The four panels on one sheet; rows as `experiments.heuristics` computes them."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 7.4), layout="constrained")
        panels = figure.subplots(2, 2)
        cosine_offset(panels[0, 0], offsets)
        resolution_shift(panels[0, 1], shifts)
        min_snr(panels[1, 0], weights)
        published_tables(panels[1, 1], tables)
    return figure
