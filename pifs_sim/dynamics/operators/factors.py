"""A product U C W^T of low rank r, the part that the low-rank operators share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, cast

from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import Operator, batched, check_vectors, common_batch, per_sample

__all__ = ["Factors", "Updated"]


@dataclass(frozen=True, eq=False)
class Factors:
    """U C W^T with U and W of shape (B or 1, d, r) and C of shape (B or 1, r, r), or None for the identity."""

    left: Any
    right: Any  # the object `left` itself where W = U
    core: Any | None

    __repr__ = one_line

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


class Updated(ABC):
    """What S + U C W^T offers whatever the diagonal operator S, whose numbers the field named `simple` has.

    Raises ValueError for factors `left`, `right` (d, r) or (B, d, r) and `core` (r, r) that do not fit each other.
    """

    simple: ClassVar[str]
    left: Any
    right: Any
    core: Any

    @abstractmethod
    def _numbers(self, factors: Factors) -> Any:
        """The numbers of S, (B,) or (B, d), checked."""

    def __post_init__(self) -> None:
        factors = _check_factors(self.left, self.right, self.core)
        numbers = self._numbers(factors)
        found = {self.simple: numbers, "left": factors.left, "right": factors.right, "core": factors.core}
        common_batch({name: array for name, array in found.items() if array is not None})
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @cached_property
    def factors(self) -> Factors:
        """U C W^T."""
        return Factors(self.left, self.right, self.core)

    def _like(self, numbers: Any, factors: Factors) -> Self:
        return type(self)(numbers, factors.left, factors.right, core=factors.core)  # type: ignore[call-arg]

    @property
    def _own(self) -> Any:
        return getattr(self, self.simple)

    @property
    def _entries(self) -> Any:
        """The diagonal of S, (B, d, 1) or (B, 1, 1)."""
        own = self._own
        return own[:, :, None] if own.ndim == 2 else own[:, None, None]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        parts = (self._own, self.left, self.right, self.core)
        return max(part.shape[0] for part in parts if part is not None), self.left.shape[1], self.left.shape[1]

    @property
    def symmetric(self) -> bool:
        """Whether W is U and C = C^T, exactly."""
        return self.factors.symmetric

    @property
    def T(self) -> Self:  # noqa: N802
        """S + W C^T U^T."""
        return self._like(self._own, self.factors.T)

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        check_vectors(cast(Operator, self), V)
        return self._entries * V + self.factors @ V

    def affine(self, scale: Any, shift: Any) -> Self:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        own = per_sample(scale, self._own) * self._own + per_sample(shift, self._own)
        return self._like(own, self.factors.scaled(scale))

    def dense(self) -> Any:
        """(B, d, d)."""
        check_memory("a dense form", self.shape, itemsize(self.left))
        xp = array_namespace(self.left)
        found = self._entries * xp.eye(self.shape[1], dtype=self.left.dtype) + self.factors.dense()
        return algebra.symmetrised(found) if self.symmetric else found


def _check_factors(left: Any, right: Any | None, core: Any | None) -> Factors:
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
