"""Operators that do not couple patches, A = blockdiag(A_1, ..., A_M)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors, per_sample
from pifs_sim.dynamics.patches import Patches

__all__ = ["BlockDiagonal"]


@dataclass(frozen=True, eq=False)
class BlockDiagonal:
    """Operators with M equal blocks on the diagonal of a partition, and zeros elsewhere.

    Args:
        blocks: (B, M, n, n) or (M, n, n).
        patches: the coordinates of each block; consecutive ones by default.

    Raises:
        ValueError: blocks that are not square, or `patches` of another number or size.
    """

    blocks: Any
    patches: Patches | None = field(default=None, kw_only=True)

    __repr__ = one_line

    def __post_init__(self) -> None:
        blocks = batched("blocks", self.blocks, 4)
        count, n, columns = blocks.shape[1:]
        if n != columns or 0 in blocks.shape:
            raise ValueError(f"`blocks` must be square and not empty, got shape {tuple(blocks.shape)}.")
        object.__setattr__(self, "blocks", blocks)
        if (self.partition.count, self.partition.length) != (count, n):
            found = f"{self.partition.count} of {self.partition.length}"
            raise ValueError(f"`patches` must be {count} patches of {n} coordinates like `blocks`, got {found}.")

    @cached_property
    def partition(self) -> Patches:
        """The coordinates of each block."""
        count, n = self.blocks.shape[1:3]
        return self.patches or Patches(count * n, n)

    def _like(self, blocks: Any) -> BlockDiagonal:
        return BlockDiagonal(blocks, patches=self.partition)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        return self.blocks.shape[0], self.partition.dim, self.partition.dim

    @property
    def symmetric(self) -> bool:
        """Whether every block equals its transpose, exactly."""
        return algebra.is_symmetric(self.blocks)

    @property
    def T(self) -> BlockDiagonal:  # noqa: N802
        """The transposed blocks."""
        return self._like(algebra.transposed(self.blocks))

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        check_vectors(self, V)
        return self.partition.join(array_namespace(V).matmul(self.blocks, self._parts(V)))

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p), by LU; ValueError where a block is singular, exactly."""
        check_vectors(self, V)
        return self.partition.join(algebra.solved(self.blocks, self._parts(V)))

    def _parts(self, V: Any) -> Any:
        return self.partition.split(V if V.ndim == 3 else V[None, ...])

    def affine(self, scale: Any, shift: Any) -> BlockDiagonal:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        unit = array_namespace(self.blocks).eye(self.blocks.shape[-1], dtype=self.blocks.dtype)
        return self._like(per_sample(scale, self.blocks) * self.blocks + per_sample(shift, self.blocks) * unit)

    def dense(self) -> Any:
        """(B, d, d)."""
        return self.submatrix(np.arange(self.partition.dim))

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        xp, n, indices = array_namespace(self.blocks), self.partition.length, self.partition.indices
        place = np.empty(self.partition.dim, dtype=np.intp)  # of each coordinate among the patches, one after the other
        place[indices.ravel()] = np.arange(indices.size)
        row, column = place[rows][:, None], (place if columns is None else place[columns])[None, :]
        inside = xp.asarray(row // n == column // n)
        entries = xp.take(
            xp.reshape(self.blocks, (self.shape[0], -1)), xp.asarray((row * n + column % n).ravel()), axis=1
        )
        return xp.where(inside, xp.reshape(entries, (self.shape[0], *inside.shape)), 0.0)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus."""
        values = algebra.eigenvalues(self.blocks, self.symmetric)
        return algebra.ordered(array_namespace(values).reshape(values, self.shape[:2]))

    def logabsdet(self) -> Any:
        """(B,) ln|det A|, by LU of the blocks; -inf where a block is singular, exactly."""
        xp = array_namespace(self.blocks)
        return xp.sum(xp.linalg.slogdet(self.blocks).logabsdet, axis=-1)

    def norm(self) -> Any:
        """(B,) largest singular value: that of a block."""
        return array_namespace(self.blocks).max(algebra.spectral_norm(self.blocks), axis=-1)
