"""Operators V -> A V given as matrices A, (B, d, d)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors, per_sample
from pifs_sim.dynamics.patches import Patches

__all__ = ["Dense"]


@dataclass(frozen=True, eq=False)
class Dense:
    """Any operators, as matrices.

    Args:
        matrices: (B, d, d) or (d, d).

    Raises:
        ValueError: matrices that are not square, or do not hold real numbers.
    """

    matrices: Any

    __repr__ = one_line

    def __post_init__(self) -> None:
        matrices = batched("matrices", self.matrices, 3)
        if matrices.shape[1] != matrices.shape[2]:
            raise ValueError(f"`matrices` must be square, got shape {tuple(matrices.shape)}.")
        object.__setattr__(self, "matrices", matrices)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        batch, d, _ = self.matrices.shape
        return batch, d, d

    @property
    def symmetric(self) -> bool:
        """Whether every matrix equals its transpose, exactly."""
        return algebra.is_symmetric(self.matrices)

    @property
    def T(self) -> Dense:  # noqa: N802
        """The transposed matrices."""
        return Dense(algebra.transposed(self.matrices))

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        check_vectors(self, V)
        return algebra.times(self.matrices, V)

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p), by LU; ValueError where A is singular, exactly."""
        check_vectors(self, V)
        return algebra.solved(self.matrices, V if V.ndim == 3 else V[None, ...])

    def affine(self, scale: Any, shift: Any) -> Dense:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        unit = array_namespace(self.matrices).eye(self.shape[1], dtype=self.matrices.dtype)
        return Dense(per_sample(scale, self.matrices) * self.matrices + per_sample(shift, self.matrices) * unit)

    def dense(self) -> Any:
        """(B, d, d)."""
        return self.matrices

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        return algebra.submatrix(self.matrices, rows, columns)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus."""
        return algebra.ordered(algebra.eigenvalues(self.matrices, self.symmetric))

    def logabsdet(self) -> Any:
        """(B,) ln|det A|, by LU; -inf where A is singular, exactly."""
        return array_namespace(self.matrices).linalg.slogdet(self.matrices).logabsdet

    def norm(self) -> Any:
        """(B,) largest singular value."""
        return algebra.spectral_norm(self.matrices)
