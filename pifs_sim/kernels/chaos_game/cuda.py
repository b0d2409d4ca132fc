"""One GPU thread an orbit; counts are exact integers, added in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pifs_sim.kernels import device
from pifs_sim.kernels.chaos_game.alphabet import columns, word_maps

if TYPE_CHECKING:
    from pifs_sim.kernels.chaos_game import Maps, Play

__all__ = ["PROGRAMS", "compute"]

_REALS, _FLAGS = ("float", "double"), ("false", "true")
_PATHS = tuple(f"follow<{real}, {d}>" for real in _REALS for d in (1, 2, 3, 4))
_TALLIES = tuple(f"tally<{real}, {d}, {inside}>" for real in _REALS for d in (1, 2, 3) for inside in _FLAGS)
PROGRAM = device.Program("chaos_game", (*_PATHS, *_TALLIES), mixed=_TALLIES[:6])
PROGRAMS = (PROGRAM,)


def compute(maps: Maps, play: Play) -> Any:
    """See the door."""
    gpu = device.current()
    xp = gpu.xp
    n, seed, orbits, transient, grid, inside, (first, stop) = play
    width, d = stop - first, maps.start.size
    real = "float" if maps.start.dtype == np.float32 else "double"
    tables = word_maps(gpu.here(maps.matrices), gpu.here(maps.offsets))
    keep, pair, bits, each = columns(gpu.here(maps.cuts))
    arrays = (xp.asarray(values) for values in (*tables, keep, pair))
    start = xp.ascontiguousarray(maps.start)
    rule = (*arrays, np.int32(64 - bits), np.int32(each), np.int32(tables[1].shape[1]), start, np.uint64(seed))
    share = tuple(map(np.int64, (n, orbits, transient, first, width)))
    count = device.blocks(width)
    if grid is None:
        rows = n // orbits * width + min(max(n % orbits - first, 0), width)
        gpu.require(rows * d * start.itemsize, "chaos_game")
        points = xp.empty((rows, d), start.dtype)
        gpu.launch(PROGRAM, f"follow<{real}, {d}>", count, *rule, *share, points)
        return points
    gpu.require(8 * float(np.prod(grid.bins, dtype=np.float64)), "chaos_game")
    counts = xp.zeros(grid.bins, np.uint64)
    scale = np.array(grid.bins) / (grid.high - grid.low)
    box = (xp.asarray(values) for values in (grid.low.astype(np.float64), scale, np.array(grid.bins, np.int64)))
    gpu.launch(PROGRAM, f"tally<{real}, {d}, {str(inside).lower()}>", count, *rule, *share, *box, counts)
    return counts.view(np.int64)
