"""Formulas F[t, k] = f(schedule_t, lam_k), evaluated in blocks that stay in cache, on any array-API namespace.

A formula is called as formula(xp, lam, *columns) with lam of shape (1, n) and each column, a quantity of the
schedule, of shape (steps, 1), all of lam's kind and precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from array_api_compat import is_numpy_namespace

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.dynamics.arrays import reals

__all__ = ["accumulate", "fill", "variances"]

_BLOCK = 1 << 14  # entries of one block: every temporary stays in cache


def variances(lam: Any) -> tuple[Any, Any]:
    """The array namespace of `lam`, and `lam` as an array of floats; ValueError unless non-negative and finite."""
    xp, values = reals("lam", lam)
    bad = ~((values >= 0) & xp.isfinite(values))
    if xp.any(bad):
        raise ValueError(f"`lam` must hold finite variances >= 0, got {float(values[bad][0])!r}.")
    return xp, values


def _blocks(xp: Any, lam: Any, *columns: FloatArray) -> Iterator[tuple[slice, list[Any]]]:
    """Blocks of steps, with each (T,) column as an array (steps, 1) of lam's kind and precision."""
    steps = columns[0].size
    tables = [xp.asarray(column[:, None], dtype=lam.dtype) for column in columns]
    width = max(1, _BLOCK // max(1, math.prod(lam.shape))) if is_numpy_namespace(xp) else steps  # no cache elsewhere
    for start in range(0, steps, width):
        rows = slice(start, min(start + width, steps))
        yield rows, [table[rows, :] for table in tables]


def fill(lam: Any, columns: tuple[FloatArray, ...], formula: Callable[..., Any]) -> Any:
    """formula(xp, lam, *columns) for every step and every lam, (T, *lam.shape)."""
    xp, lam = variances(lam)
    flat = xp.reshape(lam, (1, -1))
    out = xp.empty((columns[0].size, flat.shape[1]), dtype=lam.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):  # limits at 0 and inf are taken by the formulas
        for rows, block in _blocks(xp, flat, *columns):
            out[rows, :] = formula(xp, flat, *block)
    return xp.reshape(out, (out.shape[0], *lam.shape))


def _pairwise_sum(xp: Any, terms: Any) -> Any:
    """Sum over the first axis by halves, (m, n) -> (n,): the rounding grows with log m."""
    if terms.shape[1] == 1:
        return xp.sum(terms, axis=0)  # contiguous: NumPy sums by halves itself
    while terms.shape[0] > 1:
        half = terms.shape[0] // 2
        terms = xp.concat([terms[:half, :] + terms[half : 2 * half, :], terms[2 * half :, :]])
    return terms[0, :]


def accumulate(lam: Any, columns: tuple[FloatArray, ...], formula: Callable[..., Any]) -> Any:
    """Sum over the steps of formula(xp, lam, *columns), compensated (Neumaier 1974); lam.shape."""
    xp, lam = variances(lam)
    flat = xp.reshape(lam, (1, -1))
    total = lost = xp.zeros((flat.shape[1],), dtype=lam.dtype)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for _, block in _blocks(xp, flat, *columns):
            term = _pairwise_sum(xp, formula(xp, flat, *block))
            new = total + term
            larger = xp.abs(total) >= xp.abs(term)
            lost = lost + xp.where(larger, (total - new) + term, (term - new) + total)
            total = new
    total = xp.where(xp.isfinite(total), total + lost, total)  # inf - inf in `lost` is no loss
    total = xp.reshape(total, lam.shape)
    return total[()] if total.ndim == 0 else total  # NumPy's scalar, as from its own sums
