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
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import Spectral

__all__ = ["GaussianPosterior"]


@dataclass(frozen=True, eq=False)
class GaussianPosterior:
    """The posterior at points x, (B, d), of a normal law along its principal axes.

    Cosines and sines (A, 1) and variances (d,) are in float64: in float32 the square of a sine below 1e-23 is 0.
    """

    x: Any
    cos: Any
    sin: Any
    center: Any  # (d,)
    lam: Any  # (d,)
    basis: Any | None

    __repr__ = one_line

    @classmethod
    def of(cls, law: Gaussian, x: Any, angle: Angle) -> GaussianPosterior:
        """The posterior of a law at points and an angle."""
        basis = None if law.eigenvectors is None else like(law.eigenvectors, x)
        wide = array_namespace(x).float64
        cos, sin, lam = (like(part, x, wide) for part in (angle.cos, angle.sin, law.eigenvalues))
        return cls(x, cos, sin, like(law.mean, x), lam, basis)

    @cached_property
    def _rotated(self) -> Any:
        """y = Q^T (x - cos mu), rows."""
        y = self.x - like(self.cos, self.x) * self.center
        return y if self.basis is None else y @ self.basis

    @cached_property
    def _total(self) -> Any:
        """N, (A, d)."""
        return self.lam * self.cos**2 + self.sin**2

    def _over_total(self, values: Any) -> Any:
        """values/N, and 0 where N = 0 (lam = 0 at phi = 0): E[eps | x_0] = 0 there."""
        xp, regular = array_namespace(self.x), self._total > 0
        return self._narrow(xp.where(regular, values / xp.where(regular, self._total, 1.0), 0.0))

    def _narrow(self, values: Any) -> Any:
        """Values in the precision of the points, those too large for it as a quarter of its largest number."""
        xp = array_namespace(self.x)
        most = float(xp.finfo(self.x.dtype).max) / 4  # sums of two stay finite
        bounded = xp.where(xp.isfinite(values), xp.clip(values, -most, most), values)
        return xp.astype(bounded, self.x.dtype, copy=False)

    def _back(self, y: Any) -> Any:
        return y if self.basis is None else y @ self.basis.T

    def _operator(self, values: Any) -> Spectral:
        return Spectral(array_namespace(self.x).broadcast_to(values, self.x.shape), self.basis)

    @cached_property
    def mean(self) -> Any:
        """(B, d)."""
        return self.center + self._back(self._over_total(self.lam * self.cos) * self._rotated)

    @property
    def mean_jacobian(self) -> Spectral:
        """Q diag(lam cos/N) Q^T."""
        return self._operator(self._over_total(self.lam * self.cos))

    @property
    def covariance(self) -> Spectral:
        """Q diag(lam sin^2/N) Q^T."""
        return self._operator(self._over_total(self.lam * self.sin**2))

    @property
    def weights(self) -> Any:
        """(B, 1) ones."""
        return array_namespace(self.x).ones((self.x.shape[0], 1), dtype=self.x.dtype)

    @cached_property
    def noise(self) -> Any:
        """(B, d)."""
        return self._back(self._over_total(self.sin) * self._rotated)

    @property
    def noise_jacobian(self) -> Spectral:
        """Q diag(sin/N) Q^T."""
        return self._operator(self._over_total(self.sin))

    @property
    def log_density(self) -> Any:
        """(B,) ln p_t(x); a singular law at angle 0 has inf on its support and -inf off it."""
        xp = array_namespace(self.x)
        regular, y = self._total > 0, xp.astype(self._rotated, xp.float64)
        total = xp.where(regular, self._total, 1.0)
        terms = y * (y / total) + xp.log(2 * math.pi * total)
        density = -0.5 * xp.sum(xp.where(regular, terms, 0.0), axis=-1)
        density = xp.where(xp.all(regular, axis=-1), density, xp.inf)
        return self._narrow(xp.where(xp.all(regular | (y == 0), axis=-1), density, -xp.inf))
