"""Samples on the GPU, each shared by 1 to 32 threads according to d, in registers up to d = 512 or 1024."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pifs_sim.kernels import device
from pifs_sim.kernels.mixture_chain import tables
from pifs_sim.kernels.need import Need

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["PROGRAMS", "SHAPES", "compute", "need"]

_FEW = ((2, 1), (4, 1), (16, 2), (64, 4), (128, 8), (256, 16))
SHAPES = {"float": (*_FEW, (1024, 32)), "double": (*_FEW, (512, 32))}  # most coordinates, and threads for them
_FLAGS = ("false", "true")
_CHAINS = tuple(f"chain<{real}, {d}, {n}, {axes}>" for real in SHAPES for d, n in SHAPES[real] for axes in _FLAGS)
_WIDE = tuple(f"wide<{real}, {axes}>" for real in SHAPES for axes in _FLAGS)
PROGRAM = device.Program("mixture_chain", (*_CHAINS, *_WIDE), fused=True)
PROGRAMS = (PROGRAM,)


def _shape(x: Any) -> tuple[int, int]:
    """The most coordinates that go in registers, 0 for any number in memory, and the threads of a sample."""
    return next((shape for shape in SHAPES[device.real(x)] if x.shape[1] <= shape[0]), (0, 32))


def _size(law: Law, dtype: Any) -> int:
    """Bytes of a step's tables."""
    (count, d), m = law.means.shape, law.variances.shape[1]
    return int(dtype.itemsize * (count * (3 * d + 2 * m + 1) + 1))


def need(law: Law, steps: Steps, x: Any, *, rows: tuple[int, ...]) -> Need:
    """Bytes on the GPU: tables, and the points at work and returned."""
    count, d = law.means.shape
    room = 0 if _shape(x)[0] else count
    return Need(
        tables.several(steps, _size(law, x.dtype)) * (_size(law, x.dtype) + 8),
        x.dtype.itemsize * ((1 + len(rows)) * d + room),
    )


def compute(law: Law, steps: Steps, x: Any, *, rows: tuple[int, ...], threads: int | None) -> Any:  # noqa: ARG001
    """See the door; `rows` increase."""
    gpu = device.current()
    xp = gpu.xp
    gpu.require(need(law, steps, x, rows=rows).of(len(x)), "mixture_chain")
    law = tables.simplified(type(law)(*map(gpu.here, law)))
    (count, d), (batch, _) = law.means.shape, x.shape
    kept, points = xp.empty((len(rows), *x.shape), x.dtype), xp.array(x, order="C")
    if rows[-1] == len(steps.turn):
        kept[-1] = points
    real, axes, (most, lanes) = device.real(x), str(law.variances.shape[1] > 1).lower(), _shape(x)
    room = () if most else (xp.empty((batch, count), x.dtype),)
    kernel = f"chain<{real}, {most}, {lanes}, {axes}>" if most else f"wide<{real}, {axes}>"
    for part, slots in tables.pieces(steps, rows, tables.several(steps, _size(law, x.dtype))):
        known = (xp.ascontiguousarray(xp.asarray(table)) for table in tables.narrow(law, part, x.dtype))
        sizes = map(np.int64, (len(slots), count, d, batch))
        there = (*known, xp.asarray(slots), *sizes, points, *room, kept)
        gpu.launch(PROGRAM, kernel, device.blocks(batch, lanes), *there)
    return kept
