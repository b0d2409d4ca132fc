"""Orbits of a rule given by functions of one point, with tangent frames and their growth.

Each of `steps` steps, from n = `first`: V <- Df(x, n) V, x <- f(x, n). After every `interval` steps, and at the end,
V = Q R is replaced by Q and ln R_jj added to the growth of column j (-inf once the column is dead); `interval` 0
leaves V as it is.

Shapes: x (B, d), V (B, d, k), growth (B, k). `spread` bounds ln(max_j R_jj/min_j R_jj), dead columns apart, at every
renormalisation where rounding depends on it, and `size` is the largest |ln R_jj|: the caller chooses the interval.
`overflowed` (B,) tells orbits whose frame left the range of floats between two renormalisations although the point
did not.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple
from weakref import WeakSet

import numpy as np

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
    backend: Literal["reference", "cpu"] | None = None,
) -> Advance:
    """Advance points and frames; `backend` None takes "cpu".

    Raises:
        ValueError: shapes that do not fit the rule, functions whose results have another shape, arrays that are not
            NumPy's, or an unknown backend.
    """
    if not (isinstance(x, np.ndarray) and isinstance(V, np.ndarray)):
        raise ValueError(f"compiled rules take NumPy arrays, got {type(x).__name__} and {type(V).__name__}.")
    if x.ndim != 2 or x.shape[1] != rule.dim:
        raise ValueError(f"`x` must have shape (batch, {rule.dim}), got {x.shape}.")
    if V.ndim != 3 or V.shape[:2] != x.shape:
        raise ValueError(f"`V` must have shape ({x.shape[0]}, {rule.dim}, p), got {V.shape}.")
    if steps < 0 or interval < 0:
        raise ValueError(f"`steps` and `interval` must be >= 0, got {steps} and {interval}.")
    if rule not in _CHECKED and len(x):
        with np.errstate(all="ignore"):
            rule.check(np.array(x[0]), first)
        _CHECKED.add(rule)
    if backend == "reference":
        from pifs_sim.kernels.orbits import reference

        return reference.compute(rule, x, V, first=first, steps=steps, interval=interval)
    if backend in (None, "cpu"):
        from pifs_sim.kernels.orbits import cpu

        return cpu.compute(rule, x, V, first=first, steps=steps, interval=interval)
    raise ValueError(f'`backend` must be "reference" or "cpu", got {backend!r}.')
