"""Points as rows of tiles, twice: by coordinates for the products with x, by points for what powers weigh."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from pifs_sim.kernels.tiles import ROWS

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Level

__all__ = ["TILE", "Array", "Frame", "Points", "frame", "levels", "packed"]

Array = npt.NDArray[Any]

TILE = 128  # points whose logits are made at once
_MEMORY = 1 << 28  # bytes of points prepared at a time
_RUN = 32  # coordinates that are copied at a time


class Points(NamedTuple):
    """Some of the points; numbers are of their dtype where nothing is said.

    Attributes:
        first: (n/4, d, 4) points less the origin.
        second: (n/TILE, d/4, TILE, 4) points.
        prior: (n,) log2 of the weight over the largest.
        norms: (n,) squares of the points less the origin.
        rows: (n, d) points.
        exact: (n,) float64 prior.
    """

    first: Array
    second: Array
    prior: Array
    norms: Array
    rows: Array
    exact: Array


class Frame(NamedTuple):
    """Where points are taken from: near them, so that no product is much larger than the largest distance.

    Attributes:
        origin: (d,) float64.
        most: the largest square of a point less the origin.
    """

    origin: Array
    most: float


def _survey(points: Any, sums: Any, squares: Any) -> None:
    """Sums and squares of the points less the first, of each coordinate."""
    for k in range(points.shape[0]):
        for i in range(points.shape[1]):
            away = np.float64(points[k, i]) - np.float64(points[0, i])
            sums[i] += away
            squares[i] += away * away


def _farthest(points: Any, origin: Any) -> float:
    most = 0.0
    for k in range(points.shape[0]):
        square = 0.0
        for i in range(points.shape[1]):
            away = points[k, i] - origin[i]
            square += away * away
        most = max(most, square)
    return most


def _pack(rows: Any, origin: Any, first: Any, second: Any, norms: Any) -> None:
    """Some coordinates at a time, so that what is written stays in cache until its lines are full."""
    count, d = rows.shape
    for begin in range(0, count, TILE):
        squares = np.zeros(TILE)
        for start in range(0, d, _RUN):
            for k in range(begin, min(begin + TILE, count)):
                group, place, tile, here = k // ROWS, k % ROWS, k // TILE, k % TILE
                for i in range(start, min(start + _RUN, d)):
                    away = rows[k, i] - origin[i]
                    squares[here] += away * away
                    first[group, i, place] = away
                    second[tile, i // ROWS, here, i % ROWS] = rows[k, i]
        for k in range(begin, min(begin + TILE, count)):
            norms[k] = squares[k - begin]


_surveyed = njit(cache=True, nogil=True, error_model="numpy")(_survey)
_reach = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(_farthest)
_packed = njit(cache=True, nogil=True, error_model="numpy")(_pack)


def frame(points: Array) -> Frame:
    """The middle of the points, along the axes where it is farther out than they spread."""
    sums, squares = np.zeros((2, points.shape[1]))
    _surveyed(points, sums, squares)
    sums /= len(points)
    middle = points[0] + sums
    origin = np.where(middle**2 > squares / len(points) - sums**2, middle, 0.0)
    return Frame(origin, float(_reach(points, origin)))


def packed(cloud: Cloud, origin: Array, max_memory: float | None) -> Iterator[Points]:
    """The cloud, some points at a time; `points` contiguous."""
    points, weights = cloud
    (count, d), dtype = points.shape, points.dtype
    size = int((max_memory or _MEMORY) / (dtype.itemsize * 2 * (d + ROWS) + 16))
    size = max(TILE, size // TILE * TILE)
    prior = np.log2(weights / weights.max())
    for start in range(0, count, size):
        rows, exact = points[start : start + size], prior[start : start + size]
        n, norms = len(rows), np.empty(len(rows), dtype)
        first = np.zeros((-(-n // ROWS), d, ROWS), dtype)
        second = np.zeros((-(-n // TILE), -(-d // ROWS), TILE, ROWS), dtype)
        _packed(rows, origin, first, second, norms)
        yield Points(first, second, exact.astype(dtype), norms, rows, exact)


def levels(level: Level) -> Array:
    """cos, near, far and log2(e)/(2 v) of each angle, (A, 4) in float64."""
    from pifs_sim.kernels.point_cloud_mean import moved

    return np.stack([level.cos, *moved(level), math.log2(math.e) / 2 / level.sin**2], axis=1)
