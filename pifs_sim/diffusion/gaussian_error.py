"""The exact error of the N-step chain on Gaussian data: the chain's law against the data's.

Along a direction of variance lam the chain from p_T returns standard deviation sqrt(N_0) c with
c = prod_t cos(psi_t - psi_s), psi = atan2(sin phi, sqrt(lam) cos phi): the whole discretisation error.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.sweep import accumulate, variances
from pifs_sim.dynamics.arrays import reals

__all__ = ["exp_minus_tangent", "gaussian_error"]


def _log_cosine(xp: Any, lam: Any, c_s: Any, c_t: Any, s_s: Any, s_t: Any, sin_delta: Any) -> Any:
    """ln cos(psi_t - psi_s) = -log1p(tan^2)/2 with tan(psi_t - psi_s) = sqrt(lam) sin Delta / P."""
    tangent = xp.sqrt(lam) * sin_delta / xp.where(lam == 0, 1.0, lam * (c_s * c_t) + s_s * s_t)
    return -0.5 * xp.log1p(tangent * tangent)


def exp_minus_tangent(x: FloatArray) -> FloatArray:
    """e^x - 1 - x without cancellation: its Taylor series for |x| < 1/2."""
    series = np.zeros_like(x)
    small = np.where(np.abs(x) < 0.5, x, 0.0)
    term = small * small / 2
    for k in range(3, 18):
        series = series + term
        term = term * small / k
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(np.abs(x) < 0.5, series, np.where(np.isinf(x), np.inf, np.expm1(x) - x))


def _like(name: str, values: Any, lam: FloatArray, default: float) -> FloatArray:
    array = np.full_like(lam, default) if values is None else np.asarray(reals(name, values)[1], dtype=np.float64)
    if array.shape != lam.shape:
        raise ValueError(f"`{name}` must have the shape of `lam`, {lam.shape}, got {array.shape}.")
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        raise ValueError(f"`{name}` must be finite and non-negative, got {float(array[bad].flat[0])!r}.")
    return array


def gaussian_error(
    schedule: Schedule,
    lam: Any,
    multiplicities: npt.ArrayLike | None = None,
    metric: Literal["kl", "w2"] = "kl",
    start: Literal["marginal", "normal"] = "marginal",
    mean: npt.ArrayLike | None = None,
) -> float:
    """Exact error of the chain's output law against p_{phi_0}, for Gaussian data with the exact denoiser.

    With c = prod_t cos(psi_t - psi_s), psi = atan2(sin phi, sqrt(lam) cos phi), and N_0 = N at phi_0:
    from the exact marginal p_T, KL(output || p_{phi_0}) = sum n (c^2 - 1 - ln c^2)/2 nats and
    W_2^2 = sum n N_0 (1 - c)^2. From N(0, I), c becomes q = c/sqrt(N_T) and the mean is off by
    sqrt(N_0) q cos(phi_T) |mu|.

    Args:
        schedule: the steps.
        lam: variances of the data, any shape.
        multiplicities: number of directions of each variance, like lam; 1 by default.
        metric: "kl" (nats) or "w2" (a distance, not squared, in the data's units).
        start: "marginal" (x_T ~ p_T) or "normal" (x_T ~ N(0, I)).
        mean: |mu| in each eigenspace, like lam; 0 by default, no effect from "marginal".

    Raises:
        ValueError: a bad variance, shape, metric or start; a negative multiplicity.

    Directions with lam = 0 are reproduced exactly when phi_0 = 0 and count nothing. Source: derived here; for
    the marginal start see Sun, Poor, Zhang 2026, arXiv:2601.13602.

    >>> from pifs_sim.diffusion.schedules import uniform_angle
    >>> chain = uniform_angle(20, 0.1, 1.5)
    >>> round(gaussian_error(chain, [2.0, 0.5]), 6), round(gaussian_error(chain, [2.0, 0.5], metric="w2"), 6)
    (0.005014, 0.079085)
    """
    if metric not in ("kl", "w2"):
        raise ValueError(f'`metric` must be "kl" or "w2", got {metric!r}.')
    if start not in ("marginal", "normal"):
        raise ValueError(f'`start` must be "marginal" or "normal", got {start!r}.')
    values = np.asarray(variances(lam)[1], dtype=np.float64)
    count = _like("multiplicities", multiplicities, values, 1.0)
    size = _like("mean", mean, values, 0.0)
    cos, sin = schedule.cos, schedule.sin
    columns = (cos[:-1], cos[1:], sin[:-1], sin[1:], np.sin(schedule.increments))
    log_c = np.asarray(accumulate(values, columns, _log_cosine))
    first = values * cos[0] ** 2 + sin[0] ** 2
    offset = np.zeros_like(values)
    if start == "normal":
        last = values * cos[-1] ** 2 + sin[-1] ** 2
        log_last = np.where(last < 0.5, np.log(last), np.log1p(np.maximum(cos[-1] ** 2 * (values - 1), -0.5)))
        log_c = log_c - log_last / 2
        offset = np.exp(log_c) * cos[-1] * size
    if metric == "kl":
        spread, shift = exp_minus_tangent(2 * log_c) / 2, offset**2 / 2
    else:
        spread, shift = first * np.expm1(log_c) ** 2, first * offset**2
    there = (first > 0) & (count > 0)  # `mean` is that of a whole eigenspace: its offset counts once
    total = float(np.sum(count[there] * spread[there] + shift[there]))
    return total if metric == "kl" else math.sqrt(total)
