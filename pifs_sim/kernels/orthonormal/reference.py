"""Gram-Schmidt, column by column, each orthogonalised twice (twice is enough: Giraud et al. 2005, Numer. Math. 101)."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

__all__ = ["compute"]


def compute(V: Any) -> tuple[Any, Any]:
    """Q (B, d, k) and R (B, k, k)."""
    xp = array_namespace(V)
    batch, d, k = V.shape
    Q, R = xp.zeros_like(V), xp.zeros((batch, k, k), dtype=V.dtype)
    for j in range(k):
        v = V[:, :, j : j + 1]
        rounding = 8 * d * float(xp.finfo(V.dtype).eps) * xp.linalg.vector_norm(v, axis=1)
        for _ in range(2):
            overlap = xp.matmul(xp.matrix_transpose(Q), v)
            v = v - xp.matmul(Q, overlap)
            R[:, :, j] += overlap[:, :, 0]
        size = xp.linalg.vector_norm(v, axis=1)
        size = xp.where(size > rounding, size, xp.zeros_like(size))
        Q[:, :, j] = xp.where(size > 0, v[:, :, 0] / xp.where(size > 0, size, 1.0), 0.0)
        R[:, j, j] = size[:, 0]
    return Q, R
