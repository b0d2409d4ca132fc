"""Exact denoisers: the law of x_0 given x_t = cos(phi) x_0 + sin(phi) eps, eps ~ N(0, I).

With x_hat = E[x_0 | x_t] and eps_hat = E[eps | x_t] = (x_t - cos(phi) x_hat)/sin(phi), the Jacobian of x_hat
is (cos/sin^2) Cov(x_0 | x_t). For N(mu, Q diag(lam) Q^T), in the coordinates y = Q^T (x - cos(phi) mu) and with
N = lam cos^2 + sin^2: x_hat = mu + Q (lam cos/N) y, eps_hat = Q (sin/N) y, Cov = Q diag(lam sin^2/N) Q^T.
All are exact at phi = 0 (eps_hat = 0: the data says nothing of the noise) and at phi = pi/2 (x_hat = mu).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from array_api_compat import array_namespace, is_numpy_namespace

from pifs_sim.diffusion.angles import HALF_PI, cos_sin
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics.arrays import check_points, reals
from pifs_sim.dynamics.operators import Spectral

__all__ = ["Denoiser", "GaussianDenoiser", "Posterior", "exact_denoiser"]


class Posterior(Protocol):
    """The law of x_0 given x_t = x; every attribute is computed when first asked for."""

    @property
    def mean(self) -> Any:
        """(B, d) x_hat = E[x_0 | x]."""

    @property
    def mean_jacobian(self) -> Any:
        """Operator, Jacobian of x_hat: (cos/sin^2) Cov(x_0 | x)."""

    @property
    def covariance(self) -> Any:
        """Operator, Cov(x_0 | x)."""

    @property
    def weights(self) -> Any:
        """(B, K) posterior probabilities of the law's K components."""

    @property
    def noise(self) -> Any:
        """(B, d) eps_hat = E[eps | x]."""

    @property
    def noise_jacobian(self) -> Any:
        """Operator, Jacobian of eps_hat."""

    @property
    def log_density(self) -> Any:
        """(B,) ln p_t(x)."""


class Denoiser(Protocol):
    """What a chain needs of a denoiser."""

    @property
    def dim(self) -> int:
        """Dimension d."""

    def posterior(self, x: Any, angle: Any) -> Posterior:
        """The posterior at points x, (B, d), and angle, scalar or (B,)."""


def _cos_sin_columns(angle: Any, x: Any) -> tuple[Any, Any]:
    """Cosine and sine of the angle: two floats, or columns (B, 1) of x's kind and precision."""
    phi = np.asarray(reals("angle", angle.get() if hasattr(angle, "get") else angle)[1], dtype=np.float64)
    if phi.shape not in ((), (x.shape[0],)):
        raise ValueError(f"`angle` must be a number or have shape ({x.shape[0]},) like `x`, got shape {phi.shape}.")
    outside = ~((phi >= 0) & (phi <= HALF_PI))
    if outside.any():
        raise ValueError(f"`angle` must lie in [0, pi/2], got {float(phi[outside].flat[0])!r}.")
    cos, sin = cos_sin(phi)
    if phi.ndim == 0:
        return float(cos), float(sin)
    xp = array_namespace(x)
    return xp.asarray(cos[:, None], dtype=x.dtype), xp.asarray(sin[:, None], dtype=x.dtype)


def _like(array: Any, x: Any) -> Any:
    """`array` in the precision and, if it is NumPy's, the kind of `x`."""
    if type(array) is type(x) and array.dtype == x.dtype:
        return array
    xp, own = array_namespace(x), array_namespace(array)
    if own is not xp and not is_numpy_namespace(own):
        raise ValueError(f"`x` must be an array of {own.__name__} like the measure, got {xp.__name__}.")
    return xp.asarray(array, dtype=x.dtype)


@dataclass(frozen=True, eq=False)
class _GaussianPosterior:
    x: Any
    cos: Any  # (B, 1) or a float
    sin: Any
    center: Any  # (d,)
    lam: Any  # (d,)
    basis: Any | None

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
        return self.center + self._back(self.lam * self.cos * self._inverse * self._rotated)

    @property
    def mean_jacobian(self) -> Spectral:
        return self._operator(self.lam * self.cos * self._inverse)

    @property
    def covariance(self) -> Spectral:
        return self._operator(self.lam * self.sin**2 * self._inverse)

    @property
    def weights(self) -> Any:
        return array_namespace(self.x).ones((self.x.shape[0], 1), dtype=self.x.dtype)

    @cached_property
    def noise(self) -> Any:
        return self._back(self.sin * self._inverse * self._rotated)

    @property
    def noise_jacobian(self) -> Spectral:
        return self._operator(self.sin * self._inverse)

    @property
    def log_density(self) -> Any:
        xp = array_namespace(self.x)
        total = self.lam * self.cos**2 + self.sin**2
        regular = total > 0
        terms = self._inverse * self._rotated**2 + xp.log(xp.where(regular, 2 * math.pi * total, 1.0))
        density = -0.5 * xp.sum(xp.where(regular, terms, 0.0), axis=-1)
        density = xp.where(xp.all(regular, axis=-1), density, xp.inf)  # a singular law has none: inf on its support,
        return xp.where(xp.all(regular | (self._rotated == 0), axis=-1), density, -xp.inf)  # -inf off it


@dataclass(frozen=True, eq=False)
class GaussianDenoiser:
    """Exact denoiser of a Gaussian; see the module's formulas."""

    measure: Gaussian

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.measure.dim

    def posterior(self, x: Any, angle: Any) -> Posterior:
        """The law of x_0 given x_t = x at an angle.

        Args:
            x: (B, d); float32 is computed in float32, everything else in float64.
            angle: a number in [0, pi/2], or (B,), radians.

        Raises:
            ValueError: wrong shapes, or an angle outside [0, pi/2].
        """
        x = check_points(x, self.dim)
        law = self.measure
        basis = None if law.eigenvectors is None else _like(law.eigenvectors, x)
        return _GaussianPosterior(x, *_cos_sin_columns(angle, x), _like(law.mean, x), _like(law.eigenvalues, x), basis)

    def posterior_mean(self, x: Any, angle: Any) -> Any:
        """E[x_0 | x_t = x], (B, d)."""
        return self.posterior(x, angle).mean

    def posterior_covariance(self, x: Any, angle: Any) -> Any:
        """Cov(x_0 | x_t = x), a batch of operators."""
        return self.posterior(x, angle).covariance

    def noise(self, x: Any, angle: Any) -> Any:
        """E[eps | x_t = x], (B, d); 0 at angle 0, x at pi/2."""
        return self.posterior(x, angle).noise

    def noise_jacobian(self, x: Any, angle: Any) -> Any:
        """Jacobian of the noise estimate, a batch of operators."""
        return self.posterior(x, angle).noise_jacobian


def exact_denoiser(measure: Gaussian) -> GaussianDenoiser:
    """The exact denoiser of a data law; ValueError for a law without a closed form here."""
    if isinstance(measure, Gaussian):
        return GaussianDenoiser(measure)
    raise ValueError(f"`measure` must be a data law of pifs_sim.diffusion.measures, got {type(measure).__name__}.")
