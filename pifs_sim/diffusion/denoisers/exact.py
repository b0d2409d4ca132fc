"""The exact denoiser of a data law with a closed form: x_hat(x, phi) = E[x_0 | cos(phi) x_0 + sin(phi) eps = x]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.cloud import CloudPosterior
from pifs_sim.diffusion.denoisers.gaussian import GaussianPosterior
from pifs_sim.diffusion.denoisers.inputs import Angle
from pifs_sim.diffusion.denoisers.mixture import MixturePosterior
from pifs_sim.diffusion.denoisers.product import ProductPosterior
from pifs_sim.diffusion.denoisers.protocol import Doors, Posterior
from pifs_sim.diffusion.measures import Gaussian, Measure, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.dynamics.arrays import check_finite, check_points

__all__ = ["ExactDenoiser", "exact_denoiser"]

_MIXTURES = (Mixture, PointCloud, ScaleMixture)


@dataclass(frozen=True, eq=False)
class ExactDenoiser(Doors):
    """The exact denoiser of a data law."""

    measure: Measure

    def __repr__(self) -> str:
        return f"ExactDenoiser({self.measure!r})"

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.measure.dim

    def posterior(self, x: Any, angle: Any) -> Posterior:
        """The law of x_0 given x_t = x at an angle.

        Args:
            x: (B, d); float32 is computed in float32 (but for the logits), everything else in float64.
            angle: a number in [0, pi/2], or (B,), radians.

        Raises:
            ValueError: wrong shapes, x not finite, or an angle outside [0, pi/2].
        """
        x = check_finite("x", check_points(x, self.dim))
        return _posterior(self.measure, x, Angle.at(angle, x))


def _posterior(law: Any, x: Any, angle: Angle) -> Posterior:
    if isinstance(law, Gaussian):
        return GaussianPosterior.of(law, x, angle)
    if isinstance(law, Product):
        xp = array_namespace(x)
        own = [xp.take(x, xp.asarray(places), axis=1) for places in law.indices]
        parts = tuple(_posterior(part, y, angle) for part, y in zip(law.measures, own, strict=True))
        return ProductPosterior(law, parts)
    return (CloudPosterior if isinstance(law, PointCloud) else MixturePosterior)(x, angle, law.components)


def exact_denoiser(measure: Measure) -> ExactDenoiser:
    """The exact denoiser of a data law; ValueError for a law without a closed form here.

    >>> import math
    >>> import numpy as np
    >>> from pifs_sim.diffusion.measures import Gaussian
    >>> denoiser = exact_denoiser(Gaussian([0.0, 0.0], [[4.0, 0.0], [0.0, 0.25]]))
    >>> denoiser.posterior_mean(np.array([[1.0, 1.0]]), math.pi / 4).round(4).tolist()
    [[1.1314, 0.2828]]
    """
    parts = [measure]
    for part in parts:
        if isinstance(part, Product):
            parts.extend(part.measures)
        elif not isinstance(part, (Gaussian, *_MIXTURES)):
            raise ValueError(f"`measure` must be a data law of pifs_sim.diffusion.measures, got {type(part).__name__}.")
    return ExactDenoiser(measure)
