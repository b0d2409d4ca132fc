"""Steps and Jacobians of catalogue entries by the reference backend: nothing is compiled."""

from __future__ import annotations

import numpy as np

from pifs_sim.dynamics.catalogue import Entry
from pifs_sim.dynamics.compiled import CompiledMap
from pifs_sim.kernels import orbits


def advance(entry: Entry, x: np.ndarray, V: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """f(x, n) and Df(x, n) V."""
    if not isinstance(entry.system, CompiledMap):
        return entry.system.tangent(x, n, V)
    moved = orbits.compute(entry.system.rule, x, V, first=n, steps=1, interval=0, backend="reference")
    return moved.x, moved.V


def step(entry: Entry, x: np.ndarray, n: int = 0) -> np.ndarray:
    return advance(entry, x, np.empty((*x.shape, 0)), n)[0]


def jacobians(entry: Entry, x: np.ndarray, n: int = 0) -> np.ndarray:
    """Df(x, n), (B, d, d)."""
    return advance(entry, x, np.broadcast_to(np.eye(x.shape[1]), (*x.shape, x.shape[1])), n)[1]


def attractor(entry: Entry, batch: int, *, steps: int = 60, seed: int = 0) -> np.ndarray:
    """Points after some steps from random starts."""
    x = entry.x0(batch, np.random.default_rng(seed))
    for n in range(steps):
        x = step(entry, x, n)
    return x
