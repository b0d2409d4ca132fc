"""Angle 0: the points nearest to x, to rounding, and how they share, by arrays of any backend, a block at a time.

As phi -> 0, |x - c y|^2/(2 v) = |x - y|^2/(2 v) + <x - y, y>/2 + O(v).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.kernels import squared_distances

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Estimate

__all__ = ["Ties"]

_BLOCK = 1 << 20  # distances at a time
_ROUNDING = 8 * float(np.finfo(np.float64).eps)  # of a distance, relative


class Ties:
    """The points nearest to each x, (B, d)."""

    def __init__(self, cloud: Cloud, x: Any) -> None:
        self.cloud, self.x, self.xp = cloud, x, array_namespace(x)
        xp, wide = self.xp, x.astype(np.float64)
        self.wide, self.least = wide, xp.full(x.shape[:1], np.inf)
        for _, distance in self._blocks():
            self.least = xp.minimum(self.least, distance.min(axis=1) * (1 + _ROUNDING))
        self.top = xp.full(x.shape[:1], -np.inf)
        for part, distance in self._blocks():
            self.top = xp.maximum(self.top, self._logits(part, distance).max(axis=1))
        self.total, self.sums, self.on = xp.zeros(x.shape[:1]), xp.zeros(x.shape), xp.zeros(x.shape[:1])
        for part, distance in self._blocks():
            powers = xp.exp(self._logits(part, distance) - self.top[:, None])
            self.total += powers.sum(axis=1)
            self.sums += powers @ cloud.points[part].astype(np.float64)
            self.on += (distance == 0) @ cloud.weights[part]

    def _blocks(self) -> Iterator[tuple[slice, Any]]:
        """Some points and the distances from them, (B, n)."""
        batch, count = len(self.x), len(self.cloud.points)
        moved, width = (self.xp.ones(batch), self.xp.zeros(batch)), max(1, _BLOCK // max(1, batch))
        for start in range(0, count, width):
            part = slice(start, start + width)
            yield part, self.xp.sqrt(squared_distances.compute(self.wide, self.cloud.points[part], moved))

    def _logits(self, part: slice, distance: Any) -> Any:
        """(B, n), -inf for points that are farther than others."""
        y = self.cloud.points[part].astype(np.float64)
        slopes = self.wide @ y.T - (y * y).sum(axis=1)
        logits = self.xp.log(self.cloud.weights[part]) - 0.5 * slopes
        return self.xp.where(distance * (1 - _ROUNDING) <= self.least[:, None], logits, -np.inf)

    def estimate(self) -> Estimate:
        """The means; the sums' limit is the weight of the points at x."""
        from pifs_sim.kernels.point_cloud_mean import Estimate

        with np.errstate(divide="ignore"):
            return Estimate((self.sums / self.total[:, None]).astype(self.x.dtype), self.xp.log(self.on))

    def spread(self, V: Any) -> Any:
        """The covariance applied to V, (B, d, p)."""
        xp, mean = self.xp, self.sums / self.total[:, None]
        found, wide = xp.zeros(V.shape), V.astype(np.float64)
        for part, distance in self._blocks():
            r = xp.exp(self._logits(part, distance) - self.top[:, None]) / self.total[:, None]
            for b in xp.nonzero((r > 0).sum(axis=1) > 0)[0].tolist():
                chosen = r[b] > 0
                away = self.cloud.points[part][chosen].astype(np.float64) - mean[b]
                found[b] += (away.T * r[b][chosen]) @ (away @ wide[b])
        return found.astype(V.dtype)
