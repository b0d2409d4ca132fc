"""Partitions of an image into range blocks: leaves of quadtrees whose roots are the largest ranges.

A list of ranges (K, 3), each row, column and size, is in order if larger ranges come first, and those of one size in
the order of their parents, the four quarters of a parent row by row. Then one bit for each node above the smallest
size, whether it is split, says everything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pifs_sim.fractals.layout import IntArray, Layout

__all__ = ["grow", "splits"]

Flags = npt.NDArray[np.bool_]


def grow(layout: Layout, split: Callable[[IntArray, int], Flags]) -> IntArray:
    """Ranges (K, 3) in order; `split(nodes, size)` says which nodes (N, 2) are divided, none of the smallest."""
    nodes, leaves = layout.roots(), []
    for size in layout.sizes:
        divided = split(nodes, size)
        kept = nodes[~divided]
        leaves.append(np.column_stack([kept, np.full(len(kept), size)]))
        corners = size // 2 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        nodes = (nodes[divided][:, None] + corners).reshape(-1, 2)
    return np.concatenate(leaves)


def splits(layout: Layout, ranges: IntArray) -> list[Flags]:
    """Which nodes are divided, for each size above the smallest.

    Raises:
        ValueError: ranges that are not the leaves of quadtrees, in order.
    """
    found: list[Flags] = []

    def absent(nodes: IntArray, size: int) -> Flags:
        own = ranges[ranges[:, 2] == size]
        width = layout.padded[1]
        found.append(~np.isin(nodes[:, 0] * width + nodes[:, 1], own[:, 0] * width + own[:, 1]))
        return found[-1]

    if not np.array_equal(grow(layout, absent), ranges):
        raise ValueError("`ranges` must be the leaves of quadtrees that tile the image, in order.")
    return found[:-1]
