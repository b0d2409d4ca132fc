"""The directions that a schedule is designed for: sqrt(lam_k) > 0 with weights, and the error as a function of ln c.

KL = sum n_k (c^2 - 1 - ln c^2)/2 and W_2^2 = sum n_k N_0(lam_k) (1 - c)^2, with derivatives n (c^2 - 1) and
2 n N_0 c (c - 1) by ln c; expm1 and a series keep their digits where c is near 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.gaussian_error import exp_minus_tangent as exp_minus_tangent
from pifs_sim.diffusion.sweep import variances
from pifs_sim.dynamics.arrays import reals

__all__ = ["Directions", "Objective", "directions"]

Objective: TypeAlias = Literal["kl", "w2"]


@dataclass(frozen=True, eq=False)
class Directions:
    """root (K,): distinct sqrt(lam) > 0, ascending; weight (K,): n (KL) or n N_0 (W_2^2); metric."""

    root: FloatArray
    weight: FloatArray
    metric: Objective

    def error(self, log_gain: FloatArray) -> tuple[float, FloatArray]:
        """KL or W_2^2 of the chain's output, and its derivatives by ln c, (K,)."""
        if self.metric == "kl":
            value, slope = exp_minus_tangent(2 * log_gain) / 2, np.expm1(2 * log_gain)
        else:
            lost = np.expm1(log_gain)
            value, slope = lost**2, 2 * lost * (1 + lost)
        return float(self.weight @ value), self.weight * slope

    def residuals(self, log_gain: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(K,) signed numbers whose squares sum to the error, and their derivatives by ln c, (K,)."""
        scale = np.sqrt(self.weight)
        if self.metric == "w2":
            return scale * np.expm1(log_gain), scale * np.exp(log_gain)
        value = np.copysign(np.sqrt(exp_minus_tangent(2 * log_gain) / 2), log_gain)
        small = np.abs(log_gain) < 1e-8
        slope = np.expm1(2 * log_gain) / np.where(small, 1.0, 2 * value)
        return scale * value, scale * np.where(small, 1.0, slope)

    def condensed(self, most: int) -> Directions:
        """At most `most` directions: equal bins of ln lam, each at its weighted mean; the same if few enough."""
        if self.root.size <= most:
            return self
        log = np.log(self.root)
        bins = np.minimum((log - log[0]) / (log[-1] - log[0]) * most, most - 1).astype(np.intp)
        weight: FloatArray = np.bincount(bins, self.weight, most).astype(np.float64)
        mean = np.bincount(bins, self.weight * log, most)[weight > 0] / weight[weight > 0]
        return Directions(np.exp(mean), weight[weight > 0], self.metric)


def directions(lam: Any, multiplicities: npt.ArrayLike | None, metric: Objective, start: float) -> Directions:
    """The directions with variance and multiplicity above 0, equal variances merged; `start` is phi_0.

    Raises:
        ValueError: a negative, infinite or NaN entry; another shape; no direction left; unknown metric.
    """
    if metric not in ("kl", "w2"):
        raise ValueError(f'`objective` must be "kl" or "w2", got {metric!r}.')
    values = np.asarray(variances(lam)[1], dtype=np.float64)
    counts = np.ones(values.shape) if multiplicities is None else reals("multiplicities", multiplicities)[1]
    counts = np.asarray(counts, dtype=np.float64)
    if counts.shape != values.shape:
        raise ValueError(f"`multiplicities` must have the shape of `lam`, {values.shape}, got {counts.shape}.")
    bad = ~(np.isfinite(counts) & (counts >= 0))
    if bad.any():
        raise ValueError(f"`multiplicities` must be finite and non-negative, got {float(counts[bad][0])!r}.")
    there = (values > 0) & (counts > 0)  # a direction without variance is reproduced exactly by every schedule
    if not there.any():
        raise ValueError("`lam` must hold a variance > 0 with a multiplicity > 0, got none.")
    distinct, index = np.unique(values[there], return_inverse=True)
    weight: FloatArray = np.bincount(index.ravel(), counts[there]).astype(np.float64)
    if metric == "w2":
        weight = weight * (distinct * np.cos(start) ** 2 + np.sin(start) ** 2)
    return Directions(np.sqrt(distinct), weight, metric)
