"""A set with its IFS, its source, and what is known of its dimension without measuring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

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
        ratio: lengths of neighbouring scales at which the set looks alike: all ratios are powers of 1/ratio; or None.
        cube: holds the set; where there is a ratio too, every map takes the cube to a union of boxes of its grids,
            which have the side side/ratio^k; or None.
        axes: (d, d) the edges of the cube and its boxes, in columns, where they are not along the coordinates.
        boxes: the set meets the interior of boxes^k of those, exactly; or None.
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
    axes: npt.NDArray[np.float64] | None = None
    note: str = ""

    def aligned(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points (N, d) along the edges of the cube; an affine map, which changes no dimension."""
        return points if self.axes is None else np.asarray(np.linalg.solve(self.axes, points.T).T, dtype=np.float64)


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
