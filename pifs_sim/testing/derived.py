"""Systems derived from a system, whose exponents are known from its own.

The iterate x -> f(f(..f(x, mn).., mn + m - 1) has the exponents m lambda_j, the conjugate S f(S^{-1} y, n) the same
exponents, the inverse the negatives in reverse. A chaotic system's rounded orbits part after some tens of steps, so
such exponents are compared on the same points: `Along` follows recorded ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics import System

__all__ = ["Along", "Conjugate", "Iterate", "Reversed", "orbit"]

Array = npt.NDArray[np.float64]


def orbit(system: System, x0: Array, steps: int) -> Array:
    """The points (steps + 1, B, d) of the orbits from x0 (B, d)."""
    points = [x0]
    for n in range(steps):
        points.append(np.asarray(system.step(points[-1], n)))
    return np.array(points)


class Along:
    """A system that follows recorded points: the tangent maps of `system` at `points`, whatever x is.

    Args:
        system: whose tangent maps are taken.
        points: (N + 1, B, d).
        length: N for a finite chain, whose exponents are those of the whole product, or None.
    """

    def __init__(self, system: System, points: Array, *, length: int | None) -> None:
        self.system, self.points, self.dim, self.length = system, points, system.dim, length
        if callable(getattr(system, "cotangent", None)):
            self.cotangent = self._pull_back

    def step(self, x: Any, n: int) -> Any:  # noqa: ARG002
        """The recorded point n + 1."""
        return self.points[n + 1]

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """The recorded point n + 1, and Df(points[n], n) V."""
        return self.points[n + 1], self.system.tangent(self.points[n], n, V)[1]

    def _pull_back(self, x: Any, n: int, U: Any) -> Any:  # noqa: ARG002
        return self.system.cotangent(self.points[n], n, U)  # type: ignore[attr-defined]


class Iterate:
    """m steps of a system as one; of a finite chain the whole groups of m steps.

    Args:
        system: on R^d.
        m: at least 1.
    """

    def __init__(self, system: System, m: int) -> None:
        self.system, self.m, self.dim = system, m, system.dim
        self.length = None if system.length is None else system.length // m

    def step(self, x: Any, n: int) -> Any:
        """f^m(x), from the step m n on."""
        for i in range(self.m):
            x = self.system.step(x, self.m * n + i)
        return x

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """f^m(x) and Df^m(x) V."""
        for i in range(self.m):
            x, V = self.system.tangent(x, self.m * n + i, V)
        return x, V


class Conjugate:
    """A system in the coordinates y = S x: y -> S f(S^{-1} y, n).

    Args:
        system: on R^d.
        S: (d, d), invertible.
    """

    def __init__(self, system: System, S: Array) -> None:
        self.system, self.S, self.inverse = system, S, np.linalg.inv(S)
        self.dim, self.length = system.dim, system.length

    def step(self, y: Any, n: int) -> Any:
        """S f(S^{-1} y, n)."""
        return self.system.step(y @ self.inverse.T, n) @ self.S.T

    def tangent(self, y: Any, n: int, V: Any) -> tuple[Any, Any]:
        """S f(S^{-1} y, n) and S Df S^{-1} V."""
        x, V = self.system.tangent(y @ self.inverse.T, n, self.inverse @ V)
        return x @ self.S.T, self.S @ V


class Reversed:
    """`steps` steps of a system backwards, last step first; tangent maps by linear solve.

    Args:
        system: on R^d.
        inverse: inverse(y, n) giving the x with f(x, n) = y, (B, d) -> (B, d).
        steps: how many.
    """

    def __init__(self, system: System, inverse: Callable[[Any, int], Any], steps: int) -> None:
        self.system, self.inverse, self.dim, self.length = system, inverse, system.dim, steps

    def step(self, y: Any, n: int) -> Any:
        """The x with f(x, steps - 1 - n) = y."""
        return self.inverse(y, self.length - 1 - n)

    def tangent(self, y: Any, n: int, V: Any) -> tuple[Any, Any]:
        """x, and Df(x, steps - 1 - n)^{-1} V."""
        x = self.step(y, n)
        identity = np.broadcast_to(np.eye(self.dim), (len(x), self.dim, self.dim))
        return x, np.linalg.solve(self.system.tangent(x, self.length - 1 - n, identity)[1], V)
