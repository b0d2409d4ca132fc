"""Schedules and what they do to variances."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.figures.canvas import COLOURS, canvas
from pifs_sim.diffusion import Schedule, geometry
from pifs_sim.diffusion.design.optimal import Solver, gain_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["comparison", "expansion_map", "exponents", "schedule_sheet", "spectrum", "thresholds"]

Array = npt.NDArray[np.float64]


def thresholds(schedules: Sequence[Schedule]) -> Figure:
    """Angles phi_t and contraction thresholds L*_t of schedules, over t/T."""
    figure, (top, bottom) = canvas(5.2, rows=2)
    for schedule, colour in zip(schedules, COLOURS, strict=False):
        time = np.arange(schedule.steps + 1) / schedule.steps
        top.plot(time, schedule.angles, color=colour, label=schedule.name)
        bottom.plot(time[1:], geometry.contraction_threshold(schedule), color=colour)
    top.set(ylabel="angle φ_t (rad)", ylim=(0, 1.65))
    top.legend()
    bottom.set(xlabel="t / T  (clean → noise)", ylabel="contraction threshold L*_t", ylim=(0, 1.03))
    return figure


def expansion_map(schedule: Schedule) -> Figure:
    """ln f_t(lam) over t/T and lam, with the curve lam*_t on which f_t = 1."""
    from matplotlib.colors import SymLogNorm

    figure, axes = canvas()
    excess = np.linspace(-4, 3, 241)  # log10(lam - 1): lam* is close to 1 and is drawn on this scale
    rows = np.unique(np.linspace(1, schedule.steps, min(schedule.steps, 240)).astype(int))
    log_f = geometry.log_expansion(schedule, 1 + 10.0**excess)[rows - 1].T * schedule.steps
    time = rows / schedule.steps
    bound = max(1.0, float(np.abs(log_f).max()))
    mesh = axes.pcolormesh(
        time,
        excess,
        log_f,
        cmap="RdBu_r",
        norm=SymLogNorm(linthresh=1e-3, vmin=-bound, vmax=bound),
        shading="nearest",
        rasterized=True,
    )
    threshold = np.log10(geometry.step_threshold_excess(schedule)[rows - 1])
    axes.plot(time, threshold, color="black", linewidth=1.4, label="λ*_t: f_t = 1")
    ticks = [-1, -0.01, 0, 0.01, 1]
    figure.colorbar(
        mesh,
        ax=axes,
        fraction=0.24,
        pad=0.04,
        aspect=20,
        anchor=(0, 0.5),
        label="T · ln f_t(λ)   (red expands)",
        ticks=ticks,
    ).ax.set_yticklabels(map(str, ticks))
    axes.set(xlabel="t / T  (clean → noise)", ylabel="log10(λ − 1)", ylim=(excess[0], excess[-1]), xlim=(0, 1))
    axes.set_title(schedule.name, fontsize=9)
    axes.grid(visible=False)
    axes.legend(loc="upper left", frameon=True)
    return figure


def exponents(schedules: Sequence[Schedule]) -> Figure:
    """Lambda(lam) of whole chains, and its zero lam** enlarged below."""
    figure, (top, bottom) = canvas(5.2, rows=2)
    wide = 10.0 ** np.linspace(-3, 3, 301)
    roots = [root for root in map(geometry.moran_threshold, schedules) if np.isfinite(root)]
    near = np.linspace(2 - max(roots, default=1.01), 2 * max(roots, default=1.01) - 1, 201)
    for schedule, colour, style in zip(schedules, COLOURS, ("-", "--", ":", "-.", "-", "--"), strict=False):
        root = geometry.moran_threshold(schedule)
        top.plot(wide, geometry.lyapunov_exponent(schedule, wide), style, color=colour, label=schedule.name)
        bottom.plot(near, geometry.lyapunov_exponent(schedule, near), style, color=colour)
        if np.isfinite(root):
            bottom.plot([root], [0], "o", color=colour, markersize=5, label=f"λ** = {root:.6f}")
    for panel in (top, bottom):
        panel.axhline(0, color="black", linewidth=0.8)
        panel.set(ylabel="Λ(λ), nats")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left")
    top.set(xscale="log", xlim=(wide[0], wide[-1]))
    bottom.set(xlabel="variance λ (above: all, below: near the root)")
    return figure


def spectrum(eigenvalues: Array, rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Eigenvalues in descending order with lam** and both dimensions of each row of `quantities.of_spectrum`."""
    figure, axes = canvas()
    positive = eigenvalues > 0
    index, shown = np.flatnonzero(positive) + 1, eigenvalues[positive]
    axes.plot(index, shown, color="#333333", label=f"patch spectrum, n = {eigenvalues.size}")
    for row, colour, width in zip(rows, COLOURS, (2.6, 1.2, 1, 1, 1, 1), strict=False):
        name = row["schedule"].split("(")[0]
        if np.isfinite(row["moran_threshold"]):
            axes.axhline(row["moran_threshold"], color=colour, linewidth=width / 2)
        full, leading = row["dimension_full"], row["dimension_leading"]
        axes.axvline(max(full, 1), color=colour, linewidth=width, label=f"{name}: d = {full:.4g}, all eigenvalues")
        axes.axvline(
            max(leading, 1), color=colour, linewidth=width, linestyle="--", label=f"d = {leading:.4g}, leading only"
        )
    axes.text(eigenvalues.size, 1.15, "λ**", ha="right", va="bottom", fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel="index i", ylabel="eigenvalue λ_i")
    axes.set(ylim=(float(shown.min(initial=0.1)) / 3, float(shown.max(initial=1.0)) * 3))
    axes.set_title(title, fontsize=9)
    axes.legend(loc="lower left", fontsize=7.5)
    return figure


def schedule_sheet(schedule: Schedule) -> Figure:
    """One schedule: angles and L*_t above, the step thresholds lam*_t - 1 below."""
    figure, (top, bottom) = canvas(5.2, rows=2)
    time = np.arange(schedule.steps + 1) / schedule.steps
    top.plot(time, schedule.angles / (np.pi / 2), color=COLOURS[0], label="φ_t / (π/2)")
    top.plot(time[1:], geometry.contraction_threshold(schedule), color=COLOURS[1], label="L*_t")
    top.set(ylim=(0, 1.05), title=schedule.name)
    top.legend()
    excess = geometry.step_threshold_excess(schedule)
    finite = np.isfinite(excess)
    if finite.any():
        bottom.semilogy(time[1:][finite], excess[finite], color=COLOURS[2], label="λ*_t − 1")
    root = geometry.moran_threshold(schedule)
    if np.isfinite(root):
        bottom.axhline(root - 1, color="black", linewidth=1, linestyle="--", label=f"λ** − 1 = {root - 1:.6g}")
    bottom.set(xlabel="t / T  (clean → noise)", ylabel="expansion threshold − 1", xlim=top.get_xlim())
    if finite.any():
        bottom.legend()
    return figure


def comparison(schedules: Sequence[Schedule], lam: Array, solver: Solver = "ddim") -> Figure:
    """Angles and L*_t of schedules over t/T, and the share |1 - c| by which each misses a standard deviation.

    Ticks below: the variances `lam` of the data.
    """
    figure, (top, middle, bottom) = canvas(7.6, rows=3)
    positive = lam[lam > 0]
    values = np.geomspace(positive.min() / 1.5, positive.max() * 1.5, 301)
    for schedule, colour in zip(schedules, itertools.cycle(COLOURS)):
        time = np.arange(schedule.steps + 1) / schedule.steps
        marker = "." if schedule.steps <= 60 else None
        style = {"color": colour, "linewidth": 1.2, "marker": marker, "markersize": 4}
        top.plot(time, schedule.angles, label=schedule.name, **style)
        middle.plot(time[1:], geometry.contraction_threshold(schedule), **style)
        log_gain = gain_of(solver)(schedule.angles, schedule.increments, np.sqrt(values))[0]
        bottom.plot(values, np.abs(np.expm1(log_gain)), color=colour)
    ticks = {"marker": "|", "color": "black", "transform": bottom.get_xaxis_transform()}
    bottom.scatter(positive, np.full(positive.size, 0.02), s=25, linewidths=0.6, **ticks)
    top.set(ylabel="angle φ_t (rad)", ylim=(0, 1.65), xlim=(-0.01, 1.01))
    top.legend(fontsize=7)
    middle.set(xlabel="t / T  (clean → noise)", ylabel="threshold L*_t", ylim=(0, 1.03), xlim=top.get_xlim())
    bottom.set(xscale="log", yscale="log", xlabel="variance λ")
    bottom.set_ylabel("error |1 − c(λ)|", labelpad=0)  # within one decade the ticks' labels are wide
    return figure
