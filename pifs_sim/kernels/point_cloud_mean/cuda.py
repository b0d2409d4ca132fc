"""A sample is shared by 1, 8 or 32 GPU threads according to d, and meets all points in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pifs_sim.kernels import device

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Estimate, Level

__all__ = ["FORMS", "PROGRAMS", "REALS", "Sums", "compute", "form", "prepared", "rows", "summed"]

REALS = {"float32": "float", "float64": "double"}
FORMS = ((1, 4), (8, 8), (32, 8), (32, 0))  # threads a sample, and coordinates in the registers of each
_KERNELS = {real: tuple(f"mean<{real}, {lanes}, {held}>" for lanes, held in FORMS) for real in REALS.values()}
PROGRAM = device.Program("point_cloud_mean", sum(_KERNELS.values(), ()), mixed=_KERNELS["float"], fused=True)
PROGRAMS = (PROGRAM,)

_MEMORY = 1 << 28  # bytes of sums in memory at a time


class Sums(NamedTuple):
    """The arrays that kernels read, 2 v (A,), and what all points add up to."""

    given: tuple[Any, ...]
    twice: Any
    tops: Any
    totals: Any
    mean: Any


def form(d: int) -> tuple[int, int]:
    """Threads a sample and coordinates in their registers."""
    return next((lanes, held) for lanes, held in FORMS if d <= lanes * held or not held)


def rows(d: int, max_memory: float | None) -> int:
    """Samples whose sums, d of each, are in memory at a time."""
    return max(1, int((max_memory or _MEMORY) / (8 * d)))


def prepared(cloud: Cloud, level: Level) -> tuple[tuple[Any, ...], Any]:
    """Points, ln w and (near, far, 2 v) of each angle, as kernels read them; and 2 v."""
    from pifs_sim.kernels.point_cloud_mean import moved

    xp, twice = device.current().xp, 2 * level.sin**2
    facts = xp.ascontiguousarray(xp.stack([*moved(level), twice], axis=1))
    return (xp.ascontiguousarray(cloud.points), xp.log(cloud.weights), facts), twice


def summed(cloud: Cloud, level: Level, x: Any, *, max_memory: float | None) -> Sums:
    """For contiguous points x."""
    gpu = device.current()
    xp, (batch, d) = gpu.xp, x.shape
    lanes, held = form(d)
    size = min(batch, rows(d, max_memory)) if not held else 1
    gpu.require(x.nbytes + 16 * batch + 8 * size * d + cloud.points.nbytes + 16 * len(cloud.points), "point_cloud_mean")
    (points, prior, facts), twice = prepared(cloud, level)
    sums, tops, totals = xp.empty((size, d)), xp.empty(batch), xp.empty(batch)
    mean = xp.empty(x.shape, x.dtype)
    kernel = f"mean<{REALS[x.dtype.name]}, {lanes}, {held}>"
    angles, step = len(facts), batch if held else size
    for start in range(0, batch, max(1, step)):
        part = slice(start, start + step)
        own = facts[part] if angles > 1 else facts
        counts = (np.int64(n) for n in (len(x[part]), *points.shape))
        arrays = points, prior, own, np.int64(angles), x[part], *counts, sums, tops[part], totals[part], mean[part]
        gpu.launch(PROGRAM, kernel, device.blocks(len(x[part]), lanes), *arrays)
    return Sums((points, prior, facts), twice, tops, totals, mean)


def compute(
    cloud: Cloud,
    level: Level,
    x: Any,
    *,
    threads: int | None,  # noqa: ARG001
    max_memory: float | None,
) -> Estimate:
    """See the door."""
    from pifs_sim.kernels.point_cloud_mean import Estimate

    xp = device.current().xp
    found = summed(cloud, level, xp.ascontiguousarray(x), max_memory=max_memory)
    return Estimate(found.mean, found.tops / found.twice + xp.log(found.totals))
