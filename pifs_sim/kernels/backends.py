"""Which backend plays: the one that is asked for if it can take the arrays, or else the one whose arrays they are."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Literal

import numpy as np
from array_api_compat import is_cupy_array

from pifs_sim.kernels import device

__all__ = ["Backend", "chosen", "module_of"]

Backend = Literal["reference", "cpu", "cuda"]


def chosen(backend: Backend | None, *, generic: bool = False, **arrays: Any) -> Backend:
    """The backend for arrays given by name.

    Args:
        backend: None takes "cpu" for NumPy arrays and "cuda" for CuPy arrays.
        generic: whether the room's reference takes arrays of any library; None is then "reference" for others.
        arrays: the arguments.

    Raises:
        ValueError: an unknown backend, one that cannot take the arrays, or "cuda" without CuPy or a GPU.
    """
    if backend not in (None, "reference", "cpu", "cuda"):
        raise ValueError(f'`backend` must be "reference", "cpu" or "cuda", got {backend!r}.')
    if backend == "cuda" or (backend is None and all(map(is_cupy_array, arrays.values()))):
        owns, wanted = device.current().owns, "a CuPy array"
        backend = "cuda"
    elif generic and backend != "cpu":
        numpy = all(isinstance(array, np.ndarray) for array in arrays.values())
        return backend or ("cpu" if numpy else "reference")
    else:
        owns, wanted = _is_numpy, "a NumPy array, or all arrays CuPy's" if backend is None else "a NumPy array"
    for name, array in arrays.items():
        if not owns(array):
            asked = f' for the `backend` "{backend}"' if backend else ""
            raise ValueError(f"`{name}` must be {wanted}{asked}, got {type(array).__name__}.")
    return backend or "cpu"


def module_of(room: str, backend: Backend) -> ModuleType:
    """A room's file for a backend, imported when it is first asked for: Numba is slow to import."""
    return import_module(f"{room}.{backend}")


def _is_numpy(array: Any) -> bool:
    return isinstance(array, np.ndarray)
