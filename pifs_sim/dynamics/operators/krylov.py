"""The largest singular value of operators that are only applied, by Lanczos' iteration on A^T A.

The Krylov space of A^T A and a fixed start has an orthonormal basis v_1, ..., v_k in which A^T A is tridiagonal; the
largest eigenvalue theta of that matrix grows to sigma_1^2. With y its eigenvector, the residual of theta is
rho = beta_k |y_k|, and the error at most min(rho, rho^2/gap). All earlier vectors are projected out of each new one.
Source: Golub, Van Loan 2013, Matrix Computations, section 10.1.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from array_api_compat import array_namespace

__all__ = ["largest_singular_value"]

_ROUNDINGS = 1024  # of the residual relative to theta, at which the iteration stops


class _Applied(Protocol):
    @property
    def shape(self) -> tuple[int, int, int]: ...

    @property
    def T(self) -> _Applied: ...  # noqa: N802

    def __matmul__(self, V: Any) -> Any: ...


def largest_singular_value(operator: _Applied, *, like: Any) -> Any:
    """||A||_2 of a batch of operators, (B,), in the kind and precision of `like`, to a relative 1024 roundings."""
    xp, (batch, d, _) = array_namespace(like), operator.shape
    transposed = operator.T
    start = np.cos(np.arange(1, d + 1, dtype=np.float64) ** 2)  # no direction that a structured operator favours
    v = xp.asarray(np.tile(start / np.linalg.norm(start), (batch, 1)), dtype=like.dtype)
    basis = v[:, None, :]
    alphas, betas = [], [xp.zeros((batch,), dtype=like.dtype)]
    best, settled = xp.zeros((batch,), dtype=like.dtype), xp.zeros((batch,), dtype=xp.bool)
    tolerance = _ROUNDINGS * float(xp.finfo(like.dtype).eps)
    for k in range(1, d + 1):
        w = (transposed @ (operator @ v[:, :, None]))[:, :, 0]
        alphas.append(xp.sum(v * w, axis=-1))
        for _ in range(2):  # twice is enough
            w = w - xp.matmul(xp.matmul(basis, w[:, :, None])[:, None, :, 0], basis)[:, 0, :]
        beta = xp.linalg.vector_norm(w, axis=-1)
        above = xp.eye(k, k=1, dtype=like.dtype) * xp.stack(betas, axis=-1)[:, None, :]
        tridiagonal = xp.eye(k, dtype=like.dtype) * xp.stack(alphas, axis=-1)[:, None, :]
        values, vectors = xp.linalg.eigh(tridiagonal + above + xp.matrix_transpose(above))
        best = xp.where(settled, best, values[:, -1])
        settled = settled | (beta * xp.abs(vectors[:, -1, -1]) <= tolerance * values[:, -1])
        if xp.all(settled):
            break
        betas.append(beta)
        v = w / xp.where(beta > 0, beta, 1.0)[:, None]
        basis = xp.concat([basis, v[:, None, :]], axis=1)
    return xp.sqrt(xp.where(best > 0, best, 0.0))
