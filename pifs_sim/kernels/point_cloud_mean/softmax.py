"""Logits of points and their powers, for the samples of a tile.

`facts` has rows of W samples each: 1/H, c^2, top, H, peak and least, H = log2(e)/(2 v). In units of 1/H the
logit, less what all points share, is L_k = G_k + prior_k/H - c^2 |y_k|^2, G_k = 2 c <x, y_k>.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes, Vector
from pifs_sim.kernels.tiles import VECTORS, samples

__all__ = ["CUT", "compare", "powers", "pull", "sift"]

CUT = 64.0  # shares below 2^-64 do not count


def _sizes(real: Any) -> tuple[int, int]:
    size = 4 if real == types.float32 else 8
    return WIDTH // size, samples(size)


def _compare(_context: Any, sums: Any, prior: Any, norms: Any, start: Any, count: Any, facts: Any) -> Any:
    """compare(sums, prior, norms, start, count, facts): G becomes L, facts' peak the most; for points from `start`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(sums.dtype)
        code = Lanes(context, builder, width)
        G, table, squares, F = (code.data(signature.args[i], arguments[i]) for i in (0, 1, 2, 5))
        for u in range(VECTORS):
            unit, square = code.load(F, u * width), -code.load(F, stride + u * width)
            high = code.variable(code.constant(sums.dtype, float("-inf")))
            with code.loop(arguments[4]) as k:
                here = code.times(k, stride)
                found = code.spread(table, arguments[3], k).times_plus(unit, code.load(G, here, u * width))
                found = code.spread(squares, arguments[3], k).times_plus(square, found)
                code.store(found, G, here, u * width)
                high.set(found.larger(high.get()))
            code.store(high.get(), F, 4 * stride + u * width)
        return context.get_dummy_value()

    return types.void(sums, prior, norms, start, count, facts), emit


def _sift(_context: Any, sums: Any, count: Any, facts: Any, marks: Any) -> Any:
    """sift(sums, count, facts, marks): L below least becomes -inf; marks[k] has a bit for each other of the samples."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(sums.dtype)
        code = Lanes(context, builder, width)
        L, F, M = (code.data(signature.args[i], arguments[i]) for i in (0, 2, 3))
        none, word = code.constant(sums.dtype, float("-inf")), ir.IntType(64)
        least = [code.load(F, 5 * stride + u * width) for u in range(VECTORS)]
        with code.loop(arguments[1]) as k:
            here, mark = code.times(k, stride), ir.Constant(word, 0)
            for u in range(VECTORS):
                value = code.load(L, here, u * width)
                enough = builder.fcmp_ordered(">=", value.value, least[u].value)
                code.store(Vector(builder, builder.select(enough, value.value, none.value)), L, here, u * width)
                bits = builder.zext(builder.bitcast(enough, ir.IntType(width)), word)
                mark = builder.or_(mark, builder.shl(bits, ir.Constant(word, u * width)))
            builder.store(mark, code.place(M, k))
        return context.get_dummy_value()

    return types.void(sums, count, facts, marks), emit


def _powers(_context: Any, sums: Any, count: Any, facts: Any, total: Any) -> Any:
    """powers(sums, count, facts, total): L becomes 2^{H (L - top)}, 0 below 2^-CUT, and is added to `total`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(sums.dtype)
        code = Lanes(context, builder, width)
        L, F, T = (code.data(signature.args[i], arguments[i]) for i in (0, 2, 3))
        zero, least = code.constant(sums.dtype, 0.0), code.constant(sums.dtype, -CUT)
        for u in range(VECTORS):
            top, factor = code.load(F, 2 * stride + u * width), code.load(F, 3 * stride + u * width)
            whole = code.variable(code.load(T, u * width))
            with code.loop(arguments[1]) as k:
                here = code.times(k, stride)
                bits = (code.load(L, here, u * width) - top) * factor
                small = builder.fcmp_ordered("<", bits.value, least.value)
                power = Vector(builder, builder.select(small, zero.value, bits.exp2().value))
                whole.set(whole.get() + power)
                code.store(power, L, here, u * width)
            code.store(whole.get(), T, u * width)
        return context.get_dummy_value()

    return types.void(sums, count, facts, total), emit


def _pull(_context: Any, along: Any, powers: Any, count: Any, middle: Any, total: Any, a: Any) -> Any:
    """pull(along, powers, count, middle, total, a): <y_k, V> becomes p_k (<y_k, V> - middle), and is added to `total`.

    middle and total begin at their entry a.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = _sizes(along.dtype)
        code = Lanes(context, builder, width)
        U, P, M, T = (code.data(signature.args[i], arguments[i]) for i in (0, 1, 3, 4))
        for u in range(VECTORS):
            centre = code.load(M, arguments[5], u * width)
            whole = code.variable(code.load(T, arguments[5], u * width))
            with code.loop(arguments[2]) as k:
                here = code.times(k, stride)
                pulled = code.load(P, here, u * width) * (code.load(U, here, u * width) - centre)
                whole.set(whole.get() + pulled)
                code.store(pulled, U, here, u * width)
            code.store(whole.get(), T, arguments[5], u * width)
        return context.get_dummy_value()

    return types.void(along, powers, count, middle, total, a), emit


compare, sift, powers, pull = intrinsic(_compare), intrinsic(_sift), intrinsic(_powers), intrinsic(_pull)
