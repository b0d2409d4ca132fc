"""Norms, suppression and entropy of a chain on laws of image patches, beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.canvas import COLOURS, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["regimes"]

Rows = Sequence[Mapping[str, Any]]
_PANELS = {  # label of the axis -> curves: row key, what it is called
    "norm − 1": (("kappa", "κ"), ("row_sum", "ϱ"), ("norm", "‖JΦ‖₂")),
    "coupling δ": (("delta", "δ"),),
    "suppression S": (
        ("suppression", "patchwise, p_t"),
        ("suppression_own", "patchwise, own samples"),
        ("suppression_full", "full Gaussian, p_t"),
    ),
    "entropy (nats)": (("entropy", "posterior weights"),),
}


def _column(table: Rows) -> Callable[[str], Any]:
    return lambda key: np.array([row[key] for row in table])


def regimes(laws: Mapping[str, Rows], title: str) -> Figure:
    """Means with bands of two standard errors over t/T, a column for each law, from the rows of its profile."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * len(laws) + 0.6, 8.4), layout="constrained")
        grid = figure.subplots(len(_PANELS), len(laws), sharex=True, sharey="row", squeeze=False)
    for column, (name, table) in enumerate(laws.items()):
        of = _column(table)
        time = of("t") / len(table)
        grid[0, column].set_yscale("symlog", linthresh=0.01)
        for axes, (label, curves) in zip(grid[:, column], _PANELS.items(), strict=True):
            for (key, curve), colour in zip(curves, COLOURS, strict=False):
                value = of(key) - (1 if label == "norm − 1" else 0)
                error = 2 * np.nan_to_num(of(f"{key}_stderr"))
                axes.plot(time, value, color=colour, label=curve)
                axes.fill_between(time, value - error, value + error, color=colour, alpha=0.18, linewidth=0)
            axes.set(ylabel=label if column == 0 else "")
        for row in (0, 2):
            grid[row, column].axhline(0, color="black", linewidth=0.8)
        grid[0, column].set_title(name, fontsize=10)
        grid[-1, column].set(xlabel="t / T  (clean → noise)", xlim=(0, 1), xticks=np.arange(0, 1, 0.2))
    grid[0, -1].legend(fontsize=8, loc="lower right")
    grid[2, 0].legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure
