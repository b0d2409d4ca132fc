"""Formulas over (steps, variances), evaluated in blocks that stay in cache, on any array-API namespace.

A formula is called as formula(xp, lam, *columns) with lam of shape (1, n) and each column, a quantity of the
schedule, of shape (steps, 1), all of lam's kind and precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj, is_numpy_namespace

from pifs_sim.diffusion.angles import FloatArray

__all__ = ["accumulate", "fill", "variances"]

_BLOCK = 1 << 14  # entries of one block: every temporary stays in cache


def variances(lam: Any) -> tuple[Any, Any]:
    """`lam` as an array of non-negative finite floats, and its namespace."""
    if is_array_api_obj(lam):
        xp = array_namespace(lam)
        if lam.dtype != xp.float32:
            lam = xp.astype(lam, xp.float64)
    else:
        xp = array_namespace(np.empty(0))
        try:
            lam = np.asarray(lam, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"`lam` must hold real numbers, got {lam!r:.80}.") from None
    bad = ~((lam >= 0) & xp.isfinite(lam))
    if xp.any(bad):
        raise ValueError(f"`lam` must hold finite variances >= 0, got {float(lam[bad][0])!r}.")
    return xp, lam


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


def accumulate(lam: Any, columns: tuple[FloatArray, ...], formula: Callable[..., Any]) -> Any:
    """Sum over the steps of formula(xp, lam, *columns), compensated (Neumaier 1974); lam.shape."""
    xp, lam = variances(lam)
    flat = xp.reshape(lam, (1, -1))
    total = lost = xp.zeros((flat.shape[1],), dtype=lam.dtype)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for _, block in _blocks(xp, flat, *columns):
            term = xp.sum(formula(xp, flat, *block), axis=0)
            new = total + term
            larger = xp.abs(total) >= xp.abs(term)
            lost = lost + xp.where(larger, (total - new) + term, (term - new) + total)
            total = new
    total = xp.where(xp.isfinite(total), total + lost, total)  # inf - inf in `lost` is no loss
    return xp.reshape(total, lam.shape)[()]
