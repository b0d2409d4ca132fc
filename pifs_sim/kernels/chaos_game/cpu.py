"""Blocks of orbits side by side, so that drawing and locating run in vector registers and no load waits for another.

A block's random words are made four steps at a time; the maps then come from a table, one load a column. Counting is
32-bit, in a table of each thread's own (one increment at an address that has nothing to do with the last one's is what
bounds the rate); the tables are added up, which no order of threads changes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, int32, njit, uint32, uint64

from pifs_sim.kernels.chaos_game.affine import advance, padded
from pifs_sim.kernels.chaos_game.stream import KEY_STEPS, LOW, MULTIPLIERS, ROUNDS

if TYPE_CHECKING:
    from pifs_sim.kernels.chaos_game import Grid, Maps

__all__ = ["compute"]

_W = 128  # orbits of a block
_FEW = 48  # cuts that are compared one by one; more are searched by halves
_M0, _M1, _K0, _K1 = *MULTIPLIERS, *KEY_STEPS


def _draw(group: int, orbit: int, seed: Any, words: Any) -> None:
    """Words of the steps 4 group.. of the orbits `orbit`.., (4 W,); masks only where a product needs them."""
    low, shift = uint64(LOW), uint64(32)
    for w in range(_W):
        number = uint64(orbit + w)
        a, b, c, d = uint64(group), number & low, number >> shift, uint64(0)
        k, m = seed & low, seed >> shift
        for _ in range(ROUNDS):
            p, q = (a & low) * uint64(_M0), (c & low) * uint64(_M1)
            a, b, c, d = (q >> shift) ^ b ^ k, q, (p >> shift) ^ d ^ m, p
            k, m = k + uint64(_K0), m + uint64(_K1)
        words[w], words[_W + w], words[2 * _W + w], words[3 * _W + w] = a, b, c, d


def _choose(words: Any, cuts: Any, rows: Any) -> None:
    """rows: number of cuts at most the word."""
    count = cuts.size
    if count > _FEW:
        for w in range(words.size):
            low, high = 0, count
            while low < high:
                middle = (low + high) // 2
                if cuts[middle] <= words[w]:
                    low = middle + 1
                else:
                    high = middle
            rows[w] = low
        return
    for w in range(words.size):
        rows[w] = uint32(0)
    j = 0
    while j + 2 < count:
        c0, c1, c2 = cuts[j], cuts[j + 1], cuts[j + 2]
        for w in range(words.size):
            u = words[w]
            rows[w] += uint32(u >= c0) + uint32(u >= c1) + uint32(u >= c2)
        j += 3
    for i in range(j, count):
        cut = cuts[i]
        for w in range(words.size):
            rows[w] += uint32(words[w] >= cut)


def _locate(state: Any, low: Any, scale: Any, bins: Any, inside: bool, cells: Any) -> None:
    """Boxes of the W points; the number after the last box's for points outside."""
    nowhere = uint32(1)
    for r in range(len(low)):
        nowhere *= uint32(bins[r])
    for w in range(_W):
        cell, within = uint32(0), True
        for r in range(len(low)):
            q = (np.float64(state[r * _W + w]) - low[r]) * scale[r]
            if not inside:
                within = within & (q >= 0.0) & (q <= np.float64(bins[r]))
            cell = uint32(cell * uint32(bins[r]) + min(uint32(int32(q)), uint32(bins[r] - 1)))
        cells[w] = cell if within else nowhere


_draw_words = njit(error_model="numpy")(_draw)
_choose_rows = njit(error_model="numpy")(_choose)
_locate_points = njit(error_model="numpy")(_locate)


def _count(
    table: Any, cuts: Any, start: Any, seed: Any, n: int, orbits: int, transient: int, first: int, stop: int,
    low: Any, scale: Any, bins: Any, inside: bool, counts: Any,
) -> None:  # fmt: skip
    """Counts of the orbits first..stop - 1; the last entry is for points outside."""
    d = len(low)
    stride = uint64(table.size // (cuts.size + 1))
    state, cells = np.empty(d * _W, table.dtype), np.empty(_W, np.uint32)
    words, rows = np.empty(4 * _W, np.uint32), np.empty(4 * _W, np.uint32)
    for orbit in range(first, stop, _W):
        for r in range(d):
            for w in range(_W):
                state[r * _W + w] = start[r]
        for step in range(transient + (n + orbits - 1 - orbit) // orbits):
            if step % 4 == 0:
                _draw_words(step // 4, orbit, seed, words)
                _choose_rows(words, cuts, rows)
            at = uint64(step % 4 * _W)
            for w in range(_W):
                advance(table, rows[at + uint64(w)] * stride, state, uint64(w), uint64(_W), low)
            if step >= transient:
                _locate_points(state, low, scale, bins, inside, cells)
                for w in range(min(_W, stop - orbit, n - (step - transient) * orbits - orbit)):
                    counts[uint64(cells[w])] += uint32(1)


def _follow(
    matrices: Any, offsets: Any, cuts: Any, start: Any, seed: Any, n: int, orbits: int, transient: int, first: int,
    stop: int, width: int, points: Any,
) -> None:  # fmt: skip
    """Points of the orbits first..stop - 1; points[width t + o] is that of step t of orbit o, counted from `first`."""
    d = start.size
    state = np.empty((_W, d), start.dtype)
    image = np.empty(d, start.dtype)
    words, rows = np.empty(4 * _W, np.uint32), np.empty(4 * _W, np.uint32)
    for orbit in range(first, stop, _W):
        for w in range(_W):
            state[w] = start
        for step in range(transient + (n + orbits - 1 - orbit) // orbits):
            if step % 4 == 0:
                _draw_words(step // 4, orbit, seed, words)
                _choose_rows(words, cuts, rows)
            for w in range(min(_W, stop - orbit)):
                i = rows[step % 4 * _W + w]
                for r in range(d):
                    total = matrices[i, r, 0] * state[w, 0]
                    for c in range(1, d):
                        total += matrices[i, r, c] * state[w, c]
                    image[r] = total + offsets[i, r]
                for r in range(d):
                    state[w, r] = image[r]
            if step >= transient:
                for w in range(min(_W, stop - orbit, n - (step - transient) * orbits - orbit)):
                    points[(step - transient) * width + orbit - first + w] = state[w]


_counted = njit(cache=True, nogil=True, error_model="numpy")(_count)
_followed = njit(cache=True, nogil=True, error_model="numpy")(_follow)


def _shares(span: tuple[int, int], most: int) -> list[tuple[int, int]]:
    """The orbits of each thread, whole blocks but for the last."""
    first, stop = span
    blocks = -(-(stop - first) // _W)
    threads = max(1, min(get_num_threads(), blocks, most))
    edges = [min(stop, first + _W * (blocks * i // threads)) for i in range(threads + 1)]
    return list(pairwise(edges))


def _table(maps: Maps) -> npt.NDArray[Any]:
    """Columns of each matrix and then its offset, padded, in one row."""
    d = maps.matrices.shape[1]
    table = np.zeros((len(maps.matrices), d + 1, padded(d)), maps.matrices.dtype)
    table[:, :d, :d] = maps.matrices.swapaxes(1, 2)
    table[:, d, :d] = maps.offsets
    return table.ravel()


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
    arrays = tuple(np.ascontiguousarray(array) for array in maps)
    cuts, start, key = arrays[2], arrays[3], np.uint64(seed)
    if grid is None:
        d, whole, rest = start.size, n // orbits, n % orbits
        points = np.empty((whole * (stop - first) + min(max(rest - first, 0), stop - first), d), start.dtype)

        def follow(share: tuple[int, int]) -> None:
            room = points[share[0] - first :]
            _followed(*arrays, key, n, orbits, transient, *share, stop - first, room)

        _each(follow, _shares(span, n // _W + 1))
        return points
    table, boxes = _table(maps), int(np.prod(grid.bins))
    bins = tuple(int(count) for count in grid.bins)
    scale = tuple((np.array(bins) / (grid.high - grid.low)).tolist())
    low = tuple(grid.low.astype(np.float64).tolist())

    def count(share: tuple[int, int]) -> npt.NDArray[np.uint32]:
        counts = np.zeros(boxes + 1, np.uint32)
        _counted(table, cuts, start, key, n, orbits, transient, *share, low, scale, bins, inside, counts)
        return counts

    tables = _each(count, _shares(span, n // boxes + 1))
    total = tables[0][:-1].astype(np.int64)
    for counts in tables[1:]:
        total += counts[:-1]
    return total.reshape(grid.bins)


def _each(task: Any, shares: list[tuple[int, int]]) -> list[Any]:
    if len(shares) == 1:
        return [task(shares[0])]
    with ThreadPoolExecutor(len(shares)) as pool:
        return list(pool.map(task, shares))
