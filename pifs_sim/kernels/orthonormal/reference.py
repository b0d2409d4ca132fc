"""Gram-Schmidt, column by column, each orthogonalised twice (twice is enough: Giraud et al. 2005, Numer. Math. 101)."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

__all__ = ["compute"]


def compute(V: Any) -> tuple[Any, Any]:
    """Q (B, d, k) and R (B, k, k)."""
    xp = array_namespace(V)
    batch, d, k = V.shape
    largest = xp.max(xp.abs(V), axis=1, keepdims=True)
    usable = (largest > 0) & xp.isfinite(largest)
    scale = xp.exp2(xp.floor(xp.log2(xp.where(usable, largest, 1.0))))  # so that no square leaves the range of floats
    W = V / scale
    Q, R = xp.zeros_like(V), xp.zeros((batch, k, k), dtype=V.dtype)
    for j in range(k):
        v = W[:, :, j : j + 1]
        rounding = 8 * d * float(xp.finfo(V.dtype).eps) * xp.linalg.vector_norm(v, axis=1)
        for _ in range(2):
            overlap = xp.matmul(xp.matrix_transpose(Q), v)
            v = v - xp.matmul(Q, overlap)
            R[:, :, j] += overlap[:, :, 0]
        size = xp.linalg.vector_norm(v, axis=1)
        dead = (size <= rounding) & xp.isfinite(size)  # nan is not
        Q[:, :, j] = xp.where(dead, 0.0, v[:, :, 0] / xp.where(dead, 1.0, size))
        R[:, j, j] = xp.where(dead, 0.0, size)[:, 0]
    return Q, R * scale
