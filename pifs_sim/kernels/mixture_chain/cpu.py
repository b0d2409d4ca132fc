"""Numba: blocks of samples that stay in registers or in cache through the chain, shared out to threads.

A sample's numbers depend neither on its neighbours nor on threads. Tables are made for as many steps as take are
pieces of; as x is rounded to its dtype after every step anyway, the points between are an array of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import get_num_threads, njit

from pifs_sim.kernels import tiles
from pifs_sim.kernels.mixture_chain import apart, blocks, expanded, narrow, tables
from pifs_sim.kernels.mixture_chain.tables import Array
from pifs_sim.kernels.need import Need
from pifs_sim.kernels.sharing import share

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["compute", "need"]

_NARROW = 4  # most coordinates that are kept in registers: from there on products are as fast


def _run_narrow(
    known: Any, axes: Any, kinds: Any, source: Any, target: Any, slots: Any, kept: Any, W: int, first: int, stop: int
) -> None:
    """Samples first..stop - 1 through all steps; x after step j also to kept[slots[j]] unless that is negative."""
    near, mixing, sharpness = known
    d, count, last = source.shape[1], near.shape[1], slots.size - 1
    state, room = np.empty(d * W, source.dtype), np.empty(count * W, source.dtype)
    for begin in range(first, stop, W):
        for w in range(W):
            for i in range(d):
                state[i * W + w] = source[min(begin + w, source.shape[0] - 1), i]
        for j in range(slots.size):
            a, b = j * near[0].size, j * mixing[0].size
            narrow.advance(near, a, mixing, b, count, sharpness, j, state, room, axes, kinds)
            if slots[j] >= 0:
                for w in range(min(W, source.shape[0] - begin)):
                    for i in range(d):
                        kept[slots[j], begin + w, i] = state[i * W + w]
            if j == last:
                for w in range(min(W, source.shape[0] - begin)):
                    for i in range(d):
                        target[begin + w, i] = state[i * W + w]


_in_registers = njit(cache=True, nogil=True, error_model="numpy")(_run_narrow)


def compute(law: Law, steps: Steps, x: Array, *, rows: tuple[int, ...], threads: int | None) -> Array:
    """See the door; `rows` increase."""
    law = tables.simplified(law)
    kept = np.empty((len(rows), *x.shape), x.dtype)
    if rows[-1] == len(steps.turn):
        kept[-1] = x
    source, target = np.ascontiguousarray(x), np.empty(x.shape, x.dtype)
    for part, slots in tables.pieces(steps, rows, tables.several(steps, _size(law))):
        run, block = _runner(law, part, (source, target, slots, kept))
        share(run, len(x), block, threads)
        source = target
    return kept


def _size(law: Law) -> int:
    """Bytes of a step's tables, at most."""
    count, d = law.means.shape
    return 24 * count * (d + 1) if d <= _NARROW or min(law.variances.shape) > 1 else 40 * (count + d)


def need(law: Law, steps: Steps, x: Array, *, rows: tuple[int, ...]) -> Need:
    """Bytes beside the arguments: tables, four times while they are made, a tile a thread, and all points."""
    law = tables.simplified(law)
    once = 64 * law.means.size + tiles.BYTES * (3 * x.shape[1] + 3 * len(law.means) + 16) * get_num_threads()
    return Need(
        once + 4 * tables.several(steps, _size(law)) * _size(law), x.dtype.itemsize * x.shape[1] * (2 + len(rows))
    )


def _runner(law: Law, steps: Steps, arrays: tuple[Array, ...]) -> tuple[Callable[[int, int], None], int]:
    """What takes a range of samples through the steps, in blocks of so many."""
    dtype, d = arrays[0].dtype, law.means.shape[1]
    if d <= _NARROW:
        known, axes, kinds = tables.narrow(law, steps, dtype), (0,) * d, (0,) * law.variances.shape[1]
        block = narrow.samples(dtype.itemsize)
        return (lambda first, stop: _in_registers(known, axes, kinds, *arrays, block, first, stop)), block
    own = min(law.variances.shape) > 1
    found, run = (apart, blocks.run_apart) if own else (expanded, blocks.run_expanded)
    made, block = found.tables(law, steps, dtype), tiles.samples(dtype.itemsize)
    return (lambda first, stop: run(made, *arrays, block, first, stop)), block
