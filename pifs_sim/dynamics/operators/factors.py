"""A product U C W^T of low rank r, the part that the low-rank operators share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from array_api_compat import array_namespace

from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import batched, common_batch, per_sample

__all__ = ["Factors", "Updated", "check_factors"]


@dataclass(frozen=True, eq=False)
class Factors:
    """U C W^T with U and W of shape (B or 1, d, r) and C of shape (B or 1, r, r), or None for the identity."""

    left: Any
    right: Any  # the object `left` itself where W = U
    core: Any | None

    @property
    def rank(self) -> int:
        """r, the number of columns of the factors."""
        return int(self.left.shape[2])

    @cached_property
    def symmetric(self) -> bool:
        """Whether W is U and C = C^T, exactly."""
        return self.right is self.left and (self.core is None or algebra.is_symmetric(self.core))

    @property
    def T(self) -> Factors:  # noqa: N802
        """W C^T U^T."""
        return Factors(self.right, self.left, None if self.core is None else algebra.transposed(self.core))

    def scaled(self, scale: Any) -> Factors:
        """scale * U C W^T, the scale in the core: a symmetric product stays symmetric."""
        xp = array_namespace(self.left)
        core = xp.eye(self.rank, dtype=self.left.dtype)[None, ...] if self.core is None else self.core
        return Factors(self.left, self.right, per_sample(scale, core) * core)

    def through_core(self, columns: Any) -> Any:
        """C times columns (B, r, p)."""
        return columns if self.core is None else algebra.times(self.core, columns)

    def projected(self, V: Any) -> Any:
        """C W^T V, (B, r, p)."""
        return self.through_core(algebra.times(algebra.transposed(self.right), V))

    def __matmul__(self, V: Any) -> Any:
        """U C W^T V, (B, d, p)."""
        return algebra.times(self.left, self.projected(V))

    def restricted(self, rows: Any, columns: Any) -> Factors:
        """The factors of the submatrix at index arrays; None for all columns."""
        left = algebra.submatrix(self.left, rows, None)
        if self.right is self.left and columns is rows:
            return Factors(left, left, self.core)
        return Factors(left, algebra.submatrix(self.right, columns, None), self.core)

    def dense(self) -> Any:
        """(B, d, m) entries of U C W^T."""
        return algebra.times(self.left, self.through_core(algebra.transposed(self.right)))

    def compressed(self) -> Any:
        """E = Z^T U C W^T Z, (B, q, q), for Z of q orthonormal columns that span those of U and W: U C W^T = Z E Z^T.

        q = r where W = U, else 2r; both must be at most d.
        """
        xp = array_namespace(self.left)
        if self.right is self.left:
            left = right = xp.linalg.qr(self.left, mode="reduced").R
        else:
            batch = max(self.left.shape[0], self.right.shape[0])
            both = [xp.broadcast_to(part, (batch, *part.shape[1:])) for part in (self.left, self.right)]
            triangle = xp.linalg.qr(xp.concat(both, axis=2), mode="reduced").R
            left, right = triangle[:, :, : self.rank], triangle[:, :, self.rank :]
        compressed = xp.matmul(left, self.through_core(algebra.transposed(right)))
        return algebra.symmetrised(compressed) if self.symmetric else compressed


class Updated:
    """What S + U C W^T offers whatever the simple operator S, whose numbers are in the field that `simple` names."""

    simple: ClassVar[str]
    left: Any
    right: Any
    core: Any
    factors: Factors

    def _keep(self, numbers: Any, factors: Factors) -> None:
        found = {self.simple: numbers, "left": factors.left, "right": factors.right, "core": factors.core}
        common_batch({name: array for name, array in found.items() if array is not None})
        for name, value in (*found.items(), ("factors", factors)):
            object.__setattr__(self, name, value)

    def _like(self, numbers: Any, factors: Factors) -> Self:
        return type(self)(numbers, factors.left, factors.right, core=factors.core)  # type: ignore[call-arg]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        parts = (getattr(self, self.simple), self.left, self.right, self.core)
        return max(part.shape[0] for part in parts if part is not None), self.left.shape[1], self.left.shape[1]

    @property
    def symmetric(self) -> bool:
        """Whether W is U and C = C^T, exactly."""
        return self.factors.symmetric

    @property
    def T(self) -> Self:  # noqa: N802
        """S^T + W C^T U^T; S is diagonal."""
        return self._like(getattr(self, self.simple), self.factors.T)


def check_factors(left: Any, right: Any | None, core: Any | None) -> Factors:
    """The factors, with their batch axes; ValueError unless shapes and batches fit."""
    U = batched("left", left, 3)
    W = U if right is None or right is left else batched("right", right, 3)
    if W.shape[1:] != U.shape[1:]:
        raise ValueError(f"`right` must have the shape of `left`, {tuple(U.shape[1:])}, got {tuple(W.shape[1:])}.")
    arrays = {"left": U, "right": W}
    if core is not None:
        arrays["core"] = core = batched("core", core, 3)
        if tuple(core.shape[1:]) != (U.shape[2], U.shape[2]):
            raise ValueError(f"`core` must have shape {(U.shape[2],) * 2} like `left`, got {tuple(core.shape[1:])}.")
    common_batch(arrays)
    return Factors(U, W, core)
