"""A trained network as a denoiser: its output m(x, phi) at x_t = cos(phi) x_0 + sin(phi) eps, and what follows from it.

    predicts     eps_hat                 x_hat                    J eps_hat                  J x_hat
    noise        m                       (x - sin m)/cos          J m                        (I - sin J m)/cos
    data         (x - cos m)/sin         m                        (I - cos J m)/sin          J m
    velocity     sin x + cos m           cos x - sin m            sin I + cos J m            cos I - sin J m

with v_hat = cos eps_hat - sin x_hat. A network is no posterior of a law: it has no covariance, weights or density.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from array_api_compat import is_array_api_obj, is_numpy_array

from pifs_sim.diffusion.denoisers import Doors
from pifs_sim.diffusion.denoisers.inputs import Angle
from pifs_sim.dynamics.arrays import check_finite, check_frame, check_points
from pifs_sim.networks.field import TorchField
from pifs_sim.networks.jacobian import NetworkJacobian

__all__ = ["NetworkDenoiser", "NetworkPosterior"]

_PREDICTIONS = ("noise", "data", "velocity")


@dataclass(frozen=True, eq=False)
class NetworkPosterior:
    """What a network estimates at points x, (B, d); every attribute is computed when first asked for."""

    field: TorchField
    predicts: str
    x: Any
    phi: Any  # (B,)
    angle: Angle

    @cached_property
    def _output(self) -> Any:
        return self.field.value(self.x, self.phi)

    def _weights(self, what: str) -> tuple[Any, Any]:
        """a and b, (B,), with estimate = a m + b x."""
        cos, sin = (np.broadcast_to(part[:, 0], self.phi.shape) for part in (self.angle.cos, self.angle.sin))
        if self.predicts == what:
            return np.ones_like(cos), np.zeros_like(cos)
        if self.predicts == "velocity":
            return (cos, sin) if what == "noise" else (-sin, cos)
        own, other = (cos, sin) if what == "noise" else (sin, cos)
        if (other == 0).any():
            end = "0" if what == "noise" else "pi/2"
            raise ValueError(
                f"`angle` must not be {end} where a network that predicts {self.predicts} is asked for {what}."
            )
        return -own / other, 1 / other

    def _estimate(self, what: str) -> Any:
        a, b = (part.astype(self.x.dtype)[:, None] for part in self._weights(what))
        return a * self._output + b * self.x

    def _operator(self, what: str) -> NetworkJacobian:
        return NetworkJacobian(self.field, self.x, self.phi, *self._weights(what))

    @cached_property
    def mean(self) -> Any:
        """(B, d) x_hat; ValueError at pi/2 where the network predicts noise."""
        return self._estimate("data")

    @cached_property
    def noise(self) -> Any:
        """(B, d) eps_hat; ValueError at angle 0 where the network predicts data."""
        return self._estimate("noise")

    @property
    def mean_jacobian(self) -> NetworkJacobian:
        """Operator, Jacobian of x_hat."""
        return self._operator("data")

    @property
    def noise_jacobian(self) -> NetworkJacobian:
        """Operator, Jacobian of eps_hat."""
        return self._operator("noise")

    @property
    def covariance(self) -> Any:
        """ValueError."""
        raise ValueError("`covariance` is that of a law, which a network does not give.")

    @property
    def weights(self) -> Any:
        """ValueError."""
        raise ValueError("`weights` are those of a law's components, which a network does not give.")

    @property
    def log_density(self) -> Any:
        """ValueError."""
        raise ValueError("`log_density` is that of a law, which a network does not give.")


@dataclass(frozen=True, eq=False)
class NetworkDenoiser(Doors):
    """A torch module as a denoiser, with the Jacobian of its estimates as a matrix-free operator.

    Points are NumPy arrays (B, d); the network computes in its own precision, results have that of the points.

    Args:
        module: m(x: (B, C, H, W) or (B, d), c: (B,)) -> of the shape of x; used in evaluation mode, left as it is.
        shape: (H, W, C), whose points are flattened in C order as `Patches` does, or (d,).
        predicts: what m estimates.
        condition: angles (B,), a float64 tensor -> c, such as times or timesteps; None: the angles themselves, in the
            module's precision.
        measure: a law beside the network, such as the Gaussian fitted to its data: `suppression` compares with it.
        chunk: samples (times vectors) that the module sees at once.

    Its `field` is the map of torch tensors that both doors share.

    Raises:
        ValueError: another prediction type, shape, precision or chunk, a law of another d, or a module that does not
            map the shape to itself.
    """

    module: Any
    shape: tuple[int, ...]
    _: KW_ONLY
    predicts: Literal["noise", "data", "velocity"] = "noise"
    condition: Callable[[Any], Any] | None = None
    measure: Any = None
    chunk: int = 64
    field: TorchField = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.predicts not in _PREDICTIONS:
            raise ValueError(f'`predicts` must be "noise", "data" or "velocity", got {self.predicts!r}.')
        found = TorchField(self.module, self.shape, condition=self.condition, chunk=self.chunk)
        if self.measure is not None and self.measure.dim != found.dim:
            raise ValueError(f"`measure` has d={self.measure.dim}, expected d={found.dim}.")
        object.__setattr__(self, "shape", found.shape)
        object.__setattr__(self, "field", found)

    @property
    def dim(self) -> int:
        """Dimension d = H W C."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        """NumPy's type of the network's precision: float32 or float64."""
        return self.field.precision

    @property
    def device(self) -> Any:
        """Where the network computes."""
        return self.field.device

    @property
    def forward_mode(self) -> bool:
        """Whether J V is forward mode; else double backward."""
        return self.field.forward_mode

    def posterior(self, x: Any, angle: Any) -> NetworkPosterior:
        """What the network estimates at points x, (B, d), and an angle, a number or (B,), in [0, pi/2].

        Raises:
            ValueError: wrong shapes, x not finite or not of NumPy, or an angle outside [0, pi/2].
        """
        if is_array_api_obj(x) and not is_numpy_array(x):
            raise ValueError(f"`x` must be a NumPy array, got {type(x).__name__}.")
        x = check_finite("x", check_points(x, self.dim))
        checked = Angle.at(angle, x)
        phi = np.array(np.broadcast_to(np.asarray(angle, dtype=np.float64), (x.shape[0],)))
        return NetworkPosterior(self.field, self.predicts, x, phi, checked)

    def noise_and_jvp(self, x: Any, angle: Any, V: Any) -> tuple[Any, Any]:
        """eps_hat, (B, d), and J eps_hat V for V of shape (B, d, p)."""
        posterior = self.posterior(x, angle)
        return posterior.noise, posterior.noise_jacobian @ check_frame(V, posterior.x)

    def noise_vjp(self, x: Any, angle: Any, U: Any) -> Any:
        """J eps_hat^T U for U of shape (B, d, p)."""
        posterior = self.posterior(x, angle)
        return posterior.noise_jacobian.T @ check_frame(U, posterior.x, "U")
