"""Spearman's rank correlation of a few numbers, with p-values that are right for a few.

rho is Pearson's correlation of the ranks (ties share their mean rank). Its p-value is the share of all M! pairings with
a |rho| at least as large, counted for M <= 7; for larger M it is Student's t with M - 2 degrees of freedom in
rho sqrt((M - 2)/(1 - rho^2)). (Spearman 1904, Am. J. Psychol. 15; Kendall, Stuart, The Advanced Theory of Statistics.)
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.display import one_line

__all__ = ["RankCorrelation", "rank_correlation"]

Array = npt.NDArray[np.float64]

_COUNTED = 7  # 5040 pairings


class RankCorrelation(NamedTuple):
    """value, Spearman's rho, and pvalue, two-sided, arrays of one shape; nan where either side is constant."""

    value: Array
    pvalue: Array

    def __repr__(self) -> str:
        return one_line(self)


def _centred_ranks(values: Array) -> Array:
    """Ranks less their mean: half the numbers below less half those above."""
    order = np.sign(values[..., :, None] - values[..., None, :])
    half: Array = order.sum(axis=-1) / 2
    return half


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> RankCorrelation:
    """Spearman's rank correlation of M numbers with each row of M others.

    Args:
        first: (M,) at least 2.
        second: (..., M).

    Returns:
        rho and p, each (...); 1, at M = 2, is what any two numbers give.

    Raises:
        ValueError: fewer than 2 numbers, another M, or numbers that are not finite.

    >>> float(rank_correlation([1, 2, 3, 4], [40, 30, 20, 10]).value)
    -1.0
    """
    a = np.asarray(reals("first", first)[1], dtype=np.float64)
    b = np.asarray(reals("second", second)[1], dtype=np.float64)
    if a.ndim != 1 or a.size < 2:
        raise ValueError(f"`first` must hold at least 2 numbers on one axis, got shape {a.shape}.")
    if b.ndim < 1 or b.shape[-1] != a.size:
        raise ValueError(f"`second` must have shape (..., {a.size}) like `first`, got {b.shape}.")
    for name, values in (("first", a), ("second", b)):
        if not np.isfinite(values).all():
            raise ValueError(f"`{name}` must be finite.")
    ra, rb = _centred_ranks(a), _centred_ranks(b)
    size = np.sqrt((ra @ ra) * np.sum(rb**2, axis=-1))
    with np.errstate(invalid="ignore"):
        rho = np.clip(np.where(size > 0, rb @ ra, np.nan) / size, -1.0, 1.0)
    return RankCorrelation(rho, _counted(ra, rb) if a.size <= _COUNTED else _student(rho, a.size))


def _counted(ra: Array, rb: Array) -> Array:
    """Share of the pairings with a product of ranks at least as far from 0."""
    pairings = ra[np.array(list(permutations(range(ra.size))))]
    products = np.abs(rb @ pairings.T)
    # ranks are multiples of 1/2: products are exact, and equal ones equal
    share = np.mean(products >= np.abs(rb @ ra)[..., None], axis=-1)
    constant = ~(np.any(ra, axis=-1) & np.any(rb, axis=-1))
    return np.where(constant, np.nan, share)


def _student(rho: Array, count: int) -> Array:
    from scipy.special import stdtr  # of scipy.stats, which takes a second to import, only this is needed

    with np.errstate(divide="ignore"):
        statistic = np.abs(rho) * np.sqrt((count - 2) / ((1 - rho) * (1 + rho)))
    return np.asarray(2 * stdtr(count - 2, -statistic))
