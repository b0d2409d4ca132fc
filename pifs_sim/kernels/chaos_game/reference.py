"""All orbits side by side, one step after the other, in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.chaos_game.stream import choices

if TYPE_CHECKING:
    from pifs_sim.kernels.chaos_game import Grid, Maps

__all__ = ["compute"]

_CHUNK = 64  # steps whose maps are drawn at once


def _images(maps: Maps, x: npt.NDArray[Any], i: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """A_i x + b_i in the order of the law."""
    A, b = maps.matrices[i], maps.offsets[i]
    sums = A[:, :, 0] * x[:, :1]
    for r in range(1, x.shape[1]):
        sums = sums + A[:, :, r] * x[:, r : r + 1]
    return sums + b


def _boxes(points: npt.NDArray[Any], grid: Grid, inside: bool) -> npt.NDArray[np.intp]:
    """Numbers of the boxes, row by row, of the points that are counted."""
    bins = np.array(grid.bins)
    q = (points.astype(np.float64) - grid.low) * (bins / (grid.high - grid.low))
    if not inside:
        q = q[((q >= 0) & (q <= bins)).all(axis=1)]
    index = np.clip(q, 0, bins - 1).astype(np.intp)
    return np.ravel_multi_index(tuple(index.T), grid.bins)


def compute(
    maps: Maps,
    n: int,
    *,
    seed: int,
    orbits: int,
    transient: int,
    grid: Grid | None,
    inside: bool,
    span: tuple[int, int],
) -> npt.NDArray[Any]:
    """See the door."""
    first, stop = span
    numbers = np.arange(first, stop, dtype=np.uint64)
    x = np.tile(maps.start, (len(numbers), 1))
    found = []
    counts = np.zeros(1 if grid is None else int(np.prod(grid.bins)), np.int64)
    steps = transient + -(-n // orbits)
    for step in range(steps):
        if step % _CHUNK == 0:
            drawn = choices(maps.cuts, seed, step, min(_CHUNK, steps - step), numbers)
        x = _images(maps, x, drawn[step % _CHUNK])
        points = x[: max(0, n - (step - transient) * orbits - first)] if step >= transient else x[:0]
        if grid is None:
            found.append(points)
        else:
            np.add.at(counts, _boxes(points, grid, inside), 1)
    return np.concatenate([x[:0], *found]) if grid is None else counts.reshape(grid.bins)
