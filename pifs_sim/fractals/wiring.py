"""The decoder of a PIFS pixel by pixel: y_i = o_i + s_i (x_{i_1} + ... + x_{i_q})/q.

Pixel i of a range takes the average of q = ratio^2 pixels of its domain, where its isometry puts it. No pixel of a
domain is taken twice by one range.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pifs_sim.fractals.layout import IntArray, Layout, isometries

__all__ = ["Wiring", "wire"]


class Wiring(NamedTuple):
    """For every pixel of the continued image, row by row: its sources (q, d), its range (d,)."""

    sources: IntArray
    owners: IntArray


def wire(layout: Layout, ranges: IntArray, domains: IntArray, turns: IntArray) -> Wiring:
    """The wiring of ranges (K, 3) to domains (K,) by isometries (K,)."""
    height, width = layout.padded
    q = layout.ratio
    sources = np.empty((q * q, height * width), dtype=np.int64)
    owners = np.empty(height * width, dtype=np.int64)
    for size in layout.sizes:
        own = np.flatnonzero(ranges[:, 2] == size)
        row, column = np.divmod(np.arange(size * size), size)
        pixels = (ranges[own, 0, None] + row) * width + ranges[own, 1, None] + column
        owners[pixels] = own[:, None]
        row, column = np.divmod(isometries(size, layout.isometries)[turns[own]], size)
        corners = layout.domains(size)[domains[own]]
        first = (corners[:, :1] + q * row) * width + corners[:, 1:] + q * column
        for k in range(q * q):
            sources[k, pixels] = first + k // q * width + k % q
    return Wiring(sources, owners)
