"""The door of the data laws: arrays, probabilities and covariances, checked once."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.operators.algebra import symmetrised, transposed

__all__ = ["principal_axes", "probabilities", "real_array", "same_kind", "variances"]


def real_array(name: str, values: Any, *axes: int) -> tuple[Any, Any]:
    """`values` as a finite float array with one of the numbers of `axes`, and its namespace, or ValueError."""
    xp, values = reals(name, values)
    if values.ndim not in axes or 0 in values.shape:
        allowed = " or ".join(map(str, axes))
        raise ValueError(f"`{name}` must have {allowed} axes and not be empty, got shape {tuple(values.shape)}.")
    if not xp.all(xp.isfinite(values)):
        raise ValueError(f"`{name}` must be finite.")
    return xp, values


def same_kind(name: str, values: Any, like: tuple[str, Any], *axes: int) -> Any:
    """`values` as a finite float array of the kind and precision of a named array, or ValueError."""
    xp, values = real_array(name, values, *axes)
    expected = array_namespace(like[1])
    if xp is not expected:
        kinds = f"{expected.__name__}, {xp.__name__}"
        raise ValueError(f"`{like[0]}` and `{name}` must be arrays of one kind, got {kinds}.")
    return xp.astype(values, like[1].dtype)


def probabilities(weights: Any, count: int, like: tuple[str, Any]) -> Any:
    """`weights` as `count` probabilities, then exact to rounding; ValueError if they miss one by 8 roundings each."""
    precision = reals("weights", weights)[1].dtype
    weights = same_kind("weights", weights, like, 1)
    xp = array_namespace(weights)
    if weights.shape != (count,):
        raise ValueError(f"`weights` must have shape ({count},) like `{like[0]}`, got {tuple(weights.shape)}.")
    if xp.min(weights) < 0:
        raise ValueError(f"`weights` must not be negative, got {float(xp.min(weights))!r}.")
    total = xp.sum(weights, dtype=xp.float64)
    eps = max(float(xp.finfo(precision).eps), float(xp.finfo(weights.dtype).eps))
    if abs(float(total) - 1) > 8 * count * eps:
        raise ValueError(f"`weights` must sum to one, got {float(total)!r}.")
    return weights / xp.astype(total, weights.dtype)


def variances(name: str, values: Any) -> Any:
    """`values` if none is negative, else ValueError."""
    least = float(array_namespace(values).min(values))
    if least < 0:
        raise ValueError(f"`{name}` must be positive semidefinite, got the variance {least:.6g}.")
    return values


def principal_axes(name: str, matrices: Any) -> tuple[Any, Any, Any]:
    """Symmetric positive semidefinite matrices (..., d, d), their eigenvalues and eigenvectors.

    Eigenvalues within d * eps of the largest are the rounding of the matrix and count as 0. Diagonal matrices have
    their entries, exactly, and None for eigenvectors. ValueError, naming `name`, for any other matrices.
    """
    xp, d = array_namespace(matrices), matrices.shape[-1]
    eps = float(xp.finfo(matrices.dtype).eps)
    size = xp.max(xp.abs(matrices), axis=(-2, -1), keepdims=True)
    skew = xp.abs(matrices - transposed(matrices))
    if xp.any(skew > 100 * eps * size):
        raise ValueError(
            f"`{name}` must be symmetric, got entries that differ by {float(xp.max(skew)):.3g} from the transpose."
        )
    matrices = symmetrised(matrices)
    values, vectors, rounding = xp.linalg.diagonal(matrices), None, 0.0
    if xp.any(matrices != values[..., None] * xp.eye(d, dtype=matrices.dtype)):
        values, vectors = xp.linalg.eigh(matrices)
        rounding = d * eps * xp.max(xp.abs(values), axis=-1, keepdims=True)
    if xp.any(values < -10 * rounding):
        least = float(xp.min(values))
        raise ValueError(f"`{name}` must be positive semidefinite, got the eigenvalue {least:.6g}.")
    return matrices, xp.where(values <= rounding, 0.0, values), vectors
