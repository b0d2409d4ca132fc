"""A balanced k-d tree in arrays: node i has the children 2i + 1 and 2i + 2, halves along its longest axis.

Every leaf lies at the same depth; a node is a range of the sorted points and the box around them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

__all__ = ["Tree", "grow"]

_LEAF = 32  # most points of a leaf: its distances to a point fill a few vector registers


class Tree(NamedTuple):
    """Points (d, N) in the order of the leaves, and for each node its range and its box."""

    points: Any
    start: Any
    stop: Any
    low: Any
    high: Any


def _divide(points: Any, order: Any, start: Any, stop: Any, low: Any, high: Any) -> None:
    """Fill in the nodes from the root down, and sort `order` into leaves."""
    nodes, d = low.shape
    start[0], stop[0] = 0, points.shape[0]
    for node in range(nodes):
        first, end = start[node], stop[node]
        for j in range(d):
            low[node, j] = high[node, j] = points[order[first], j]
            for i in range(first + 1, end):
                low[node, j] = min(low[node, j], points[order[i], j])
                high[node, j] = max(high[node, j], points[order[i], j])
        if 2 * node + 2 < nodes:
            middle = (first + end) // 2
            _select(points[:, np.argmax(high[node] - low[node])], order, first, end - 1, middle)
            start[2 * node + 1], stop[2 * node + 1] = first, middle
            start[2 * node + 2], stop[2 * node + 2] = middle, end


def _partition(values: Any, order: Any, first: int, last: int, middle: int) -> None:
    """Rearrange order[first..last] until no value before `middle` exceeds one from `middle` on (Hoare's selection)."""
    while first < last:
        pivot = values[order[(first + last) // 2]]
        i, j = first, last
        while i <= j:
            while values[order[i]] < pivot:
                i += 1
            while values[order[j]] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            last = j
        elif middle >= i:
            first = i
        else:
            return


_select = njit(cache=True, nogil=True)(_partition)
_grow = njit(cache=True, nogil=True)(_divide)


def grow(points: Any) -> Tree:
    """The tree of `points` (N, d), float64."""
    n, d = points.shape
    nodes = 2 ** (1 + max(0, math.ceil(math.log2(n / _LEAF)))) - 1
    order = np.arange(n)
    start, stop = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    low, high = np.empty((nodes, d)), np.empty((nodes, d))
    _grow(points, order, start, stop, low, high)
    return Tree(np.ascontiguousarray(points[order].T), start, stop, low, high)
