"""Maps x -> f(x, n) given by functions of one point, compiled by Numba: the fast door for long runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import check_points
from pifs_sim.dynamics.display import shown
from pifs_sim.kernels import backends, orbits
from pifs_sim.kernels.orbits import Advance

__all__ = ["Backend", "CompiledMap"]

Backend = backends.Backend | None


class CompiledMap:
    """A system from functions of one point that Numba can compile (or has compiled).

    Args:
        step: step(x, n) giving the d coordinates of f(x, n), as a tuple or array; or step(x, n, out) writing them.
        jacobian: jacobian(x, n) giving d rows of d numbers; or jacobian(x, n, out) with `out` (d, d).
        dim: d. The point is indexed, x[0], x[1], ...: tuples of numbers are fastest for d <= 2.
        tangent: tangent(x, n, V, out) writing Df V, for V and `out` of shape (d, p); instead of `jacobian`.
        length: number of steps of a finite chain, or None.
        cuda: CUDA C++ source of the same functions, as `pifs_sim.kernels.orbits.cuda` asks for it, for CuPy arrays
            and d <= 16.

    Raises:
        ValueError: dim < 1, functions of another form, results of a wrong shape, or a Jacobian that is not finite
            where the point is.
    """

    def __init__(
        self,
        step: Callable[..., Any],
        jacobian: Callable[..., Any] | None = None,
        *,
        dim: int,
        tangent: Callable[..., Any] | None = None,
        length: int | None = None,
        cuda: str | None = None,
    ) -> None:
        if length is not None and length < 1:
            raise ValueError(f"`length` must be None or at least 1, got {length!r}.")
        self.rule = orbits.Rule(step, jacobian, tangent, dim, cuda)
        self.dim, self.length = dim, length

    def __repr__(self) -> str:
        steps = "" if self.length is None else f", T={self.length}"
        return f"Map.compiled({shown(self.rule.step)}, d={self.dim}{steps})"

    def advance(self, x: Any, V: Any, *, first: int, steps: int, interval: int, backend: Backend = None) -> Advance:
        """Many steps at once: see `pifs_sim.kernels.orbits`.

        Raises:
            ValueError: points of another dimension, or functions whose results have a wrong shape.
        """
        return orbits.compute(
            self.rule, check_points(x, self.dim), V, first=first, steps=steps, interval=interval, backend=backend
        )

    def step(self, x: Any, n: int) -> Any:
        """f(x, n), (B, d) -> (B, d)."""
        x = check_points(x, self.dim)
        return self.advance(x, array_namespace(x).empty((*x.shape, 0), dtype=x.dtype), first=n, steps=1, interval=0).x

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(f(x, n), Df(x, n) V) for V of shape (B, d, p)."""
        x = check_points(x, self.dim)
        xp = array_namespace(x)
        moved = self.advance(x, xp.asarray(V, dtype=x.dtype), first=n, steps=1, interval=0)
        bad = ~xp.isfinite(moved.V).all(axis=(1, 2)) & xp.isfinite(x).all(axis=1) & xp.isfinite(V).all(axis=(1, 2))
        if bad.any():
            orbit = int(bad.argmax())
            raise ValueError(f"the Jacobian is not finite at step n={n}, orbit {orbit}, x={x[orbit]}.")
        return moved.x, moved.V
