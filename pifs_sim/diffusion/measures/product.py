"""Independent laws side by side: x = (x^1, ..., x^M) with x^m drawn from measure m."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.diffusion.measures.measure import Measure
from pifs_sim.dynamics.memory import check_memory
from pifs_sim.dynamics.operators import Dense, DirectSum
from pifs_sim.dynamics.patches import Patches

__all__ = ["Product"]


@dataclass(frozen=True, eq=False)
class Product:
    """The law of independent parts.

    Args:
        measures: the laws of the parts, at least one.
        patches: the coordinates of each part, all of one dimension; by default parts follow each other.

    Raises:
        ValueError: no measures, something else among them, or patches of another number or length.
    """

    measures: Sequence[Measure]
    patches: Patches | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        measures = tuple(self.measures) if isinstance(self.measures, Iterable) else ()
        if not measures:
            raise ValueError(f"`measures` must hold at least one data law, got {self.measures!r:.80}.")
        for measure in measures:
            if not isinstance(getattr(measure, "dim", None), int):  # isinstance would compute every attribute
                raise ValueError(f"`measures` must hold data laws, got {type(measure).__name__}.")
        dims = [measure.dim for measure in measures]
        if self.patches is not None and [self.patches.length] * self.patches.count != dims:
            found = f"{self.patches.count} of {self.patches.length}"
            raise ValueError(f"`patches` must be {len(dims)} patches of dimensions {dims}, got {found}.")
        object.__setattr__(self, "measures", measures)

    def __repr__(self) -> str:
        few = len(self.measures) <= 3
        return f"Product({', '.join(map(repr, self.measures)) if few else f'{len(self.measures)} laws'}, d={self.dim})"

    @property
    def dim(self) -> int:
        """Dimension d."""
        return sum(measure.dim for measure in self.measures)

    @cached_property
    def indices(self) -> tuple[Any, ...]:
        """The coordinates of each part."""
        if self.patches is not None:
            return tuple(self.patches.indices)
        return tuple(np.split(np.arange(self.dim), np.cumsum([measure.dim for measure in self.measures])[:-1]))

    @cached_property
    def order(self) -> Any:
        """(d,) where each coordinate is found when the parts are put after each other."""
        return np.argsort(np.concatenate(self.indices))

    def join(self, parts: list[Any]) -> Any:
        """Parts (..., d_m) as (..., d)."""
        xp = array_namespace(*parts)
        return xp.take(xp.concat(parts, axis=-1), xp.asarray(self.order), axis=-1)

    @cached_property
    def mean(self) -> Any:
        """(d,)."""
        return self.join([measure.mean for measure in self.measures])

    @cached_property
    def covariance(self) -> Any:
        """(d, d)."""
        check_memory("`covariance`", (2, self.dim, self.dim))
        return DirectSum([Dense(measure.covariance) for measure in self.measures], self.indices).dense()[0, ...]

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """n independent points, (n, d); the parts are drawn in their order."""
        return self.join([measure.sample(n, rng) for measure in self.measures])
