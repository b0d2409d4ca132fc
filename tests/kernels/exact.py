"""Singular values by multiprecision arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import mpmath
import numpy as np

__all__ = ["log_singular_values", "product"]


def product(matrices: Iterable[np.ndarray], digits: int) -> Any:
    """The mpmath matrix A_n ... A_1 of (n, d, d) floats."""
    with mpmath.workdps(digits):
        whole: Any = None
        for A in matrices:
            factor = mpmath.matrix(np.asarray(A, dtype=float).tolist())
            whole = factor if whole is None else factor * whole
        return whole


def log_singular_values(A: Any, digits: int) -> list[float]:
    """ln of the singular values of an mpmath matrix, descending; -inf below half of the digits."""
    with mpmath.workdps(digits):
        values = mpmath.eigsy(A * A.T, eigvals_only=True)
        noise = max(abs(value) for value in values) * mpmath.mpf(10) ** (15 - digits)
        return sorted((float(mpmath.log(value) / 2) if value > noise else -np.inf for value in values), reverse=True)
