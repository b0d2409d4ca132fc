"""Components with principal axes of their own: full covariances Q_k diag(lam_k) Q_k^T."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.responsibilities import Limit
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators import Dense
from pifs_sim.dynamics.operators.algebra import symmetrised, transposed

__all__ = ["Turned"]


@dataclass(frozen=True, eq=False)
class Turned:
    """K components and points.

    Args:
        x: (B, d).
        centres: (K, d) mu.
        variances: (K, d) along the axes of each component.
        axes: (K, d, d) Q_k, in columns.
    """

    x: Any
    centres: Any
    variances: Any
    axes: Any

    def _along(self, vectors: Any) -> Any:
        """Q_k^T vectors, (B, K, d), for vectors (B, K, d)."""
        xp = array_namespace(vectors)
        return xp.permute_dims(xp.matmul(xp.permute_dims(vectors, (1, 0, 2)), self.axes), (1, 0, 2))

    def _differences(self, near: Any, far: Any) -> Any:
        xp = array_namespace(self.x)
        x, centres, axes = (xp.astype(part, xp.float64) for part in (self.x, self.centres, self.axes))
        near, far = near[:, None, None], far[:, None, None]
        return Turned(x, centres, self.variances, axes)._along((x[:, None, :] - near * centres) - far * centres)

    def squares(self, near: Any, far: Any, factors: Any) -> Any:
        """sum_i factors_ki (Q_k^T (x - near mu_k - far mu_k))_i^2, (B, K) in float64, for near and far (A,)."""
        xp = array_namespace(self.x)
        return xp.sum(factors * self._differences(near, far) ** 2, axis=-1)

    def limit(self, here: Any) -> Limit:
        """What decides at angle 0."""
        xp, d = array_namespace(self.x), self.x.shape[1]
        flat = xp.astype(self.variances == 0, xp.float64)
        y = self._differences(xp.ones((1,)), xp.zeros((1,)))
        centres = xp.matmul(xp.astype(self.centres, xp.float64)[:, None, :], xp.astype(self.axes, xp.float64))[:, 0, :]
        distance = xp.linalg.vector_norm(flat * y, axis=-1)
        sizes = xp.linalg.vector_norm(y, axis=-1) + xp.linalg.vector_norm(centres, axis=-1)
        rounding = 8 * d * float(xp.finfo(self.axes.dtype).eps) * sizes
        return Limit(here, distance, rounding, xp.sum(flat, axis=-1), -0.5 * xp.sum(flat * y * centres, axis=-1))

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        """mu and x along the axes of each component, (1, K, d) and (B, K, d)."""
        xp = array_namespace(self.x)
        x = xp.broadcast_to(self.x[:, None, :], (self.x.shape[0], *self.centres.shape))
        return self._along(self.centres[None, ...]), self._along(x)

    def _rows(self, onto: Any, along: Any) -> Any:
        """Q_k (onto_k Q_k^T mu_k + along_k Q_k^T x), (B, K, d)."""
        xp, (centres, x) = array_namespace(self.x), self._parts
        inner = xp.permute_dims(onto * centres + along * x, (1, 0, 2))
        return xp.permute_dims(xp.matmul(inner, transposed(self.axes)), (1, 0, 2))

    def combined(self, weights: Any, onto: Any, along: Any) -> Any:
        """sum_k weights_k Q_k (onto_k Q_k^T mu_k + along_k Q_k^T x), (B, d)."""
        return array_namespace(weights).matmul(weights[:, None, :], self._rows(onto, along))[:, 0, :]

    def operator(self, weights: Any, gains: Any, factor: Any, onto: Any, along: Any) -> Dense:
        """sum_k weights_k Q_k diag(gains_k) Q_k^T + factor Cov_weights(..the terms of `combined`), for factor (A,)."""
        xp, (batch, d), count = array_namespace(self.x), self.x.shape, self.centres.shape[0]
        check_memory("the posterior covariance", (2 * (batch + count), d, d), itemsize(self.x))
        rows = self._rows(onto, along)
        rows = xp.sqrt(weights)[:, :, None] * (rows - xp.matmul(weights[:, None, :], rows))
        between = xp.matmul(transposed(rows), rows)
        if gains.shape[0] == 1:
            each = xp.matmul(self.axes * gains[0, :, None, :], transposed(self.axes))
            own = xp.tensordot(weights, each, axes=1)
        else:
            own = xp.zeros_like(between)
            for k in range(weights.shape[1]):
                axes = self.axes[k, ...]
                own = own + weights[:, k, None, None] * xp.matmul(axes * gains[:, k, None, :], axes.T)
        return Dense(symmetrised(own + factor[:, None, None] * between))
