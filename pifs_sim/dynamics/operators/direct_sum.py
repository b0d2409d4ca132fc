"""Direct sums of operators V_m -> A_m V_m on sets of coordinates apart, each part with a structure of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import Operator, block, check_vectors
from pifs_sim.dynamics.patches import Patches

__all__ = ["DirectSum"]


@dataclass(frozen=True, eq=False)
class DirectSum:
    """Operators A_m on the coordinates indices_m, and zeros between different parts.

    Args:
        parts: operators of any dimensions d_m, in batches of B, or of 1 for all.
        indices: the coordinates (d_m,) of each part, which together are 0..d-1; by default parts follow each other.

    Raises:
        ValueError: no parts, indices that are no partition into the parts' dimensions, or batches that do not fit.
    """

    parts: Sequence[Operator]
    indices: Sequence[Any] | None = None

    __repr__ = one_line

    def __post_init__(self) -> None:
        parts = tuple(self.parts)
        if not parts:
            raise ValueError("`parts` must hold at least one operator, got none.")
        dims = [part.shape[1] for part in parts]
        ends = np.cumsum(dims)
        given = np.split(np.arange(ends[-1]), ends[:-1]) if self.indices is None else self.indices
        indices = tuple(np.asarray(places) for places in given)
        if [len(places) for places in indices] != dims or (np.sort(np.concatenate(indices)) != range(ends[-1])).any():
            raise ValueError(f"`indices` must part 0..{ends[-1] - 1} into {dims}, got {self.indices!r:.80}.")
        if len({part.shape[0] for part in parts} - {1}) > 1:
            raise ValueError(f"`parts` must have one batch, got {sorted({part.shape[0] for part in parts})}.")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "indices", indices)

    @cached_property
    def _order(self) -> Any:
        """(d,) where each coordinate is found when the parts are put after each other."""
        return np.argsort(np.concatenate(self.indices or ()))

    def _each(self, change: Callable[[Operator], Operator]) -> DirectSum:
        return DirectSum([change(part) for part in self.parts], self.indices)

    def _values(self, measure: Callable[[Operator], Any]) -> list[Any]:
        """A measure of each part, (B, ...)."""
        found = [measure(part) for part in self.parts]
        xp = array_namespace(*found)
        return [xp.broadcast_to(value, (self.shape[0], *value.shape[1:])) for value in found]

    def _joined(self, parts: list[Any]) -> Any:
        """Vectors (B, d_m, p) as (B, d, p)."""
        xp, batch = array_namespace(*parts), max(part.shape[0] for part in parts)
        whole = [xp.broadcast_to(part, (batch, *part.shape[1:])) for part in parts]
        return xp.take(xp.concat(whole, axis=1), xp.asarray(self._order), axis=1)

    def is_on(self, patches: Patches) -> bool:
        """Whether the parts act on the patches, in this order."""
        parts = self.indices or ()
        return len(parts) == patches.count and all(map(np.array_equal, parts, patches.indices))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        d = sum(part.shape[1] for part in self.parts)
        return max(part.shape[0] for part in self.parts), d, d

    @property
    def symmetric(self) -> bool:
        """Whether every part is symmetric, exactly."""
        return all(part.symmetric for part in self.parts)

    @property
    def T(self) -> DirectSum:  # noqa: N802
        """The transposed parts."""
        return self._each(lambda part: part.T)

    def _split(self, V: Any) -> list[tuple[Operator, Any]]:
        check_vectors(self, V)
        xp = array_namespace(V)
        return [
            (part, xp.take(V, xp.asarray(places), axis=-2))
            for part, places in zip(self.parts, self.indices or (), strict=True)
        ]

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        return self._joined([part @ own for part, own in self._split(V)])

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p); ValueError where a part is singular."""
        return self._joined([part.solve(own) for part, own in self._split(V)])

    def affine(self, scale: Any, shift: Any) -> DirectSum:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        return self._each(lambda part: part.affine(scale, shift))

    def dense(self) -> Any:
        """(B, d, d)."""
        check_memory("a dense form", self.shape)
        return self.submatrix(np.arange(self.shape[1]))

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        rows = np.asarray(rows)
        columns = np.arange(self.shape[1]) if columns is None else np.asarray(columns)
        total = 0.0
        for part, places in zip(self.parts, self.indices or (), strict=True):
            place = np.full(self.shape[1], -1)
            place[places] = np.arange(len(places))
            row, column = place[rows], place[columns]
            entries = part.submatrix(np.maximum(row, 0), np.maximum(column, 0))
            xp = array_namespace(entries)
            total = total + xp.where(xp.asarray((row >= 0)[:, None] & (column >= 0)), entries, 0.0)
        return total

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus."""
        values = self._values(lambda part: part.spectrum())
        return algebra.ordered(array_namespace(*values).concat(values, axis=1))

    def logabsdet(self) -> Any:
        """(B,) ln|det A|; -inf where A is singular, exactly."""
        values = self._values(lambda part: part.logabsdet())
        xp = array_namespace(*values)
        return xp.sum(xp.stack(values), axis=0)

    def norm(self) -> Any:
        """(B,) largest singular value: that of a part."""
        values = self._values(lambda part: part.norm())
        xp = array_namespace(*values)
        return xp.max(xp.stack(values), axis=0)
