"""Cells of the plane that fit a set as no boxes do, given as boxes in other coordinates.

A grid of cells fits a set if each piece of it lies in a cell, and different pieces in different ones. If every cell
holds a disc and lies in a disc, both of its size, any set meets as many cells as boxes, up to factors: the dimension is
the same. A point's cell follows from its place alone.

Triangles. Three families of lines cut the plane into equilateral triangles. With u, v along two sides of one, a point
lies in the triangle that the integer parts of u, v and u + v name: boxes in space cut the plane w = u + v into them.

Tiles. The curves of Heighway and Levy replace a step p -> q of a square grid by two over c, the middle of the square on
its left: p -> c, q -> c, or p -> c, c -> q. Under either rule each step of the finer grid comes from one step of the
coarser. (Levy's takes both directions along an edge for steps, Heighway's one, from an even point to an odd.) So steps
are cells of nested grids: a step holds the triangles between the fine steps that come from it and the middles of their
squares. The finer those, the nearer is the cell to the curve's own tile, and tiles cover the plane once. A level turns
them by 45 degrees and halves them; two levels cut each into 2 x 2 at the ratio 2.

Source: Davis, Knuth 1970, J. Recreational Math. 3, 66; Bailey, Kim, Strichartz 2002, Amer. Math. Monthly 109, 689.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["heighway", "levy", "triangles"]

Floats = npt.NDArray[np.float64]

_DEPTH = 44  # the finest steps are 2^-44 long: 128 spacings of floats of size 1.5; a multiple of 4, as (1 + i)^8 = 16
_STEPS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])  # i^r
_FARTHEST = 256.0  # then 2 x + 2^-_DEPTH is a float64


def triangles(points: Floats) -> Floats:
    """Of side 1 with one from (0, 0) to (1, 0): (u, v, u + v), (N, 3)."""
    v = points[:, 1] / math.sqrt(0.75)
    u = points[:, 0] - v / 2
    return np.stack([u, v, u + v], axis=1)


def heighway(points: Floats) -> Floats:
    """Tiles of Heighway's dragon, that from 0 to 1 in [0, 1]^2; see `_tiles`."""
    return _tiles(points, 1)


def levy(points: Floats) -> Floats:
    """Tiles of Levy's curve, that from 0 to 1 in [0, 1]^2; see `_tiles`.

    Its boundary has dimension 1.934, so much of its even measure is near it: of a hundred points of the curve in
    float64 rounding puts 13 into tiles around its own.
    """
    return _tiles(points, -1)


def _tiles(points: Floats, rule: int) -> Floats:
    """(N, 2): a unit box for each unit step, cut in two along x and along y, in turn, as the step is.

    Raises:
        ValueError: points as far as 256 from 0.
    """
    far = float(np.abs(points).max(initial=0.0))
    if not far < _FARTHEST:
        raise ValueError(f"`points` must have coordinates below {_FARTHEST:g}, got {far!r}.")
    z, r = _finest(points * 2.0**_DEPTH, rule)
    digits = np.zeros((len(points), 2), np.int64)
    starts, turns, words = _table(rule)
    for level in range(0, _DEPTH, 4):
        key = ((z[:, 0] & 31) * 32 + (z[:, 1] & 31)) * 4 + r
        digits |= words[key] << level
        z, r = 2 * (z >> 5) + starts[key], turns[key]
    return 2 * z + np.stack([r & 1, r >> 1], axis=1) + digits * 2.0**-_DEPTH


def _finest(z: Floats, rule: int) -> tuple[Any, Any]:
    """The unit step, start (N, 2) and direction (N,), on whose triangle to the middle of its square z lies."""
    corner = np.floor(z)
    x, y = (z - corner - 0.5).T
    r = np.where(np.abs(x) > np.abs(y), np.where(x > 0, 1, 3), np.where(y < 0, 0, 2))  # the square on its left
    start = corner.astype(np.int64) + np.array([[0, 0], [1, 0], [1, 1], [0, 1]])[r]
    if rule < 0:
        return start, r
    new = start.sum(axis=1) & 1
    return start + new[:, None] * _STEPS[r], (r + 2 * new) & 3


def _above(z: Any, r: Any, rule: int) -> tuple[Any, Any, Any]:
    """The step of the coarser grid that z -> z + i^r comes from, in units of its length, and 1 if as its second half.

    If it is a second half, Levy's (-1) begins in the middle of a square, z odd, and Heighway's (1) at the end of the
    coarser step, which is odd there.
    """
    step = _STEPS[r]
    second = z.sum(axis=1, keepdims=True) & 1
    x, y = (z if rule > 0 else z + second * step).T  # of the coarser grid: 1 + i divides it
    old = np.stack([(x + y) >> 1, (y - x) >> 1], axis=1)
    if rule > 0:
        second = old.sum(axis=1, keepdims=True) & 1
    return old + rule * second * step, (r + 3 - rule * second[:, 0]) & 3, second[:, 0]


@cache
def _table(rule: int) -> tuple[Any, Any, Any]:
    """Eight times `_above`, z/16, for z mod 32 (half of it is for the last parity): starts, directions, digits."""
    x, y, r = (part.ravel() for part in np.indices((32, 32, 4)))
    z, digits = np.stack([x, y], axis=1), np.zeros((len(x), 2), np.int64)
    for level in range(8):
        z, r, second = _above(z, r, rule)
        digits[:, 1 - level % 2] |= second << (level // 2)
    return z, r, digits
