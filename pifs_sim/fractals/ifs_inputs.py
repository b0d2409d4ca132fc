"""What an IFS is made of: its arrays, the probabilities, and the integers that the chaos game draws by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import reals

__all__ = ["affine_maps", "checked", "cuts", "natural"]

Floats = npt.NDArray[np.float64]

_UNIT = 2.0**-32
_SHARE = 0.01  # of the sum of the others, for a map that has no area


def affine_maps(matrices: Any, offsets: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """New arrays (M, d, d) and (M, d), both float32 if they were, else float64; ValueError for anything else."""
    A, b = reals("matrices", matrices)[1], reals("offsets", offsets)[1]
    if not (isinstance(A, np.ndarray) and isinstance(b, np.ndarray)):
        raise ValueError(f"`matrices` and `offsets` must be NumPy arrays, got {type(A).__name__}, {type(b).__name__}.")
    if A.ndim != 3 or 0 in A.shape or A.shape[1] != A.shape[2]:
        raise ValueError(f"`matrices` must have shape (M, d, d), got {A.shape}.")
    if b.shape != A.shape[:2]:
        raise ValueError(f"`offsets` must have shape {A.shape[:2]}, as `matrices` have {A.shape}, got {b.shape}.")
    for name, array in (("matrices", A), ("offsets", b)):
        if not np.isfinite(array).all():
            raise ValueError(f"`{name}` must be finite, got {float(array[~np.isfinite(array)][0])!r}.")
    dtype = np.float32 if A.dtype == b.dtype == np.float32 else np.float64
    return A.astype(dtype), b.astype(dtype)


def checked(probabilities: npt.ArrayLike, count: int) -> Floats:
    """(M,) of sum 1; ValueError unless they are at least 2^-32 and sum to 1 within 1e-9."""
    p = np.array(reals("probabilities", probabilities)[1], dtype=np.float64)
    if p.shape != (count,):
        raise ValueError(f"`probabilities` must have shape ({count},), got {p.shape}.")
    if not (p >= _UNIT).all():
        raise ValueError(f"`probabilities` must be at least 2^-32, got {float(p[~(p >= _UNIT)][0])!r}.")
    if not abs(p.sum() - 1) <= 1e-9:
        raise ValueError(f"`probabilities` must sum to 1, got {float(p.sum())!r}.")
    return np.asarray(p / p.sum())


def natural(matrices: Floats) -> Floats:
    """Proportional to |det A_i|, or to |A_i|_2 where all determinants are 0; see `IFS`."""
    norms = np.linalg.norm(matrices, 2, axis=(1, 2))
    areas = np.abs(np.linalg.det(matrices))
    areas[areas <= 1e-12 * norms ** matrices.shape[1]] = 0.0
    if areas.any():
        weights = np.where(areas > 0, areas, _SHARE * areas.sum())
    else:
        weights = np.maximum(norms, _SHARE * norms.max()) if norms.any() else np.ones(len(norms))
    weights = weights / weights.sum()
    return np.asarray(np.maximum(weights, _UNIT) / np.maximum(weights, _UNIT).sum())


def cuts(p: Floats) -> npt.NDArray[np.uint32]:
    """(M - 1,): map i has the share (cuts[i] - cuts[i - 1])/2^32, so p_i to within 2^-32, and never 0."""
    shares = np.maximum(np.rint(p / _UNIT), 1).astype(np.int64)
    shares[shares.argmax()] += 2**32 - shares.sum()
    return np.cumsum(shares)[:-1].astype(np.uint32)
