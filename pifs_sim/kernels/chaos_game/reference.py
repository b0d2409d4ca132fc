"""All orbits side by side, one word of maps after the other, in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.chaos_game.alphabet import columns, letters, word_maps
from pifs_sim.kernels.chaos_game.stream import draws

if TYPE_CHECKING:
    from pifs_sim.kernels.chaos_game import Grid, Maps, Play

__all__ = ["compute"]

_CHUNK = 64  # words of each orbit drawn at once


def _images(A: npt.NDArray[Any], b: npt.NDArray[Any], x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A x + b in the order of the law."""
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


def compute(maps: Maps, play: Play) -> npt.NDArray[Any]:
    """See the door."""
    n, seed, orbits, transient, grid, inside, (first, stop) = play
    numbers = np.arange(first, stop, dtype=np.uint64)
    x = np.tile(maps.start, (len(numbers), 1))
    found = []
    counts = np.zeros(1 if grid is None else int(np.prod(grid.bins)), np.int64)
    chooser, (A, b), k = columns(maps.cuts), word_maps(maps.matrices, maps.offsets), letters(len(maps.matrices))
    for step in range(transient + -(-n // orbits)):
        group, j = divmod(step, k)
        if step % (_CHUNK * k) == 0:
            words = chooser.words(draws(seed, group, _CHUNK, numbers, each=chooser.each))
        word = words[group % _CHUNK]
        points = _images(A[word, j], b[word, j], x)
        if j == k - 1:
            x = points
        points = points[: max(0, n - (step - transient) * orbits - first)] if step >= transient else x[:0]
        if grid is None:
            found.append(points)
        else:
            np.add.at(counts, _boxes(points, grid, inside), 1)
    return np.concatenate([x[:0], *found]) if grid is None else counts.reshape(grid.bins)
