"""A set with its IFS, its source, and what is known of its dimension without measuring."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import reals
from pifs_sim.fractals.dimensions import similarity_dimension
from pifs_sim.fractals.ifs import IFS

__all__ = ["HUTCHINSON", "Cube", "Entry", "digit_set", "similarities", "turn"]

HUTCHINSON = "Hutchinson 1981, Indiana Univ. Math. J. 30, 713, doi:10.1512/iumj.1981.30.30055"


class Cube(NamedTuple):
    """The cube corner + [0, side]^d."""

    corner: tuple[float, ...]
    side: float


@dataclass(frozen=True)
class Entry:
    """A set of the gallery.

    Attributes:
        name: what `gallery.get` calls it.
        ifs: the maps, with the probabilities r_i^D for similarities, so that the measure is even.
        source: author, year, journal or book, of the set and of its dimension.
        dimension: the box-counting dimension exactly; or None.
        hausdorff: the Hausdorff dimension exactly, which is never larger; or None.
        bounds: the box-counting dimension lies between these; equal where it is known.
        open_set: whether the open set condition holds; None where that is not known.
        ratio: lengths of neighbouring scales at which the set looks alike: all ratios are powers of 1/ratio, or of its
            root; or None.
        cube: holds the set; where there is a ratio too, the pieces of the set fit boxes of its grids, which have the
            side side/ratio^k; or None.
        boxes: the set meets the interior of boxes^k of those, exactly; or None.
        cells: takes points (N, d) to the coordinates (N, m) of the cube, in which boxes are cells that fit the set,
            where those are not boxes along the points' own.
        note: one sentence on what is known, or not.
    """

    name: str
    ifs: IFS
    source: str
    dimension: float | None
    hausdorff: float | None
    bounds: tuple[float, float]
    open_set: bool | None
    ratio: int | None = None
    cube: Cube | None = None
    boxes: int | None = None
    cells: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]] | None = None
    note: str = ""

    def __repr__(self) -> str:
        low, high = self.bounds
        size = f"dimension {low:.6g}" if low == high else f"dimension in {low:.6g}…{high:.6g}"
        return f"Entry({self.name}, {len(self.ifs)} maps of R^{self.ifs.dim}, {size})"

    def aligned(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Points in the coordinates of the cube, for `box_counting_dimension` with it and the ratio.

        Where the set has cells, points outside of the cube are left out: rounding puts some across its faces.

        Args:
            points: (N, d), finite.

        Raises:
            ValueError: other points.
        """
        x = np.asarray(reals("points", points)[1], dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.ifs.dim or not np.isfinite(x).all():
            raise ValueError(f"`points` must be finite with shape (N, {self.ifs.dim}), got shape {x.shape}.")
        if self.cells is None or self.cube is None:
            return x
        found, corner = self.cells(x), np.array(self.cube.corner)
        return found[((corner <= found) & (found <= corner + self.cube.side)).all(axis=1)]


def turn(angle: float) -> npt.NDArray[np.float64]:
    """The rotation of the plane by an angle in radians."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def similarities(
    name: str,
    ratios: Sequence[float],
    offsets: npt.ArrayLike,
    *,
    rotations: Any = None,
    source: str,
    dimension: float,
    **facts: Any,
) -> Entry:
    """The set of x -> r_i Q_i x + b_i under the open set condition."""
    b = np.asarray(offsets, dtype=np.float64)
    r = np.asarray(ratios, dtype=np.float64)
    Q = np.eye(b.shape[1]) if rotations is None else np.asarray(rotations)
    p = r ** similarity_dimension(r)
    ifs = IFS(r[:, None, None] * Q, b, p / p.sum())
    return Entry(name, ifs, source, dimension, dimension, (dimension, dimension), True, **facts)


def digit_set(name: str, base: int, digits: Sequence[tuple[int, ...]], source: str) -> Entry:
    """The set of x -> (x + c)/base, c one of some digits in {0, .., base - 1}^d: it fits the cubes of its base."""
    count, dim = len(digits), len(digits[0])
    return similarities(
        name,
        [1 / base] * count,
        np.array(digits) / base,
        source=source,
        dimension=math.log(count) / math.log(base),
        ratio=base,
        cube=Cube((0.0,) * dim, 1.0),
        boxes=count,
    )
