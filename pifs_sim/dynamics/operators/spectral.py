"""Symmetric operators with common eigenvectors, A = Q diag(a) Q^T."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors, per_sample
from pifs_sim.dynamics.patches import Patches

__all__ = ["Spectral"]


@dataclass(frozen=True, eq=False)
class Spectral:
    """Symmetric operators Q diag(values) Q^T that share their eigenvectors.

    Args:
        values: (B, d) or (d,) eigenvalues, in the order of the columns of `basis`.
        basis: (d, d) orthogonal Q, or None for the identity.

    Raises:
        ValueError: shapes that do not fit. That Q is orthogonal is not checked.
    """

    values: Any
    basis: Any | None = None

    __repr__ = one_line

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", batched("values", self.values, 2))
        d = self.values.shape[1]
        if self.basis is not None and tuple(self.basis.shape) != (d, d):
            raise ValueError(f"`basis` must have shape ({d}, {d}) like `values`, got {tuple(self.basis.shape)}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        batch, d = self.values.shape
        return batch, d, d

    @property
    def symmetric(self) -> bool:
        """True."""
        return True

    @property
    def T(self) -> Spectral:  # noqa: N802
        """The operator itself."""
        return self

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        return self._apply(self.values[:, :, None], V)

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p); ValueError where an eigenvalue is 0."""
        xp = array_namespace(self.values)
        if xp.any(self.values == 0):
            raise ValueError("a singular operator cannot be solved: an eigenvalue is 0.")
        return self._apply(1 / self.values[:, :, None], V)

    def _apply(self, factors: Any, V: Any) -> Any:
        check_vectors(self, V)
        if self.basis is None:
            return factors * V
        basis = self.basis[None, ...]
        return algebra.times(basis, factors * algebra.times(algebra.transposed(basis), V))

    def affine(self, scale: Any, shift: Any) -> Spectral:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        values = per_sample(scale, self.values) * self.values + per_sample(shift, self.values)
        return Spectral(values, self.basis)

    def dense(self) -> Any:
        """(B, d, d)."""
        check_memory("a dense form", self.shape, itemsize(self.values))
        xp = array_namespace(self.values)
        return algebra.symmetrised(self @ xp.eye(self.values.shape[1], dtype=self.values.dtype))

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """Q_rows diag(a) Q_columns^T, (B, n, m)."""
        if self.basis is None:
            return algebra.diagonal_submatrix(self.values, rows, columns)
        left = self.values[:, None, :] * algebra.submatrix(self.basis[None, ...], rows, None)
        return algebra.times(left, algebra.submatrix(self.basis[None, ...], columns, None)[0, ...].T)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues, descending."""
        return algebra.ordered(self.values)

    def logabsdet(self) -> Any:
        """(B,) ln|det A|, -inf where an eigenvalue is 0."""
        return array_namespace(self.values).sum(algebra.log_size(self.values), axis=-1)

    def norm(self) -> Any:
        """(B,) largest singular value: the largest |eigenvalue|."""
        xp = array_namespace(self.values)
        return xp.max(xp.abs(self.values), axis=-1)
