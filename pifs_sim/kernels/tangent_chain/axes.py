"""Frames where components have variances along the axes: pulls from differences, then products.

J Phi_t V = A V + y * sum_k u_k alpha_k + sum_k u_k gamma_k (mu_k - o), coordinate by coordinate, A = sum_k r_k alpha_k,
y = x - c o, o the middle of the means.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes
from pifs_sim.kernels.mixture_chain import apart
from pifs_sim.kernels.mixture_chain.apart import ROWS as PAIR
from pifs_sim.kernels.mixture_chain.apart import add_distances
from pifs_sim.kernels.mixture_chain.blocks import loaded, stored
from pifs_sim.kernels.mixture_chain.expanded import CHUNK, packed
from pifs_sim.kernels.mixture_chain.softmax import logits, shares
from pifs_sim.kernels.mixture_chain.tables import Array, coefficients
from pifs_sim.kernels.tangent_chain.factors import factorised
from pifs_sim.kernels.tangent_chain.pulls import pull
from pifs_sim.kernels.tiles import ROWS, VECTORS, add_products, samples

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["Tables", "pushed", "tables"]


class Tables(NamedTuple):
    """Beside `apart.Tables`, for S steps: gamma (mu - o) (S, d/4, K, 4); (-1/(N eta), 0) (S, K, 2); c o (S, d)."""

    known: apart.Tables
    drawn: Array
    slopes: Array
    shift: Array


def tables(law: Law, steps: Steps, dtype: Any) -> Tables:
    """Of any law, as of one with a diagonal covariance for each component."""
    every = law._replace(variances=np.broadcast_to(law.variances, law.means.shape))
    found, origin = coefficients(every, steps, dtype), law.means.mean(axis=0)
    slopes = np.zeros((*found.prior.shape, 2))
    slopes[:, :, 0] = -2 * math.log(2) * found.halves.max(axis=(1, 2))[:, None]
    return Tables(
        apart.tables(every, steps, dtype),
        packed((found.onto * (law.means - origin)).swapaxes(1, 2).astype(dtype)),
        slopes.astype(dtype),
        (found.cos[:, None] * origin).astype(dtype),
    )


def _add_pulls(_context: Any, table: Any, a: Any, x: Any, b: Any, V: Any, v: Any, count: Any, sums: Any, c: Any) -> Any:
    """add_pulls(table, a, x, b, V, v, count, sums, c): sums[c + W r + w] += sum_j e_jrw sigma_jr^2 V_jw.

    Parts and sigma of coordinate j and row r begin at table[a + 3 (PAIR j + r)]; x_jw is x[b + W j + w], V_jw
    V[v + W j + w].
    """
    size = 4 if x.dtype == types.float32 else 8

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = WIDTH // size, samples(size)
        code = Lanes(context, builder, width)
        rows, points, vectors, G = (code.data(signature.args[i], arguments[i]) for i in (0, 2, 4, 7))
        G = code.place(G, arguments[8])
        tile = [(r, u) for r in range(PAIR) for u in range(VECTORS)]
        total = {(r, u): code.variable(code.load(G, r * stride + u * width)) for r, u in tile}
        with code.loop(arguments[6]) as j:
            column, other = (
                code.place(of, arguments[i], code.times(j, stride)) for of, i in ((points, 3), (vectors, 5))
            )
            row = code.place(rows, arguments[1], code.times(j, 3 * PAIR))
            for r in range(PAIR):
                near, far, sigma = (code.spread(row, 3 * r + i) for i in range(3))
                for u in range(VECTORS):
                    e = ((code.load(column, u * width) - near) - far) * sigma
                    total[r, u].set(e.times_plus(code.load(other, u * width) * sigma, total[r, u].get()))
        for r, u in tile:
            code.store(total[r, u].get(), G, r * stride + u * width)
        return context.get_dummy_value()

    return types.void(table, a, x, b, V, v, count, sums, c), emit


_add_pulls_of = intrinsic(_add_pulls)


def _run(
    tables: Any, source: Any, frames: Any, x_out: Any, V_out: Any, logs: Any, factors: Any, interval: int, W: int,
    first: int, stop: int,
) -> None:  # fmt: skip
    """Samples first..stop - 1 through all steps, with their frames (B, p, d)."""
    known, d, p = tables.known, source.shape[1], frames.shape[1]
    count, tiles, pairs = known.terms.shape[1], known.onto.shape[1], known.centres.shape[1]
    size, height = tiles * ROWS * W, ROWS * W
    x, y, A = np.zeros((3, size), source.dtype)
    V, R, S = np.zeros(p * size, source.dtype), np.empty(p * p * W, source.dtype), np.empty(height, source.dtype)
    G, r = np.empty((2, pairs * PAIR * W), source.dtype)
    facts, nothing = np.zeros((5, W), source.dtype), np.zeros(W, source.dtype)
    for begin in range(first, stop, W):
        loaded(source, begin, x, W)
        for q in range(p):
            loaded(frames[:, q], begin, V[q * size : (q + 1) * size], W)
        number, kept = min(W, stop - begin), 0
        logs[begin : begin + number] = 0
        for j in range(known.sharpness.size):
            r[:] = 0
            for at in range(0, d, CHUNK):
                for pair in range(pairs):
                    a = 3 * PAIR * ((j * pairs + pair) * d + at)
                    add_distances(known.centres, a, x, at * W, min(CHUNK, d - at), r, PAIR * pair * W)
            logits(r, known.terms, 3 * count * j, count, facts[0], facts[1], facts[2], ())
            shares(r, known.mixing, 2 * count * j, count, known.sharpness, j, facts[1], facts[3])
            for tile in range(tiles):
                add_products(known.along, ROWS * count * (j * tiles + tile), r, 0, count, A, height * tile, A, ())
            for i in range(d):
                for w in range(W):
                    y[i * W + w] = x[i * W + w] - tables.shift[j, i]
            for v in range(0, p * size, size):
                G[:] = 0
                for at in range(0, d, CHUNK):
                    for pair in range(pairs):
                        a, n = 3 * PAIR * ((j * pairs + pair) * d + at), min(CHUNK, d - at)
                        _add_pulls_of(known.centres, a, x, at * W, V, v + at * W, n, G, PAIR * pair * W)
                pull(G, r, tables.slopes, 2 * count * j, known.mixing, 2 * count * j, count, nothing, facts[4])
                for tile in range(tiles):
                    a, here = ROWS * count * (j * tiles + tile), height * tile
                    add_products(known.along, a, G, 0, count, S, 0, S, ())
                    for w in range(height):
                        V[v + here + w] = A[here + w] * V[v + here + w] + S[w] * y[here + w]
                    add_products(tables.drawn, a, G, 0, count, V, v + here, S, (0,))
            x *= A
            for tile in range(tiles):
                add_products(known.onto, ROWS * count * (j * tiles + tile), r, 0, count, x, height * tile, S, (0,))
            if interval and ((j + 1) % interval == 0 or j + 1 == known.sharpness.size):
                factorised(V, R, d, size, logs, factors, kept, begin, number)
                kept += 1
        stored(x, x_out, begin, W)
        for q in range(p):
            stored(V[q * size : (q + 1) * size], V_out[:, q], begin, W)


pushed = njit(cache=True, nogil=True, error_model="numpy")(_run)
