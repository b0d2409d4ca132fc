"""Norms of an operator's blocks [A]_kj under a patch partition, and what they bound.

    kappa = max_k ||A_kk||,   delta = max_k sum_{j != k} ||A_kj||,   row sum = max_k sum_j ||A_kj|| <= kappa + delta,

with ||.|| the largest singular value. In the block-max norm ||x|| = max_k ||x_k||_2 the operator norm of A is at most
the row sum. For diag(a) + U C W^T the block A_kj = U_k C W_j^T, j != k, has the norm of R_k C S_j^T, of size r, where
U_k = P_k R_k and W_j = Q_j S_j have orthonormal P_k and Q_j.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import (
    BlockDiagonal,
    Dense,
    DiagonalLowRank,
    DirectSum,
    Operator,
    PairedBlocks,
    ScalarLowRank,
    WeightedCovariance,
)
from pifs_sim.dynamics.operators.algebra import spectral_norm, transposed
from pifs_sim.dynamics.patches import Patches

__all__ = ["BlockNorms", "block_norms"]


@dataclass(frozen=True, eq=False)
class BlockNorms:
    """Norms of a batch of operators and of their blocks.

    Args:
        kappa: (B,) max_k ||A_kk||, what patches do to themselves.
        delta: (B,) max_k sum_{j != k} ||A_kj||, what they do to each other.
        row_sum: (B,) max_k sum_j ||A_kj||.
        norm: (B,) ||A|| of the whole operators.
        blocks: (B, M, M) ||A_kj||.
    """

    kappa: Any
    delta: Any
    row_sum: Any
    norm: Any
    blocks: Any

    __repr__ = one_line


def block_norms(operator: Operator | Any, patches: Patches) -> BlockNorms:
    """Largest singular values of all blocks of a batch of operators, and of the whole.

    A row of patches is treated at a time, so that a structured operator on d coordinates needs memory for (B, n, d)
    numbers at most, and a low-rank one, for (B, d, r) and (B, M, r, r).

    Args:
        operator: an `Operator` on d coordinates, or matrices (B, d, d) or (d, d).
        patches: a partition of the d coordinates.

    Raises:
        ValueError: another d, or an operator that is not finite.

    >>> import numpy as np
    >>> from pifs_sim.dynamics import Patches, operators
    >>> norms = block_norms(operators.Dense(np.array([[[1.0, 0.5], [0.0, 2.0]]])), Patches((2,), 1))
    >>> norms.kappa.tolist(), norms.delta.tolist(), norms.row_sum.tolist(), norms.blocks.tolist()
    ([2.0], [0.5], [2.0], [[[1.0, 0.5], [0.0, 2.0]]])
    """
    A: Operator = operator if hasattr(operator, "submatrix") else Dense(operator)
    if patches.dim != A.shape[1]:
        raise ValueError(f"`patches` partitions d={patches.dim}, expected d={A.shape[1]}.")
    _check_finite(A)
    if isinstance(A, WeightedCovariance) and A.points.shape[0] < patches.length:
        A = A.low_rank()
    if isinstance(A, ScalarLowRank | DiagonalLowRank):
        blocks = _low_rank(A, patches)
    elif isinstance(A, BlockDiagonal) and A.partition == patches:
        xp = array_namespace(A.blocks)
        blocks = xp.eye(patches.count, dtype=A.blocks.dtype) * spectral_norm(A.blocks)[:, :, None]
    elif isinstance(A, PairedBlocks) and A.patches == patches:
        blocks = A.block_norms()
    elif isinstance(A, DirectSum) and A.is_on(patches):
        norms = [part.norm() for part in A.parts]
        xp = array_namespace(*norms)
        norms = [xp.broadcast_to(norm, A.shape[:1]) for norm in norms]
        blocks = xp.eye(patches.count, dtype=norms[0].dtype) * xp.stack(norms, axis=1)[:, :, None]
    else:
        blocks = _by_rows(A, patches)
    xp = array_namespace(blocks)
    diagonal = xp.eye(patches.count, dtype=xp.bool)
    own = xp.max(xp.where(diagonal, blocks, 0.0), axis=-1)
    others = xp.sum(xp.where(diagonal, 0.0, blocks), axis=-1)  # without own, not less own: no cancellation
    return BlockNorms(xp.max(own, axis=-1), xp.max(others, axis=-1), xp.max(own + others, axis=-1), A.norm(), blocks)


def _check_finite(A: Operator) -> None:
    """ValueError for a parameter that is not finite: one makes a product not finite too."""
    corner = A.submatrix(np.arange(1), np.arange(1))
    xp = array_namespace(corner)
    if not xp.all(xp.isfinite(A @ xp.ones((A.shape[1], 1), dtype=corner.dtype))):
        raise ValueError("`operator` must be finite.")


def _by_rows(A: Operator, patches: Patches) -> Any:
    """Norms of the blocks, (B, M, M), of any operator."""
    rows = []
    for indices in patches.indices:
        columns = patches.split(transposed(A.submatrix(indices)))  # (B, M, n, n), each block transposed
        rows.append(spectral_norm(columns))
    return array_namespace(rows[0]).stack(rows, axis=1)


def _low_rank(A: ScalarLowRank | DiagonalLowRank, patches: Patches) -> Any:
    """Norms of the blocks, (B, M, M), from triangular factors of the patches of U and W."""
    xp, factors = array_namespace(A.left), A.factors
    left = _triangles(patches.split(factors.left))
    right = left if factors.right is factors.left else _triangles(patches.split(factors.right))
    rows = []
    for k, indices in enumerate(patches.indices):
        row = left[:, k, :, :] if factors.core is None else xp.matmul(left[:, k, :, :], factors.core)
        norms = spectral_norm(xp.matmul(row[:, None, :, :], transposed(right)))
        norms = xp.broadcast_to(norms, (A.shape[0], patches.count))
        if isinstance(A, ScalarLowRank):
            own = A.restricted(indices).norm()
        else:
            own = spectral_norm(A.submatrix(indices, indices))
        rows.append(xp.where(xp.arange(patches.count) == k, own[:, None], norms))
    return xp.stack(rows, axis=1)


def _triangles(parts: Any) -> Any:
    """R of the QR factors of (B, M, n, r), or the parts themselves where that is no smaller."""
    return array_namespace(parts).linalg.qr(parts, mode="reduced").R if parts.shape[2] > parts.shape[3] else parts
