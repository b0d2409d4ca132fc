"""The definition: every pair, one lag after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["compute"]


def compute(points: Any, squares: Any, theiler: int) -> npt.NDArray[np.int64]:
    """Pairs with a squared distance below each of `squares`, (R,)."""
    x = points.astype(np.float64)
    counts = np.zeros(len(squares) + 1, np.int64)
    for lag in range(theiler + 1, len(x)):
        distance = np.zeros(len(x) - lag)
        for difference in (x[lag:] - x[:-lag]).T:
            distance += difference * difference
        counts += np.bincount(np.searchsorted(squares, distance, side="right"), minlength=len(squares) + 1)
    return np.cumsum(counts)[:-1]
