"""Numbers of pairs of points closer than given radii: the correlation sum (Grassberger, Procaccia 1983, Physica D 9).

count(r) = #{i < j : j - i > theiler, |x_i - x_j|^2 < r^2}, strictly, with the Euclidean norm. The square of a distance
is the float64 sum of the squared differences in the order of the axes, whatever the points are, and r^2 is rounded
once: every backend does the same arithmetic, so that all agree in every count, ties included.

Shapes: points (N, d), radii (R,) ascending; counts (R,).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["compute"]


def compute(
    points: Any, radii: Any, *, theiler: int = 0, backend: Literal["reference", "cpu"] | None = None
) -> npt.NDArray[np.int64]:
    """Pairs closer than each radius, (R,); `backend` None takes "cpu".

    Raises:
        ValueError: arrays that are not NumPy's, points that are not (N, d) and finite, radii that are not positive and
            ascending, `theiler` < 0, or an unknown backend.
    """
    if not (isinstance(points, np.ndarray) and isinstance(radii, np.ndarray)):
        raise ValueError(f"pairs are counted in NumPy arrays, got {type(points).__name__} and {type(radii).__name__}.")
    if points.ndim != 2 or points.size == 0 or not np.isfinite(points).all():
        raise ValueError(f"`points` must be finite, of shape (N, d) and not empty, got shape {points.shape}.")
    if radii.ndim != 1 or not ((np.diff(radii, prepend=0.0) > 0).all() and (radii < np.inf).all()):
        raise ValueError(f"`radii` must be positive, finite and ascending, got {radii!r:.80}.")
    if theiler < 0:
        raise ValueError(f"`theiler` must be >= 0, got {theiler}.")
    squares = np.square(radii, dtype=np.float64)
    if backend == "reference":
        from pifs_sim.kernels.pair_counting import reference

        return reference.compute(points, squares, theiler)
    if backend in (None, "cpu"):
        from pifs_sim.kernels.pair_counting import cpu

        return cpu.compute(points, squares, theiler)
    raise ValueError(f'`backend` must be "reference" or "cpu", got {backend!r}.')
