"""The door for arrays and counts: real numbers in, float32 kept, others float64, the kind (NumPy, CuPy, ..) kept."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import array_api_compat.numpy as numpy_namespace
import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

__all__ = ["check_count", "check_finite", "check_frame", "check_generator", "check_points", "reals"]


def check_generator(rng: Any) -> None:
    """ValueError unless `rng` is a generator of NumPy's."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"`rng` must be a numpy.random.Generator, such as numpy.random.default_rng(0), got {rng!r:.80}."
        )


def reals(name: str, values: Any) -> tuple[Any, Any]:
    """The array namespace of `values`, and `values` as an array of float32 (if it is that) or float64.

    Raises:
        ValueError: naming `name`, if `values` does not hold real numbers.
    """
    if type(values) is np.ndarray and values.dtype.char in "fd":  # the usual case, without the questions
        return numpy_namespace, values
    given = values
    if not is_array_api_obj(values) or isinstance(values, np.generic):
        try:
            values = np.asarray(values)
        except ValueError:  # rows of different lengths
            raise ValueError(_refusal(name, given)) from None
    xp = array_namespace(values)
    if not xp.isdtype(values.dtype, ("bool", "integral", "real floating")):
        raise ValueError(_refusal(name, given))
    return xp, values if values.dtype == xp.float32 else xp.astype(values, xp.float64, copy=False)


def _refusal(name: str, values: Any) -> str:
    return f"`{name}` must hold real numbers, got {values!r:.80}."


def check_points(x: Any, dim: int, name: str = "x") -> Any:
    """`x` as float points (B, dim): float32 stays, everything else becomes float64; ValueError otherwise."""
    _, points = reals(name, x)
    if points.ndim != 2 or points.shape[1] != dim:
        raise ValueError(f"`{name}` must have shape (batch, {dim}), got {tuple(points.shape)}.")
    return points


def check_finite(name: str, values: Any) -> Any:
    """`values` if all are finite; ValueError naming the first that is not."""
    xp = array_namespace(values)
    finite = xp.isfinite(values)
    if not xp.all(finite):
        raise ValueError(f"`{name}` must be finite, got {float(values[~finite][0])!r}.")
    return values


def check_frame(V: Any, x: Any, name: str = "V") -> Any:
    """`V` if it has shape (B, d, p) for points x of shape (B, d); ValueError otherwise."""
    shape = tuple(getattr(V, "shape", ()))
    if len(shape) != 3 or shape[:2] != tuple(x.shape):
        raise ValueError(f"`{name}` must have shape ({x.shape[0]}, {x.shape[1]}, p), got {shape}.")
    return V


def check_count(name: str, value: Any, low: int, high: int | None) -> None:
    """ValueError unless `value` is an integer in low..high (None: no bound)."""
    if not (isinstance(value, Integral) and low <= int(value) and (high is None or int(value) <= high)):
        rule = f"an integer of at least {low}" if high is None else f"an integer in {low}..{high}"
        raise ValueError(f"`{name}` must be {rule}, got {value!r}.")
