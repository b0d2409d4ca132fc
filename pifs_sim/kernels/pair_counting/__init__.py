"""Numbers of pairs of points closer than given radii: the correlation sum (Grassberger, Procaccia 1983, Physica D 9).

count(r) = #{i < j : j - i > theiler, |x_i - x_j|^2 < r^2}, strictly, with the Euclidean norm. The square of a distance
is the float64 sum of the squared differences in the order of the axes, whatever the points are, and r^2 is rounded
once: every backend does the same arithmetic, so that all agree in every count, ties included.

Shapes: points (N, d), radii (R,) ascending; counts (R,). NumPy or CuPy arrays, the same kind out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["compute"]


def compute(points: Any, radii: Any, *, theiler: int = 0, backend: Backend | None = None) -> Any:
    """Pairs closer than each radius, (R,); `backend` None takes that of the arrays.

    Raises:
        ValueError: points that are not (N, d) and finite, radii that are not positive and ascending, `theiler` < 0, or
            a backend that is unknown or cannot take the arrays.
        MemoryError: points that do not fit into the GPU's memory.
    """
    backend = chosen(backend, points=points, radii=radii)
    xp = array_namespace(points)
    if points.ndim != 2 or points.size == 0 or not xp.isfinite(points).all():
        raise ValueError(f"`points` must be finite, of shape (N, d) and not empty, got shape {points.shape}.")
    if radii.ndim != 1 or not ((radii[:1] > 0).all() and (radii[1:] > radii[:-1]).all() and (radii < np.inf).all()):
        raise ValueError(f"`radii` must be positive, finite and ascending, got {radii!r:.80}.")
    if theiler < 0:
        raise ValueError(f"`theiler` must be >= 0, got {theiler}.")
    squares = xp.square(radii.astype(np.float64))
    return module_of(__name__, backend).compute(points, squares, theiler)
