"""Random iteration of affine maps by many orbits: their points, or how many fall into the boxes of a grid.

Every orbit starts at one point and takes x <- A_i x + b_i, i drawn anew at each step with probability
(cuts_i - cuts_(i-1))/2^32. The maps are drawn k at a time, k = 4, 2 or 1 by their number M, by the number of
(seed, orbit, step // k) in `stream`, every word of k maps with its probability to within 2^-64 (k = 4) or 2^-32. All k
points come from the one before them, in coordinates (A_r0 x_0 + A_r1 x_1 + ..) + b_r, with the products A, b of the
maps so far, which `alphabet` makes once. So a word does not depend on other words, and neither points nor counts on
threads or backends: they agree in every bit.

Point p is step transient + p // orbits of orbit p % orbits. A point x lies in the box floor(q), q = (x - low) s with
s = bins/(high - low) in float64, along each axis; q = bins belongs to the last box, and points outside of the grid are
not counted.

Shapes: matrices (M, d, d), offsets (M, d), start (d,) of one dtype, float32 or float64; cuts (M - 1,) uint32 ascending;
points (n, d) of that dtype; counts (bins_0, .., bins_{d-1}) int64. NumPy or CuPy arrays, the same kind out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["MAX_BOXES", "Grid", "Maps", "compute"]

MAX_BOXES = 2**30


class Maps(NamedTuple):
    """What is iterated."""

    matrices: npt.NDArray[Any]
    offsets: npt.NDArray[Any]
    cuts: npt.NDArray[np.uint32]
    start: npt.NDArray[Any]


class Grid(NamedTuple):
    """Boxes between two corners (d,), so many along each axis; NumPy arrays for every backend."""

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    bins: tuple[int, ...]


class Play(NamedTuple):
    """What of the orbits is wanted, and how; see `compute`."""

    n: int
    seed: int
    orbits: int
    transient: int
    grid: Grid | None
    inside: bool
    span: tuple[int, int]


def compute(
    maps: Maps,
    n: int,
    *,
    seed: int,
    orbits: int,
    transient: int,
    grid: Grid | None = None,
    inside: bool = False,
    span: tuple[int, int] | None = None,
    backend: Backend | None = None,
) -> Any:
    """The points p < n, or with a grid their counts.

    Args:
        maps: the maps, the cuts between their numbers, and where every orbit starts.
        n: number of points of all orbits together.
        seed: 0..2^64 - 1.
        orbits: number of orbits.
        transient: steps of every orbit before its first point.
        grid: of d <= 3 axes; None for the points themselves.
        inside: the caller knows that no point lies outside of the grid; where one does, it counts in a box at the edge.
        span: first orbit and the one after the last of those that play, all by default; other points are left out.
        backend: None takes "cuda" if the maps are CuPy arrays, else "cpu".

    Raises:
        ValueError: arrays of other shapes or dtypes, counts out of range, a grid that is empty, of more than 2^30
            boxes or of more than three axes, or a backend that is unknown or cannot take the arrays.
        MemoryError: points or counts that do not fit into the GPU's memory.
    """
    backend = chosen(backend, **maps._asdict())
    _check_maps(maps)
    first, stop = (0, orbits) if span is None else span
    for name, value, low, high in (
        ("n", n, 0, 2**62),
        ("seed", seed, 0, 2**64 - 1),
        ("orbits", orbits, 1, 2**40),
        ("transient", transient, 0, 2**32 - 1),
        ("span", first, 0, stop),
        ("span", stop, first, orbits),
        ("steps of an orbit", transient + -(-n // max(orbits, 1)), 0, 2**32 - 1),
    ):
        if not low <= value <= high:
            raise ValueError(f"`{name}` must lie in {low}..{high}, got {value!r}.")
    if grid is not None:
        _check_grid(grid, maps.matrices.shape[1])
    play = Play(n, seed, orbits, transient, grid, inside, (first, stop))
    return module_of(__name__, backend).compute(maps, play)


def _check_maps(maps: Maps) -> None:
    A, b, cuts, start = maps
    if A.ndim != 3 or 0 in A.shape or A.shape[1] != A.shape[2] or b.shape != A.shape[:2] or start.shape != b.shape[1:]:
        raise ValueError(
            f"`matrices`, `offsets` and `start` must have shapes (M, d, d), (M, d) and (d,), "
            f"got {A.shape}, {b.shape} and {start.shape}."
        )
    if A.dtype not in (np.float32, np.float64) or not A.dtype == b.dtype == start.dtype:
        raise ValueError(f"`maps` must be of float32 or of float64, got {A.dtype}, {b.dtype} and {start.dtype}.")
    if cuts.dtype != np.uint32 or cuts.shape != (len(A) - 1,) or (cuts[1:] < cuts[:-1]).any():
        raise ValueError(f"`cuts` must be {len(A) - 1} ascending uint32, got {cuts.dtype} of shape {cuts.shape}.")


def _check_grid(grid: Grid, d: int) -> None:
    low, high, bins = grid
    if not low.shape == high.shape == (d,) or len(bins) != d or d > 3:
        raise ValueError(f"`grid` must have d <= 3 axes, got d={d}, corners {low.shape}, {high.shape}, bins {bins!r}.")
    if min(bins) < 1 or np.prod(bins, dtype=np.float64) > MAX_BOXES:
        raise ValueError(f"`bins` must be at least 1 each and 2^30 together, got {bins!r}.")
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        scale = np.array(bins) / (high - low)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError(f"`grid` must have finite corners, each low below its high, got {low!r} and {high!r}.")
