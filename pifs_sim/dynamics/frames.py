"""Tangent frames along orbits: V <- Df(x, n) V, made orthonormal every `interval` steps; ln R_jj is the growth."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.compiled import Backend, CompiledMap
from pifs_sim.dynamics.system import System
from pifs_sim.kernels import orthonormal
from pifs_sim.kernels.orbits import Advance

__all__ = ["advance", "random_frame"]


def random_frame(x: Any, k: int, rng: np.random.Generator, backend: Backend = None) -> Any:
    """Orthonormal frames (B, d, k), of which the first columns do not depend on k; of x's kind and precision."""
    batch, d = x.shape
    columns = np.stack([rng.standard_normal((batch, d)) for _ in range(k)], axis=2)
    xp = array_namespace(x)
    Q = orthonormal.compute(xp.asarray(columns), backend=backend)[0]
    return xp.astype(Q, x.dtype, copy=False)


def advance(
    system: System, x: Any, V: Any, *, first: int, steps: int, interval: int, backend: Backend = None
) -> Advance:
    """`steps` steps from n = `first`; see `pifs_sim.kernels.orbits` for the fields of the result.

    `backend` chooses the kernels: the orbits' for a compiled map, else that which makes frames orthonormal.
    """
    if isinstance(system, CompiledMap):
        return system.advance(x, V, first=first, steps=steps, interval=interval, backend=backend)
    xp = array_namespace(x)
    growth = xp.zeros((x.shape[0], V.shape[2]), dtype=xp.float64)
    spread = size = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # orbits that diverge are reported by the caller
        for i in range(steps):
            x, V = system.tangent(x, first + i, V)
            if (i + 1) % interval == 0 or i == steps - 1:
                V, R = orthonormal.compute(V, backend=backend)
                lengths = xp.astype(xp.linalg.diagonal(R), xp.float64)
                alive = lengths > 0
                logs = xp.log(xp.where(alive, lengths, 1.0))
                growth = growth + xp.where(alive | xp.isnan(lengths), logs + 0 * lengths, -xp.inf)
                high = xp.max(xp.where(alive, logs, -xp.inf), axis=1)
                low = xp.min(xp.where(alive, logs, xp.inf), axis=1)
                seen = xp.isfinite(high) & xp.isfinite(low)
                spread = max(spread, float(xp.max(xp.where(seen, high - low, 0.0))))
                size = max(size, float(xp.max(xp.where(seen, xp.maximum(xp.abs(high), xp.abs(low)), 0.0))))
    whole = xp.all(xp.isfinite(x), axis=1)
    overflowed = whole & ~xp.all(xp.isfinite(xp.reshape(V, (V.shape[0], -1))), axis=1)
    return Advance(x, V, growth, spread, size, overflowed)
