"""V = Q R for the frames of a tile of samples by the Cholesky factor L of their products, twice: R = (L_1 L_2)^T.

Products are made for two vectors by two, and L is divided out of four coordinates at a time, in registers. Q is
orthonormal to rounding unless V is near singular (Yamamoto et al. 2015, ETNA 44): the lanes of samples where a pivot or
the second products say so are marked, for another method.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes
from pifs_sim.kernels.tangent_chain.pulls import dot
from pifs_sim.kernels.tiles import ROWS, VECTORS, samples

__all__ = ["by_cholesky"]


def _dots(_context: Any, V: Any, a: Any, b: Any, c: Any, e: Any, count: Any, sums: Any) -> Any:
    """dots(V, a, b, c, e, count, sums): the products of the vectors from V[a] and V[b] on with those from c and e on.

    sums[W n + w], n = 0..3: a c, a e, b c, b e.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size = 4 if V.dtype == types.float32 else 8
        width, stride = WIDTH // size, samples(size)
        code = Lanes(context, builder, width)
        vectors, S = (code.data(signature.args[i], arguments[i]) for i in (0, 6))
        zero = code.constant(V.dtype, 0.0)
        total = [[code.variable(zero) for _ in range(VECTORS)] for _ in range(4)]
        with code.loop(arguments[5]) as i:
            places = [code.place(vectors, arguments[n], code.times(i, stride)) for n in range(1, 5)]
            for u in range(VECTORS):
                left, right = ([code.load(place, u * width) for place in pair] for pair in (places[:2], places[2:]))
                for n in range(4):
                    total[n][u].set(left[n // 2].times_plus(right[n % 2], total[n][u].get()))
        for n in range(4):
            for u in range(VECTORS):
                code.store(total[n][u].get(), S, n * stride + u * width)
        return context.get_dummy_value()

    return types.void(V, a, b, c, e, count, sums), emit


def _solve(_context: Any, V: Any, v: Any, at: Any, size: Any, L: Any, row: Any, count: Any, inverse: Any) -> Any:
    """solve(V, v, at, size, L, row, count, inverse): ROWS coordinates of a vector less those of vectors before it.

    V[v + at + W r + w] becomes (itself - sum_m L[row + W m + w] V[size m + at + W r + w]) inverse[w], m < count.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        real = 4 if V.dtype == types.float32 else 8
        width, stride = WIDTH // real, samples(real)
        code = Lanes(context, builder, width)
        vectors, factors, last = (code.data(signature.args[i], arguments[i]) for i in (0, 4, 7))
        here = code.place(vectors, arguments[1], arguments[2])
        tile = [(r, u) for r in range(ROWS) for u in range(VECTORS)]
        rest = {(r, u): code.variable(code.load(here, r * stride + u * width)) for r, u in tile}
        with code.loop(arguments[6]) as m:
            before = code.place(vectors, arguments[2], builder.mul(m, arguments[3]))
            less = code.place(factors, arguments[5], code.times(m, stride))
            negative = [-code.load(less, u * width) for u in range(VECTORS)]
            for r, u in tile:
                rest[r, u].set(negative[u].times_plus(code.load(before, r * stride + u * width), rest[r, u].get()))
        scale = [code.load(last, u * width) for u in range(VECTORS)]
        for r, u in tile:
            code.store(rest[r, u].get() * scale[u], here, r * stride + u * width)
        return context.get_dummy_value()

    return types.void(V, v, at, size, L, row, count, inverse), emit


dots, solve = intrinsic(_dots), intrinsic(_solve)


def _once(V: Any, L: Any, d: int, size: int, most: float, eps: float, good: Any) -> None:
    """V becomes Q and L the factor, L[(j p + m) W + w]; `good` tells whether pivots and cosines are."""
    p, W = V.size // size, good.size
    sums, part, sizes = np.empty(4 * W, V.dtype), np.empty(W, V.dtype), np.empty((p, W), V.dtype)
    inverse, least, tiny = np.empty((p, W), V.dtype), 8 * d * eps, eps**4  # whose products with squares are in range
    for j in range(0, p, 2):
        above = min(j + 1, p - 1)
        for m in range(0, j + 1, 2):
            beside = min(m + 1, p - 1)
            dots(V, j * size, above * size, m * size, beside * size, d, sums)
            for w in range(W):
                L[(j * p + m) * W + w], L[(j * p + beside) * W + w] = sums[w], sums[W + w]
                L[(above * p + m) * W + w], L[(above * p + beside) * W + w] = sums[2 * W + w], sums[3 * W + w]
    for j in range(p):
        for w in range(W):
            square = L[(j * p + j) * W + w]
            good[w] &= square > tiny and square * tiny < 1.0  # of no nan either
            sizes[j, w] = math.sqrt(square)
            inverse[j, w] = 1 / sizes[j, w]
        for m in range(j):
            for w in range(W):
                cosine = L[(j * p + m) * W + w] * (inverse[j, w] * inverse[m, w])
                good[w] &= abs(cosine) <= most
                L[(j * p + m) * W + w] = cosine
    for j in range(p):
        for m in range(j):
            dot(L, j * p * W, L, m * p * W, m, part, 0)
            for w in range(W):
                L[(j * p + m) * W + w] = (L[(j * p + m) * W + w] - part[w]) * inverse[m, w]
        dot(L, j * p * W, L, j * p * W, j, part, 0)
        for w in range(W):
            pivot = 1 - part[w]
            good[w] &= pivot > least
            root = math.sqrt(pivot) if pivot > least else 1.0
            L[(j * p + j) * W + w], inverse[j, w] = root, 1 / root
    for j in range(p):
        for m in range(j + 1):
            for w in range(W):
                L[(j * p + m) * W + w] *= sizes[j, w]
        for w in range(W):
            part[w] = inverse[j, w] / sizes[j, w]
        for at in range(0, size, ROWS * W):
            solve(V, j * size, at, size, L, j * p * W, j, part)


_factored = njit(error_model="numpy")(_once)


def _twice(V: Any, R: Any, d: int, size: int, eps: float, whole: bool, good: Any) -> None:
    """V becomes Q and R[(l p + j) W + w] its factor, only the diagonal unless `whole`; not `good` is where it fails."""
    p, W = V.size // size, good.size
    first, second = np.empty(R.size, V.dtype), np.empty(R.size, V.dtype)
    good[:] = True
    _factored(V, first, d, size, 2.0, eps, good)
    _factored(V, second, d, size, 0.25 / p, eps, good)
    R[:] = 0
    for j in range(p):
        for m in range(0 if whole else j, j + 1):
            for n in range(m, j + 1):
                for w in range(W):
                    R[(m * p + j) * W + w] += second[(n * p + m) * W + w] * first[(j * p + n) * W + w]


by_cholesky = njit(error_model="numpy")(_twice)
