"""Systems made of functions, and the systems derived from a system.

`Map`: f and Df as functions of batches. `Tangent(system, p)`: the rule (x, V) -> (f(x, n), Df(x, n) V) as a system on
R^{d + dp}. Derivatives by hand; by differences only where asked for by name:
complex step, Df v = Im f(x + i h v)/h with h = 1e-200, exact to rounding for real-analytic f (Squire, Trapp 1998,
SIAM Review 40, 110); central differences, (f(x + h v) - f(x - h v))/2h with h = eps^{1/3}, error about 1e-10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import check_count, check_frame, check_points
from pifs_sim.dynamics.compiled import CompiledMap
from pifs_sim.dynamics.display import shown
from pifs_sim.dynamics.system import System

__all__ = ["Map", "Tangent"]

StepFunction = Callable[[Any, int], Any]
TangentFunction = Callable[[Any, int, Any], Any]


def _complex_step(step: StepFunction) -> TangentFunction:
    h = 1e-200

    def tangent(x: Any, n: int, V: Any) -> Any:
        xp = array_namespace(x)
        wide = xp.complex128 if x.dtype == xp.float64 else xp.complex64
        small = h if x.dtype == xp.float64 else 1e-25
        columns = [xp.imag(step(xp.astype(x, wide) + 1j * small * V[:, :, i], n)) / small for i in range(V.shape[2])]
        return xp.stack(columns, axis=2)

    return tangent


def _central_difference(step: StepFunction) -> TangentFunction:
    def tangent(x: Any, n: int, V: Any) -> Any:
        xp = array_namespace(x)
        h = float(xp.finfo(x.dtype).eps) ** (1 / 3)
        columns = [(step(x + h * V[:, :, i], n) - step(x - h * V[:, :, i], n)) / (2 * h) for i in range(V.shape[2])]
        return xp.stack(columns, axis=2)

    return tangent


_DERIVATIVES = {"complex-step": _complex_step, "finite-difference": _central_difference}


class Map:
    """A system from functions of batches.

    Args:
        step: f(x, n) for x of shape (B, d), returning (B, d).
        jacobian: Df(x, n), returning (B, d, d).
        tangent: Df(x, n) V as tangent(x, n, V) for V of shape (B, d, p), returning (B, d, p): instead of `jacobian`,
            where that would be large.
        dim: d.
        cotangent: Df(x, n)^T U like `tangent`; from `jacobian` by default.
        length: number of steps of a finite chain, or None.
        derivative: "complex-step" or "finite-difference", instead of `jacobian` and `tangent`; `step` must then take
            complex x, or smooth perturbations of x.

    Raises:
        ValueError: dim < 1, both or none of jacobian, tangent and derivative where a derivative is needed, results of
            a wrong shape, or a Jacobian that is not finite where the point is.

    >>> import numpy as np
    >>> logistic = Map(lambda x, n: 4 * x * (1 - x), jacobian=lambda x, n: (4 - 8 * x)[..., None], dim=1)
    >>> moved, pushed = logistic.tangent(np.array([[0.25]]), 0, np.ones((1, 1, 1)))
    >>> moved.tolist(), pushed.tolist()
    ([[0.75]], [[[2.0]]])
    """

    def __init__(
        self,
        step: StepFunction,
        jacobian: StepFunction | None = None,
        tangent: TangentFunction | None = None,
        *,
        dim: int,
        cotangent: TangentFunction | None = None,
        length: int | None = None,
        derivative: str | None = None,
    ) -> None:
        if not callable(step):
            raise ValueError(f"`step` must be a function of (x, n), got {step!r}.")
        check_count("dim", dim, 1, None)
        if length is not None and length < 1:
            raise ValueError(f"`length` must be None or at least 1, got {length!r}.")
        if sum(given is not None for given in (jacobian, tangent, derivative)) > 1:
            raise ValueError("give one of `jacobian`, `tangent` and `derivative`, not several.")
        if derivative is not None:
            if derivative not in _DERIVATIVES:
                raise ValueError(f"`derivative` must be one of {', '.join(_DERIVATIVES)}, got {derivative!r}.")
            tangent = _DERIVATIVES[derivative](step)
        self.dim, self.length = dim, length
        self._step, self._jacobian, self._tangent, self._cotangent = step, jacobian, tangent, cotangent
        if jacobian is not None or cotangent is not None:
            self.cotangent = self._pull_back

    compiled = staticmethod(CompiledMap)

    def __repr__(self) -> str:
        steps = "" if self.length is None else f", T={self.length}"
        return f"Map({shown(self._step)}, d={self.dim}{steps})"

    def _shaped(self, name: str, value: Any, shape: tuple[int, ...], like: Any) -> Any:
        if tuple(value.shape) != shape:
            raise ValueError(f"`{name}` must return shape {shape}, got {tuple(value.shape)}.")
        return array_namespace(value).astype(value, like.dtype, copy=False)

    def _finite(self, name: str, value: Any, x: Any, n: int) -> Any:
        """`value`; ValueError where it is not finite although the point is."""
        xp = array_namespace(value)
        if not xp.all(xp.isfinite(value)):
            bad = xp.all(xp.isfinite(x), axis=1) & ~xp.all(xp.reshape(xp.isfinite(value), (x.shape[0], -1)), axis=1)
            if xp.any(bad):
                orbit = int(xp.argmax(xp.astype(bad, xp.int8)))
                raise ValueError(f"`{name}` is not finite at step n={n}, orbit {orbit}, x={x[orbit, :]}.")
        return value

    def step(self, x: Any, n: int) -> Any:
        """f(x, n), (B, d) -> (B, d)."""
        x = check_points(x, self.dim)
        return self._shaped("step", self._step(x, n), tuple(x.shape), x)

    def jacobian(self, x: Any, n: int) -> Any:
        """Df(x, n), (B, d) -> (B, d, d)."""
        x = check_points(x, self.dim)
        if self._jacobian is None:
            xp = array_namespace(x)
            identity = xp.broadcast_to(xp.eye(self.dim, dtype=x.dtype), (x.shape[0], self.dim, self.dim))
            return self._push(x, n, identity)
        matrices = self._shaped("jacobian", self._jacobian(x, n), (x.shape[0], self.dim, self.dim), x)
        return self._finite("jacobian", matrices, x, n)

    def _push(self, x: Any, n: int, V: Any) -> Any:
        if self._jacobian is not None:
            return array_namespace(x).matmul(self.jacobian(x, n), V)
        if self._tangent is None:
            raise ValueError(
                "this map has no derivative: give `jacobian` or `tangent`, or derivative='complex-step' or "
                "'finite-difference'."
            )
        pushed = self._shaped("tangent", self._tangent(x, n, V), tuple(V.shape), x)
        return self._finite("tangent", pushed, x, n)

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(f(x, n), Df(x, n) V) for V of shape (B, d, p)."""
        x = check_points(x, self.dim)
        return self.step(x, n), self._push(x, n, check_frame(V, x))

    def _pull_back(self, x: Any, n: int, U: Any) -> Any:
        """Df(x, n)^T U for U of shape (B, d, p)."""
        x = check_points(x, self.dim)
        check_frame(U, x, "U")
        if self._cotangent is not None:
            return self._shaped("cotangent", self._cotangent(x, n, U), tuple(U.shape), x)
        return array_namespace(x).matmul(array_namespace(x).matrix_transpose(self.jacobian(x, n)), U)


class Tangent:
    """The tangent map of a system as a system: states (x, V), V of shape (d, p) flattened row by row.

    Args:
        system: on R^d.
        p: number of tangent vectors.
        derivative: "finite-difference" to differentiate once more; without it only `step` works.

    Raises:
        ValueError: p < 1, or another `derivative`.
    """

    def __init__(self, system: System, p: int, *, derivative: str | None = None) -> None:
        if p < 1:
            raise ValueError(f"`p` must be at least 1, got {p!r}.")
        if derivative not in (None, "finite-difference"):  # tangent maps take real points only
            raise ValueError(f'`derivative` must be None or "finite-difference", got {derivative!r}.')
        self.system, self.p = system, p
        self.dim, self.length = system.dim * (1 + p), system.length
        self._map = Map(self._moved, dim=self.dim, derivative=derivative)

    def __repr__(self) -> str:
        return f"Tangent({shown(self.system)}, p={self.p}, d={self.dim})"

    def _moved(self, z: Any, n: int) -> Any:
        d = self.system.dim
        x, V = self.system.tangent(z[:, :d], n, z[:, d:].reshape(-1, d, self.p))
        return array_namespace(z).concat([x, V.reshape(z.shape[0], -1)], axis=1)

    def step(self, z: Any, n: int) -> Any:
        """(f(x, n), Df(x, n) V), (B, d + d p), at z = (x, V)."""
        return self._map.step(z, n)

    def tangent(self, z: Any, n: int, W: Any) -> tuple[Any, Any]:
        """The second tangent map, at z with vectors W (B, d + d p, q)."""
        return self._map.tangent(z, n, W)

    def pack(self, x: Any, V: Any) -> Any:
        """States (B, d + d p) of points (B, d) and tangent vectors (B, d, p)."""
        x = check_points(x, self.system.dim)
        return np.concatenate([x, np.broadcast_to(V, (len(x), self.system.dim, self.p)).reshape(len(x), -1)], axis=1)
