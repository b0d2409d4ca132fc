"""Frames on the GPU, each shared by 1, 8 or 32 threads according to d; CuPy's batched QR does not know dead columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device

__all__ = ["PROGRAMS", "compute"]

_KERNELS = tuple(f"factor<{real}, {lanes}>" for real in ("float", "double") for lanes in (1, 8, 32))
PROGRAM = device.Program("orthonormal", _KERNELS, fused=True)
PROGRAMS = (PROGRAM,)


def compute(V: Any) -> tuple[Any, Any]:
    """Q (B, d, k) and R (B, k, k)."""
    gpu = device.current()
    xp = gpu.xp
    batch, d, k = V.shape
    gpu.require(V.dtype.itemsize * batch * k * (d + k), "orthonormal")
    Q, R = xp.array(V, order="C"), xp.zeros((batch, k, k), V.dtype)
    lanes = 1 if d <= 8 else 8 if d <= 64 else 32
    kernel = f"factor<{'float' if V.dtype == np.float32 else 'double'}, {lanes}>"
    gpu.launch(PROGRAM, kernel, device.blocks(batch, lanes), Q, R, *map(np.int64, V.shape))
    return Q, R
