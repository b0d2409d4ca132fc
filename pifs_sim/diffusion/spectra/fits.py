"""Two short descriptions of a spectrum: a power law, and two scales.

Power law: ln lam_k = ln A - p ln k, least squares over ranks k = 1..K in which every octave of k counts alike
(weights 1/k). Two scales: the two values of ln lam, and the split of the ranks between them, with the least sum of
squares; every split is tried, so it is the best.

Intervals are the 2.5 % and 97.5 % quantiles of the same fit to resampled ranks: blocks of consecutive ranks are drawn
with replacement (Kuensch 1989, doi:10.1214/aos/1176347265), since neighbours deviate together. They say how far the
description depends on which eigenvalues it is fitted to; sampling of the data is not in them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.sweep import variances
from pifs_sim.dynamics.arrays import check_count

__all__ = ["PowerLaw", "TwoScales", "power_law", "two_scales"]

Interval = tuple[float, float]


class PowerLaw(NamedTuple):
    """lam_k = scale * k^-exponent; root-mean-square residual of ln lam, weighted as the fit.

    exponent_interval and scale_interval hold 95 % of the resampled fits.
    """

    exponent: float
    exponent_interval: Interval
    scale: float
    scale_interval: Interval
    residual: float


class TwoScales(NamedTuple):
    """Variances (low, high), the share of the directions at the high one, rms residual of ln lam.

    low_interval, high_interval and share_interval hold 95 % of the resampled fits.
    """

    low: float
    low_interval: Interval
    high: float
    high_interval: Interval
    share: float
    share_interval: Interval
    residual: float


def _positive(lam: Any) -> FloatArray:
    """ln of the variances > 0, descending, (K,)."""
    values = np.asarray(variances(lam)[1], dtype=np.float64).ravel()
    values = np.sort(values[values > 0])[::-1]
    if values.size < 8:
        raise ValueError(f"`lam` must hold at least 8 variances > 0, got {values.size}.")
    return np.log(values)


def _blocks(size: int, resamples: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Ranks (resamples, size) in blocks of about size^(1/3) neighbours, around the ends."""
    length = max(1, round(size ** (1 / 3)))
    starts = rng.integers(0, size, (resamples, -(-size // length)))
    return ((starts[:, :, None] + np.arange(length)) % size).reshape(resamples, -1)[:, :size]


def _quantiles(values: FloatArray) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975)).tolist()
    return low, high


def _lines(x: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Slopes and intercepts of weighted lines through the rows of x and y, (..., K)."""
    total = weight.sum(axis=-1)
    at, level = (weight * x).sum(axis=-1) / total, (weight * y).sum(axis=-1) / total
    dx = x - at[..., None]
    slope = (weight * dx * y).sum(axis=-1) / (weight * dx * dx).sum(axis=-1)
    return slope, level - slope * at


def power_law(lam: Any, *, rng: np.random.Generator, resamples: int = 400) -> PowerLaw:
    """The power law of the rank that a spectrum follows best.

    Args:
        lam: variances, any shape and order; those that are 0 are left out.
        rng: of the resampling.
        resamples: number of resampled fits.

    Raises:
        ValueError: a bad variance, fewer than 8 that are > 0, resamples < 2.
    """
    check_count("resamples", resamples, 2, None)
    y = _positive(lam)
    k = np.arange(1.0, y.size + 1)
    x, weight = np.log(k), 1 / k
    slope, level = (float(value) for value in _lines(x, y, weight))
    pick = _blocks(y.size, resamples, rng)
    some = pick[np.ptp(pick, axis=1) > 0]  # a line needs two ranks
    slopes, levels = _lines(x[some], y[some], weight[some])
    residual = float(np.sqrt((weight * (y - level - slope * x) ** 2).sum() / weight.sum()))
    low, high = _quantiles(-slopes)
    return PowerLaw(-slope, (low, high), float(np.exp(level)), _quantiles(np.exp(levels)), residual)


def _split(y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Means (high, low) and size of the best first group of descending rows (R, K), and the sum of squares left."""
    size = y.shape[-1]
    first = np.cumsum(y, axis=-1)
    total, n = first[..., -1:], np.arange(1, size)
    high, low = first[..., :-1] / n, (total - first[..., :-1]) / (size - n)
    best = (n * high**2 + (size - n) * low**2).argmax(axis=-1)[..., None]
    high, low = np.take_along_axis(high, best, -1)[..., 0], np.take_along_axis(low, best, -1)[..., 0]
    n = best[..., 0] + 1
    inside = np.arange(size) < n[..., None]
    left = ((y - np.where(inside, high[..., None], low[..., None])) ** 2).sum(axis=-1)
    return high, low, n, left


def two_scales(lam: Any, *, rng: np.random.Generator, resamples: int = 400) -> TwoScales:
    """The two variances, and the share of the directions at the larger, that describe a spectrum best.

    Arguments (lam, rng, resamples) and errors (ValueError) as for `power_law`.
    """
    check_count("resamples", resamples, 2, None)
    y = _positive(lam)
    y = y - (middle := y.mean())  # of squares of centred numbers the split costs no digits
    high, low, n, left = (float(value) for value in _split(y))
    picked = np.sort(y[_blocks(y.size, resamples, rng)], axis=1)[:, ::-1]
    highs, lows, counts, _ = _split(picked)
    return TwoScales(
        float(np.exp(middle + low)),
        _quantiles(np.exp(middle + lows)),
        float(np.exp(middle + high)),
        _quantiles(np.exp(middle + highs)),
        n / y.size,
        _quantiles(counts / y.size),
        float(np.sqrt(left / y.size)),
    )
