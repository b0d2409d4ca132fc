"""Numba: a tile of samples with all its tangent vectors goes through the chain before the next begins.

Vectors lie in columns like points, one after the other; Gram-Schmidt runs over the samples of a tile side by side, each
column orthogonalised once more where it shrinks to less than `_AGAIN` of itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from pifs_sim.kernels import tiles
from pifs_sim.kernels.mixture_chain import expanded
from pifs_sim.kernels.mixture_chain.blocks import compared, loaded, multiplied, stored
from pifs_sim.kernels.mixture_chain.softmax import shares
from pifs_sim.kernels.mixture_chain.tables import Array, coefficients, simplified
from pifs_sim.kernels.sharing import share
from pifs_sim.kernels.tangent_chain.pulls import dot, pull, subtract
from pifs_sim.kernels.tiles import ROWS, add_products

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps
    from pifs_sim.kernels.tangent_chain import Tangents

__all__ = ["compute"]

_AGAIN = 1e-2


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


def _factorise(V: Any, R: Any, d: int, size: int, eps: float) -> None:
    """V = Q R for the samples of a tile, in place; vectors `size` apart, R[(l p + j) W + w]."""
    p, W = V.size // size, size // (-(-d // ROWS) * ROWS)
    before, after, part = np.empty(W, V.dtype), np.empty(W, V.dtype), np.empty(W, V.dtype)
    R[:] = 0
    for j in range(p):
        dot(V, j * size, V, j * size, d, before, 0)
        for again in range(2):
            for m in range(j):
                dot(V, m * size, V, j * size, d, part, 0)
                if again:
                    for w in range(W):
                        part[w] = part[w] if after[w] < _AGAIN * _AGAIN * before[w] else 0.0
                subtract(V, m * size, V, j * size, d, part, 0)
                for w in range(W):
                    R[(m * p + j) * W + w] += part[w]
            dot(V, j * size, V, j * size, d, after, 0)
            if not (after < _AGAIN * _AGAIN * before).any():
                break
        for w in range(W):
            length = math.sqrt(after[w])
            dead = length <= 8 * d * eps * math.sqrt(before[w]) and math.isfinite(length)
            R[(j * p + j) * W + w] = 0.0 if dead else length
            part[w] = 0.0 if dead else 1.0 / length
        for i in range(d):
            for w in range(W):
                V[j * size + i * W + w] *= part[w]


_factorised = njit(error_model="numpy")(_factorise)


def _run(
    tables: Any, more: Any, source: Any, frames: Any, x_out: Any, V_out: Any, logs: Any, factors: Any, interval: int,
    W: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Samples first..stop - 1 through all steps, with their frames (B, p, d)."""
    (count, d), p, eps = tables.centres.shape, frames.shape[1], 1.1920929e-07 if source.itemsize == 4 else 2.220446e-16
    size = tables.second.shape[0] * ROWS * W
    x, V, R = np.zeros(size, source.dtype), np.zeros(p * size, source.dtype), np.empty(p * p * W, source.dtype)
    G, r = np.empty((2, tables.first.shape[0] * ROWS * W), source.dtype)
    facts, scale = np.zeros((4, W), source.dtype), np.empty(W, source.dtype)
    along, total = np.zeros(W, source.dtype), np.empty(W, source.dtype)
    y = np.empty(d * W, source.dtype) if tables.frames.shape[1] else x
    for begin in range(first, stop, W):
        loaded(source, begin, x, W)
        for q in range(p):
            loaded(frames[:, q], begin, V[q * size : (q + 1) * size], W)
        here, kept = min(W, stop - begin), 0
        logs[begin : begin + here] = 0
        for j in range(tables.sharpness.size):
            compared(tables, j, x, y, r, facts)
            shares(r, more.plain, 2 * count * j, count, tables.sharpness, j, facts[1], scale)
            for v in range(0, p * size, size):
                multiplied(tables.first, V, v, d, G, W)
                if tables.own:
                    dot(y, 0, V, v, d, along, 0)
                pull(G, r, more.slopes, 2 * count * j, tables.mixing, 2 * count * j, count, along, total)
                for tile in range(tables.second.shape[0]):
                    add_products(more.second, tile * count * ROWS, G, 0, count, V, v + ROWS * tile * W, scale, (0, 0))
                if tables.own:
                    subtract(y, 0, V, v, d, total, 0)
            for k in range(count):
                for w in range(W):
                    r[k * W + w] *= tables.mixing[j, k, 1]
            for tile in range(tables.second.shape[0]):
                add_products(tables.second, tile * count * ROWS, r, 0, count, x, ROWS * tile * W, scale, (0, 0))
            if interval and ((j + 1) % interval == 0 or j + 1 == tables.sharpness.size):
                _factorised(V, R, d, size, eps)
                for w in range(here):
                    for q in range(p):
                        logs[begin + w, q] += math.log(R[(q * p + q) * W + w])
                        if factors.shape[0]:
                            for m in range(p):
                                factors[kept, begin + w, m, q] = R[(m * p + q) * W + w]
                kept += 1
        stored(x, x_out, begin, W)
        for q in range(p):
            stored(V[q * size : (q + 1) * size], V_out[:, q], begin, W)


_pushed = njit(cache=True, nogil=True, error_model="numpy")(_run)


def compute(
    law: Law, steps: Steps, x: Array, V: Array, *, interval: int, factors: bool, threads: int | None
) -> Tangents:
    """See the door."""
    from pifs_sim.kernels.tangent_chain import Tangents

    law, dtype, batch, p = simplified(law), x.dtype, len(x), V.shape[2]
    known = expanded.tables(law, steps, dtype)
    more, W = _more(law, steps, known, dtype), tiles.samples(dtype.itemsize)
    frames = np.ascontiguousarray(V.swapaxes(1, 2))
    x_out, V_out, logs = np.empty(x.shape, dtype), np.empty(frames.shape, dtype), np.zeros((batch, p), dtype)
    times = -(-len(steps.turn) // interval) if interval and factors else 0
    found = np.empty((times, batch, p, p), dtype)
    arrays = known, more, np.ascontiguousarray(x), frames, x_out, V_out, logs, found, interval, W
    share(lambda first, stop: _pushed(*arrays, first, stop), batch, W, threads)
    return Tangents(x_out, V_out.swapaxes(1, 2), logs, found if factors else None)
