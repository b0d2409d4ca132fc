"""How far a network's noise estimate is from that of the Gaussian fitted to its data, and how fast that falls off.

eps_G is the exact estimate under N(m, Sigma) with the data's mean and covariance: with Sigma = Q diag(lam) Q^T of rank
r < N and y = Q^T (x - cos m), N = lam cos^2 + sin^2,

    eps_G = (x - cos m)/sin - Q ((1/sin - sin/N) y),

so that Sigma is never formed. D_t(x) = |eps_net - eps_G|. The slope of ln E D_t against ln sqrt(alpha_bar_t) as
alpha_bar -> 0 is the order of the deviation (theory's `deviation-orders`; Dooms 2026, arXiv:2603.13069, section 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from pifs_sim.networks.norms import check_rate

__all__ = ["FittedGaussian", "Slope", "deviation_slope", "score_deviation"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedGaussian:
    """N(mean, axes diag(eigenvalues) axes^T), of rank r.

    Args:
        mean: (d,).
        eigenvalues: (r,) above 0.
        axes: (d, r) orthonormal columns.
    """

    mean: Array
    eigenvalues: Array
    axes: Array

    @classmethod
    def of(cls, data: npt.ArrayLike) -> FittedGaussian:
        """The Gaussian with the mean and covariance of the empirical law of data (N, d)."""
        points = np.asarray(data, dtype=np.float64)
        mean = points.mean(axis=0)
        rows = (points - mean) / math.sqrt(len(points))
        few = len(points) < points.shape[1]  # the smaller of two Gram matrices with the same eigenvalues
        values, axes = np.linalg.eigh(rows @ rows.T if few else rows.T @ rows)
        kept = values > max(points.shape) * np.finfo(np.float64).eps * max(values[-1], 0.0)
        values, axes = values[kept], axes[:, kept]
        return cls(mean, values, rows.T @ axes / np.sqrt(values) if few else axes)

    def noise(self, x: Array, cos: float, sin: float) -> Array:
        """E[eps | x_t = x], (B, d), for sin > 0."""
        centered = x - cos * self.mean
        total = self.eigenvalues * cos**2 + sin**2
        found: Array = (
            centered / sin - (centered @ self.axes * (self.eigenvalues * cos**2 / (sin * total))) @ self.axes.T
        )
        return found


def score_deviation(
    noise: npt.ArrayLike, x: npt.ArrayLike, law: FittedGaussian, *, angle: tuple[float, float]
) -> Array:
    """|eps_net - eps_G| at points x_t, (B,).

    Args:
        noise: (B, d) a network's estimates.
        x: (B, d) the points.
        law: the fitted Gaussian.
        angle: (cos, sin) of phi_t > 0.
    """
    points = np.asarray(x, dtype=np.float64)
    found: Array = np.linalg.norm(np.asarray(noise, dtype=np.float64) - law.noise(points, *angle), axis=1)
    return found


class Slope(NamedTuple):
    """A slope with its confidence interval."""

    value: float
    lower: float
    upper: float
    confidence: float
    steps: int
    samples: int


def deviation_slope(deviations: npt.ArrayLike, cos: npt.ArrayLike, *, confidence: float = 0.95) -> Slope:
    """Slope of ln E D_t against ln cos phi_t by least squares, its error by the jackknife over the samples.

    A sample is a row of steps: its entries may depend on each other, samples may not. The interval is Student's with
    B - 1 degrees of freedom, for the slope of the expectations at these steps: the limit's order only where their
    logarithms lie on a line.

    Args:
        deviations: (T', B) D_t > 0, at steps with cos phi_t > 0.
        cos: (T',) cos phi_t, at least 2 different ones.
        confidence: of the interval.

    Raises:
        ValueError: shapes that do not fit, entries that are not positive, or fewer than 2 steps.
    """
    D, c = np.asarray(deviations, dtype=np.float64), np.asarray(cos, dtype=np.float64)
    if D.ndim != 2 or c.shape != D.shape[:1] or len(c) < 2 or D.shape[1] == 0:
        raise ValueError(f"`deviations` must have shape (steps, batch) with 2 steps or more, got {D.shape}.")
    if not (np.isfinite(D).all() and (D > 0).all() and (c > 0).all() and np.ptp(c) > 0):
        raise ValueError("`deviations` and `cos` must be positive, and `cos` not constant.")
    check_rate("confidence", confidence)
    place = np.log(c) - np.log(c).mean()
    weights = place / (place @ place)
    batch = D.shape[1]
    value = float(weights @ np.log(D.mean(axis=1)))
    if batch == 1:
        return Slope(value, math.nan, math.nan, confidence, len(c), batch)
    left_out: Any = weights @ np.log((D.sum(axis=1, keepdims=True) - D) / (batch - 1))
    error = math.sqrt((batch - 1) / batch * float(((left_out - left_out.mean()) ** 2).sum()))
    reach = float(stdtrit(batch - 1, (1 + confidence) / 2)) * error
    return Slope(value, value - reach, value + reach, confidence, len(c), batch)
