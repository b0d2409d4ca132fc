"""Numbers of occupied boxes of nested grids.

The cube origin + [0, side]^d is cut into q^k boxes along each axis, k = 0..levels, where q is the ratio, 2 by default.
A point lies in the box of indices min(floor((x - origin) q^levels/side), q^levels - 1) at the finest level and in its
parents above: a point on the far face of the cube belongs to the last box, every other face to the box that begins
there. The arithmetic is float64
whatever the points are, and the same in every backend, so that backends agree in every count.

Shapes: points (N, d), origins (M, d), one grid each; counts (M, levels + 1). NumPy or CuPy arrays, the same kind out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["MAX_LEVELS", "compute", "corners"]

MAX_LEVELS = 53  # 2^53 - 1 is the last index that a float64 counts up to


def compute(
    points: Any,
    origins: Any,
    side: float,
    *,
    levels: int,
    ratio: int = 2,
    backend: Backend | None = None,
) -> Any:
    """Occupied boxes of side `side`/ratio^k, (M, levels + 1); `backend` None takes that of the arrays.

    Raises:
        ValueError: shapes that do not match, no point, a point outside of a cube (or nan), `side` not positive, `ratio`
            below 2, `levels` negative or ratio^levels above 2^53, or a backend that is unknown or cannot take the
            arrays.
        MemoryError: keys that do not fit into the GPU's memory.
    """
    backend = chosen(backend, points=points, origins=origins)
    if points.ndim != 2 or points.size == 0 or origins.ndim != 2 or origins.shape[1] != points.shape[1]:
        raise ValueError(
            f"`points` and `origins` must have shapes (N, d), (M, d), got {points.shape}, {origins.shape}."
        )
    if ratio < 2:
        raise ValueError(f"`ratio` must be at least 2, got {ratio}.")
    if not (0 <= levels <= MAX_LEVELS and ratio**levels <= 2**MAX_LEVELS):
        raise ValueError(f"`levels` must be at least 0 and {ratio}^levels at most 2^{MAX_LEVELS}, got {levels}.")
    if not (0 < side < np.inf and float(ratio) ** levels / side < np.inf):
        raise ValueError(f"`side` must be positive and {ratio}^levels/side finite, got {side!r} with levels {levels}.")
    low, high = corners(points)
    if not ((low - origins >= 0).all() and (high - origins <= side).all()):
        raise ValueError(f"`points` must lie in the cubes of side {side!r}, got points from {low} to {high}.")
    return module_of(__name__, backend).compute(points, origins, side, levels, ratio)


def corners(points: Any) -> tuple[Any, Any]:
    """The lowest and the highest coordinates along each axis, (d,) float64; nan if there is one.

    Rows are taken by the hundred: NumPy reduces arrays with short rows thirty times more slowly.
    """
    n, d = points.shape
    hundreds = n // 100 if isinstance(points, np.ndarray) else 0
    if hundreds:
        wide, rest = points[: 100 * hundreds].reshape(hundreds, 100 * d), points[100 * hundreds :]
        points = np.concatenate([wide.min(axis=0).reshape(100, d), wide.max(axis=0).reshape(100, d), rest])
    return points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
