"""The definition: one source of all pixels after the other."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

__all__ = ["compute"]


def compute(x: Any, sources: Any, factors: Any, offsets: Any) -> Any:
    """The images y."""
    xp = array_namespace(x)
    column = (-1, *[1] * (x.ndim - 2))
    total = xp.zeros_like(x)
    for s in range(sources.shape[0]):
        total = total + xp.take(x, sources[s, :], axis=1)
    y = xp.reshape(factors, column) * total
    return y if offsets is None else y + xp.reshape(offsets, column)
