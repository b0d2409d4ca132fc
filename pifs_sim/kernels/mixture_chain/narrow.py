"""One step in few coordinates: as many samples as two registers hold, one component after the other.

First the logits of all components, from differences; then their powers and what these weigh.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes

__all__ = ["advance", "samples"]


def samples(itemsize: int) -> int:
    """The number of samples W that go together, of numbers of so many bytes."""
    return 2 * WIDTH // itemsize


def _advance(
    _context: Any, near: Any, a: Any, mixing: Any, b: Any, count: Any, sharpness: Any, j: Any, state: Any, room: Any,
    axes: Any, kinds: Any,
) -> Any:  # fmt: skip
    """advance(near, a, mixing, b, count, sharpness, j, state, room, axes, kinds): a step of W samples.

    `axes` is any tuple of d numbers, `kinds` of m. Component k begins at near[a + k (2 d + m + 1)] with the two parts
    of its centre, -log2(e)/(2 N H) (m numbers) and its prior, also in units of 1/H, H = sharpness[j]; and at
    mixing[b + k (m + d)] with alpha (m) and gamma mu. Coordinate i of sample w is state[i W + w]; `room` is for the
    logits, count * W.
    """
    d, m, real = axes.count, kinds.count, state.dtype

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        W = samples(4 if real == types.float32 else 8)
        code = Lanes(context, builder, W)
        centres, shares, factors, points, logits = (code.data(signature.args[i], arguments[i]) for i in (0, 2, 5, 7, 8))
        x = [code.load(points, i * W) for i in range(d)]
        top = code.variable(code.constant(real, float("-inf")))
        with code.loop(arguments[4]) as k:
            row = code.place(centres, arguments[1], code.times(k, 2 * d + m + 1))
            squares: list[Any] = []
            for i in range(d):
                e = (x[i] - code.spread(row, i)) - code.spread(row, d + i)
                squares.append(e * e if m > 1 or not squares else e.times_plus(e, squares.pop()))
            logit = code.spread(row, 2 * d + m)
            for i in range(m):
                logit = squares[i].times_plus(code.spread(row, 2 * d + i), logit)
            code.store(logit, logits, code.times(k, W))
            top.set(top.get().larger(logit))
        zero, highest, factor = code.constant(real, 0.0), top.get(), code.spread(factors, arguments[6])
        total, sums = code.variable(zero), [code.variable(zero) for _ in range(m + d)]
        with code.loop(arguments[4]) as k:
            row = code.place(shares, arguments[3], code.times(k, m + d))
            power = ((code.load(logits, code.times(k, W)) - highest) * factor).exp2()
            total.set(total.get() + power)
            for i in range(m + d):
                sums[i].set(power.times_plus(code.spread(row, i), sums[i].get()))
        share = code.constant(real, 1.0) / total.get()
        for i in range(d):
            code.store(x[i].times_plus(sums[i % m].get(), sums[m + i].get()) * share, points, i * W)
        return context.get_dummy_value()

    return types.void(near, a, mixing, b, count, sharpness, j, state, room, axes, kinds), emit


advance = intrinsic(_advance)
