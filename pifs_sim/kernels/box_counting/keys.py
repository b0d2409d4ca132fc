"""Sorted keys, for any d and any depth: the bits of a point's box, coarsest level first, d bits a level.

Neighbours among the sorted keys that differ first in a bit of level k lie in different boxes from that level on, so one
sort counts every level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, uint64

from pifs_sim.kernels.box_counting.pyramid import ones

__all__ = ["compute"]

_BLOCK = 256  # points whose keys are made together, in vector registers


def _interleave(points: Any, origin: Any, scale: float, last: float, levels: int, words: Any) -> None:
    """The keys: words (W, N), most significant first; the last holds what is left over, in its low bits."""
    n, d = points.shape
    boxes = np.empty((d, _BLOCK), np.uint64)
    key = np.empty(_BLOCK, np.uint64)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        for j in range(d):
            for i in range(size):
                boxes[j, i] = uint64(min((points[start + i, j] - origin[j]) * scale, last))
        bit = 0
        for k in range(levels - 1, -1, -1):
            for j in range(d):
                if bit % 64 == 0:
                    key[:] = 0
                for i in range(size):
                    key[i] = (key[i] << uint64(1)) | ((boxes[j, i] >> uint64(k)) & uint64(1))
                bit += 1
                if bit % 64 == 0 or bit == d * levels:
                    for i in range(size):
                        words[(bit - 1) // 64, start + i] = key[i]


def _first_differences(words: Any, d: int, bits: int, counts: Any) -> None:
    """counts[k]: sorted neighbours that first differ in level k."""
    for i in range(1, words.shape[1]):
        for w in range(words.shape[0]):
            different = words[w, i] ^ words[w, i - 1]
            if different != 0:
                for shift in (1, 2, 4, 8, 16, 32):
                    different |= different >> uint64(shift)
                used = min(64, bits - 64 * w)
                counts[(64 * w + used - int(ones(different))) // d + 1] += 1
                break


_write = njit(cache=True, nogil=True)(_interleave)
_count = njit(cache=True, nogil=True)(_first_differences)


def compute(points: Any, origin: Any, side: float, levels: int) -> npt.NDArray[np.int64]:
    """Occupied boxes, (levels + 1,)."""
    n, d = points.shape
    bits = d * levels
    words = np.zeros((max(1, -(-bits // 64)), n), np.uint64)
    _write(points, origin, 2.0**levels / side, 2.0**levels - 1, levels, words)
    if len(words) == 1:
        words[0].sort()
    else:
        words = words[:, np.lexsort(words[::-1])]
    counts = np.zeros(levels + 1, np.int64)
    counts[0] = 1
    _count(words, d, bits, counts)
    return np.cumsum(counts)
