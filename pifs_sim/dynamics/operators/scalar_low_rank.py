"""Operators A = s I + U C W^T, whose every measure is a problem of size r or 2r.

With Z of orthonormal columns that span those of U and W, A is s on the complement of Z and s I + E on Z, where
E = Z^T U C W^T Z: singular values and norm follow. The eigenvalues are s (d - r times) and s + eig(C W^T U), so that
det A = s^(d-r) det(s I + C W^T U), and A^-1 = (I - U (s I + C W^T U)^-1 C W^T)/s
(Sherman, Morrison, Woodbury: Woodbury 1950, Princeton Statistical Research Group, Memorandum 42).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.dense import Dense
from pifs_sim.dynamics.operators.factors import Factors, Updated
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors
from pifs_sim.dynamics.patches import Patches

__all__ = ["ScalarLowRank"]


@dataclass(frozen=True, eq=False)
class ScalarLowRank(Updated):
    """Operators scale * I + left @ core @ right^T.

    Products, determinants and norms cost O(d r^2) and solutions O(d r p); memory is that of the factors. At ranks of
    d/2 and more the small problems are no smaller than d x d, which is then formed.

    Args:
        scale: s, a number or (B,).
        left: U, (B, d, r) or (d, r).
        right: W, like `left`; by default `left` itself, and A is symmetric if the core is.
        core: C, (B, r, r) or (r, r); by default the identity.

    Raises:
        ValueError: shapes or batches that do not fit.
    """

    simple: ClassVar[str] = "scale"
    scale: Any
    left: Any
    right: Any | None = None
    core: Any | None = field(default=None, kw_only=True)

    __repr__ = one_line

    def _numbers(self, factors: Factors) -> Any:
        if isinstance(self.scale, int | float):
            return array_namespace(factors.left).full((1,), self.scale, dtype=factors.left.dtype)
        return batched("scale", self.scale, 1)

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p); ValueError where A is singular, exactly."""
        check_vectors(self, V)
        if self.factors.rank >= self.shape[1]:
            return Dense(self.dense()).solve(V)
        xp = array_namespace(self.left)
        if xp.any(self.scale == 0):
            raise ValueError("a singular operator cannot be solved: `scale` is 0 and the rank is below d.")
        inner = algebra.solved(self._small(), self.factors.projected(V))
        return (V - algebra.times(self.left, inner)) / self.scale[:, None, None]

    def _small(self) -> Any:
        """s I + C W^T U, (B, r, r)."""
        xp, factors = array_namespace(self.left), self.factors
        return self.scale[:, None, None] * xp.eye(factors.rank, dtype=self.left.dtype) + factors.projected(self.left)

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        xp = array_namespace(self.left)
        scale = xp.broadcast_to(self.scale[:, None], (self.scale.shape[0], self.shape[1]))
        return algebra.diagonal_submatrix(scale, rows, columns) + self.factors.restricted(rows, columns).dense()

    def restricted(self, indices: Any) -> ScalarLowRank:
        """The operator of the submatrix with these indices, (n,), as rows and as columns."""
        return self._like(self.scale, self.factors.restricted(indices, indices))

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def _excess(self) -> Any:
        """(B, r) eigenvalues of C W^T U, those of A less s; the other d - r are 0."""
        if self.symmetric:
            return algebra.eigenvalues(self.factors.compressed(), True)
        return algebra.eigenvalues(self.factors.projected(self.left), False)

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus."""
        if self.factors.rank >= self.shape[1]:
            return algebra.ordered(algebra.eigenvalues(self.dense(), self.symmetric))
        batch, d, _ = self.shape
        excess = self._excess()
        xp = array_namespace(excess)
        scale = xp.astype(self.scale, excess.dtype)[:, None]
        parts = (scale + excess, scale)
        widths = (self.factors.rank, d - self.factors.rank)
        return algebra.ordered(
            xp.concat([xp.broadcast_to(part, (batch, n)) for part, n in zip(parts, widths, strict=True)], axis=1)
        )

    def logabsdet(self) -> Any:
        """(B,) ln|det A| = d ln|s| + sum of ln|1 + e/s| for the eigenvalues e of C W^T U; -inf where singular, exactly.

        For symmetric A the small e keep their digits.
        """
        xp, (_, d, _) = array_namespace(self.left), self.shape
        if self.factors.rank >= d:
            return Dense(self.dense()).logabsdet()
        outside = (d - self.factors.rank) * algebra.log_size(self.scale)
        if not self.symmetric:
            return outside + xp.linalg.slogdet(self._small()).logabsdet
        return outside + xp.sum(algebra.log_size_of_sum(self.scale[:, None], self._excess()), axis=-1)

    def norm(self) -> Any:
        """(B,) largest singular value: of s I + E on the span of U and W, or |s|."""
        xp, (_, d, _) = array_namespace(self.left), self.shape
        size = self.factors.rank * (1 if self.right is self.left else 2)
        if size >= d:
            return algebra.spectral_norm(self.dense())
        unit = xp.eye(size, dtype=self.left.dtype)
        within = algebra.spectral_norm(self.scale[:, None, None] * unit + self.factors.compressed())
        return xp.maximum(within, xp.abs(self.scale))
