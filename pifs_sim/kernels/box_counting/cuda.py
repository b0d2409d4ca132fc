"""Sorted keys on the GPU, for any ratio, dimension and depth: one grid after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device

__all__ = ["PROGRAMS", "compute"]

PROGRAM = device.Program("box_counting", ("write_keys", "count_changes"))
PROGRAMS = (PROGRAM,)


def compute(points: Any, origins: Any, side: float, levels: int, ratio: int) -> Any:
    """Occupied boxes, (M, levels + 1)."""
    gpu = device.current()
    xp = gpu.xp
    n, d = points.shape
    together = next(count for count in range(63, 0, -1) if ratio**count <= 2**63)  # digits of a word
    width = max(1, -(-d * levels // together))
    gpu.require(8 * n * (d + 3 * width + 2), "box_counting")
    points, origins = (xp.ascontiguousarray(array, dtype=np.float64) for array in (points, origins))
    scale, place = np.float64(float(ratio) ** levels / side), np.int64(ratio ** max(levels - 1, 0))
    counts = xp.zeros((len(origins), 64), np.uint64)
    q, size, axes, depth, packed = map(np.int64, (ratio, n, d, levels, together))
    words = xp.empty((width, n), np.uint64)
    for grid, origin in enumerate(origins if levels else ()):
        arguments = (points, origin, scale, q, place, size, axes, depth, packed, words)
        gpu.launch(PROGRAM, "write_keys", device.blocks(n), *arguments)
        if width == 1:
            ordered = xp.sort(words, axis=1)
        else:
            ordered = xp.ascontiguousarray(words[:, xp.lexsort(xp.ascontiguousarray(words[::-1]))])
        gpu.launch(
            PROGRAM, "count_changes", device.blocks(n), ordered, q, size, axes, depth * axes, packed, counts[grid]
        )
    counts[:, 0] = 1
    return xp.cumsum(counts.view(np.int64)[:, : levels + 1], axis=1)
