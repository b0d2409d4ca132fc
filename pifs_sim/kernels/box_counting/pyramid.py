"""A pyramid of bit maps, for d = 1, 2, 3: one bit a box of the finest grid, set by the points.

A word of 64 bits is a tile of boxes: 64, 8 x 8 or 4 x 4 x 4, that is 2^b along an axis with b = 6/d. Or-ing the
neighbouring bits of the word counts b levels in registers; one bit for every word that is not 0 makes the next map, 64
times smaller. The map covers no more than the points, and the words of their tiles are ordered by rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types, uint64
from numba.extending import intrinsic

__all__ = ["compute", "ones", "tiles"]


def _ones(_context: Any, _word: Any) -> Any:
    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emit


ones = intrinsic(_ones)  # how many bits of a uint64 are 1, one instruction


def _fill(points: Any, origin: Any, scale: float, last: float, tiles: Any, bitmap: Any) -> None:
    """Set the bits; `origin` and `tiles` are tuples, so that d is known to the compiler."""
    b = 6 // len(origin)
    for i in range(points.shape[0]):
        word = bit = 0
        for j in range(len(origin)):
            box = int(min((points[i, j] - origin[j]) * scale, last))
            word = word * tiles[j] + (box >> b)
            bit = (bit << b) | (box & ((1 << b) - 1))
        bitmap[word] |= uint64(1) << uint64(bit)


def _fold(bitmap: Any, tiles: Any, coarse: Any, coarse_tiles: Any, corners: Any, counts: Any) -> None:
    """Count the b levels of a map, finest first, and make the map of the level after them."""
    d = len(tiles)
    b = 6 // d
    width = tiles[d - 1]
    for row in range(bitmap.size // width):
        rest, stride, word, bit = row, coarse_tiles[d - 1], 0, 0
        for j in range(d - 2, -1, -1):
            tile = rest % tiles[j]
            rest //= tiles[j]
            word += (tile >> b) * stride
            stride *= coarse_tiles[j]
            bit |= (tile & ((1 << b) - 1)) << (b * (d - 1 - j))
        for column in range(width):
            boxes = bitmap[row * width + column]
            if boxes == 0:
                continue
            counts[0] += ones(boxes)
            for level in range(1, b):
                for j in range(d):
                    boxes |= boxes >> uint64(1 << (level - 1 + b * j))
                boxes &= corners[level]
                counts[level] += ones(boxes)
            coarse[word + (column >> b)] |= uint64(1) << uint64(bit | (column & ((1 << b) - 1)))


_set = njit(cache=True, nogil=True)(_fill)
_next = njit(cache=True, nogil=True)(_fold)


def tiles(extent: npt.NDArray[np.float64], side: float, levels: int) -> tuple[int, ...]:
    """Words of the finest map along each axis, for points up to `extent` from the origin; none for d > 3."""
    if len(extent) > 3:
        return ()
    boxes = np.minimum(np.floor(extent * (2.0**levels / side)), 2.0**levels - 1)
    return tuple((int(last) >> (6 // len(extent))) + 1 for last in boxes)


def _corners(d: int) -> npt.NDArray[np.uint64]:
    """(b,) bits of a word whose indices along every axis are multiples of 2^level."""
    b = 6 // d
    place = [[(bit >> (b * j)) % (1 << b) for j in range(d)] for bit in range(64)]
    masks = [sum(1 << bit for bit in range(64) if all(i % (1 << level) == 0 for i in place[bit])) for level in range(b)]
    return np.array(masks, np.uint64)


def compute(points: Any, origin: Any, side: float, levels: int, tiles: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Occupied boxes, (levels + 1,)."""
    d = points.shape[1]
    b, corners = 6 // d, _corners(d)
    bitmap = np.zeros(int(np.prod(tiles)), np.uint64)
    _set(points, tuple(origin.tolist()), 2.0**levels / side, 2.0**levels - 1, tiles, bitmap)
    counts = np.zeros(levels + b, np.int64)  # finest first; the last map may count levels above the cube
    for first in range(0, levels + 1, b):
        above = tuple(((n - 1) >> b) + 1 for n in tiles)
        coarse = np.zeros(int(np.prod(above)), np.uint64)
        _next(bitmap, tiles, coarse, above, corners, counts[first : first + b])
        bitmap, tiles = coarse, above
    return counts[levels::-1]
