"""One orbit after the other, one step after the other, in Python and NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pifs_sim.kernels.orthonormal import reference as orthonormal

if TYPE_CHECKING:
    from pifs_sim.kernels.orbits import Advance
    from pifs_sim.kernels.orbits.rule import Rule

__all__ = ["compute"]


def compute(rule: Rule, x: Any, V: Any, *, first: int, steps: int, interval: int) -> Advance:
    """See the door."""
    from pifs_sim.kernels.orbits import Advance

    points, frames = x.copy(), V.copy()
    growth = np.zeros((x.shape[0], V.shape[2]))
    spread = size = 0.0
    overflowed = np.zeros(x.shape[0], dtype=bool)
    for b in range(x.shape[0]):
        for i in range(steps):
            frames[b] = rule.push(points[b], first + i, frames[b])
            points[b] = rule.step_at(points[b], first + i)
            if interval and ((i + 1) % interval == 0 or i == steps - 1):
                Q, R = orthonormal.compute(frames[b : b + 1])
                frames[b] = Q[0]
                with np.errstate(divide="ignore"):
                    logs = np.log(np.diagonal(R[0]))
                growth[b] += logs
                finite = logs[np.isfinite(logs)]
                spread = max(spread, float(np.ptp(finite)) if finite.size else 0.0)
                size = max(size, float(np.abs(finite).max(initial=0.0)))
        overflowed[b] = not np.isfinite(frames[b]).all() and bool(np.isfinite(points[b]).all())
    return Advance(points, frames, growth, spread, size, overflowed)
