"""Structured linear operators, batched: A @ V for V of shape (B, d, p) or (d, p), without forming d x d.

`Spectral`: A = Q diag(a) Q^T with one orthogonal Q for the whole batch and eigenvalues a of shape (B, d).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

__all__ = ["Spectral"]


@dataclass(frozen=True)
class Spectral:
    """Symmetric operators Q diag(values) Q^T that share their eigenvectors.

    Args:
        values: (B, d) eigenvalues, in the order of the columns of `basis`.
        basis: (d, d) orthogonal Q, or None for the identity.
    """

    values: Any
    basis: Any | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        batch, d = self.values.shape
        return batch, d, d

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
        xp = array_namespace(self.values, V)
        if V.ndim not in (2, 3) or V.shape[-2] != self.values.shape[1]:
            raise ValueError(f"an operator on {self.values.shape[1]} dimensions cannot act on shape {V.shape}.")
        if self.basis is None:
            return factors * V
        return xp.matmul(self.basis, factors * xp.matmul(self.basis.T, V))

    def affine(self, scale: float, shift: float) -> Spectral:
        """scale * A + shift * I."""
        return Spectral(scale * self.values + shift, self.basis)

    def dense(self) -> Any:
        """(B, d, d)."""
        xp = array_namespace(self.values)
        return self @ xp.eye(self.values.shape[1], dtype=self.values.dtype)

    def spectrum(self) -> Any:
        """(B, d) eigenvalues, descending."""
        return array_namespace(self.values).sort(self.values, axis=-1, descending=True)

    def logabsdet(self) -> Any:
        """(B,) ln|det A|, -inf where an eigenvalue is 0."""
        xp = array_namespace(self.values)
        size = xp.abs(self.values)
        zero = size == 0
        return xp.sum(xp.where(zero, -xp.inf, xp.log(xp.where(zero, 1.0, size))), axis=-1)
