"""Where the blocks of an image can lie.

An image (H, W) is continued by its last row and column to whole numbers of range blocks, and to at least one domain.
Range blocks are squares of n = range_size, range_size/2, ..., min_size pixels. A domain of a range of size n is a
square of ratio * n pixels at a multiple of a step in both directions; averaged over ratio x ratio pixels it has n x n.
Isometry g turns it g mod 4 quarters anticlockwise, and then transposes it if g >= 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import check_count
from pifs_sim.fractals.grey import FloatArray

__all__ = ["IntArray", "Layout", "blocks", "isometries"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Places of ranges and domains.

    Args:
        shape: (H, W) of the image.
        range_size: pixels along the largest ranges, 2..1024.
        min_size: pixels along the smallest; range_size over a power of two.
        ratio: size of a domain over that of its range, 2..255.
        domain_step: pixels between domains; None: the size of the range.
        isometries: how many of the eight are used, the first ones.

    Raises:
        ValueError: anything else.
    """

    shape: tuple[int, int]
    range_size: int = 8
    min_size: int = 8
    ratio: int = 2
    domain_step: int | None = None
    isometries: int = 8

    def __post_init__(self) -> None:
        if len(self.shape) != 2 or not 1 <= min(self.shape) <= max(self.shape) < 2**32:
            raise ValueError(f"`shape` must be (H, W) of at least one pixel, got {self.shape!r}.")
        check_count("range_size", self.range_size, 2, 1024)
        check_count("min_size", self.min_size, 2, self.range_size)
        if self.min_size not in (self.range_size / 2**k for k in range(10)):
            raise ValueError(
                f"`min_size` must be `range_size`={self.range_size} over a power of two, got {self.min_size!r}."
            )
        check_count("ratio", self.ratio, 2, 255)
        if self.domain_step is not None:
            check_count("domain_step", self.domain_step, 1, 2**16 - 1)
        check_count("isometries", self.isometries, 1, 8)

    @cached_property
    def padded(self) -> tuple[int, int]:
        """(H', W') of the continued image."""
        n = self.range_size
        height, width = (max(-(-length // n), self.ratio) * n for length in self.shape)
        return height, width

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of ranges, the largest first."""
        return tuple(self.range_size >> k for k in range((self.range_size // self.min_size).bit_length()))

    def roots(self) -> IntArray:
        """(N, 2) row and column of the largest ranges, row by row."""
        rows, columns = (length // self.range_size for length in self.padded)
        return self.range_size * _lattice(rows, columns)

    def domain_grid(self, size: int) -> tuple[int, int, int]:
        """Rows and columns of domains for ranges of a size, and the pixels between them."""
        step = size if self.domain_step is None else self.domain_step
        rows, columns = ((length - self.ratio * size) // step + 1 for length in self.padded)
        return rows, columns, step

    def domains(self, size: int) -> IntArray:
        """(C, 2) row and column of the domains for ranges of a size, row by row."""
        rows, columns, step = self.domain_grid(size)
        return step * _lattice(rows, columns)

    def pad(self, image: FloatArray) -> FloatArray:
        """The continued image."""
        below, right = (whole - length for whole, length in zip(self.padded, image.shape, strict=True))
        return np.pad(image, ((0, below), (0, right)), mode="edge")

    def shrunk_domains(self, padded: FloatArray, size: int) -> FloatArray:
        """(C, size^2) the averaged domains of a continued image, `padded`."""
        height, width = (length - self.ratio + 1 for length in padded.shape)
        box = np.zeros((height, width))
        for i in range(self.ratio):
            for j in range(self.ratio):
                box += padded[i : i + height, j : j + width]
        return blocks(box / self.ratio**2, self.domains(size), size, apart=self.ratio)


def _lattice(rows: int, columns: int) -> IntArray:
    """(rows * columns, 2) the places of a grid, row by row."""
    return np.stack(np.divmod(np.arange(rows * columns), columns), axis=1)


def blocks(image: FloatArray, places: IntArray, size: int, *, apart: int = 1) -> FloatArray:
    """(N, size^2) blocks at places (N, 2), of pixels that lie `apart`."""
    offsets = apart * np.arange(size)
    rows = places[:, 0, None, None] + offsets[:, None]
    return image[rows, places[:, 1, None, None] + offsets].reshape(len(places), -1)


def isometries(size: int, count: int = 8) -> IntArray:
    """(count, size^2) permutations: (g d)_a = d[g_a] for blocks d row by row."""
    square = np.arange(size * size).reshape(size, size)
    turned = [np.rot90(square, g % 4) for g in range(count)]
    return np.array([(turn if g < 4 else turn.T).ravel() for g, turn in enumerate(turned)])
