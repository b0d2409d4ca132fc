"""Partition of the coordinates of a vector or an image into M equal patches of n coordinates each.

A vector of d = M n coordinates is cut into consecutive runs; an image (H, W, C), flattened in C order, into blocks of
h x w x C, numbered row by row. An operator A then has blocks [A]_kj, (n, n).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import reals

__all__ = ["Patches"]

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("height", "width")}


def _positive_integers(name: str, values: Any) -> tuple[int, ...]:
    try:
        numbers = tuple(operator.index(value) for value in (values if np.iterable(values) else [values]))
    except TypeError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise ValueError(f"`{name}` must hold integers >= 1, got {values!r:.80}.")
    return numbers


@dataclass(frozen=True, init=False)
class Patches:
    """Equal patches of vectors (d,) or of images (H, W) or (H, W, C).

    Args:
        shape: d, (d,), (H, W) or (H, W, C).
        size: of a patch: n for a vector; for an image h = w, or (h, w). A patch holds all C channels.

    Raises:
        ValueError: not positive integers, or patches that do not tile the shape.

    >>> import numpy as np
    >>> patches = Patches((4, 4, 1), 2)
    >>> patches.split(np.arange(16.0)[None])[0].tolist()
    [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0], [8.0, 9.0, 12.0, 13.0], [10.0, 11.0, 14.0, 15.0]]
    """

    shape: tuple[int, ...]
    size: tuple[int, ...]

    def __init__(self, shape: int | Sequence[int], size: int | Sequence[int]) -> None:
        """Check that the patches tile the shape."""
        shape, size = _positive_integers("shape", shape), _positive_integers("size", size)
        if len(shape) not in _AXES:
            raise ValueError(f"`shape` must be (d,), (H, W) or (H, W, C), got {shape}.")
        names = _AXES[len(shape)]
        size = size * len(names) if len(size) == 1 else size
        if len(size) != len(names):
            raise ValueError(f"`size` must have 1 or {len(names)} entries for the shape {shape}, got {size}.")
        for name, whole, part in zip(names, shape, size, strict=False):
            if whole % part:
                raise ValueError(f"`size` {part} does not divide {name} {whole}.")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "size", size)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return math.prod(self.shape)

    @property
    def count(self) -> int:
        """Number of patches M."""
        return math.prod(whole // part for whole, part in zip(self.shape, self.size, strict=False))

    @property
    def length(self) -> int:
        """Number of coordinates n = d/M of a patch."""
        return self.dim // self.count

    @cached_property
    def indices(self) -> npt.NDArray[np.intp]:
        """(M, n) coordinates of each patch, increasing within a patch."""
        found: npt.NDArray[np.intp] = self._split(np.arange(self.dim)[None])[0]
        found.flags.writeable = False
        return found

    def split(self, x: Any) -> Any:
        """Vectors (B, d, ...) as patches (B, M, n, ...); ValueError for another d."""
        _, x = reals("x", x)
        if x.ndim < 2 or x.shape[1] != self.dim:
            raise ValueError(f"`x` must have shape (batch, {self.dim}, ...), got {tuple(x.shape)}.")
        return self._split(x)

    def join(self, y: Any) -> Any:
        """Patches y (B, M, n, ...) as vectors (B, d, ...), the inverse of `split`; ValueError for other shapes."""
        xp, y = reals("y", y)
        if y.ndim < 3 or tuple(y.shape[1:3]) != (self.count, self.length):
            raise ValueError(f"`y` must have shape (batch, {self.count}, {self.length}, ...), got {tuple(y.shape)}.")
        grid, order = self._grid()
        rest = tuple(y.shape[3:])
        back = tuple(sorted(range(len(order)), key=order.__getitem__))
        y = xp.reshape(y, (y.shape[0], *(grid[axis] for axis in order), *rest))
        y = xp.permute_dims(y, _among_others(back, len(rest)))
        return xp.reshape(y, (y.shape[0], self.dim, *rest))

    def _grid(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shape with each cut axis as (patches, size), and its axes in the order patches first."""
        cut = [(whole // part, part) for whole, part in zip(self.shape, self.size, strict=False)]
        channels = self.shape[len(cut) :]
        grid = (*(length for pair in cut for length in pair), *channels)
        order = (*range(0, 2 * len(cut), 2), *range(1, 2 * len(cut), 2), *range(2 * len(cut), len(grid)))
        return grid, order

    def _split(self, x: Any) -> Any:
        xp = array_namespace(x)
        grid, order = self._grid()
        rest = tuple(x.shape[2:])
        x = xp.permute_dims(xp.reshape(x, (x.shape[0], *grid, *rest)), _among_others(order, len(rest)))
        return xp.reshape(x, (x.shape[0], self.count, self.length, *rest))


def _among_others(order: tuple[int, ...], rest: int) -> tuple[int, ...]:
    """An order of axes between the batch axis and `rest` last ones, which stay."""
    return 0, *(axis + 1 for axis in order), *range(len(order) + 1, len(order) + 1 + rest)
