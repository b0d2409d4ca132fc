"""A pair of a point and a centre is shared by 1, 8 or 32 GPU threads according to d."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels import device

__all__ = ["PROGRAMS", "compute"]

_LANES = (1, 8, 32)
_FLOATS, _DOUBLES = (tuple(f"distances<{real}, {lanes}>" for lanes in _LANES) for real in ("float", "double"))
PROGRAM = device.Program("squared_distances", _FLOATS + _DOUBLES, mixed=_FLOATS, fused=True)
PROGRAMS = (PROGRAM,)


def compute(x: Any, y: Any, near: Any, far: Any, weights: Any) -> Any:
    """D, (B, K)."""
    gpu = device.current()
    xp, (batch, d), count = gpu.xp, x.shape, len(y)
    gpu.require(8 * batch * count, "squared_distances")
    x, near, far = (xp.ascontiguousarray(part, dtype=np.float64) for part in (x, near, far))
    y, factors = xp.ascontiguousarray(y), near if weights is None else xp.ascontiguousarray(weights)
    D = xp.empty((batch, count))
    lanes = 1 if d <= 8 else 8 if d <= 64 else 32
    kernel = f"distances<{'float' if y.dtype == np.float32 else 'double'}, {lanes}>"
    flags = np.int32(weights is not None), np.int32(factors.ndim == 3)
    counts = (np.int64(n) for n in (batch, count, d))
    gpu.launch(PROGRAM, kernel, device.blocks(batch * count, lanes), x, y, near, far, factors, *flags, *counts, D)
    return D
