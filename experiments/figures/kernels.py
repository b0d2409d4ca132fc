"""Times of kernels over the sizes of their problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.canvas import COLOURS, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["mixture_scaling"]

_SHOWN = (1, 4, 16, 64, 256, 1024, 3072)  # coordinates with a curve


def mixture_scaling(rows: Sequence[Mapping[str, Any]], fitted: int) -> Figure:
    """Nanoseconds of a sample's step over K for each d, measured (dots) and modelled (lines), and over N and T."""
    import matplotlib
    from matplotlib.figure import Figure

    dtypes = list(dict.fromkeys(row["dtype"] for row in rows))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 6.6), layout="constrained")
        grid = figure.subplots(2, 2, height_ratios=(1.7, 1), squeeze=False)
    for axes, dtype in zip(grid[0], dtypes, strict=True):
        mine = [row for row in rows if row["dtype"] == dtype and row["varying"] == "d, K"]
        shown = [d for d in _SHOWN if any(row["d"] == d for row in mine)]
        for i, d in enumerate(shown):
            chosen = [row for row in mine if row["d"] == d]
            K = np.array([row["K"] for row in chosen])
            scale = 1e9 / np.array([row["N"] * row["T"] for row in chosen])
            colour = matplotlib.colormaps["viridis"](0.9 * i / max(1, len(shown) - 1))
            axes.plot(K, scale * [row["seconds"] for row in chosen], "o", color=colour, markersize=4, label=f"d = {d}")
            model = scale * [row["model"] for row in chosen]
            axes.plot(K[fitted <= K], model[fitted <= K], color=colour)
            axes.plot(K[fitted >= K], model[fitted >= K], color=colour, linestyle=":")
        axes.set(xscale="log", yscale="log", xlabel="components K", title=f"{dtype}: dots measured, lines the model")
        axes.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
    grid[0, 0].set_ylabel("nanoseconds per sample and step")
    grid[0, 0].legend(fontsize=8)
    for axes, varying in zip(grid[1], ("N", "T"), strict=True):
        mine = [row for row in rows if row["varying"] == varying]
        shapes = dict.fromkeys((row["dtype"], row["d"], row["K"]) for row in mine)
        for (dtype, d, K), line in zip(shapes, COLOURS, strict=False):
            chosen = [row for row in mine if (row["dtype"], row["d"], row["K"]) == (dtype, d, K)]
            size = np.array([row[varying] for row in chosen])
            each = np.array([row["seconds"] for row in chosen]) / size
            axes.plot(size, each / each[0], "o-", color=line, markersize=4, label=f"{dtype}, d = {d}, K = {K}")
        axes.axhspan(1 / 1.2, 1.2, color="#8a8a8a", alpha=0.15, linewidth=0)
        axes.set(xscale="log", xlabel={"N": "samples N", "T": "steps T"}[varying], ylim=(0.6, 1.6))
        axes.set_xticks(size, [str(s) for s in size])
        axes.minorticks_off()
    grid[1, 0].set_ylabel("time per N or T,\nrelative to the first")
    grid[1, 0].legend(fontsize=8)
    return figure
