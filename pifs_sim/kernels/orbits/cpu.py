"""Numba: one orbit at a time for any rule (this file), interleaved orbits in registers for d <= 2 (`planar`).

Kernels are compiled for each rule when first needed. Orbits are shared out to threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import from_dtype, get_num_threads, njit, types
from numba.core.errors import TypingError

from pifs_sim.kernels.orbits import planar
from pifs_sim.kernels.orbits.forms import pushing, writing
from pifs_sim.kernels.orthonormal.cpu import orthonormalise

if TYPE_CHECKING:
    from pifs_sim.kernels.orbits import Advance
    from pifs_sim.kernels.orbits.rule import Rule

__all__ = ["compute"]


@cache
def _functions(rule: Rule, dtype: Any) -> tuple[Any, Any, bool]:
    """step(x, n, out) and push(x, n, V, jacobian, out), and whether they give the rule's functions tuples."""
    real = from_dtype(dtype)
    vector, matrix = types.Array(real, 1, "C"), types.Array(real, 2, "C")
    for tuples in (True, False) if rule.dim <= 2 and rule.returns else (False,):
        step, push = writing(rule.step, rule.dim, tuples=tuples, contract=False), pushing(rule, tuples)
        try:
            step.compile((vector, types.int64, vector))
            push.compile((vector, types.int64, matrix, matrix, matrix))
        except TypingError:
            if not tuples:
                raise
        else:
            break
    return step, push, tuples


@cache
def _mover(rule: Rule, dtype: Any) -> Any:
    """The kernel that leaves frames as they are."""
    step, push, _ = _functions(rule, dtype)

    def kernel(x: Any, V: Any, growth: Any, facts: Any, overflowed: Any, first: int, steps: int, interval: int) -> None:  # noqa: ARG001
        batch, d = x.shape
        y, other, jacobian = np.empty(d, x.dtype), np.empty((d, V.shape[2]), V.dtype), np.empty((d, d), x.dtype)
        for b in range(batch):
            for n in range(first, first + steps):
                push(x[b], n, V[b], jacobian, other)
                step(x[b], n, y)
                for r in range(d):
                    x[b, r] = y[r]
                    for c in range(V.shape[2]):
                        V[b, r, c] = other[r, c]

    return njit(nogil=True, error_model="numpy")(kernel)


@cache
def _general(rule: Rule, dtype: Any) -> Any:
    """The kernel that takes one orbit at a time."""
    step, push, _ = _functions(rule, dtype)

    def kernel(
        x: Any,
        V: Any,
        growth: Any,
        facts: Any,
        overflowed: Any,  # noqa: ARG001
        first: int,
        steps: int,
        interval: int,
        orthonormalise: Any,
    ) -> None:
        batch, d = x.shape
        k = V.shape[2]
        y, other, jacobian = np.empty(d, x.dtype), np.empty((d, k), x.dtype), np.empty((d, d), x.dtype)
        R, rows = np.empty((k, k), x.dtype), np.empty((k, d), x.dtype)
        lengths, scales, product = np.empty(k), np.empty(k), np.empty(k * d, x.dtype)
        for b in range(batch):
            here, frame = x[b], V[b]
            last = 0
            for i in range(steps):
                push(here, first + i, frame, jacobian, other)
                step(here, first + i, y)
                frame, other = other, frame
                for c in range(d):
                    here[c] = y[c]
                if i + 1 - last == interval or i == steps - 1:
                    last = i + 1
                    orthonormalise(frame, R, rows, lengths, scales, product)
                    low, high = math.inf, -math.inf
                    for c in range(k):
                        if R[c, c] == 0.0:
                            growth[b, c] = -math.inf
                        else:
                            value = math.log(R[c, c])
                            growth[b, c] += value
                            low, high = min(low, value), max(high, value)
                    if high >= low:
                        facts[b, 0] = max(facts[b, 0], high - low)
                        facts[b, 1] = max(facts[b, 1], high, -low)
            if steps % 2 == 1:  # the frame lies in the other buffer
                for r in range(d):
                    for c in range(k):
                        V[b, r, c] = frame[r, c]
                other = frame

    real = from_dtype(dtype)
    matrix, vector = types.Array(real, 2, "C"), types.Array(real, 1, "C")
    numbers = types.Array(types.float64, 1, "C")
    pointer = types.FunctionType(types.void(matrix, matrix, matrix, numbers, numbers, vector))
    compiled = njit((*planar.signature(dtype), pointer), nogil=True, error_model="numpy")(kernel)
    return lambda *arguments: compiled(*arguments, orthonormalise)


@cache
def _kernel(rule: Rule, columns: int, dtype: Any) -> Callable[..., None]:
    """The planar kernel where the rule's functions take and return tuples and frames are square or single."""
    if rule.dim <= 2 and rule.returns and columns in (1, rule.dim):
        try:
            kernel = planar.build(rule)
            kernel.compile(planar.signature(dtype))
        except TypingError:
            if _functions(rule, dtype)[2]:  # then it is not the rule that cannot be typed
                raise
            return _general(rule, dtype)
        return kernel
    return _general(rule, dtype)


def compute(rule: Rule, x: Any, V: Any, *, first: int, steps: int, interval: int) -> Advance:
    """See the door."""
    from pifs_sim.kernels.orbits import Advance

    batch, k = x.shape[0], V.shape[2]
    points, frames = np.array(x, order="C"), np.array(V, order="C", dtype=x.dtype)
    growth, facts = np.zeros((batch, k)), np.zeros((batch, 2))
    overflowed = np.zeros(batch, dtype=bool)
    kernel = _kernel(rule, k, x.dtype) if interval else _mover(rule, x.dtype)

    def run(part: slice) -> None:
        kernel(points[part], frames[part], growth[part], facts[part], overflowed[part], first, steps, interval)

    threads = min(get_num_threads(), batch)
    if threads < 2:
        run(slice(None))
    else:
        edges = [batch * i // threads for i in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, map(slice, edges[:-1], edges[1:])))
    if not np.isfinite(frames).all():
        overflowed |= np.isfinite(points).all(axis=1) & ~np.isfinite(frames).all(axis=(1, 2))
    spread, size = float(facts[:, 0].max(initial=0.0)), float(facts[:, 1].max(initial=0.0))
    return Advance(points, frames, growth, spread, size, overflowed)
