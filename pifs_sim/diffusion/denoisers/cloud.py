"""The exact posterior of a cloud of points: x_hat = sum_i r_i y_i, eps_hat = (x - cos x_hat)/sin.

Where many samples meet many points, these are streamed over the points, without the probabilities r (B, K). Whoever has
asked for the probabilities gets sums with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace, is_cupy_array, is_numpy_array

from pifs_sim.diffusion.denoisers.inputs import like
from pifs_sim.diffusion.denoisers.mixture import MixturePosterior
from pifs_sim.dynamics.display import one_line
from pifs_sim.kernels import point_cloud_mean
from pifs_sim.kernels.point_cloud_mean import Cloud, Level

__all__ = ["CloudPosterior"]

_FEW, _SMALL = 24, 1 << 20  # samples, and coordinates of pairs, from which streaming is faster
_LEAST = 1e-8  # sines below which angles are left to limits
_FAR = 1e100  # coordinates of points whose squares are left to the operators


@dataclass(frozen=True, eq=False)
class CloudPosterior(MixturePosterior):
    """The posterior of points without variance at x, (B, d)."""

    __repr__ = one_line

    @cached_property
    def _streamed(self) -> Any | None:
        """x_hat in float64, or None where it is better made of the probabilities."""
        x, law, angle, xp = self.x, self.law, self.angle, array_namespace(self.x)
        arrays, pairs = (x, law.means, law.weights), x.shape[0] * law.means.shape[0] * x.shape[1]
        own = all(map(is_numpy_array, arrays)) or all(map(is_cupy_array, arrays))
        if not own or "_responsibilities" in self.__dict__ or x.shape[0] < _FEW or pairs < _SMALL:
            return None
        if not (angle.sin >= _LEAST).all() or max(float(abs(x).max()), float(abs(law.means).max())) > _FAR:
            return None
        cloud = Cloud(*(like(part, x, xp.float64) for part in (law.means, law.weights)))
        level = Level(angle.cos[:, 0], angle.sin[:, 0])
        return point_cloud_mean.compute(cloud, level, like(x, x, xp.float64)).mean

    @cached_property
    def mean(self) -> Any:
        """(B, d)."""
        return super().mean if self._streamed is None else like(self._streamed, self.x)

    @cached_property
    def noise(self) -> Any:
        """(B, d); 0 at angle 0."""
        if self._streamed is None:
            return super().noise
        near, far = (part[:, None] for part in self.angle.moved)
        return like(((self.x - near * self._streamed) - far * self._streamed) / self.angle.sin, self.x)
