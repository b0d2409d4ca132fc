"""Numba: a tile of samples with all its tangent vectors goes through the chain before the next begins.

Vectors lie in columns like points, one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import get_num_threads, njit

from pifs_sim.kernels import tiles
from pifs_sim.kernels.mixture_chain import expanded
from pifs_sim.kernels.mixture_chain.blocks import compared, loaded, multiplied, stored
from pifs_sim.kernels.mixture_chain.softmax import shares
from pifs_sim.kernels.mixture_chain.tables import Array, coefficients, simplified
from pifs_sim.kernels.need import Need
from pifs_sim.kernels.sharing import share
from pifs_sim.kernels.tangent_chain import axes
from pifs_sim.kernels.tangent_chain.factors import factorised
from pifs_sim.kernels.tangent_chain.pulls import dot, pull
from pifs_sim.kernels.tiles import ROWS, add_products

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps
    from pifs_sim.kernels.tangent_chain import Tangents

__all__ = ["compute", "need"]


class _More(NamedTuple):
    """Beside `expanded.Tables`: centres as rows of tiles (d/4, K, 4); c/N and 1/N (S, K, 2); (alpha, 1) (S, K, 2)."""

    second: Array
    slopes: Array
    plain: Array


def _more(law: Law, steps: Steps, known: expanded.Tables, dtype: Any) -> _More:
    found = coefficients(law, steps, dtype)
    sharp = np.broadcast_to(found.halves[:, :, 0] * (2 * math.log(2)), known.priors.shape)
    slopes = np.stack([found.cos[:, None] * sharp, sharp if known.own else 0 * sharp], axis=2)
    plain = np.stack([known.mixing[:, :, 0], np.ones_like(known.mixing[:, :, 0])], axis=2)
    return _More(expanded.packed(known.centres.T.astype(dtype)), slopes.astype(dtype), plain)


def _run(
    tables: Any, more: Any, source: Any, frames: Any, x_out: Any, V_out: Any, logs: Any, factors: Any, interval: int,
    W: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Samples first..stop - 1 through all steps, with their frames (B, p, d)."""
    (count, d), p = tables.centres.shape, frames.shape[1]
    size = tables.second.shape[0] * ROWS * W
    x, V, R = np.zeros(size, source.dtype), np.zeros(p * size, source.dtype), np.empty(p * p * W, source.dtype)
    G, r = np.empty((2, tables.first.shape[0] * ROWS * W), source.dtype)
    facts, scale = np.zeros((4, W), source.dtype), np.empty(W, source.dtype)
    along, total = np.zeros(W, source.dtype), np.empty(W, source.dtype)
    y = np.zeros(size, source.dtype) if tables.frames.shape[1] else x
    for begin in range(first, stop, W):
        loaded(source, begin, x, W)
        for q in range(p):
            loaded(frames[:, q], begin, V[q * size : (q + 1) * size], W)
        number, kept = min(W, stop - begin), 0
        logs[begin : begin + number] = 0
        for j in range(tables.sharpness.size):
            compared(tables, j, x, y, r, facts)
            shares(r, more.plain, 2 * count * j, count, tables.sharpness, j, facts[1], scale)
            for v in range(0, p * size, size):
                multiplied(tables.first, V, v, d, G, W)
                if tables.own:
                    dot(y, 0, V, v, d, along, 0)
                pull(G, r, more.slopes, 2 * count * j, tables.mixing, 2 * count * j, count, along, total)
                for tile in range(tables.second.shape[0]):
                    a, here = tile * count * ROWS, ROWS * tile * W
                    if tables.own:
                        add_products(more.second, a, G, 0, count, V, v + here, scale, (y, here, total))
                    else:
                        add_products(more.second, a, G, 0, count, V, v + here, scale, (0, 0))
            for k in range(count):
                for w in range(W):
                    r[k * W + w] *= tables.mixing[j, k, 1]
            for tile in range(tables.second.shape[0]):
                add_products(tables.second, tile * count * ROWS, r, 0, count, x, ROWS * tile * W, scale, (0, 0))
            if interval and ((j + 1) % interval == 0 or j + 1 == tables.sharpness.size):
                factorised(V, R, d, size, logs, factors, kept, begin, number)
                kept += 1
        stored(x, x_out, begin, W)
        for q in range(p):
            stored(V[q * size : (q + 1) * size], V_out[:, q], begin, W)


_pushed = njit(cache=True, nogil=True, error_model="numpy")(_run)


def need(law: Law, steps: Steps, x: Array, V: Array, *, interval: int, factors: bool) -> Need:
    """Bytes beside the arguments: tables of all steps, a tile a thread, and what is returned or at work."""
    (count, d), p, T = law.means.shape, V.shape[2], len(steps.turn)
    times = -(-T // interval) if interval and factors else 0
    size = x.dtype.itemsize * (2 * d + 2 * d * p + p + times * p * p)
    tables = 96 * (count + 4) * (d + 4) * T if law.variances.shape[1] > 1 else 160 * T * (count + d)
    tile = tiles.BYTES * (4 * (p + 2) * (d + p + 4) + 3 * count)
    return Need(96 * count * d + tables + tile * get_num_threads(), size)


def compute(
    law: Law, steps: Steps, x: Array, V: Array, *, interval: int, factors: bool, threads: int | None
) -> Tangents:
    """See the door."""
    from pifs_sim.kernels.tangent_chain import Tangents

    law, dtype, batch, p = simplified(law), x.dtype, len(x), V.shape[2]
    W, frames = tiles.samples(dtype.itemsize), np.ascontiguousarray(V.swapaxes(1, 2))
    x_out, V_out, logs = np.empty(x.shape, dtype), np.empty(frames.shape, dtype), np.zeros((batch, p), dtype)
    times = -(-len(steps.turn) // interval) if interval and factors else 0
    found = np.empty((times, batch, p, p), dtype)
    arrays = np.ascontiguousarray(x), frames, x_out, V_out, logs, found, interval, W
    run: Callable[[int, int], None]
    if law.variances.shape[1] > 1:
        along = axes.tables(law, steps, dtype)
        run = lambda first, stop: axes.pushed(along, *arrays, first, stop)  # noqa: E731
    else:
        known = expanded.tables(law, steps, dtype)
        more = _more(law, steps, known, dtype)
        run = lambda first, stop: _pushed(known, more, *arrays, first, stop)  # noqa: E731
    share(run, batch, W, threads)
    return Tangents(x_out, V_out.swapaxes(1, 2), logs, found if factors else None)
