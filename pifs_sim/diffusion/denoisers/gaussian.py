"""The exact posterior of a normal law.

For N(mu, Q diag(lam) Q^T), in the coordinates y = Q^T (x - cos(phi) mu) and with N = lam cos^2 + sin^2:
x_hat = mu + Q (lam cos/N) y, eps_hat = Q (sin/N) y, Cov = Q diag(lam sin^2/N) Q^T.
All are exact at phi = 0 (eps_hat = 0: the data says nothing of the noise) and at phi = pi/2 (x_hat = mu).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.inputs import Angle, like
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics.operators import Spectral

__all__ = ["GaussianPosterior"]


@dataclass(frozen=True, eq=False)
class GaussianPosterior:
    """The posterior at points x, (B, d), cosines and sines (A, 1), of a normal law along its principal axes."""

    x: Any
    cos: Any
    sin: Any
    center: Any  # (d,)
    lam: Any  # (d,)
    basis: Any | None

    @classmethod
    def of(cls, law: Gaussian, x: Any, angle: Angle) -> GaussianPosterior:
        """The posterior of a law at points and an angle."""
        basis = None if law.eigenvectors is None else like(law.eigenvectors, x)
        cos, sin, center, lam = (like(part, x) for part in (angle.cos, angle.sin, law.mean, law.eigenvalues))
        return cls(x, cos, sin, center, lam, basis)

    @cached_property
    def _rotated(self) -> Any:
        """y = Q^T (x - cos mu), rows."""
        y = self.x - self.cos * self.center
        return y if self.basis is None else y @ self.basis

    @cached_property
    def _inverse(self) -> Any:
        """1/N, and 0 where N = 0 (lam = 0 at phi = 0): E[eps | x_0] = 0 there."""
        xp = array_namespace(self.x)
        total = self.lam * self.cos**2 + self.sin**2
        return xp.where(total > 0, 1 / xp.where(total > 0, total, 1.0), 0.0)

    def _back(self, y: Any) -> Any:
        return y if self.basis is None else y @ self.basis.T

    def _operator(self, values: Any) -> Spectral:
        return Spectral(array_namespace(self.x).broadcast_to(values, self.x.shape), self.basis)

    @cached_property
    def mean(self) -> Any:
        """(B, d)."""
        return self.center + self._back(self.lam * self.cos * self._inverse * self._rotated)

    @property
    def mean_jacobian(self) -> Spectral:
        """Q diag(lam cos/N) Q^T."""
        return self._operator(self.lam * self.cos * self._inverse)

    @property
    def covariance(self) -> Spectral:
        """Q diag(lam sin^2/N) Q^T."""
        return self._operator(self.lam * self.sin**2 * self._inverse)

    @property
    def weights(self) -> Any:
        """(B, 1) ones."""
        return array_namespace(self.x).ones((self.x.shape[0], 1), dtype=self.x.dtype)

    @cached_property
    def noise(self) -> Any:
        """(B, d)."""
        return self._back(self.sin * self._inverse * self._rotated)

    @property
    def noise_jacobian(self) -> Spectral:
        """Q diag(sin/N) Q^T."""
        return self._operator(self.sin * self._inverse)

    @property
    def log_density(self) -> Any:
        """(B,) ln p_t(x); a singular law at angle 0 has inf on its support and -inf off it."""
        xp = array_namespace(self.x)
        total = self.lam * self.cos**2 + self.sin**2
        regular = total > 0
        terms = self._inverse * self._rotated**2 + xp.log(xp.where(regular, 2 * math.pi * total, 1.0))
        density = -0.5 * xp.sum(xp.where(regular, terms, 0.0), axis=-1)
        density = xp.where(xp.all(regular, axis=-1), density, xp.inf)
        return xp.where(xp.all(regular | (self._rotated == 0), axis=-1), density, -xp.inf)
