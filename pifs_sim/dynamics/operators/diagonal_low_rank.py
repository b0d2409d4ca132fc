"""Operators A = diag(a) + U C W^T.

A X = V is bordered: with y = C W^T X,

    [ diag(a)    U ] [ X ]   [ V ]
    [ -C W^T     I ] [ y ] = [ 0 ]

and det A is the determinant of the whole. The r entries of a that are smallest in size stay in the border and the
others are eliminated, which leaves a problem of size 2r. An eliminated entry is no smaller than the least singular
value of A (some x on the r + 1 smallest coordinates has W^T x = 0, and A x = diag(a) x there), so that the elimination
is as well conditioned as A itself, and zeros in a do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.factors import Factors, Updated
from pifs_sim.dynamics.operators.krylov import largest_singular_value
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors
from pifs_sim.dynamics.patches import Patches

__all__ = ["DiagonalLowRank"]


class _Border(NamedTuple):
    """The coordinates ordered by |a|, so that the first m = min(r, d) stay in the border."""

    order: Any  # (B, d)
    diagonal: Any  # (B, d), ordered
    left: Any  # U (B, d, r), ordered
    right: Any  # W C^T (B, d, r), ordered
    matrix: Any  # (B, m + r, m + r): [[diag(a_m), U_m], [-C W_m^T, I + C W_rest^T diag(a_rest)^-1 U_rest]]
    kept: int  # m


@dataclass(frozen=True, eq=False)
class DiagonalLowRank(Updated):
    """Operators diag(diagonal) + left @ core @ right^T.

    Products, solutions and determinants cost O(d r^2), the norm O(d r) a step of a Krylov iteration. The spectrum has
    no small problem: it forms d x d.

    Args:
        diagonal: a, (B, d) or (d,).
        left: U, (B, d, r) or (d, r).
        right: W, like `left`; by default `left` itself, and A is symmetric if the core is.
        core: C, (B, r, r) or (r, r); by default the identity.

    Raises:
        ValueError: a diagonal of another d than that of U, factors whose shapes do not fit one another, or batches that
            are neither 1 nor B.
    """

    simple: ClassVar[str] = "diagonal"
    diagonal: Any
    left: Any
    right: Any | None = None
    core: Any | None = field(default=None, kw_only=True)

    __repr__ = one_line

    def _numbers(self, factors: Factors) -> Any:
        diagonal = batched("diagonal", self.diagonal, 2)
        if diagonal.shape[1] != factors.left.shape[1]:
            raise ValueError(f"`diagonal` has d={diagonal.shape[1]}, expected d={factors.left.shape[1]} like `left`.")
        return diagonal

    def _bordered(self) -> _Border:
        xp, (batch, d, _), rank = array_namespace(self.left), self.shape, self.factors.rank

        def ordered(array: Any) -> Any:
            whole = xp.broadcast_to(array, (batch, *array.shape[1:]))
            return xp.take_along_axis(whole, order if whole.ndim == 2 else order[:, :, None], axis=1)

        sizes = xp.abs(xp.broadcast_to(self.diagonal, (batch, d)))
        order = xp.argsort(sizes, axis=1)
        through = algebra.transposed(self.factors.through_core(algebra.transposed(self.right)))
        diagonal, left, right = ordered(self.diagonal), ordered(self.left), ordered(through)
        kept = min(rank, d)
        rest = diagonal[:, kept:, None]
        inverse = xp.where(rest == 0, 0.0, 1 / xp.where(rest == 0, 1.0, rest))  # a zero there: singular anyway
        inner = xp.eye(rank, dtype=left.dtype) + xp.matmul(
            algebra.transposed(right[:, kept:, :]), inverse * left[:, kept:, :]
        )
        corner = diagonal[:, :kept, None] * xp.eye(kept, dtype=left.dtype)
        below = xp.concat([-algebra.transposed(right[:, :kept, :]), inner], axis=2)
        matrix = xp.concat([xp.concat([corner, left[:, :kept, :]], axis=2), below], axis=1)
        return _Border(order, diagonal, left, right, matrix, kept)

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p); ValueError where A is singular, exactly."""
        check_vectors(self, V)
        xp, (batch, _, _), border = array_namespace(self.left, V), self.shape, self._bordered()
        m, rest = border.kept, border.diagonal[:, border.kept :, None]
        if xp.any(rest == 0):
            raise ValueError("a singular operator cannot be solved: `diagonal` has more zeros than the rank.")
        V = xp.broadcast_to(V, (max(batch, *V.shape[:-2], 1), *V.shape[-2:]))
        places = xp.broadcast_to(border.order, (V.shape[0], border.order.shape[1]))[:, :, None]
        V = xp.take_along_axis(V, places, axis=1)
        eliminated = V[:, m:, :] / rest
        below = algebra.times(algebra.transposed(border.right[:, m:, :]), eliminated)
        small = algebra.solved(border.matrix, xp.concat([V[:, :m, :], below], axis=1))
        others = eliminated - algebra.times(border.left[:, m:, :], small[:, m:, :]) / rest
        found = xp.concat([small[:, :m, :], others], axis=1)
        return xp.take_along_axis(found, xp.argsort(places, axis=1), axis=1)

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        diagonal = algebra.diagonal_submatrix(self.diagonal, rows, columns)
        return diagonal + self.factors.restricted(rows, columns).dense()

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus. Forms d x d."""
        return algebra.ordered(algebra.eigenvalues(self.dense(), self.symmetric))

    def logabsdet(self) -> Any:
        """(B,) ln|det A|; -inf where A is singular, exactly."""
        xp, border = array_namespace(self.left), self._bordered()
        eliminated = xp.sum(algebra.log_size(border.diagonal[:, border.kept :]), axis=-1)
        return eliminated + xp.linalg.slogdet(border.matrix).logabsdet

    def norm(self) -> Any:
        """(B,) largest singular value, by Krylov iteration."""
        return largest_singular_value(self, like=self.left)
