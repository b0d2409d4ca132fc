"""Samples on the GPU, each shared by 1 to 32 threads according to d, with some of its tangent vectors in registers.

Up to 32 vectors are factorised where they are, more of them between launches, by a block of threads a sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pifs_sim.kernels import device
from pifs_sim.kernels.mixture_chain import tables
from pifs_sim.kernels.need import Need

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps
    from pifs_sim.kernels.tangent_chain import Tangents

__all__ = ["PROGRAMS", "SHAPES", "compute", "need"]

FEW = 32  # the most vectors that Gram-Schmidt takes
SHAPES = {  # most coordinates, threads for them, and vectors in registers at a time
    "float": ((4, 1, 4), (64, 8, 4), (256, 32, 4), (1024, 32, 1)),
    "double": ((4, 1, 4), (16, 4, 4), (64, 16, 4), (512, 32, 1)),
}
_FLAGS = ("false", "true")
_PUSHES = tuple(
    f"push<{real}, {', '.join(map(str, shape))}, {axes}>"
    for real in SHAPES
    for shape in SHAPES[real]
    for axes in _FLAGS
)
_WIDE = tuple(f"push_wide<{real}, {axes}>" for real in SHAPES for axes in _FLAGS)
PROGRAM = device.Program("tangent_chain", (*_PUSHES, *_WIDE, "factor<float>", "factor<double>"), fused=True)
PROGRAMS = (PROGRAM,)


def _shape(x: Any) -> tuple[int, int, int]:
    """As in `SHAPES`; 0 coordinates for any number of them in memory."""
    return next((shape for shape in SHAPES[device.real(x)] if x.shape[1] <= shape[0]), (0, 32, 1))


def _size(law: Law, dtype: Any) -> int:
    """Bytes of a step's tables."""
    (count, d), m = law.means.shape, law.variances.shape[1]
    return int(dtype.itemsize * (count * (4 * d + 2 * m + 1) + d + 1))


def need(law: Law, steps: Steps, x: Any, V: Any, *, interval: int, factors: bool) -> Need:
    """Bytes on the GPU: tables, and what is returned or at work."""
    (count, d), p, size = law.means.shape, V.shape[2], _size(law, x.dtype)
    times = -(-len(steps.turn) // interval) if interval and factors else 0
    room = count * (1 + _shape(x)[2]) + (3 * p * (p + 1) if interval and p > FEW else 0)
    return Need(tables.several(steps, size) * size, x.dtype.itemsize * (d * (p + 1) + p + times * p * p + room))


def _tables(law: Law, steps: Steps, dtype: Any) -> tuple[tables.Array, ...]:
    """Of `mixture_chain`, and gamma (mu - origin) (S, K, d) and c origin (S, d)."""
    known, origin = tables.coefficients(law, steps, dtype), law.means.mean(axis=0)
    more = known.onto * (law.means - origin), known.cos[:, None] * origin
    return *tables.narrow(law, steps, dtype), *(table.astype(dtype) for table in more)


def compute(
    law: Law,
    steps: Steps,
    x: Any,
    V: Any,
    *,
    interval: int,
    factors: bool,
    threads: int | None,  # noqa: ARG001
) -> Tangents:
    """See the door."""
    from pifs_sim.kernels.tangent_chain import Tangents

    gpu = device.current()
    xp = gpu.xp
    gpu.require(need(law, steps, x, V, interval=interval, factors=factors).of(len(x)), "tangent_chain")
    law = tables.simplified(type(law)(*map(gpu.here, law)))
    (count, d), (batch, _, p), T = law.means.shape, V.shape, len(steps.turn)
    real, axes, (most, lanes, part) = device.real(x), str(law.variances.shape[1] > 1).lower(), _shape(x)
    kernel = f"push<{real}, {most}, {lanes}, {part}, {axes}>" if most else f"push_wide<{real}, {axes}>"
    points, frames = xp.array(x, order="C"), xp.array(V.swapaxes(1, 2), order="C")
    logs, room = xp.zeros((batch, p), x.dtype), xp.empty((batch, count * (1 + part)), x.dtype)
    apart = interval > 0 and p > FEW
    turns = -(-T // interval) if interval else 0
    found = xp.zeros((turns if factors else 0, batch, p, p), x.dtype)
    chol = xp.empty((batch, 3 * p * (p + 1) if apart else 0), x.dtype)
    for turn in range(turns if apart else 1):
        first, stop = (turn * interval, min((turn + 1) * interval, T)) if apart else (0, T)
        span = type(steps)(
            steps.cos[T - stop : T - first + 1], steps.sin[T - stop : T - first + 1], steps.turn[T - stop : T - first]
        )
        done = first
        for piece, slots in tables.pieces(span, (0,), tables.several(span, _size(law, x.dtype))):
            known = (xp.ascontiguousarray(xp.asarray(table)) for table in _tables(law, piece, x.dtype))
            sizes = map(np.int64, (len(slots), count, d, batch))
            how = map(np.int64, (p, 0 if apart else interval, done, T, len(found)))
            gpu.launch(
                PROGRAM, kernel, device.blocks(batch, lanes), *known, *sizes, points, frames, logs, found, *how, room
            )
            done += len(slots)
        if apart:
            R = found[turn] if factors else found
            gpu.launch(
                PROGRAM, f"factor<{real}>", batch, frames, logs, R, chol, *map(np.int64, (batch, d, p, len(found)))
            )
    return Tangents(points, frames.swapaxes(1, 2), logs, found if factors else None)
