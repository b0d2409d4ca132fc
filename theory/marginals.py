"""Averages over the marginals p_t of small Gaussian mixtures, by quadrature that knows no denoiser.

p_t = sum_k w_k N(c mu_k, c^2 C_k + s^2 I). The trapezoidal rule over a box of 7 deviations about every component
converges exponentially: 32 nodes an axis leave 1e-7 of the laws drawn here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.polynomial.hermite_e import hermegauss

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.angles import cos_sin
from pifs_sim.diffusion.measures import Gaussian, Mixture

__all__ = ["Array", "Law", "drawn_law", "normal_law", "two_normals"]

Array = npt.NDArray[np.float64]


class Law(NamedTuple):
    """sum_k weights_k N(means_k, covariances_k): (K,), (K, d), (K, d, d)."""

    weights: Array
    means: Array
    covariances: Array

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.means.shape[1]

    @property
    def mean(self) -> Array:
        """(d,)."""
        return np.asarray(self.weights @ self.means)

    @property
    def covariance(self) -> Array:
        """(d, d)."""
        off = self.means - self.mean
        return np.asarray(np.tensordot(self.weights, self.covariances + off[:, :, None] * off[:, None, :], axes=1))

    @property
    def denoiser(self) -> Any:
        """The library's exact denoiser."""
        return exact_denoiser(Mixture(self.weights, self.means, self.covariances))

    @property
    def gaussian(self) -> Any:
        """The library's exact denoiser of the Gaussian with the same mean and covariance."""
        return exact_denoiser(Gaussian(self.mean, self.covariance))

    def marginal(self, angle: float) -> Law:
        """The law of x_t at an angle."""
        c, s = (float(value) for value in cos_sin(angle))
        return Law(self.weights, c * self.means, c**2 * self.covariances + s**2 * np.eye(self.dim))

    def density(self, x: Array) -> Array:
        """Density at points x (n, d); every covariance positive definite."""
        total = np.zeros(len(x))
        for weight, mean, covariance in zip(*self, strict=True):
            roots = np.linalg.solve(np.linalg.cholesky(covariance), (x - mean).T)
            size = math.sqrt((2 * math.pi) ** self.dim * np.linalg.det(covariance))
            total += weight / size * np.exp(-0.5 * np.sum(roots**2, axis=0))
        return total

    def nodes(self, per_axis: int) -> tuple[Array, Array]:
        """Points (n, d) and weights (n,) of the trapezoidal rule, `per_axis` along each axis.

        Each axis is off the others by a part of a step.
        """
        spread = 7 * np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2))
        low, high = (self.means - spread).min(axis=0), (self.means + spread).max(axis=0)
        steps = (high - low) / (per_axis - 1)
        shifts = np.arange(self.dim) / max(2, self.dim)
        axes = low + (np.arange(per_axis)[:, None] + shifts) * steps
        points = np.stack(np.meshgrid(*axes.T, indexing="ij"), axis=-1).reshape(-1, self.dim)
        weights = self.density(points) * steps.prod()
        kept = weights > 1e-14
        return points[kept], weights[kept]

    def gauss_nodes(self, order: int) -> tuple[Array, Array]:
        """Points (n, d) and weights (n,) of a Gauss-Hermite rule of that order about each component, for thin ones."""
        points, weights = hermegauss(order)
        grid = np.stack(np.meshgrid(*[points] * self.dim, indexing="ij"), axis=-1).reshape(-1, self.dim)
        shares = np.prod(np.meshgrid(*[weights / weights.sum()] * self.dim, indexing="ij"), axis=0).ravel()
        roots = np.linalg.cholesky(self.covariances)
        found = self.means[:, None] + grid @ roots.transpose(0, 2, 1)
        return found.reshape(-1, self.dim), np.outer(self.weights, shares).ravel()


def drawn_law(seed: int, dim: int, count: int) -> Law:
    """A mixture in R^dim of `count` components, all of it drawn from the seed; spreads of about 1."""
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((count, dim, dim))
    covariances = 0.3 * np.eye(dim) + 0.2 * roots @ roots.transpose(0, 2, 1)
    return Law(rng.dirichlet(np.full(count, 2.0)), 1.2 * rng.standard_normal((count, dim)), covariances)


def normal_law(mean: npt.ArrayLike, covariance: npt.ArrayLike) -> Law:
    """One Gaussian, of mean (d,) and covariance (d, d)."""
    return Law(np.ones(1), np.array([mean], dtype=np.float64), np.array([covariance], dtype=np.float64))


def two_normals(weight: float, means: npt.ArrayLike, covariances: npt.ArrayLike) -> Law:
    """weight N(means_1, covariances_1) + (1 - weight) N(means_2, covariances_2); on the line numbers will do."""
    mu, C = np.array(means, dtype=np.float64), np.array(covariances, dtype=np.float64)
    return Law(np.array([weight, 1 - weight]), mu.reshape(2, -1), C if C.ndim == 3 else C.reshape(2, 1, 1))
