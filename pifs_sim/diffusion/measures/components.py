"""Normal components: what all mixtures are made of, their moments and samples.

sum_k w_k N(mu_k, Q_k diag(v_k) Q_k^T) has the mean m = sum_k w_k mu_k and the covariance
sum_k w_k Q_k diag(v_k) Q_k^T + sum_k w_k (mu_k - m)(mu_k - m)^T.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import check_count, check_generator
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators.algebra import symmetrised, transposed

__all__ = ["ComponentLaw", "Components"]


@dataclass(frozen=True, eq=False)
class Components:
    """K normal laws with weights.

    Args:
        weights: (K,) probabilities.
        means: (K, d).
        variances: (K,) of isotropic components, or (K, d) along the axes of each.
        axes: columns Q: None for the coordinates, (d, d) for one rotation of all components, or (K, d, d).
    """

    weights: Any
    means: Any
    variances: Any
    axes: Any | None

    @cached_property
    def turned(self) -> Any:
        """The means along common axes (d, d), (K, d) in float64."""
        xp = array_namespace(self.means)
        return xp.astype(self.means, xp.float64) @ xp.astype(self.axes, xp.float64)

    @property
    def dim(self) -> int:
        """Dimension d."""
        return int(self.means.shape[1])

    def mean(self) -> Any:
        """(d,)."""
        return self.weights @ self.means

    def covariance(self) -> Any:
        """(d, d)."""
        xp, w = array_namespace(self.means), self.weights
        check_memory("`covariance`", (2, self.dim, self.dim), itemsize(self.means))
        centered = self.means - self.mean()
        between = (w[:, None] * centered).T @ centered
        if self.axes is None or self.axes.ndim == 2:
            spread = xp.broadcast_to(w @ self.variances, (self.dim,))  # of each axis
            within = xp.eye(self.dim, dtype=w.dtype) * spread if self.axes is None else self.axes * spread @ self.axes.T
        else:
            within = xp.tensordot(w, xp.matmul(self.axes * self.variances[:, None, :], transposed(self.axes)), axes=1)
        return symmetrised(within + between)

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """n independent points, (n, d), of the kind and precision of `means`; ValueError unless n >= 0."""
        check_count("n", n, 0, None)
        check_generator(rng)
        xp = array_namespace(self.means)
        check_memory("`sample`", (3, n, self.dim), itemsize(self.means))
        weights = np.array([float(weight) for weight in self.weights])
        chosen = rng.choice(len(weights), size=n, p=weights / weights.sum())
        kinds = xp.asarray(chosen)
        z = xp.asarray(rng.standard_normal((n, self.dim)), dtype=self.means.dtype)
        spread = xp.sqrt(xp.take(self.variances, kinds, axis=0))
        z = z * (spread if spread.ndim == 2 else spread[:, None])
        if self.axes is not None and self.axes.ndim == 2:
            z = z @ self.axes.T
        elif self.axes is not None:
            order = np.argsort(chosen, kind="stable")
            parts = np.split(order, np.searchsorted(chosen[order], np.arange(1, len(weights))))
            turned = [xp.take(z, xp.asarray(part), axis=0) @ self.axes[k, ...].T for k, part in enumerate(parts)]
            z = xp.take(xp.concat(turned), xp.asarray(np.argsort(order, kind="stable")), axis=0)
        return xp.take(self.means, kinds, axis=0) + z


class ComponentLaw:
    """What laws with `components` share."""

    components: Components

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.components.dim

    @cached_property
    def covariance(self) -> Any:
        """(d, d)."""
        return self.components.covariance()

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """n independent points, (n, d), of the kind and precision of the law's arrays; `rng` as from numpy.random."""
        return self.components.sample(n, rng)
