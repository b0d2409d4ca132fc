"""A vector is shared by 1, 8 or 32 GPU threads according to d, and meets all points in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pifs_sim.kernels import device
from pifs_sim.kernels.point_cloud_mean.cuda import FORMS, REALS, form, rows, summed

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Level

__all__ = ["PROGRAMS", "compute"]

_KERNELS = {real: tuple(f"spread<{real}, {lanes}, {held}>" for lanes, held in FORMS) for real in REALS.values()}
PROGRAM = device.Program(
    "point_cloud_covariance_apply", sum(_KERNELS.values(), ()), mixed=_KERNELS["float"], fused=True
)
PROGRAMS = (PROGRAM,)


def compute(
    cloud: Cloud,
    level: Level,
    x: Any,
    V: Any,
    *,
    threads: int | None,  # noqa: ARG001
    max_memory: float | None,
) -> Any:
    """See the door."""
    gpu = device.current()
    xp, (batch, d, p) = gpu.xp, V.shape
    lanes, held = form(d)
    size = min(batch, rows(max(1, p) * d, max_memory)) if not held else 1
    gpu.require(2 * V.nbytes + 8 * size * p * d, "point_cloud_covariance_apply")
    x, V, out = xp.ascontiguousarray(x), xp.ascontiguousarray(V), xp.empty(V.shape, V.dtype)
    found = summed(cloud, level, x, max_memory=max_memory)
    points, prior, facts = found.given
    sums, kernel = xp.empty((size, p, d)), f"spread<{REALS[x.dtype.name]}, {lanes}, {held}>"
    angles, step = len(facts), batch if held else size
    for start in range(0, batch, max(1, step)):
        part = slice(start, start + step)
        own = facts[part] if angles > 1 else facts
        read = x[part], V[part], found.tops[part], found.totals[part], found.mean[part]
        counts = (np.int64(n) for n in (len(x[part]), p, *points.shape))
        blocks = device.blocks(len(x[part]) * p, lanes)
        gpu.launch(PROGRAM, kernel, blocks, points, prior, own, np.int64(angles), *read, *counts, sums, out[part])
    return out
