"""A system is a rule x_{n+1} = f(x_n, n) with its tangent map (x, V) -> (f(x, n), Df(x, n) V)."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

__all__ = ["System"]


@runtime_checkable
class System(Protocol):
    """What every analysis needs of a system; batches lead.

    A system may also have `cotangent(x, n, U) -> Df(x, n)^T U`, U of shape (B, d, p): a few leading singular
    values of a whole finite chain need it.
    """

    @property
    def dim(self) -> int:
        """Dimension d of the state."""

    @property
    def length(self) -> int | None:
        """Number of steps of a finite chain, or None."""

    def step(self, x: Any, n: int) -> Any:
        """f(x, n) for x of shape (B, d)."""

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(f(x, n), Df(x, n) V) for x of shape (B, d) and V of shape (B, d, p)."""
