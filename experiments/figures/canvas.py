"""The canvas of every drawing, and how a drawing is written: `svg` for a page, `save` for a file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "STYLE", "canvas", "save", "svg"]

COLOURS = ("#1f5fa8", "#c8501e", "#3d8a4f", "#7a4fa3", "#8a6d1f", "#4f7f8a")
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "svg.fonttype": "none",
}


def canvas(height: float = 3.9, rows: int = 1) -> tuple[Figure, Any]:
    """A figure of one column with its axes, `rows` of them."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.4, height))  # margins in inches; a layout engine costs as much as the drawing
        figure.subplots_adjust(0.86 / 5.4, 0.5 / height, 1 - 0.22 / 5.4, 1 - 0.3 / height, hspace=0.28)
        return figure, figure.subplots(rows, 1)


def svg(figure: Figure, name: str) -> str:
    """The figure as inline SVG that scales with its container; `name` keeps ids apart on one page."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    return re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text))


def save(figure: Figure, path: Path) -> None:
    """Write the figure; the suffix chooses the format. ValueError for a format that matplotlib cannot write."""
    import matplotlib

    if not path.suffix:
        raise ValueError(f"a drawing's name must end in its format, such as .svg, .png or .pdf, got '{path}'.")
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else None  # the same drawing is the same file
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "pifs-sim"}):
        figure.savefig(path, dpi=160, metadata=metadata)
