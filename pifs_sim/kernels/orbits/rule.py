"""A rule: f and Df as functions of one point, in one of two forms.

Returning: step(x, n) gives d numbers, jacobian(x, n) d rows of d numbers (a number each where d = 1), as tuples or
arrays. Writing: step(x, n, out), jacobian(x, n, out) and tangent(x, n, V, out) fill `out`, of shape (d,), (d, d) and
(d, p). The point is indexed, x[0], x[1], ..: a tuple where the kernels keep it in registers, else an array.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Rule", "parameters"]

PointFunction = Callable[..., Any]


def parameters(function: PointFunction) -> int:
    """Number of arguments of a Python or Numba function."""
    return len(inspect.signature(getattr(function, "py_func", function)).parameters)


@dataclass(frozen=True)
class Rule:
    """f, and Df as a Jacobian or as a tangent function; Python functions that Numba can compile, or compiled ones.

    `cuda` is CUDA C++ source of the same functions, see `cuda.py`.

    Raises:
        ValueError: dim < 1, both or none of `jacobian` and `tangent`, or functions of another number of arguments.
    """

    step: PointFunction
    jacobian: PointFunction | None
    tangent: PointFunction | None
    dim: int
    cuda: str | None = None

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"`dim` must be at least 1, got {self.dim!r}.")
        if (self.jacobian is None) == (self.tangent is None):
            raise ValueError("a compiled map needs `jacobian` or `tangent`, and one of them only.")
        for name, function, counts in (
            ("step", self.step, (2, 3)),
            ("jacobian", self.jacobian, (2, 3)),
            ("tangent", self.tangent, (4,)),
        ):
            if function is not None and parameters(function) not in counts:
                forms = {
                    "step": "(x, n) or (x, n, out)",
                    "jacobian": "(x, n) or (x, n, out)",
                    "tangent": "(x, n, V, out)",
                }
                raise ValueError(
                    f"`{name}` must be a function {name}{forms[name]}, got {parameters(function)} arguments."
                )

    @property
    def returns(self) -> bool:
        """Whether step and jacobian return their values."""
        return self.jacobian is not None and parameters(self.step) == parameters(self.jacobian) == 2

    def check(self, x: Any, n: int) -> None:
        """Evaluate both functions at one point (d,); ValueError for a result of the wrong shape."""
        self.step_at(x, n)
        self.push(x, n, np.eye(self.dim, dtype=x.dtype)[:, :1])

    def step_at(self, x: Any, n: int) -> Any:
        """f at one point (d,), in Python; ValueError for a result of the wrong shape."""
        return self._value("step", self.step, x, n, (self.dim,))

    def push(self, x: Any, n: int, V: Any) -> Any:
        """Df V at one point for V of shape (d, p), in Python; ValueError for a Jacobian of the wrong shape."""
        if self.tangent is not None:
            out = np.empty_like(V)
            getattr(self.tangent, "py_func", self.tangent)(x, n, V, out)
            return out
        return self._value("jacobian", self.jacobian, x, n, (self.dim, self.dim)) @ V

    def _value(self, name: str, function: Any, x: Any, n: int, shape: tuple[int, ...]) -> Any:
        plain = getattr(function, "py_func", function)
        if parameters(function) == 3:  # the writing form
            out = np.full(shape, np.nan, dtype=x.dtype)
            plain(x, n, out)
            return out
        value = np.asarray(plain(tuple(x.tolist()) if self.dim <= 2 else x, n), dtype=x.dtype)
        if value.shape != shape and not (self.dim == 1 and value.size == 1):
            raise ValueError(f"`{name}` must return shape {shape}, got {value.shape}.")
        return value.reshape(shape)
