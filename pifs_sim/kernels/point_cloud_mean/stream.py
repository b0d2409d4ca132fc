"""Tiles of points against tiles of samples: logits by products, and again by differences where rounding counts.

`wide` has, in float64, a row for each of near, far, H, |x - c o|^2, what a logit may err by, whether the sample is
guarded, and the largest logit so far, of W samples each. A sample is guarded where the rounding of products may count
and logits are far apart: those that may count are found from differences, and given in bits below the largest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from pifs_sim.kernels.mixture_chain.expanded import CHUNK
from pifs_sim.kernels.point_cloud_mean.packing import TILE
from pifs_sim.kernels.point_cloud_mean.softmax import CUT, compare, powers, sift
from pifs_sim.kernels.squared_distances.cpu import difference, distance
from pifs_sim.kernels.tiles import ROWS, add_products

__all__ = ["SPAN", "flushed", "multiplied", "opened", "run_means", "weighed"]

_ROOM = 1024.0  # bits of logits, beyond which few points count
_ERROR = 2.0**-36  # bits that logits may err by in float64
_LARGEST = 1e30  # H of logits that are not guarded: it is a float in float32
_NARROW = 16  # coordinates from which a row of its own is worth its making
SPAN = 16  # tiles whose sums are added in the points' dtype


def _open(known: Any, frame: Any, source: Any, begin: int, z: Any, facts: Any, wide: Any, eps: float) -> None:
    """The facts of the samples from `begin` on, and 2 c (x - c o) in columns; the last one again where none is left."""
    W, d = facts.shape[1], source.shape[1]
    for w in range(W):
        sample = min(begin + w, source.shape[0] - 1)
        row = known[min(sample, known.shape[0] - 1)]
        cos, near, far, H = row[0], row[1], row[2], row[3]
        square = 0.0
        for i in range(d):
            away = difference(np.float64(source[sample, i]), frame.origin[i], near, far)
            square += away * away
            z[i * W + w] = 2 * cos * away
        reach = eps * (d + 8) * (square + cos * cos * frame.most)
        guarded = reach * H > max(_ROOM * eps * (d + 8), _ERROR) or H > _LARGEST
        wide[0, w], wide[1, w], wide[2, w], wide[3, w] = near, far, H, square
        wide[4, w], wide[5, w], wide[6, w] = reach, guarded, -np.inf
        facts[0, w], facts[1, w], facts[2, w] = 1 / H, cos * cos, 0
        facts[3, w] = 1.0 if guarded else H


def _again(
    points: Any, start: int, n: int, source: Any, begin: int, G: Any, facts: Any, wide: Any, settled: bool
) -> None:
    """The logits of guarded samples that may count, in bits below the largest so far; facts' peak the most of them."""
    d, W, guards, new = source.shape[1], wide.shape[1], 0, wide[6].copy()
    marks, found = np.empty(n, np.int64), np.empty(n * W)
    for w in range(W):
        facts[5, w] = -np.inf
        if wide[5, w]:
            guards |= 1 << w
            H, square, reach = wide[2, w], wide[3, w], wide[4, w]
            least = new[w] if settled else max(new[w], facts[4, w] - square - reach)
            facts[5, w] = least - 2 * reach - CUT / H + square
            facts[4, w] = -np.inf
    if guards == 0:
        return
    sift(G, n, facts, marks)
    for k in range(n):
        marks[k] &= guards
        if marks[k]:
            for w in range(W):
                if (marks[k] >> w) & 1:
                    sample, square = min(begin + w, source.shape[0] - 1), 0.0
                    if d < _NARROW:
                        for i in range(d):
                            x, y = np.float64(source[sample, i]), np.float64(points.rows[start + k, i])
                            square += difference(x, y, wide[0, w], wide[1, w]) ** 2
                    else:
                        square = distance(source[sample], points.rows[start + k], wide[0, w], wide[1, w])
                    found[k * W + w] = points.exact[start + k] / wide[2, w] - square
                    new[w] = max(new[w], found[k * W + w])
    if not settled:
        wide[6] = new
    for k in range(n):
        if marks[k]:
            for w in range(W):
                if (marks[k] >> w) & 1:
                    bits = (found[k * W + w] - wide[6, w]) * wide[2, w]
                    G[k * W + w] = bits
                    facts[4, w] = max(facts[4, w], bits)


opened = njit(error_model="numpy")(_open)
_found_again = njit(error_model="numpy")(_again)


def _multiply(first: Any, z: Any, d: int, G: Any, part: Any) -> None:
    """G_kw = sum_i first_ik z_iw, the sums of CHUNK coordinates added up."""
    W = part.size // (first.shape[0] * ROWS)
    for start in range(0, d, CHUNK):
        n = min(CHUNK, d - start)
        for tile in range(first.shape[0]):
            add_products(
                first, ROWS * (tile * d + start), z, start * W, n, part if start else G, ROWS * tile * W, z, ()
            )
        if start:
            for i in range(part.size):
                G[i] += part[i]


multiplied = njit(error_model="numpy")(_multiply)


def _weighed(
    points: Any, t: int, source: Any, begin: int, z: Any, G: Any, facts: Any, wide: Any, total: Any, scale: Any,
    settled: bool,
) -> bool:  # fmt: skip
    """Whether any point of tile t counts: then G are their powers, added to `total`, which `scale` times comes before.

    If `settled`, the largest logits are known and nothing is scaled.
    """
    W, start, old = facts.shape[1], t * TILE, wide[6].copy()
    n = min(TILE, points.rows.shape[0] - start)
    rows = points.first[start // ROWS : (start + n + ROWS - 1) // ROWS]
    multiplied(rows, z, source.shape[1], G, np.empty(rows.shape[0] * ROWS * W, source.dtype))
    compare(G, points.prior, points.norms, start, n, facts)
    _found_again(points, start, n, source, begin, G, facts, wide, settled)
    counts = False
    for w in range(W):
        bits = facts[4, w]
        if not wide[5, w]:
            if not settled:
                wide[6, w] = max(old[w], facts[4, w])
            facts[2, w] = wide[6, w]
            bits = (facts[4, w] - facts[2, w]) * facts[3, w]
        scale[w] = 1.0 if settled else 2.0 ** ((old[w] - wide[6, w]) * wide[2, w])
        counts = counts or bits >= -CUT
    if counts:
        for w in range(W):
            total[w] *= scale[w]
        powers(G, n, facts, total)
    return counts


weighed = njit(error_model="numpy")(_weighed)


def _flush(sums: Any, S: Any, carry: Any, begin: int, W: int) -> None:
    """What was added in the points' dtype, to the sums in float64, of samples from `begin` on."""
    for w in range(min(W, sums.shape[0] - begin)):
        for i in range(sums.shape[1]):
            sums[begin + w, i] = sums[begin + w, i] * carry[w] + S[i * W + w]
    S[:] = 0


flushed = njit(error_model="numpy")(_flush)


def _means(
    points: Any, known: Any, frame: Any, source: Any, tops: Any, shared: Any, totals: Any, sums: Any, W: int,
    first: int, stop: int,
) -> None:  # fmt: skip
    """Take points into what is found of the samples first..stop - 1."""
    d, eps = source.shape[1], 5.9604645e-08 if source.itemsize == 4 else 1.1102230246251565e-16
    z, G = np.empty(d * W, source.dtype), np.empty(TILE * W, source.dtype)
    S, facts, wide = (
        np.zeros(points.second.shape[1] * ROWS * W, source.dtype),
        np.zeros((6, W), source.dtype),
        np.empty((7, W)),
    )
    total, scale, carry = np.zeros(W, source.dtype), np.ones(W, source.dtype), np.ones(W)
    for begin in range(first, stop, W):
        here, added = min(W, stop - begin), 0
        opened(known, frame, source, begin, z, facts, wide, eps)
        for w in range(here):
            wide[6, w] = tops[begin + w]
        total[:], carry[:] = 0, 1
        for t in range(points.second.shape[0]):
            if weighed(points, t, source, begin, z, G, facts, wide, total, scale, False):
                for w in range(W):
                    carry[w] *= scale[w]
                n = min(TILE, points.rows.shape[0] - t * TILE)
                for i in range(points.second.shape[1]):
                    at = (t * points.second.shape[1] + i) * TILE * ROWS
                    add_products(points.second, at, G, 0, n, S, i * ROWS * W, scale, (0, 0))
                added += 1
            if added == SPAN or t + 1 == points.second.shape[0]:
                for w in range(here):
                    totals[begin + w] = totals[begin + w] * carry[w] + total[w]
                flushed(sums, S, carry, begin, W)
                total[:], carry[:], added = 0, 1, 0
        for w in range(here):
            tops[begin + w] = wide[6, w]
            shared[begin + w] = 0.0 if wide[5, w] else wide[3, w]


run_means = njit(cache=True, nogil=True, error_model="numpy")(_means)
