"""Logits of components and the shares that they make, for the samples of a tile.

In units of 1/H, L_k = kappa_k + beta_k G_k - eta_k Q, G_k a product with a centre and Q a square; the share of
component k is 2^{H (L_k - max L)} over the sum of these.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes
from pifs_sim.kernels.tiles import VECTORS, samples

__all__ = ["logits", "shares", "squares"]


def _sizes(real: Any) -> tuple[int, int]:
    size = 4 if real == types.float32 else 8
    return WIDTH // size, samples(size)


def _squares(_context: Any, columns: Any, count: Any, sums: Any) -> Any:
    """squares(columns, count, sums): sums[w] = sum_i columns[W i + w]^2."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(columns.dtype)
        code = Lanes(context, builder, width)
        x, Q = (code.data(signature.args[i], arguments[i]) for i in (0, 2))
        total = [code.variable(code.constant(columns.dtype, 0.0)) for _ in range(VECTORS)]
        with code.loop(arguments[1]) as i:
            for u in range(VECTORS):
                vector = code.load(x, code.times(i, stride), u * width)
                total[u].set(vector.times_plus(vector, total[u].get()))
        for u in range(VECTORS):
            code.store(total[u].get(), Q, u * width)
        return context.get_dummy_value()

    return types.void(columns, count, sums), emit


def _logits(
    _context: Any, sums: Any, terms: Any, a: Any, count: Any, square: Any, top: Any, deep: Any, own: Any
) -> Any:
    """logits(sums, terms, a, count, square, top, deep, own): G becomes L, top[w] the most, deep[w] the most of -L.

    kappa, beta and eta of component k begin at terms[a + 3 k]; eta is left out if `own` is a tuple of no numbers.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(sums.dtype)
        code = Lanes(context, builder, width)
        G, table, Q, highest, lowest = (code.data(signature.args[i], arguments[i]) for i in (0, 1, 4, 5, 6))
        start = code.constant(sums.dtype, float("-inf"))
        for u in range(VECTORS):
            high, low, q = code.variable(start), code.variable(start), code.load(Q, u * width)
            with code.loop(arguments[3]) as k:
                row, here = code.place(table, arguments[2], code.times(k, 3)), code.times(k, stride)
                found = code.load(G, here, u * width).times_plus(code.spread(row, 1), code.spread(row))
                if own.count:
                    found = (-code.spread(row, 2)).times_plus(q, found)
                code.store(found, G, here, u * width)
                high.set(high.get().larger(found))
                low.set(low.get().larger(-found))
            code.store(high.get(), highest, u * width)
            code.store(low.get(), lowest, u * width)
        return context.get_dummy_value()

    return types.void(sums, terms, a, count, square, top, deep, own), emit


def _shares(_context: Any, sums: Any, mixing: Any, b: Any, count: Any, sharp: Any, j: Any, top: Any, along: Any) -> Any:
    """shares(sums, mixing, b, count, sharp, j, top, along): L becomes r gamma, and along[w] = sum_k r_k alpha_k.

    H is sharp[j]; alpha and gamma of component k begin at mixing[b + 2 k].
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(sums.dtype)
        code = Lanes(context, builder, width)
        L, table, factors, highest, A = (code.data(signature.args[i], arguments[i]) for i in (0, 1, 4, 6, 7))
        factor, zero = code.spread(factors, arguments[5]), code.constant(sums.dtype, 0.0)
        for u in range(VECTORS):
            total, scale, most = code.variable(zero), code.variable(zero), code.load(highest, u * width)
            with code.loop(arguments[3]) as k:
                row, here = code.place(table, arguments[2], code.times(k, 2)), code.times(k, stride)
                power = ((code.load(L, here, u * width) - most) * factor).exp2()
                total.set(total.get() + power)
                scale.set(power.times_plus(code.spread(row), scale.get()))
                code.store(power * code.spread(row, 1), L, here, u * width)
            share = code.constant(sums.dtype, 1.0) / total.get()
            code.store(scale.get() * share, A, u * width)
            with code.loop(arguments[3]) as k:
                here = code.times(k, stride)
                code.store(code.load(L, here, u * width) * share, L, here, u * width)
        return context.get_dummy_value()

    return types.void(sums, mixing, b, count, sharp, j, top, along), emit


squares, logits, shares = intrinsic(_squares), intrinsic(_logits), intrinsic(_shares)
