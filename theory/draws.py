"""Random examples that depend on the property alone.

Hypothesis also draws constants that it finds in the modules that happen to be imported, so that one property would see
other examples in another process. Here it draws none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hypothesis.internal.conjecture import providers

__all__ = ["unaided"]


@contextmanager
def unaided() -> Iterator[None]:
    """Within, Hypothesis draws no constants of imported modules."""
    internal: Any = providers
    if not hasattr(internal, "_get_local_constants"):  # versions that know of none
        yield
        return
    internal.CONSTANTS_CACHE.cache.clear()
    try:
        with patch.object(internal, "_get_local_constants", internal.Constants):
            yield
    finally:
        internal.CONSTANTS_CACHE.cache.clear()
