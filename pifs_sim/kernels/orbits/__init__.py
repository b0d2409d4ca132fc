"""Orbits of a rule given by functions of one point, with tangent frames and their growth.

Each of `steps` steps, from n = `first`: V <- Df(x, n) V, x <- f(x, n). After every `interval` steps, and at the end,
V = Q R is replaced by Q and ln R_jj added to the growth of column j (-inf once the column is dead); `interval` 0
leaves V as it is.

Shapes: x (B, d), V (B, d, k), growth (B, k). `spread` bounds ln(max_j R_jj/min_j R_jj), dead columns apart, at every
renormalisation where rounding depends on it, and `size` is the largest |ln R_jj|: the caller chooses the interval.
`overflowed` (B,) tells orbits whose frame left the range of floats between two renormalisations although the point
did not.

NumPy arrays, or CuPy arrays for a rule with CUDA source of the same functions; the same kind out.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np

from pifs_sim.kernels.backends import Backend, chosen, module_of
from pifs_sim.kernels.orbits.rule import Rule

__all__ = ["Advance", "Rule", "compute"]

_CHECKED: WeakSet[Rule] = WeakSet()  # rules whose results have had the right shape once


class Advance(NamedTuple):
    """Where `steps` steps lead."""

    x: Any
    V: Any
    growth: Any
    spread: float
    size: float
    overflowed: Any


def compute(
    rule: Rule,
    x: Any,
    V: Any,
    *,
    first: int,
    steps: int,
    interval: int,
    backend: Backend | None = None,
) -> Advance:
    """Advance points and frames; `backend` None takes that of the arrays.

    Raises:
        ValueError: shapes that do not fit the rule, functions whose results have another shape, CuPy arrays for a rule
            without CUDA source or of d > 16, or a backend that is unknown or cannot take the arrays.
        MemoryError: points and frames that do not fit into the GPU's memory.
    """
    backend = chosen(backend, x=x, V=V)
    if x.ndim != 2 or x.shape[1] != rule.dim:
        raise ValueError(f"`x` must have shape (batch, {rule.dim}), got {x.shape}.")
    if V.ndim != 3 or V.shape[:2] != x.shape:
        raise ValueError(f"`V` must have shape ({x.shape[0]}, {rule.dim}, p), got {V.shape}.")
    if steps < 0 or interval < 0:
        raise ValueError(f"`steps` and `interval` must be >= 0, got {steps} and {interval}.")
    if rule not in _CHECKED and len(x):
        with np.errstate(all="ignore"):
            rule.check(np.array(x[0].tolist(), dtype=x.dtype), first)
        _CHECKED.add(rule)
    return module_of(__name__, backend).compute(rule, x, V, first=first, steps=steps, interval=interval)
