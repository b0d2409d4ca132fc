"""The empirical law of points, sum_i w_i delta(y_i): a mixture of normal laws without variance."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pifs_sim.diffusion.measures.components import ComponentLaw, Components
from pifs_sim.diffusion.measures.inputs import probabilities, real_array

__all__ = ["PointCloud"]


@dataclass(frozen=True, eq=False)
class PointCloud(ComponentLaw):
    """K points with weights.

    Args:
        points: (K, d).
        weights: (K,) probabilities; equal ones by default.

    Attributes:
        components: the points as normal components without variance.

    Raises:
        ValueError: no points, entries not finite, or weights that are negative or do not sum to one.

    >>> PointCloud([[0.0], [1.0], [2.0]]).mean.tolist()
    [1.0]
    """

    points: Any
    weights: Any = None
    components: Components = field(init=False, repr=False)

    def __repr__(self) -> str:
        return f"PointCloud(K={len(self.components.weights)}, d={self.dim})"

    def __post_init__(self) -> None:
        xp, points = real_array("points", self.points, 2)
        points, count = xp.astype(points, points.dtype), points.shape[0]  # a copy
        if self.weights is None:
            weights = xp.full((count,), 1 / count, dtype=points.dtype)
        else:
            weights = probabilities(self.weights, count, ("points", points))
        components = Components(weights, points, xp.zeros((count,), dtype=points.dtype), None)
        for name, value in (("points", points), ("weights", weights), ("components", components)):
            object.__setattr__(self, name, value)

    @cached_property
    def mean(self) -> Any:
        """(d,)."""
        return self.components.mean()
