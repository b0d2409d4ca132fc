"""Modified Gram-Schmidt by panels of 16 vectors, each vector a contiguous row.

What a panel takes from the vectors after it is two matrix products (BLAS). One pass leaves Q orthonormal to eps times
the condition of V and R backward stable (Bjorck 1967, BIT 7); a column that shrinks below 1e-6 of its size is
orthogonalised once more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["compute", "orthonormalise"]

_PANEL = 16


def _orthonormalise(V: Any, R: Any, rows: Any, lengths: Any, scales: Any, product: Any) -> None:
    """Overwrite V (d, k) by Q and R (k, k) by R, working in `rows` (k, d), two of (k,) and one of (d k,)."""
    d, k = V.shape
    eps = 2.220446049250313e-16 if V.itemsize == 8 else 1.1920929e-07
    for j in range(k):
        scales[j] = 0.0
    for i in range(d):
        for j in range(k):
            scales[j] = max(scales[j], abs(V[i, j]))
    for j in range(k):
        largest, scale = scales[j], 1.0  # a power of 2, so that no square leaves the range of floats
        if largest > 0.0 and math.isfinite(largest):
            scale = math.ldexp(1.0, min(max(math.frexp(largest)[1], -1020), 1020))
        scales[j] = scale
        lengths[j] = 1.0 / scale
    for i in range(d):
        for j in range(k):
            rows[j, i] = V[i, j] * lengths[j]
    for j in range(k):
        lengths[j] = _norm(rows[j])
        for c in range(k):
            R[j, c] = 0.0
    for begin in range(0, k, _PANEL):
        end = min(begin + _PANEL, k)
        for j in range(begin, end):
            v = rows[j]
            size = _norm(v)
            if j > 0 and size < 1e-6 * lengths[j]:  # most of the column is gone, and its orthogonality with it
                for m in range(j):
                    R[m, j] += _project(rows[m], v)
                size = _norm(v)
            if size <= 8 * d * eps * lengths[j] and math.isfinite(size):  # dead; nan is not
                for i in range(d):
                    v[i] = 0.0
                continue
            R[j, j] = size
            inverse = 1.0 / size
            for i in range(d):
                v[i] *= inverse
            for m in range(j + 1, end):
                R[j, m] = _project(v, rows[m])
        if end < k:
            overlap = np.dot(rows[end:], rows[begin:end].T)
            rest = product[: (k - end) * d].reshape(k - end, d)
            np.dot(overlap, rows[begin:end], rest)
            for m in range(end, k):
                for i in range(d):
                    rows[m, i] -= rest[m - end, i]
                for j in range(begin, end):
                    R[j, m] = overlap[m - end, j - begin]
    for m in range(k):
        for j in range(m, k):
            R[m, j] *= scales[j]
    for i in range(d):
        for j in range(k):
            V[i, j] = rows[j, i]


def _norm_of(v: Any) -> Any:
    square = 0.0
    for i in range(v.size):
        square += v[i] * v[i]
    return math.sqrt(square)


def _project_out(q: Any, v: Any) -> Any:
    """Take from v its part along the unit vector q, and return its size; a zero q takes nothing."""
    overlap = 0.0
    for i in range(v.size):
        overlap += q[i] * v[i]
    for i in range(v.size):
        v[i] -= overlap * q[i]
    return overlap


_FAST: Any = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}
_norm = njit(**_FAST)(_norm_of)
_project = njit(**_FAST)(_project_out)
orthonormalise = njit(**_FAST)(_orthonormalise)


def _batch(V: Any, R: Any) -> None:
    d, k = V.shape[1:]
    rows, product = np.empty((k, d), V.dtype), np.empty(k * d, V.dtype)
    lengths, scales = np.empty(k), np.empty(k)
    for b in range(V.shape[0]):
        orthonormalise(V[b], R[b], rows, lengths, scales, product)


_compute = njit(cache=True, nogil=True)(_batch)


def compute(V: Any) -> tuple[Any, Any]:
    """Q (B, d, k) and R (B, k, k)."""
    Q = np.array(V, order="C")
    R = np.empty((Q.shape[0], Q.shape[2], Q.shape[2]), dtype=Q.dtype)
    _compute(Q, R)
    return Q, R
