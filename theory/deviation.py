"""Distance in L^2(p_t) between a law's noise estimate and a Gaussian's, by quadrature, heavy tails included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Gaussian
from theory.marginals import Array, Law

__all__ = ["cumulants", "deviations", "slope", "student"]


def student(nu: float) -> Law:
    """Student's t of nu > 2 degrees and variance 1, as a scale mixture: its precision is a gamma variable.

    The variance tau = e^u has a weight e^(-nu u/2 - b e^-u), b = nu/2 - 1, summed by the trapezoidal rule in u.
    """
    u = np.arange(-6.0, 36.0, 0.5)
    logs = -nu / 2 * u - (nu / 2 - 1) * np.exp(-u)
    weights = np.exp(logs - logs.max())
    return Law(weights / weights.sum(), np.zeros((u.size, 1)), np.exp(u)[:, None, None])


def cumulants(law: Law) -> Array:
    """The first four cumulants (4,) of a law on the line."""
    off, variances = law.means[:, 0] - law.mean[0], law.covariances[:, 0, 0]
    second, third = law.weights @ (off**2 + variances), law.weights @ (off**3 + 3 * off * variances)
    fourth = law.weights @ (off**4 + 6 * off**2 * variances + 3 * variances**2)
    return np.array([law.mean[0], second, third, fourth - 3 * second**2])


def _tailed_nodes(law: Law) -> tuple[Array, Array]:
    """Nodes x = sinh z, (n, 1), even in z out to 7 of the widest deviations, and weights (n,)."""
    reach = math.asinh(7 * math.sqrt(float(law.covariances.max())))
    z = np.linspace(-reach, reach, 801)
    x = np.sinh(z)[:, None]
    return x, law.density(x) * np.cosh(z) * (z[1] - z[0])


def deviations(law: Law, angle: float, mean: Any, variances: Any, *, tailed: bool = False) -> tuple[float, float]:
    """E|eps_hat - eps_hat'|^2 and E|eps_hat|^2 for x ~ p_t at an angle; the reference is N(mean, diag(variances)).

    Both of the reference's are (d,); `tailed` gives more nodes to the tails of long-tailed laws.
    """
    marginal = law.marginal(angle)
    x, weights = _tailed_nodes(marginal) if tailed else marginal.nodes(200 if law.dim == 1 else 40)
    noise = law.denoiser.noise(x, angle)
    reference = exact_denoiser(Gaussian(mean, np.diag(np.atleast_1d(variances)))).noise(x, angle)
    squares = (np.sum(part**2, axis=1) for part in (noise - reference, noise))
    return tuple(float(weights @ square / weights.sum()) for square in squares)  # type: ignore[return-value]


def slope(alpha_bars: npt.ArrayLike, values: npt.ArrayLike) -> float:
    """d ln value/d ln alpha_bar by least squares, from alpha_bars and values, both (m,)."""
    return float(np.polyfit(np.log(alpha_bars), np.log(values), 1)[0])
