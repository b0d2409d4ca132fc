"""Small dense linear algebra on batches of matrices, of any array kind that has the linear algebra extension."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from array_api_compat import array_namespace

__all__ = [
    "diagonal_submatrix",
    "eigenvalues",
    "is_symmetric",
    "log_size",
    "log_size_of_sum",
    "ordered",
    "runs",
    "solved",
    "spectral_norm",
    "submatrix",
    "symmetrised",
    "times",
    "transposed",
]

_RUN = 1 << 19  # numbers
_NARROW = 8  # columns: up to here one product for the whole batch beats B products, in spite of its copies


def transposed(matrices: Any) -> Any:
    """(..., m, n) to (..., n, m)."""
    return array_namespace(matrices).matrix_transpose(matrices)


def times(matrices: Any, V: Any) -> Any:
    """Matrices (B, m, d) times V (B, d, p) or (d, p), batches of 1 serving all, as (B, m, p)."""
    xp = array_namespace(matrices, V)
    if matrices.shape[0] == 1 and V.ndim == 3 and V.shape[0] > 1 and V.shape[2] <= _NARROW:
        return transposed(xp.tensordot(V, matrices[0, ...], axes=((1,), (1,))))
    return xp.matmul(matrices, V)


def is_symmetric(matrices: Any) -> bool:
    """Whether all matrices (B, n, n) equal their transposes, exactly."""
    return bool(array_namespace(matrices).all(matrices == transposed(matrices)))


def symmetrised(matrices: Any) -> Any:
    """(A + A^T)/2 of matrices (B, n, n) that are symmetric but for rounding."""
    return (matrices + transposed(matrices)) / 2


def diagonal_submatrix(values: Any, rows: Any, columns: Any) -> Any:
    """Entries (B, n, m) of diag(values), (B, d), at index arrays; None for all columns."""
    xp = array_namespace(values)
    found = xp.asarray(np.arange(values.shape[1]) if columns is None else columns)
    rows = xp.asarray(rows)
    return xp.where(rows[:, None] == found[None, :], xp.take(values, rows, axis=1)[:, :, None], 0.0)


def submatrix(matrices: Any, rows: Any, columns: Any) -> Any:
    """Entries (B, n, m) of matrices at index arrays; None for all."""
    xp = array_namespace(matrices)
    for axis, chosen in ((1, rows), (2, columns)):
        matrices = matrices if chosen is None else xp.take(matrices, xp.asarray(chosen), axis=axis)
    return matrices


def spectral_norm(matrices: Any) -> Any:
    """Largest singular value of matrices (..., m, n), as (...); 0 without rows or columns."""
    xp = array_namespace(matrices)
    if 0 in matrices.shape[-2:]:
        return xp.zeros(matrices.shape[:-2], dtype=matrices.dtype)
    return xp.linalg.svdvals(matrices)[..., 0]


def ordered(values: Any) -> Any:
    """Real values descending, complex ones by decreasing modulus, along the last axis."""
    xp = array_namespace(values)
    if xp.isdtype(values.dtype, "real floating"):
        return xp.sort(values, axis=-1, descending=True)
    return xp.take_along_axis(values, xp.argsort(xp.abs(values), axis=-1, descending=True), axis=-1)


def eigenvalues(matrices: Any, symmetric: bool) -> Any:
    """Eigenvalues of matrices (..., n, n): real if they are symmetric, else complex; in no stated order."""
    linalg = array_namespace(matrices).linalg
    if symmetric:
        return linalg.eigvalsh(matrices)
    values = linalg.eigvals(matrices)
    xp = array_namespace(values)
    # NumPy returns reals where no eigenvalue happens to be complex
    return xp.astype(values, xp.complex64 if matrices.dtype == xp.float32 else xp.complex128, copy=False)


def runs(batch: int, numbers: int) -> Iterator[slice]:
    """Slices of a batch whose samples need so many numbers each: one sample, or as many as keep to a few megabytes."""
    width = max(1, _RUN // max(1, numbers))
    return (slice(start, min(start + width, batch)) for start in range(0, batch, width))


def log_size(x: Any) -> Any:
    """ln|x|, -inf at 0."""
    xp = array_namespace(x)
    size = xp.abs(x)
    zero = size == 0
    return xp.where(zero, -xp.inf, xp.log(xp.where(zero, 1.0, size)))


def log_size_of_sum(x: Any, y: Any) -> Any:
    """ln|x + y|, -inf at 0, to the digits of y where that is small beside x."""
    xp = array_namespace(x, y)
    small = 2 * xp.abs(y) < xp.abs(x)
    near = log_size(x) + xp.log1p(xp.where(small, y, 0.0) / xp.where(x == 0, 1.0, x))
    return xp.where(small, near, log_size(x + y))


def solved(matrices: Any, V: Any) -> Any:
    """The solution X of matrices @ X = V; ValueError where a matrix is singular, exactly."""
    xp = array_namespace(matrices, V)
    try:
        solution = xp.linalg.solve(matrices, V)
    except np.linalg.LinAlgError:
        raise ValueError("a singular operator cannot be solved.") from None
    if not xp.all(xp.isfinite(solution)):  # what a GPU returns instead of an error
        raise ValueError("a singular operator cannot be solved, nor a right-hand side that is not finite.")
    return solution
