"""One GPU thread an orbit of a small map, whose functions are given as CUDA C++ and compiled into the kernel.

The source defines, for the Real that the points have, with row-major matrices and all d (or d d, d p) numbers written,

    template <class Real> void step(const Real* x, long long n, Real* out)
    template <class Real> void jacobian(const Real* x, long long n, Real* out)

or, for a rule with a tangent function, instead of the latter

    template <class Real> void tangent(const Real* x, long long n, const Real* V, int p, Real* out).

Literals are doubles: write Real(1.4), or float32 orbits are computed in float64.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pifs_sim.kernels import device

if TYPE_CHECKING:
    from pifs_sim.kernels.orbits import Advance
    from pifs_sim.kernels.orbits.rule import Rule

__all__ = ["HENON", "MOST", "PROGRAMS", "compute", "program"]

MOST = 16  # d: larger frames do not fit into a thread

HENON = """
template <class Real> void step(const Real* x, long long, Real* out) {
    out[0] = Real(1) - Real(1.4) * x[0] * x[0] + x[1];
    out[1] = Real(0.3) * x[0];
}
template <class Real> void jacobian(const Real* x, long long, Real* out) {
    out[0] = Real(-2.8) * x[0];
    out[1] = Real(1);
    out[2] = Real(0.3);
    out[3] = Real(0);
}
"""
_RING = """
template <class Real> void step(const Real* x, long long, Real* out) {
    for (int i = 0; i < D; ++i) out[i] = Real(3.9) * x[(i + 1) % D] * (Real(1) - x[(i + 1) % D]);
}
template <class Real> void tangent(const Real* x, long long, const Real* V, int p, Real* out) {
#pragma unroll (D <= 4 ? D : 1)
    for (int i = 0; i < D; ++i)
#pragma unroll (D <= 4 ? D : 1)
        for (int c = 0; c < p; ++c)
            out[i * p + c] = Real(3.9) * (Real(1) - 2 * x[(i + 1) % D]) * V[(i + 1) % D * p + c];
}
"""


@cache
def program(source: str, *, tangent: bool, kernels: tuple[str, ...]) -> device.Program:
    """The kernel of a rule's source."""
    before = f"{'#define RULE_TANGENT' * tangent}\nnamespace rule {{\n{source}\n}}\n"
    return device.Program("orbits", kernels, before=before)


def _kernels(d: int, *columns: int) -> tuple[str, ...]:
    return tuple(f"advance<{real}, {d}, {k}>" for real in ("float", "double") for k in columns)


PROGRAMS = (  # what the gate compiles: both forms, and the largest
    program(HENON, tangent=False, kernels=_kernels(2, 0, 1, 2)),
    program(_RING.replace("D", "4"), tangent=True, kernels=_kernels(4, 1, 4)),
    program(_RING.replace("D", "16"), tangent=True, kernels=_kernels(16, 16)),
)


def compute(rule: Rule, x: Any, V: Any, *, first: int, steps: int, interval: int) -> Advance:
    """See the door."""
    from pifs_sim.kernels.orbits import Advance

    gpu = device.current()
    xp = gpu.xp
    (batch, d), k = x.shape, V.shape[2]
    if rule.cuda is None or d > MOST:
        given = f"d={d}" if rule.cuda is not None else "a rule without it"
        raise ValueError(f"CuPy arrays need a rule with `cuda` source, of dimension {MOST} or less, got {given}.")
    gpu.require(x.dtype.itemsize * batch * (d + d * k + k + 2) + 8 * batch * k, "orbits")
    points, frames = xp.array(x, order="C"), xp.array(V, dtype=x.dtype, order="C")
    exponents, mantissas = xp.empty((batch, k), np.int64), xp.empty((batch, k), x.dtype)
    facts = xp.empty((batch, 2), x.dtype)
    kernel = f"advance<{'float' if x.dtype == np.float32 else 'double'}, {d}, {k}>"
    source = program(rule.cuda, tangent=rule.tangent is not None, kernels=(kernel,))
    counts = map(np.int64, (batch, first, steps, interval))
    gpu.launch(source, kernel, device.blocks(batch), points, frames, exponents, mantissas, facts, *counts)
    with np.errstate(divide="ignore"):
        growth = exponents * math.log(2.0) + xp.log(mantissas.astype(np.float64))
    spread, size = (float(column.max()) if batch else 0.0 for column in facts.T)
    overflowed = xp.isfinite(points).all(axis=1) & ~xp.isfinite(frames).all(axis=(1, 2))
    return Advance(points, frames, growth, spread, size, overflowed)
