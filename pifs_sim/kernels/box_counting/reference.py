"""The definition: the different rows among the boxes of the points, at one level after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["compute"]


def compute(points: Any, origins: Any, side: float, levels: int, ratio: int) -> npt.NDArray[np.int64]:
    """Occupied boxes, (M, levels + 1)."""
    counts = np.empty((len(origins), levels + 1), np.int64)
    for grid, origin in enumerate(origins.astype(np.float64)):
        position = (points.astype(np.float64) - origin) * (float(ratio) ** levels / side)
        boxes = np.minimum(np.floor(position), float(ratio) ** levels - 1).astype(np.int64)
        for k in range(levels + 1):
            counts[grid, k] = len(np.unique(boxes // ratio ** (levels - k), axis=0))
    return counts
