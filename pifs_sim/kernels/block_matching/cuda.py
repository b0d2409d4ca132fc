"""All pairs on the GPU, two ranges a block of threads; the best of its threads' is the first of equal ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device
from pifs_sim.kernels.block_matching.law import Blocks, Match, Quantisation

__all__ = ["PROGRAMS", "compute"]

PROGRAM = device.Program("block_matching", ("match<1>", "match<4>", "match<8>"))
PROGRAMS = (PROGRAM,)

_RANGES = 2  # of a block of threads, as in kernel.cuh


def compute(ranges: Blocks, domains: Blocks, isometries: Any, quantisation: Quantisation) -> Match:
    """The best match of each range."""
    gpu = device.current()
    xp, q = gpu.xp, quantisation
    (K, n), C, turns = ranges.pixels.shape, len(domains.pixels), len(isometries)
    together = 1 if turns == 1 else 4 if turns <= 4 else 8
    groups = -(-turns // together)
    gpu.require(8 * n * (2 * K * groups * together + C), "block_matching")
    rows = xp.zeros((K, groups * together, n))
    rows[:, :turns] = ranges.pixels[:, xp.argsort(isometries, axis=1)]
    rows = xp.ascontiguousarray(rows.reshape(K, groups, together, n).swapaxes(2, 3))
    columns = xp.ascontiguousarray(domains.pixels.T)
    levels = (q.contrast_step, q.contrast_levels, q.brightness_low, q.brightness_step, q.brightness_levels)
    found, errors = xp.empty((4, K), np.int64), xp.empty(K)
    arguments = (rows, *ranges[1:], columns, *domains[1:], xp.asarray(np.array(levels, dtype=np.float64)))
    sizes = map(np.int64, (K, C, n, turns))
    gpu.launch(PROGRAM, f"match<{together}>", -(-K // _RANGES), *arguments, *sizes, found, errors)
    return Match._make([*found, errors])
