"""V = Q R for the frames of a tile of samples, side by side: Gram-Schmidt, or Cholesky factors of many vectors.

In Gram-Schmidt each vector is orthogonalised against those before it, and once more where it shrinks to less than
`_AGAIN` of itself. It finds dead vectors, and stands in for samples whose Cholesky factors fail.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from pifs_sim.kernels.tangent_chain.cholesky_qr import by_cholesky
from pifs_sim.kernels.tangent_chain.pulls import dot, subtract

__all__ = ["factorised"]

FEW = 32  # the most vectors that are not many
_AGAIN = 1e-2


def _gram_schmidt(V: Any, R: Any, d: int, size: int, eps: float) -> None:
    """V = Q R for the samples of a tile, in place; vectors `size` apart, R[(l p + j) W + w]."""
    p = V.size // size
    W = R.size // (p * p)
    before, after, part = np.empty(W, V.dtype), np.empty(W, V.dtype), np.empty(W, V.dtype)
    R[:] = 0
    for j in range(p):
        dot(V, j * size, V, j * size, d, before, 0)
        for again in range(2):
            for m in range(j):
                dot(V, m * size, V, j * size, d, part, 0)
                if again:
                    for w in range(W):
                        part[w] = part[w] if after[w] < _AGAIN * _AGAIN * before[w] else 0.0
                subtract(V, m * size, V, j * size, d, part, 0)
                for w in range(W):
                    R[(m * p + j) * W + w] += part[w]
            dot(V, j * size, V, j * size, d, after, 0)
            if not (after < _AGAIN * _AGAIN * before).any():
                break
        for w in range(W):
            length = math.sqrt(after[w])
            dead = length <= 8 * d * eps * math.sqrt(before[w]) and math.isfinite(length)
            R[(j * p + j) * W + w] = 0.0 if dead else length
            part[w] = 0.0 if dead else 1.0 / length
        for i in range(d):
            for w in range(W):
                V[j * size + i * W + w] *= part[w]


_by_gram_schmidt = njit(error_model="numpy")(_gram_schmidt)


def _chosen(V: Any, R: Any, d: int, size: int, eps: float, whole: bool) -> None:
    """V becomes Q and R its factor, or only the diagonal unless `whole`; each lane by itself."""
    p = V.size // size
    W = R.size // (p * p)
    if p <= FEW:
        _by_gram_schmidt(V, R, d, size, eps)
        return
    given, good = V.copy(), np.empty(W, np.bool_)
    by_cholesky(V, R, d, size, eps, whole, good)
    if good.all():
        return
    other = np.empty(R.size, R.dtype)
    _by_gram_schmidt(given, other, d, size, eps)
    for w in range(W):
        if not good[w]:
            V[w::W] = given[w::W]
            R[w::W] = other[w::W]


_led = njit(error_model="numpy")(_chosen)


def _factorise(V: Any, R: Any, d: int, size: int, logs: Any, factors: Any, kept: int, begin: int, here: int) -> None:
    """V becomes Q; ln R_jj of the first samples are added to logs[begin ..], and R goes to factors[kept], if any."""
    p, eps = V.size // size, 1.1920929e-07 if V.itemsize == 4 else 2.220446e-16
    W = R.size // (p * p)
    _led(V, R, d, size, eps, factors.shape[0] > 0)
    for w in range(here):
        for q in range(p):
            logs[begin + w, q] += math.log(R[(q * p + q) * W + w])
            if factors.shape[0]:
                for m in range(p):
                    factors[kept, begin + w, m, q] = R[(m * p + q) * W + w]


factorised = njit(error_model="numpy")(_factorise)
