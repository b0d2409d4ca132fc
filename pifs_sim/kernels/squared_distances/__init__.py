"""Squared distances of points to moved centres: D_bk = sum_i w_ki (x_bi - near_b y_ki - far_b y_ki)^2.

A diffused centre is cos(phi) y. With (near, far) = (1, cos(phi) - 1) the first difference of a centre near x is exact
(Sterbenz) and the second term small, so that D keeps its digits where its terms are large: at small angles, where D is
divided by sin^2(phi). With (cos(phi), 0), nothing is left of y at pi/2.

Shapes: x (B, d), y (K, d), near and far (B,), weights w (K, d) or (B, K, d), or None for ones; D (B, K). All
arithmetic is in float64, and so are x, near, far and w: logits are small differences of large distances. y may be
float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["compute"]

_SMALL = 1 << 16  # terms that take less time than to import Numba


def compute(
    x: Any,
    y: Any,
    moved: tuple[Any, Any],
    *,
    weights: Any = None,
    backend: Backend | None = None,
) -> Any:
    """D, (B, K) in float64, for moved = (near, far).

    `backend` None takes "cpu" for large NumPy arrays, "cuda" for CuPy arrays, else "reference".

    Raises:
        ValueError: shapes that do not fit, or a backend that is unknown or cannot take the arrays.
        MemoryError: distances that do not fit into the GPU's memory.
    """
    (batch, d), (count, _), (near, far) = x.shape, y.shape, moved
    if y.shape[1] != d or not near.shape == far.shape == (batch,):
        raise ValueError(f"`x`, `y` and `moved` do not fit: shapes {(batch, d)}, {(count, y.shape[1])}, {near.shape}.")
    if weights is not None and tuple(weights.shape) not in ((count, d), (batch, count, d)):
        expected = f"{(count, d)} or {(batch, count, d)}"
        raise ValueError(f"`weights` must have shape {expected}, got {tuple(weights.shape)}.")
    small = backend is None and isinstance(x, np.ndarray) and batch * count * d <= _SMALL
    arrays = {"x": x, "y": y, "near": near, "far": far} | ({} if weights is None else {"weights": weights})
    backend = chosen("reference" if small else backend, generic=True, **arrays)
    return module_of(__name__, backend).compute(x, y, near, far, weights)
