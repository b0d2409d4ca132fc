"""Operators in rotated coordinates, Q A Q^T with one orthogonal Q for the whole batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import Operator, block, check_vectors
from pifs_sim.dynamics.patches import Patches

__all__ = ["Rotated"]


@dataclass(frozen=True, eq=False)
class Rotated:
    """Operators basis @ inner @ basis^T; spectrum, determinant and norm are those of `inner`.

    Args:
        basis: (d, d) orthogonal Q. That it is orthogonal is not checked.
        inner: operators on R^d, of any structure.

    Raises:
        ValueError: shapes that do not fit.
    """

    basis: Any
    inner: Operator

    __repr__ = one_line

    def __post_init__(self) -> None:
        if tuple(self.basis.shape) != self.inner.shape[1:]:
            expected = tuple(self.inner.shape[1:])
            raise ValueError(f"`basis` must have shape {expected} like `inner`, got {tuple(self.basis.shape)}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        return self.inner.shape

    @property
    def symmetric(self) -> bool:
        """Whether the inner operators are symmetric, exactly."""
        return self.inner.symmetric

    @property
    def T(self) -> Rotated:  # noqa: N802
        """Q A^T Q^T."""
        return Rotated(self.basis, self.inner.T)

    def _inside(self, V: Any) -> Any:
        check_vectors(self, V)
        return algebra.times(self.basis.T[None, ...], V)

    def __matmul__(self, V: Any) -> Any:
        """Q A Q^T V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        return algebra.times(self.basis[None, ...], self.inner @ self._inside(V))

    def solve(self, V: Any) -> Any:
        """Q A^-1 Q^T V for V of shape (B, d, p) or (d, p); ValueError where A is singular."""
        return algebra.times(self.basis[None, ...], self.inner.solve(self._inside(V)))

    def affine(self, scale: Any, shift: Any) -> Rotated:
        """scale * Q A Q^T + shift * I, for numbers or arrays (B,)."""
        return Rotated(self.basis, self.inner.affine(scale, shift))

    def dense(self) -> Any:
        """(B, d, d)."""
        found = algebra.times(self.basis[None, ...], self.inner @ self.basis.T)
        return algebra.symmetrised(found) if self.symmetric else found

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        left = algebra.submatrix(self.basis[None, ...], rows, None)[0, ...]
        right = algebra.submatrix(self.basis[None, ...], columns, None)[0, ...]
        across = algebra.transposed(self.inner.T @ left.T)  # n rows, however many columns
        return algebra.times(across, right.T)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus."""
        return self.inner.spectrum()

    def logabsdet(self) -> Any:
        """(B,) ln|det A|; -inf where A is singular, exactly."""
        return self.inner.logabsdet()

    def norm(self) -> Any:
        """(B,) largest singular value."""
        return self.inner.norm()
