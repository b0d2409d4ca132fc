"""Dimensions of attractors: the Kaplan-Yorke (Lyapunov) dimension of a spectrum.

d = j + (Lambda_1 + ... + Lambda_j)/|Lambda_{j+1}|, j the largest index with a non-negative partial sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import reals

__all__ = ["Estimate", "kaplan_yorke_dimension", "kaplan_yorke_estimate"]


class Estimate(NamedTuple):
    """A number with its standard error."""

    value: float
    stderr: float


def kaplan_yorke_dimension(exponents: npt.ArrayLike, multiplicities: npt.ArrayLike | None = None) -> float:
    """Kaplan-Yorke dimension of a Lyapunov spectrum, in any order.

    d = j + S_j/|Lambda_{j+1}|, where S_j is the sum of the j largest exponents (counted with multiplicity)
    and j the largest index with S_j >= 0; d = n, the number of directions, if no partial sum is negative, and
    0 if the largest exponent is negative. Equivalently the largest zero of the piecewise linear x -> S_x.

    Args:
        exponents: (m,) Lyapunov exponents, -inf allowed (a dead direction).
        multiplicities: (m,) non-negative integers; 1 by default.

    Returns:
        The dimension, in [0, n].

    Raises:
        ValueError: empty, NaN, +inf, or multiplicities of another shape, negative or not integers.

    Source: Kaplan, Yorke 1979, Lecture Notes in Mathematics 730, 204-227.

    >>> kaplan_yorke_dimension([0.5, -1.0])
    1.5
    >>> kaplan_yorke_dimension([1.0, 0.0, -2.0], [1, 1, 3])
    2.5
    """
    values = np.asarray(reals("exponents", exponents)[1], dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"`exponents` must be one-dimensional and not empty, got shape {values.shape}.")
    bad = np.isnan(values) | (values == np.inf)
    if bad.any():
        raise ValueError(f"`exponents` must be real numbers or -inf, got {float(values[bad][0])!r}.")
    counts = np.ones(values.shape)
    if multiplicities is not None:
        counts = np.asarray(reals("multiplicities", multiplicities)[1], dtype=np.float64)
    if counts.shape != values.shape:
        raise ValueError(f"`multiplicities` must have the shape of `exponents`, {values.shape}, got {counts.shape}.")
    bad = ~((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts))
    if bad.any():
        raise ValueError(f"`multiplicities` must be integers >= 0, got {float(counts[bad][0])!r}.")
    if not counts.any():
        raise ValueError("`multiplicities` must count at least one direction, got only zeros.")

    order = np.argsort(-values, kind="stable")
    dimension, partial = 0, Fraction(0)  # exact partial sums: a tie with zero is one
    for exponent, count in zip(values[order].tolist(), map(int, counts[order].tolist()), strict=True):
        if count == 0:
            continue
        if exponent == -math.inf:
            break
        after = partial + count * Fraction(exponent)
        if after < 0:
            return float(dimension + partial / -Fraction(exponent))
        dimension, partial = dimension + count, after
    return float(dimension)


def kaplan_yorke_estimate(
    exponents: npt.NDArray[np.float64], dim: int, error: Callable[[npt.NDArray[np.float64]], float]
) -> Estimate:
    """Kaplan-Yorke dimension of measured exponents, with the error of its linear part.

    d = j + S_j/|Lambda_{j+1}| has the gradient 1/|Lambda_{j+1}| in the first j exponents and S_j/Lambda_{j+1}^2 in the
    next; where no exponent follows, or the next is -inf, the dimension is an integer and its error 0.

    Args:
        exponents: (k,) descending, the leading ones of `dim`.
        dim: number of directions d.
        error: the standard error of sum_i g_i Lambda_i, from the gradient g (k,).

    Returns:
        value and stderr, both nan if an exponent is nan, or if k < d exponents have no negative sum.
    """
    if np.isnan(exponents).any():
        return Estimate(math.nan, math.nan)
    partial = np.cumsum(exponents)
    j = int((partial >= 0).sum()) if (partial >= 0).all() else int((partial < 0).argmax())
    if j == len(exponents):
        return Estimate(float(dim), 0.0) if j == dim else Estimate(math.nan, math.nan)
    gradient = np.zeros(len(exponents))
    if j > 0 and exponents[j] > -math.inf:
        gradient[:j], gradient[j] = -1 / exponents[j], partial[j - 1] / exponents[j] ** 2
    return Estimate(kaplan_yorke_dimension(exponents), error(gradient) if gradient.any() else 0.0)
