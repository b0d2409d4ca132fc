"""Lyapunov exponents and dimensions of attractors, and the time that exponents take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.canvas import COLOURS, canvas
from pifs_sim.dynamics import DimensionEstimate, LyapunovSpectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["convergence", "local_slopes", "scaling"]


def convergence(found: LyapunovSpectrum, title: str) -> Figure:
    """Running means of the exponents with a band of two standard errors, and the spectrum with error bars below."""
    figure, (top, bottom) = canvas(5.2, rows=2)
    index = np.arange(1, len(found.exponents) + 1)
    shown = np.unique(np.linspace(0, len(index) - 1, min(len(index), len(COLOURS))).astype(int))
    for i, colour in zip(shown, COLOURS, strict=False):
        value, error = found.exponents[i], found.stderr[i]
        if not np.isfinite(value) or not len(found.history):
            continue
        top.plot(found.history_steps, found.history[:, i] - value, color=colour, label=f"λ_{i + 1} = {value:.5f}")
        band = 2 * error * np.sqrt(found.steps / found.history_steps)
        top.fill_between(found.history_steps, -band, band, color=colour, alpha=0.12, linewidth=0)
    top.axhline(0, color="black", linewidth=0.8)
    top.set(ylabel="running mean − final value", title=title)
    if len(top.get_legend_handles_labels()[0]):
        top.legend(loc="upper right")
    finite = np.isfinite(found.exponents)
    errors = np.nan_to_num(2 * found.stderr[finite])
    bottom.errorbar(index[finite], found.exponents[finite], yerr=errors, fmt="o", color=COLOURS[0], markersize=4)
    bottom.axhline(0, color="black", linewidth=0.8)
    bottom.set(xlabel="steps (above); index i (below); ± 2 standard errors", ylabel="exponent λ_i")
    bottom.xaxis.get_major_locator().set_params(integer=True)
    return figure


def local_slopes(estimates: Mapping[str, DimensionEstimate], title: str) -> Figure:
    """Local slopes of dimension estimates over their scales, with each value and its range over windows."""
    figure, axes = canvas()
    for (name, found), colour in zip(estimates.items(), COLOURS, strict=False):
        middle = np.sqrt(found.scales[1:] * found.scales[:-1])
        low, high = found.interval
        axes.plot(
            middle,
            found.local_slopes,
            ".-",
            color=colour,
            label=f"{name}: {found.value:.3f} in [{low:.3f}, {high:.3f}]",
        )
        axes.hlines(found.value, *found.window, color=colour, linewidth=2.2)
        axes.fill_between(found.window, low, high, color=colour, alpha=0.15, linewidth=0)
    tops = [found.interval[1] for found in estimates.values()]
    axes.set(xscale="log", xlabel="scale", ylabel="local slope", ylim=(0, 1.6 * max(tops) + 0.1))
    axes.set_title(title, fontsize=9)
    axes.legend(loc="upper left")
    return figure


def scaling(rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Seconds a step over the number of exponents k, measured (dots) and fitted (lines), for each interval m."""
    figure, axes = canvas()
    for m, colour in zip(sorted({row["interval"] for row in rows}), COLOURS, strict=False):
        chosen = [row for row in rows if row["interval"] == m]
        k = [row["exponents"] for row in chosen]
        axes.plot(
            k, [row["microseconds per step"] for row in chosen], "o", color=colour, markersize=4, label=f"m = {m}"
        )
        axes.plot(k, [row["fit"] for row in chosen], color=colour)
    axes.set(xscale="log", yscale="log", xlabel="number of exponents k", ylabel="microseconds per step")
    axes.set_title(title, fontsize=9)
    axes.legend()
    return figure
