"""Pairs of nodes of a k-d tree (Gray, Moore 2001, NIPS 13).

Two nodes whose boxes put every distance between the same two radii are counted at once; leaves that straddle a radius
are compared point by point. The bounds need no margin: rounding is monotone, and they are made of differences, squares
and sums in the order of a distance's, so the rounded bound bounds the rounded distance. The pairs within the Theiler
window are taken off afterwards, one by one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit

from pifs_sim.kernels.pair_counting.tree import grow

__all__ = ["compute"]

_SHARED = 4  # depth of the nodes whose pairs are shared out to threads


def _bounds(low: Any, high: Any, a: int, b: int) -> tuple[float, float]:
    """The least and the greatest squared distance that the boxes of two nodes allow."""
    least = greatest = 0.0
    for j in range(low.shape[1]):
        gap = max(low[a, j] - high[b, j], low[b, j] - high[a, j], 0.0)
        reach = max(high[a, j] - low[b, j], high[b, j] - low[a, j])
        least += gap * gap
        greatest += reach * reach
    return least, greatest


def _compare(
    points: Any, start: int, stop: int, other: int, end: int, squares: Any, first: int, last: int, counts: Any
) -> None:
    """Compare two leaves, start..stop and other..end, with squares[first:last]; a leaf with itself, each pair once."""
    distance = np.empty(end - other)
    for i in range(start, stop):
        begin = i + 1 if start == other else other
        size = end - begin
        distance[:size] = 0.0
        for j in range(points.shape[0]):
            for t in range(size):
                difference = points[j, i] - points[j, begin + t]
                distance[t] += difference * difference
        before = 0
        for k in range(first, last):
            closer = 0
            for t in range(size):
                closer += distance[t] < squares[k]
            counts[k] += closer - before
            before = closer
        counts[last] += size - before


def _descend(pairs: Any, tree: Any, squares: Any, counts: Any) -> None:
    """counts[k] += pairs of points, one from each node of a pair, from squares[k - 1] to below squares[k]."""
    points, start, stop, low, high = tree
    stack = np.empty((256, 2), np.int64)  # at most three a level of any tree that fits into memory
    for pair in range(pairs.shape[0]):
        stack[0, 0], stack[0, 1] = pairs[pair, 0], pairs[pair, 1]
        top = 1
        while top > 0:
            top -= 1
            a, b = min(stack[top, 0], stack[top, 1]), max(stack[top, 0], stack[top, 1])  # a is not deeper than b
            least, greatest = _limits(low, high, a, b)
            first = np.searchsorted(squares, least, side="right")
            last = first
            while last < squares.size and squares[last] <= greatest:
                last += 1
            if first == last:
                size = stop[a] - start[a]
                counts[first] += size * (stop[b] - start[b]) if a != b else size * (size - 1) // 2
            elif 2 * a + 2 >= start.size:
                _leaves(points, start[a], stop[a], start[b], stop[b], squares, first, last, counts)
            else:
                children = 2 * a + 1, 2 * a + 2
                for child in children:
                    stack[top, 0] = child
                    stack[top, 1] = child if a == b else b
                    top += 1
                if a == b:
                    stack[top, 0], stack[top, 1] = children
                    top += 1


def _near(points: Any, squares: Any, theiler: int, counts: Any) -> None:
    """counts[k] -= pairs at most `theiler` apart in time, from squares[k - 1] to below squares[k]."""
    n, d = points.shape
    for i in range(n):
        for j in range(i + 1, min(i + theiler, n - 1) + 1):
            distance = 0.0
            for axis in range(d):
                difference = points[j, axis] - points[i, axis]
                distance += difference * difference
            counts[np.searchsorted(squares, distance, side="right")] -= 1


_limits = njit(cache=True, nogil=True)(_bounds)
_leaves = njit(cache=True, nogil=True)(_compare)
_add = njit(cache=True, nogil=True)(_descend)
_take_off = njit(cache=True, nogil=True)(_near)


def compute(points: Any, squares: Any, theiler: int) -> npt.NDArray[np.int64]:
    """Pairs with a squared distance below each of `squares`, (R,)."""
    points = np.ascontiguousarray(points, np.float64)
    tree = grow(points)
    threads = get_num_threads()
    level = min(_SHARED, (tree.start.size + 1).bit_length() - 2)
    pairs = np.array(list(combinations_with_replacement(range(2**level - 1, 2 ** (level + 1) - 1), 2)))
    counts = np.zeros((threads, len(squares) + 1), np.int64)

    def share(thread: int) -> None:
        _add(np.ascontiguousarray(pairs[thread::threads]), tree, squares, counts[thread])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(share, range(threads)))
    _take_off(points, squares, theiler, counts[0])
    return np.cumsum(counts.sum(axis=0))[:-1]
