"""What every data law offers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

__all__ = ["Measure"]


class Measure(Protocol):
    """A law on R^d with exact moments."""

    @property
    def dim(self) -> int:
        """Dimension d."""

    @property
    def mean(self) -> Any:
        """(d,)."""

    @property
    def covariance(self) -> Any:
        """(d, d)."""

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """n independent points, (n, d)."""
