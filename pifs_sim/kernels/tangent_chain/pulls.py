"""What tangent vectors do to the shares of components, and their Gram-Schmidt, for the samples of a tile."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes
from pifs_sim.kernels.tiles import VECTORS, samples

__all__ = ["dot", "pull", "subtract"]


def _sizes(real: Any) -> tuple[int, int]:
    size = 4 if real == types.float32 else 8
    return WIDTH // size, samples(size)


def _dot(_context: Any, a: Any, i: Any, b: Any, j: Any, count: Any, sums: Any, k: Any) -> Any:
    """dot(a, i, b, j, count, sums, k): sums[k + w] = sum_n a[i + W n + w] b[j + W n + w]."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(a.dtype)
        code = Lanes(context, builder, width)
        x, y, S = (code.data(signature.args[n], arguments[n]) for n in (0, 2, 5))
        total = [code.variable(code.constant(a.dtype, 0.0)) for _ in range(VECTORS)]
        with code.loop(arguments[4]) as n:
            for u in range(VECTORS):
                left = code.load(x, arguments[1], code.times(n, stride), u * width)
                right = code.load(y, arguments[3], code.times(n, stride), u * width)
                total[u].set(left.times_plus(right, total[u].get()))
        for u in range(VECTORS):
            code.store(total[u].get(), S, arguments[6], u * width)
        return context.get_dummy_value()

    return types.void(a, i, b, j, count, sums, k), emit


def _subtract(_context: Any, a: Any, i: Any, b: Any, j: Any, count: Any, factors: Any, k: Any) -> Any:
    """subtract(a, i, b, j, count, factors, k): b[j + W n + w] -= a[i + W n + w] factors[k + w]."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(a.dtype)
        code = Lanes(context, builder, width)
        x, y, F = (code.data(signature.args[n], arguments[n]) for n in (0, 2, 5))
        less = [-code.load(F, arguments[6], u * width) for u in range(VECTORS)]
        with code.loop(arguments[4]) as n:
            for u in range(VECTORS):
                left = code.load(x, arguments[1], code.times(n, stride), u * width)
                place = code.place(y, arguments[3], code.times(n, stride), u * width)
                code.store(left.times_plus(less[u], code.load(place)), place)
        return context.get_dummy_value()

    return types.void(a, i, b, j, count, factors, k), emit


def _pull(
    _context: Any, sums: Any, r: Any, slopes: Any, a: Any, mixing: Any, b: Any, count: Any, along: Any, total: Any
) -> Any:
    """pull(sums, r, slopes, a, mixing, b, count, along, total): G = <mu_k, V> becomes u_k gamma_k.

    l_k = slopes[a + 2 k] G_k - slopes[a + 2 k + 1] along, along[w] = <x, V>; total[w] = sum_k u_k alpha_k, alpha and
    gamma being mixing[b + 2 k] and the next.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(sums.dtype)
        code = Lanes(context, builder, width)
        G, shares, table, factors, xV, A = (code.data(signature.args[n], arguments[n]) for n in (0, 1, 2, 4, 7, 8))
        zero = code.constant(sums.dtype, 0.0)
        every = range(VECTORS)  # side by side: each sum waits for its last term
        less = [-code.load(xV, u * width) for u in every]
        mean, total_ = ([code.variable(zero) for _ in every] for _ in range(2))
        with code.loop(arguments[6]) as k:
            row, here = code.place(table, arguments[3], code.times(k, 2)), code.times(k, stride)
            near, far = code.spread(row), code.spread(row, 1)
            for u in every:
                slope = far.times_plus(less[u], code.load(G, here, u * width) * near)
                code.store(slope, G, here, u * width)
                mean[u].set(code.load(shares, here, u * width).times_plus(slope, mean[u].get()))
        middle = [mean[u].get() for u in every]
        with code.loop(arguments[6]) as k:
            row, here = code.place(factors, arguments[5], code.times(k, 2)), code.times(k, stride)
            along_, onto = code.spread(row), code.spread(row, 1)
            for u in every:
                pulled = code.load(shares, here, u * width) * (code.load(G, here, u * width) - middle[u])
                total_[u].set(pulled.times_plus(along_, total_[u].get()))
                code.store(pulled * onto, G, here, u * width)
        for u in every:
            code.store(total_[u].get(), A, u * width)
        return context.get_dummy_value()

    return types.void(sums, r, slopes, a, mixing, b, count, along, total), emit


dot, subtract, pull = intrinsic(_dot), intrinsic(_subtract), intrinsic(_pull)
