"""Numba: blocks of samples that stay in registers or in cache through the chain, shared out to threads.

A sample's numbers depend neither on its neighbours nor on threads. Tables are made for as many steps as take `_TABLES`
bytes; as x is rounded to its dtype after every step anyway, the points between are an array of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import get_num_threads, njit

from pifs_sim.kernels import tiles
from pifs_sim.kernels.mixture_chain import apart, blocks, expanded, narrow, tables
from pifs_sim.kernels.mixture_chain.tables import Array

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["compute"]

_NARROW = 4  # most coordinates that are kept in registers: from there on products are as fast
_TABLES = 1 << 26
_PIECES = 8  # of the samples for each thread: one that is held up leaves its next to others


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
    (count, d), T = law.means.shape, len(steps.turn)
    kept = np.empty((len(rows), *x.shape), x.dtype)
    if rows[-1] == T:
        kept[-1] = x
    source, target = np.ascontiguousarray(x), np.empty(x.shape, x.dtype)
    dense = d <= _NARROW or min(law.variances.shape) > 1
    size = max(1, _TABLES // (24 * count * (d + 1) if dense else 40 * (count + d)))
    for stop in range(T, rows[0], -size):
        start = max(stop - size, rows[0])
        piece = type(steps)(steps.cos[start : stop + 1], steps.sin[start : stop + 1], steps.turn[start:stop])
        slots = np.array([rows.index(t) if t in rows else -1 for t in range(stop - 1, start - 1, -1)])
        _advance(_runner(law, piece, source.dtype), (source, target, slots, kept), threads)
        source = target
    return kept


def _runner(law: Law, steps: Steps, dtype: Any) -> tuple[Callable[..., None], int]:
    """A function of `_advance`'s arrays, the size W of a block and a range of samples; and W."""
    d = law.means.shape[1]
    if d <= _NARROW:
        known, axes, kinds = tables.narrow(law, steps, dtype), (0,) * d, (0,) * law.variances.shape[1]
        return (lambda *rest: _in_registers(known, axes, kinds, *rest)), narrow.samples(dtype.itemsize)
    own = min(law.variances.shape) > 1
    found, run = (apart, blocks.run_apart) if own else (expanded, blocks.run_expanded)
    made = found.tables(law, steps, dtype)
    return (lambda *rest: run(made, *rest)), tiles.samples(dtype.itemsize)


def _advance(runner: tuple[Callable[..., None], int], arrays: tuple[Array, ...], threads: int | None) -> None:
    run, W = runner
    batch = len(arrays[0])
    count = -(-batch // W)
    number = max(1, min(threads or get_num_threads(), count))
    if number == 1:
        run(*arrays, W, 0, batch)
        return
    pieces = min(count, _PIECES * number)
    edges = pairwise(min(batch, W * (count * i // pieces)) for i in range(pieces + 1))
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(lambda edge: run(*arrays, W, *edge), edges))
