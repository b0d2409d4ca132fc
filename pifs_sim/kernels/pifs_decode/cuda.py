"""One GPU thread a pixel and column."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device

__all__ = ["PROGRAMS", "compute"]

PROGRAM = device.Program("pifs_decode", ("sweep<float>", "sweep<double>"))
PROGRAMS = (PROGRAM,)


def compute(x: Any, sources: Any, factors: Any, offsets: Any) -> Any:
    """The images y."""
    gpu = device.current()
    xp = gpu.xp
    gpu.require(x.nbytes, "pifs_decode")
    x, sources, factors = (xp.ascontiguousarray(array) for array in (x, sources, factors))
    shifts = factors if offsets is None else xp.ascontiguousarray(offsets)
    y = xp.empty(x.shape, x.dtype)
    counts = map(np.int64, (*x.shape[:2], x[:1, :1].size, len(sources)))
    kernel = "sweep<float>" if x.dtype == np.float32 else "sweep<double>"
    arguments = (x, sources, factors, shifts, *counts, np.int32(offsets is not None), y)
    gpu.launch(PROGRAM, kernel, device.blocks(x.size), *arguments)
    return y
