"""What was measured of networks along a chain, beside each other, and beside exact laws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.canvas import COLOURS, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["networks"]

Rows = Sequence[Mapping[str, Any]]
_PANELS = {  # label of the axis -> key of a row, what is taken off
    "κ − 1": ("kappa", 1.0),
    "coupling δ": ("delta", 0.0),
    "suppression S": ("suppression", 0.0),
    "attention entropy (nats)": ("entropy", 0.0),
    "loss / Gaussian's": ("error", 0.0),
}


def networks(columns: Mapping[str, Mapping[str, Rows]], title: str) -> Figure:
    """Curves over t/T with bands of two standard errors: a column for each heading, a curve for each network or law.

    A row lacks what is not known of its network.
    """
    import matplotlib
    from matplotlib.figure import Figure

    first = [rows[0] for curves in columns.values() for rows in curves.values()]
    panels = {label: part for label, part in _PANELS.items() if any(part[0] in row for row in first)}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.4 * len(columns) + 1.2, 1.9 * len(panels) + 0.9), layout="constrained")
        grid = figure.subplots(len(panels), len(columns), sharex=True, sharey="row", squeeze=False)
    for column, (heading, curves) in enumerate(columns.items()):
        for axes, (label, (key, less)) in zip(grid[:, column], panels.items(), strict=True):
            for (name, rows), colour in zip(curves.items(), COLOURS, strict=False):
                if key in rows[0]:
                    _curve(axes, rows, (key, less), colour=colour, label=name)
            axes.set(ylabel=label if column == 0 else "", xlim=(0, 1))
            if key in ("kappa", "delta"):
                axes.set_yscale("symlog", linthresh=0.01)
            if key != "entropy":
                axes.axhline(1.0 if key == "error" else 0.0, color="black", linewidth=0.8)
        grid[0, column].set_title(heading, fontsize=10)
        roomy = [*panels].index("suppression S") if "suppression S" in panels else 0  # its curves leave the corner free
        grid[roomy, column].legend(fontsize=8, loc="upper right", ncols=2)
        grid[-1, column].set(xlabel="t / T  (clean → noise)")
    for axes, (key, _) in zip(grid[:, -1], panels.values(), strict=True):
        if key == "delta":
            axes.set_ylim(bottom=0)  # of all columns, which share it, once all is drawn
    figure.suptitle(title, fontsize=10)
    return figure


def _curve(axes: Any, rows: Rows, what: tuple[str, float], *, colour: str, label: str) -> None:
    key, less = what
    time = np.array([row["t"] for row in rows]) / len(rows)
    value, error = (np.array([row.get(f"{key}{end}", 0.0) for row in rows]) for end in ("", "_stderr"))
    if key == "error":
        scale = np.array([row["gaussian_error"] for row in rows])
        value, error = value / scale, error / scale
    value, error = value - less, 2 * np.nan_to_num(error)
    axes.plot(time, value, color=colour, label=label)
    axes.fill_between(time, value - error, value + error, color=colour, alpha=0.18, linewidth=0)
