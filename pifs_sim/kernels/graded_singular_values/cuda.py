"""The same rotations on the GPU, each matrix shared by 1, 8 or 32 threads according to d."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device

__all__ = ["PROGRAMS", "compute"]

PROGRAM = device.Program("graded_singular_values", tuple(f"rotate<{lanes}>" for lanes in (1, 8, 32)), fused=True)
PROGRAMS = (PROGRAM,)


def compute(s: Any, U: Any) -> Any:
    """Logarithms (B, d), descending."""
    gpu = device.current()
    xp = gpu.xp
    batch, d = s.shape
    gpu.require(8 * batch * d * (d + 1), "graded_singular_values")
    logs, rows = (xp.array(array, dtype=np.float64, order="C") for array in (s, U))
    lanes = 1 if d <= 4 else 8 if d <= 32 else 32
    gpu.launch(PROGRAM, f"rotate<{lanes}>", device.blocks(batch, lanes), logs, rows, *map(np.int64, s.shape))
    return -xp.sort(-logs, axis=1)
