"""Steps and Jacobians of catalogue entries by their plain functions: nothing is compiled."""

from __future__ import annotations

import numpy as np

from pifs_sim.dynamics.catalogue import Entry
from pifs_sim.dynamics.compiled import CompiledMap


def step(entry: Entry, x: np.ndarray, n: int = 0) -> np.ndarray:
    """f(x, n)."""
    if not isinstance(entry.system, CompiledMap):
        return entry.system.step(x, n)
    return np.array([entry.system.rule.step_at(point, n) for point in x])


def jacobians(entry: Entry, x: np.ndarray, n: int = 0) -> np.ndarray:
    """Df(x, n), (B, d, d)."""
    identity = np.eye(x.shape[1])
    if not isinstance(entry.system, CompiledMap):
        return entry.system.tangent(x, n, np.broadcast_to(identity, (len(x), *identity.shape)))[1]
    return np.array([entry.system.rule.push(point, n, identity) for point in x])


def attractor(entry: Entry, batch: int, *, steps: int = 60, seed: int = 0) -> np.ndarray:
    """Points after some steps from random starts."""
    x = entry.x0(batch, np.random.default_rng(seed))
    for n in range(steps):
        x = step(entry, x, n)
    return x
