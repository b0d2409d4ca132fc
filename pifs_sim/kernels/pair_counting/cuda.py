"""Every pair on the GPU, some radii at a time: those of one launch have their counts in a block's own memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device

__all__ = ["PROGRAMS", "compute"]

PROGRAM = device.Program("pair_counting", tuple(f"count_pairs<{d}>" for d in range(5)))
PROGRAMS = (PROGRAM,)

_RADII, _RUN = 96, 4096  # as in kernel.cuh
_BLOCKS = 1 << 16


def compute(points: Any, squares: Any, theiler: int) -> Any:
    """Pairs with a squared distance below each of `squares`, (R,)."""
    gpu = device.current()
    xp = gpu.xp
    n, d = points.shape
    gpu.require(16 * points.size, "pair_counting")
    columns = xp.ascontiguousarray(points.T, dtype=np.float64)
    squares = xp.ascontiguousarray(squares)
    counts = xp.zeros(len(squares), np.uint64)
    tiles = device.blocks(n) * -(-n // _RUN)
    kernel = f"count_pairs<{d if d < 5 else 0}>"
    for first in range(0, len(squares), _RADII):
        limits, share = (array[first : first + _RADII] for array in (squares, counts))
        size = np.int64(n), np.int64(d), np.int32(len(limits)), np.int64(min(theiler, n))
        gpu.launch(PROGRAM, kernel, min(tiles, _BLOCKS), columns, limits, *size, share)
        share[:] = xp.cumsum(share)
    return counts.view(np.int64)
