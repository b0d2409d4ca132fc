"""Bit maps or sorted keys, by the size of the finest grid (sorted digits for a ratio other than 2).

Each grid is a task of its own thread.
A map that needs at most `_BYTES` bytes a point is cheaper than sorting, and each thread holds one map or one array of
keys: at most `_BYTES` bytes a point and thread, whatever the grid.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads

from pifs_sim.kernels.box_counting import corners, keys, pyramid, radix

__all__ = ["compute"]

_BYTES = 16


def compute(points: Any, origins: Any, side: float, levels: int, ratio: int) -> npt.NDArray[np.int64]:
    """Occupied boxes, (M, levels + 1)."""
    points = np.ascontiguousarray(points)
    high = corners(points)[1]

    def count(origin: Any) -> npt.NDArray[np.int64]:
        if ratio != 2:
            return radix.compute(points, origin, side, levels, ratio)
        tiles = pyramid.tiles(high - origin, side, levels)
        if tiles and 8 * np.prod(tiles, dtype=np.float64) <= _BYTES * len(points):
            return pyramid.compute(points, origin, side, levels, tiles)
        return keys.compute(points, origin, side, levels)

    origins = origins.astype(np.float64)
    threads = min(get_num_threads(), len(origins))
    if threads < 2:
        rows = list(map(count, origins))
    else:
        with ThreadPoolExecutor(threads) as pool:
            rows = list(pool.map(count, origins))
    return np.array(rows, np.int64).reshape(len(origins), levels + 1)
