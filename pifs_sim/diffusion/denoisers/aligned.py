"""Components with common principal axes: isotropic ones, diagonal ones, and diagonal ones in one rotated basis.

Factors along the axes have shape (A, K, m): m = 1 where all axes share one, else d; A = 1, or B for an angle each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.responsibilities import Limit
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators import Dense, DiagonalLowRank, Operator, WeightedCovariance
from pifs_sim.dynamics.operators.algebra import runs, symmetrised, transposed
from pifs_sim.kernels import squared_distances

__all__ = ["Aligned"]


@dataclass(frozen=True, eq=False)
class Aligned:
    """K components and points, along common axes.

    Args:
        x: (B, d).
        centres: (K, d) mu.
        variances: (K, m).
        blur: what a rotation into the axes may do to a coordinate, relative to the vector's length; 0 without one.
    """

    x: Any
    centres: Any
    variances: Any
    blur: float = 0.0

    def squares(self, near: Any, far: Any, factors: Any) -> Any:
        """sum_i factors_ki (x - near mu_k - far mu_k)_i^2, (B, K) in float64, for near and far (A,)."""
        xp, batch = array_namespace(self.x), self.x.shape[0]
        near, far = xp.broadcast_to(near, (batch,)), xp.broadcast_to(far, (batch,))
        if factors.shape[2] == 1:
            return squared_distances.compute(self.x, self.centres, (near, far)) * factors[:, :, 0]
        factors = factors[0, ...] if factors.shape[0] == 1 else factors
        return squared_distances.compute(self.x, self.centres, (near, far), weights=factors)

    def limit(self, here: Any) -> Limit:
        """What decides at angle 0."""
        xp, d = array_namespace(self.x), self.x.shape[1]
        flat = xp.astype(self.variances == 0, xp.float64)
        distance = xp.sqrt(self.squares(xp.ones((1,)), xp.zeros((1,)), flat[None, ...]))
        masked = xp.astype(self.centres, xp.float64) * flat
        slope = xp.astype(self.x, xp.float64) @ masked.T - xp.sum(masked * self.centres, axis=-1)
        nullity = xp.sum(flat, axis=-1) * (d // flat.shape[1])
        sizes = xp.linalg.vector_norm(self.x, axis=-1, keepdims=True) + xp.linalg.vector_norm(self.centres, axis=-1)
        rounding = 8 * float(xp.finfo(xp.float64).eps) * distance + self.blur * sizes
        return Limit(here, distance, rounding, nullity, -0.5 * slope)

    def combined(self, weights: Any, onto: Any, along: Any) -> Any:
        """sum_k weights_k (onto_k mu_k + along_k x), (B, d)."""
        isotropic, mu = onto.shape[2] == 1, self.centres
        centres = (weights * onto[:, :, 0]) @ mu if isotropic else _mean(weights, onto * mu)
        return centres + _mean(weights, along) * self.x

    def operator(self, weights: Any, gains: Any, factor: Any, onto: Any, along: Any) -> Operator:
        """sum_k weights_k diag(gains_k) + factor Cov_weights(onto_k mu_k + along_k x), for factor (A,)."""
        own = _mean(weights, gains)
        if gains.shape[2] > 1:
            return self._diagonal(own, self._roots(weights, onto, along), factor)
        moves = {"stretch": onto[:, :, 0], "along": along[:, :, 0], "origin": self.x}
        return WeightedCovariance(own[:, 0], factor, weights, self.centres, **moves)

    def _roots(self, weights: Any, onto: Any, along: Any) -> Iterator[Any]:
        """For runs of samples the rows (B, K, d) whose products are the covariance."""
        xp, (batch, d), count = array_namespace(self.x), self.x.shape, self.centres.shape[0]
        for run in runs(batch, count * d):
            own = run if onto.shape[0] > 1 else slice(0, 1)
            rows = onto[own, ...] * self.centres + along[own, ...] * self.x[run, None, :]
            yield xp.sqrt(weights[run, :, None]) * (rows - xp.matmul(weights[run, None, :], rows))

    def _diagonal(self, diagonal: Any, roots: Iterator[Any], factor: Any) -> Operator:
        """diag(diagonal) + factor R^T R, for the rows R of each sample."""
        xp, (count, d), batch = array_namespace(self.x), self.centres.shape, self.x.shape[0]
        factor, unit = factor[:, None, None], xp.eye(min(count, d), dtype=self.x.dtype)
        check_memory("the posterior covariance", (batch, d, min(count, d)), itemsize(self.x))
        if count < d:
            left = xp.concat([transposed(root) for root in roots])
            return DiagonalLowRank(diagonal, left, core=factor * unit)
        between = xp.concat([xp.matmul(transposed(root), root) for root in roots])
        return Dense(symmetrised(diagonal[:, :, None] * unit + factor * between))


def _mean(weights: Any, values: Any) -> Any:
    """sum_k weights_k values_k, (B, m), for values (A, K, m)."""
    if values.shape[0] == 1:
        return weights @ values[0, ...]
    return array_namespace(weights).matmul(weights[:, None, :], values)[:, 0, :]
