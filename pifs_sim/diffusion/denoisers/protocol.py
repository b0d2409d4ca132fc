"""What a denoiser is: the law of x_0 given x_t = cos(phi) x_0 + sin(phi) eps, eps ~ N(0, I)."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Denoiser", "Doors", "Posterior"]


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


class Doors(Denoiser, Protocol):
    """One-line doors to the parts of a posterior at x, (B, d), and angle, scalar or (B,), for denoisers to inherit."""

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
