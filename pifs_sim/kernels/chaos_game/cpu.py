"""Blocks of orbits side by side, so that drawing runs in vector registers and no load waits for another.

All points of a word and their boxes are made in vector registers too, and counted while the next ones are made: one
increment at an address that has nothing to do with the last one's waits for memory, and arithmetic goes on beside it.
Counting is 32-bit, in a table of each thread's own; the tables are added up, which no order of threads changes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit, uint32, uint64

from pifs_sim.kernels.chaos_game.affine import advance, place, place_checked, width
from pifs_sim.kernels.chaos_game.alphabet import columns, word_maps
from pifs_sim.kernels.chaos_game.stream import KEY_STEPS, LOW, MULTIPLIERS, ROUNDS

if TYPE_CHECKING:
    from pifs_sim.kernels.chaos_game import Maps, Play

__all__ = ["compute"]

_W = 128  # orbits of a block
_MOST_COUNT = 2**32 - 1  # in one box
_M0, _M1, _K0, _K1 = *MULTIPLIERS, *KEY_STEPS


def _round(words: Any, key: Any) -> Any:
    """Numbers below 2^64 for 32-bit words; masks only where a product needs them."""
    a, b, c, d = words
    p, q = (a & uint64(LOW)) * uint64(_M0), (c & uint64(LOW)) * uint64(_M1)
    return (q >> uint64(32)) ^ b ^ key[0], q, (p >> uint64(32)) ^ d ^ key[1], p


_rounded = njit(error_model="numpy")(_round)


def _draw(number: int, orbit: int, seed: Any, drawn: Any) -> None:
    """Draws of the block `number` of the orbits `orbit`.., (2, W) or (4, W); two at once, as one waits for itself."""
    low, shift, zero, half = uint64(LOW), uint64(32), uint64(0), _W // 2
    for w in range(half):
        one, two = uint64(orbit + w), uint64(orbit + half + w)
        x, y = (uint64(number), one & low, one >> shift, zero), (uint64(number), two & low, two >> shift, zero)
        key = (seed & low, seed >> shift)
        for _ in range(ROUNDS):
            x, y = _rounded(x, key), _rounded(y, key)
            key = (key[0] + uint64(_K0), key[1] + uint64(_K1))
        if len(drawn) == 2:
            drawn[0, w], drawn[1, w] = (x[0] & low) | x[1] << shift, (x[2] & low) | x[3] << shift
            drawn[0, half + w], drawn[1, half + w] = (y[0] & low) | y[1] << shift, (y[2] & low) | y[3] << shift
        else:
            for i in range(4):
                drawn[i, w], drawn[i, half + w] = x[i] << shift, y[i] << shift


def _choose(draw: Any, keep: Any, rows: Any, rest: Any) -> Any:
    """Where the maps of a draw's word begin; no branch, which could not be foreseen."""
    column = draw >> rest
    return uint64(rows[column, uint64(draw & ((uint64(1) << rest) - uint64(1)) >= keep[column])])


_draw_block = njit(error_model="numpy")(_draw)
_chosen = njit(error_model="numpy")(_choose)


def _count(
    table: Any, keep: Any, rows: Any, rest: Any, each: int, start: Any, seed: Any, n: int, orbits: int,
    transient: int, first: int, stop: int, low: Any, scale: Any, shape: Any, word: Any, inside: bool, counts: Any,
) -> None:  # fmt: skip
    """Counts of the orbits first..stop - 1; the last entry is for points that are not counted."""
    k, numbers, nowhere = len(word), start.size, uint32(counts.size - 1)
    state, drawn = np.empty(numbers * _W, table.dtype), np.empty((each, _W), np.uint64)
    cells = np.empty((2, k * _W), np.uint32)
    for orbit in range(first, stop, _W):
        for w in range(_W):
            state[w * numbers : (w + 1) * numbers] = start
        cells[:] = nowhere
        lanes = min(_W, stop - orbit)
        steps = transient + (n + orbits - 1 - orbit) // orbits
        for begin in range(0, steps, k):
            group = begin // k
            if group % each == 0:
                _draw_block(group // each, orbit, seed, drawn)
            line, found, due = drawn[group % each], cells[group % 2], cells[(group + 1) % 2]
            if begin + k <= transient:
                for w in range(_W):
                    advance(table, _chosen(line[w], keep, rows, rest), state, uint64(w * numbers), low, word)
            elif inside:
                for w in range(_W):
                    row, here, to = _chosen(line[w], keep, rows, rest), uint64(w * numbers), uint64(w * k)
                    place(table, row, state, here, low, scale, shape, word, found, to)
                    for j in range(k):
                        counts[uint64(due[to + uint64(j)])] += uint32(1)
            else:
                for w in range(_W):
                    row, here, to = _chosen(line[w], keep, rows, rest), uint64(w * numbers), uint64(w * k)
                    place_checked(table, row, state, here, low, scale, shape, word, found, to)
                    for j in range(k):
                        counts[uint64(due[to + uint64(j)])] += uint32(1)
            if begin < transient or lanes < _W or (begin + k - 1 - transient) * orbits + orbit + _W > n:
                for j in range(k):
                    t = begin + j - transient
                    for w in range(0 if t < 0 else max(0, min(lanes, n - t * orbits - orbit)), _W):
                        found[w * k + j] = nowhere
        for i in range(k * _W):
            counts[uint64(cells[(steps - 1) // k % 2, i])] += uint32(1)


def _follow(
    matrices: Any, offsets: Any, keep: Any, rows: Any, rest: Any, each: int, start: Any, seed: Any, n: int,
    orbits: int, transient: int, first: int, stop: int, width: int, points: Any,
) -> None:  # fmt: skip
    """Points of the orbits first..stop - 1; points[width t + o] is that of step t of orbit o, counted from `first`."""
    k, d = offsets.shape[1:]
    state, image = np.empty((_W, d), start.dtype), np.empty(d, start.dtype)
    drawn = np.empty((each, _W), np.uint64)
    for orbit in range(first, stop, _W):
        for w in range(_W):
            state[w] = start
        lanes = min(_W, stop - orbit)
        for begin in range(0, transient + (n + orbits - 1 - orbit) // orbits, k):
            group = begin // k
            if group % each == 0:
                _draw_block(group // each, orbit, seed, drawn)
            for w in range(lanes):
                i = _chosen(drawn[group % each, w], keep, rows, rest)
                for j in range(k):
                    for r in range(d):
                        total = matrices[i, j, r, 0] * state[w, 0]
                        for c in range(1, d):
                            total += matrices[i, j, r, c] * state[w, c]
                        image[r] = total + offsets[i, j, r]
                    t = begin + j - transient
                    if t >= 0 and t * orbits + orbit + w < n:
                        points[t * width + orbit - first + w] = image
                state[w] = image


_counted = njit(cache=True, nogil=True, error_model="numpy")(_count)
_followed = njit(cache=True, nogil=True, error_model="numpy")(_follow)


def _shares(span: tuple[int, int], most: int) -> list[tuple[int, int]]:
    """The orbits of each thread, whole blocks but for the last."""
    first, stop = span
    blocks = -(-(stop - first) // _W)
    threads = max(1, min(get_num_threads(), blocks, most))
    edges = [min(stop, first + _W * (blocks * i // threads)) for i in range(threads + 1)]
    return list(pairwise(edges))


def _table(matrices: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The maps of each word in one row, as `affine` reads them, from the beginning of a line of the cache."""
    words, k, d = offsets.shape
    size = words * (d + 1) * k * width(d)
    room = np.zeros(size + 64, matrices.dtype)
    begin = -room.ctypes.data % 64 // room.itemsize
    table = room[begin : begin + size].reshape(words, d + 1, k, width(d))
    table[:, :d, :, :d] = np.moveaxis(matrices, 3, 1)
    table[:, d, :, :d] = offsets
    return table.ravel()


def compute(maps: Maps, play: Play) -> npt.NDArray[Any]:
    """See the door."""
    n, seed, orbits, transient, grid, inside, (first, stop) = play
    start, d = np.ascontiguousarray(maps.start), maps.start.size
    keep, words, bits, each = columns(maps.cuts)
    rest, course = np.uint64(64 - bits), (np.uint64(seed), n, orbits, transient)
    matrices, offsets = word_maps(maps.matrices, maps.offsets)
    if grid is None:
        whole, more = n // orbits, n % orbits
        points = np.empty((whole * (stop - first) + min(max(more - first, 0), stop - first), d), start.dtype)

        def follow(share: tuple[int, int]) -> None:
            room = points[share[0] - first :]
            _followed(matrices, offsets, keep, words, rest, each, start, *course, *share, stop - first, room)

        _each(follow, _shares(play.span, n // _W + 1))
        return points
    table, boxes = _table(matrices, offsets), int(np.prod(grid.bins))
    rows = words * (table.size // len(offsets))
    start = np.concatenate([start, np.zeros(width(d) - d, start.dtype)])
    shape = tuple(int(count) for count in grid.bins)
    corner, scale = (tuple(v.astype(np.float64).tolist()) for v in (grid.low, np.array(shape) / (grid.high - grid.low)))
    box = (corner, scale, tuple(map(np.uint64, shape)), (0,) * offsets.shape[1], inside)

    orbits_at_once = max(1, _MOST_COUNT // max(1, -(-n // orbits)))

    def count(share: tuple[int, int]) -> npt.NDArray[np.int64]:
        total = np.zeros(boxes, np.int64)
        for begin in range(*share, orbits_at_once):
            counts = np.zeros(boxes + 1, np.uint32)
            part = (begin, min(begin + orbits_at_once, share[1]))
            _counted(table, keep, rows, rest, each, start, *course, *part, *box, counts)
            total += counts[:-1]
        return total

    total, *others = _each(count, _shares(play.span, n // boxes + 1))
    for counts in others:
        total += counts
    return total.reshape(grid.bins)


def _each(task: Any, shares: list[tuple[int, int]]) -> list[Any]:
    if len(shares) == 1:
        return [task(shares[0])]
    with ThreadPoolExecutor(len(shares)) as pool:
        return list(pool.map(task, shares))
