"""The memory that a kernel needs, fixed + each * samples bytes, and samples in pieces that make do with less."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Need"]


class Need(NamedTuple):
    """Bytes whatever the samples, and bytes a sample, what is returned included."""

    fixed: float
    each: float

    def of(self, batch: int) -> float:
        """Bytes for so many samples."""
        return self.fixed + self.each * batch

    def pieces(self, batch: int, most: float | None) -> list[slice]:
        """Samples in order, each piece in `most` bytes; all together if that is None.

        Raises:
            ValueError: not even one sample fits.
        """
        if most is None:
            return [slice(0, batch)]
        size = int((most - self.fixed) // self.each)
        if size < 1:
            raise ValueError(f"`max_memory` must be at least {math.ceil(self.of(1))} bytes here, got {most!r}.")
        return [slice(first, min(first + size, batch)) for first in range(0, max(batch, 1), size)]
