"""The exact posterior of a mixture of normal laws.

Component k has N = v cos^2 + sin^2 along its axes, so that with a = sin^2/N and g = cos v/N
E[x_0 | x, k] = m_k = a mu_k + g x, E[eps | x, k] = (a/sin) (x - cos mu_k), Cov(x_0 | x, k) = v a. With the
responsibilities r_k: x_hat = sum r_k m_k, and

    Cov(x_0 | x) = sum r_k v a + Cov_r(m_k),                 J x_hat = (cos/sin^2) Cov(x_0 | x)
    J eps_hat = sum r_k a/sin - (cos^2/sin^3) Cov_r(m_k)             = sum r_k g + (cos/sin^2) Cov_r(m_k).

At angle 0 the responsibilities have a limit, m_k is the projection of x on the support of component k, eps_hat is 0
by convention (the data says nothing of the noise) and J x_hat is NaN where x_hat jumps. At pi/2, m_k = mu_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.aligned import Aligned
from pifs_sim.diffusion.denoisers.inputs import Angle, like
from pifs_sim.diffusion.denoisers.responsibilities import Responsibilities
from pifs_sim.diffusion.denoisers.turned import Turned
from pifs_sim.diffusion.measures.components import Components
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory
from pifs_sim.dynamics.operators import Operator, Rotated

__all__ = ["MixturePosterior"]


@dataclass(frozen=True, eq=False)
class MixturePosterior:
    """The posterior of components at points x, (B, d).

    What depends on the variances has shape (A, K, m) and float64: m = 1 for isotropic components, else d.
    """

    x: Any
    angle: Angle
    law: Components

    __repr__ = one_line

    def __post_init__(self) -> None:
        (batch, d), angles, law = self.x.shape, self.angle.cos.shape[0], self.law
        count, own = law.means.shape[0], law.axes is not None and law.axes.ndim == 3
        check_memory("the posterior", (8 * angles * law.variances.size + (4 * d if own else 4) * batch * count,))

    @cached_property
    def _components(self) -> Aligned | Turned:
        """The components beside the points, in the precision of x."""
        x, law, v = self.x, self.law, self._variances[0, ...]
        if law.axes is None:
            return Aligned(x, like(law.means, x), v)
        axes = like(law.axes, x)
        if axes.ndim == 3:
            return Turned(x, like(law.means, x), v, axes)
        return Aligned(x @ axes, like(law.turned, x), v, _blur(law.axes))

    @cached_property
    def _double(self) -> Aligned | Turned:
        """The components beside the points in float64, for the logits."""
        xp, law = array_namespace(self.x), self.law
        if self.x.dtype == xp.float64:
            return self._components
        x, v = xp.astype(self.x, xp.float64), self._variances[0, ...]
        if law.axes is None:
            return Aligned(x, law.means if type(law.means) is type(x) else like(law.means, x), v)
        axes = like(law.axes, x)
        if axes.ndim == 3:
            return Turned(x, like(law.means, x), v, axes)
        return Aligned(x @ axes, like(law.turned, x), v, _blur(law.axes))

    @cached_property
    def _variances(self) -> Any:
        """v, (1, K, m)."""
        v = like(self.law.variances, self.x, array_namespace(self.x).float64)
        return v[None, :, None] if v.ndim == 1 else v[None, ...]

    @cached_property
    def _total(self) -> Any:
        """N."""
        return self._variances * self.angle.cos[:, :, None] ** 2 + self.angle.variance[:, :, None]

    @cached_property
    def _shrink(self) -> Any:
        """a: 1 where v = 0."""
        v, variance = self._variances, self.angle.variance[:, :, None]
        return _quotient(v + 0 * variance, variance, self._total, 1.0)

    @cached_property
    def _gain(self) -> Any:
        """g: 0 where v = 0."""
        v = self._variances
        return _quotient(v, self.angle.cos[:, :, None] * v, self._total, 0.0)

    @cached_property
    def _blame(self) -> Any:
        """a/sin: 0 at angle 0."""
        sin = self.angle.sin[:, :, None]
        return _quotient(sin, self._shrink, sin, 0.0)

    @cached_property
    def _responsibilities(self) -> Responsibilities:
        xp, x, angle, N = array_namespace(self.x), self.x, self.angle, self._total
        inverse = _quotient(N, 1.0, N, 0.0)
        volume = xp.sum(xp.log(xp.where(N > 0, N, 1.0)), axis=-1) * (x.shape[1] // N.shape[2])
        w = like(self.law.weights, x, xp.float64)
        prior = xp.where(w > 0, xp.log(xp.where(w > 0, w, 1.0)), -xp.inf)
        logits = prior - 0.5 * (self._double.squares(*angle.moved, inverse) + volume)
        here = angle.variance == 0
        return Responsibilities(logits, self._double.limit(here) if xp.any(here) else None, x.shape[1])

    @cached_property
    def weights(self) -> Any:
        """(B, K)."""
        return like(self._responsibilities.weights, self.x)

    @property
    def log_density(self) -> Any:
        """(B,) ln p_t(x); at angle 0 inf on a support without volume."""
        return like(self._responsibilities.log_density(), self.x)

    def _cast(self, values: Any) -> Any:
        """`values` in the precision of x, finite if they were, with room for sums of a thousand."""
        xp = array_namespace(self.x)
        most = float(xp.finfo(self.x.dtype).max) / 1024
        return like(xp.minimum(xp.maximum(values, -most), most), self.x)

    def _combined(self, onto: Any, along: Any) -> Any:
        """sum r_k (onto_k mu_k + along_k x)."""
        found = self._components.combined(self.weights, self._cast(onto), self._cast(along))
        axes = self.law.axes
        return found if axes is None or axes.ndim == 3 else found @ like(axes, self.x).T

    @cached_property
    def mean(self) -> Any:
        """(B, d)."""
        return self._combined(self._shrink, self._gain)

    @cached_property
    def noise(self) -> Any:
        """(B, d); 0 at angle 0."""
        return self._combined(-self.angle.cos[:, :, None] * self._blame, self._blame)

    def _operator(self, gains: Any, factor: Any) -> Operator:
        """sum r_k gains_k + factor Cov_r(m_k), for factor (A or B, 1).

        m_k less x/cos is -(a/cos) (x - cos mu_k), which at small angles is small where the m_k differ by little.
        """
        cos = self.angle.cos[:, :, None]
        along = _quotient(cos - 0.5, -self._shrink, cos, self._gain)
        parts = map(self._cast, (gains, factor[:, 0], self._shrink, along))
        found = self._components.operator(self.weights, *parts)
        axes = self.law.axes
        return found if axes is None or axes.ndim == 3 else Rotated(like(axes, self.x), found)

    @cached_property
    def covariance(self) -> Operator:
        """Cov(x_0 | x)."""
        return self._operator(self._variances * self._shrink, array_namespace(self.x).ones_like(self.angle.cos))

    @property
    def _jumps(self) -> Any:
        """(A or B, 1) where x_hat jumps: at angle 0, where components tie whose m_k differ."""
        xp, ties = array_namespace(self.x), self._responsibilities.ties
        if not xp.any(ties):
            return ties
        size = xp.max(xp.abs(self.x), axis=-1) + xp.max(xp.abs(self.mean), axis=-1)
        rounding = 64 * float(xp.finfo(self.x.dtype).eps) * size
        return ties & (xp.sqrt(self.covariance.norm()) > rounding)[:, None]

    @cached_property
    def mean_jacobian(self) -> Operator:
        """J x_hat; NaN where x_hat jumps, at angle 0."""
        xp, angle = array_namespace(self.x), self.angle
        limit = xp.where(self._jumps, xp.nan, xp.zeros_like(angle.variance))
        return self._operator(self._gain, _quotient(angle.variance, angle.cos, angle.variance, limit))

    @cached_property
    def noise_jacobian(self) -> Operator:
        """J eps_hat; 0 at angle 0."""
        angle = self.angle
        factor = _quotient(angle.variance, -(angle.cos**2), angle.variance * angle.sin, 0.0)
        return self._operator(self._blame, factor)


def _quotient(where: Any, numerator: Any, denominator: Any, otherwise: Any) -> Any:
    """numerator/denominator where `where` > 0, else `otherwise`."""
    xp = array_namespace(where)
    valid = where > 0
    return xp.where(valid, numerator / xp.where(valid, denominator, 1.0), otherwise)


def _blur(axes: Any) -> float:
    """What the rounding of axes (d, d) does to a coordinate, relative to the vector's length."""
    return 8 * axes.shape[0] * float(array_namespace(axes).finfo(axes.dtype).eps)
