"""The sets of the gallery as cells of a page: picture, dimension, and what counting boxes makes of it."""

from __future__ import annotations

from functools import cache
from html import escape

from experiments.figures.gallery import density, png
from pifs_sim.dynamics import box_counting_dimension
from pifs_sim.fractals import gallery

__all__ = ["POINTS", "cells"]

POINTS = 100_000  # of the box counts
_SIZE = 320  # pixels along a picture


def _dimension(entry: gallery.Entry) -> list[str]:
    low, high = entry.bounds
    if entry.dimension is None:
        return [f"{low:.5g} ≤ D ≤ {high:.5g}"]
    lines = [f"D = {entry.dimension:.5f}"]
    return lines if entry.hausdorff == entry.dimension else [*lines, f"Hausdorff {entry.hausdorff:.5f}"]


def _cell(entry: gallery.Entry) -> str:
    name = escape(entry.name.replace("_", " "))
    low, high = box_counting_dimension(entry.ifs.attractor(POINTS)).interval
    lines = [f"<b>{name}</b>", *_dimension(entry), f"boxes {low:.3f} to {high:.3f}"]
    return (
        f'<figure class="set"><img src="{png(density(entry.ifs, _SIZE))}" alt="{name}" width="{_SIZE}" '
        f'height="{_SIZE}"><figcaption>{"<br>".join(lines)}</figcaption></figure>'
    )


@cache
def cells() -> str:
    """HTML of a figure for each set of the gallery, pictures inside."""
    return "".join(_cell(gallery.get(name)) for name in gallery.NAMES)
