"""Tiles of domains that stay in the first cache; a pair is judged in full only if its contrast alone could win.

The inner products of a range with the isometries of a tile are made together, four pixels of two isometries at a time:
eight multiply-adds for six loads. The error without that of the brightness, which is not negative, falls as |P| grows,
so that the largest |P| over the isometries bounds them all.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import get_num_threads, njit

from pifs_sim.kernels.block_matching.law import Blocks, Match, Quantisation

__all__ = ["compute"]

_WIDTH = 128  # domains of a tile
_CHUNK = 16  # pixels of a tile that are met at once: 16 kB
_TOGETHER = 32  # ranges that a tile meets before the next
_SLACK = 1e-12  # of R: more than the rounding of the bound


def _inner_products(rows: Any, tile: Any, P: Any) -> None:
    """P[g, c] = <rows[g], tile[:, c]> for an even number of rows and a multiple of four pixels."""
    n, width = tile.shape
    for begin in range(0, n, _CHUNK):
        for g in range(0, rows.shape[0], 2):
            if begin == 0:
                for c in range(width):
                    P[g, c] = 0.0
                    P[g + 1, c] = 0.0
            for a in range(begin, min(n, begin + _CHUNK), 4):
                u0, u1, u2, u3 = rows[g, a], rows[g, a + 1], rows[g, a + 2], rows[g, a + 3]
                v0, v1, v2, v3 = rows[g + 1, a], rows[g + 1, a + 1], rows[g + 1, a + 2], rows[g + 1, a + 3]
                for c in range(width):
                    d0, d1, d2, d3 = tile[a, c], tile[a + 1, c], tile[a + 2, c], tile[a + 3, c]
                    P[g, c] = P[g, c] + u0 * d0 + u1 * d1 + u2 * d2 + u3 * d3
                    P[g + 1, c] = P[g + 1, c] + v0 * d0 + v1 * d1 + v2 * d2 + v3 * d3


def _bounds(P: Any, each: Any, scalars: Any, facts: Any, quantisation: Any, low: Any) -> float:
    """low[c] = n times the least error that a domain's contrast allows, inf for s = 0; their least.

    `each` is a tuple of as many items as there are isometries: the compiler knows its length and unrolls.
    """
    n, A, R = scalars
    step, most = quantisation[0], quantisation[1]
    B, Q, weight = facts[0], facts[1], facts[2]
    for c in range(low.size):
        high, deep = P[0, c], P[0, c]
        for g in range(1, len(each)):
            high = P[g, c] if P[g, c] > high else high
            deep = P[g, c] if P[g, c] < deep else deep
        above, below = n * high - A * B[c], A * B[c] - n * deep
        size = above if above > below else below
        level = np.floor(size * weight[c] + 0.5)
        s = (level if level < most else most) * step
        low[c] = R - s * (2.0 * size - s * Q[c]) if s > 0.0 else np.inf
    least = np.inf
    for c in range(low.size):
        least = low[c] if low[c] < least else least
    return least


def _judge(p: float, scalars: Any, B: float, Q: float, weight: float, quantisation: Any) -> tuple[float, float, float]:
    """Contrast level, brightness level and error, in the order of `law.fitted`."""
    n, A, R = scalars
    step, most, bottom, tone_step, tones = quantisation
    P = n * p - A * B
    level = math.copysign(min(np.floor(abs(P) * weight + 0.5), most), P)
    s = level * step
    mean = (A - s * B) / n
    tone = min(max(np.floor((mean - bottom) / tone_step + 0.5), 0.0), tones - 1.0)
    off = mean - (bottom + tone * tone_step)
    return level, tone, (R - s * (2.0 * P - s * Q)) / n + n * (off * off)


_multiply = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(_inner_products)
_bound = njit(cache=True, nogil=True, error_model="numpy")(_bounds)
_score = njit(cache=True, nogil=True, error_model="numpy")(_judge)


def _match(
    ranges: Blocks, inverses: Any, each: Any, tiles: Any, facts: Any, quantisation: Any, n: float, found: Any
) -> None:
    """found[i] = domain, isometry, contrast level, brightness level, error of each range, whatever they were."""
    pixels, sums, spreads = ranges
    isometries, width = inverses.shape[0], tiles.shape[2]
    rows = np.zeros((_TOGETHER, isometries + isometries % 2, tiles.shape[1]))
    P, low = np.empty((rows.shape[1], width)), np.empty(width)
    for start in range(0, pixels.shape[0], _TOGETHER):
        stop = min(start + _TOGETHER, pixels.shape[0])
        for i in range(start, stop):
            for g in range(isometries):
                for a in range(inverses.shape[1]):
                    rows[i - start, g, a] = pixels[i, inverses[g, a]]
            _, tone, error = _score(0.0, (n, sums[i], spreads[i]), 0.0, 0.0, 0.0, quantisation)
            found[i, 0], found[i, 1], found[i, 2], found[i, 3], found[i, 4] = 0.0, 0.0, 0.0, tone, error
        for t in range(tiles.shape[0]):
            fact = facts[t]
            for i in range(start, stop):
                scalars = (n, sums[i], spreads[i])
                _multiply(rows[i - start], tiles[t], P)
                slack = _SLACK * spreads[i]
                if _bound(P, each, scalars, fact, quantisation, low) >= n * found[i, 4] + slack:
                    continue
                for c in range(width):
                    if low[c] < n * found[i, 4] + slack:
                        for g in range(isometries):
                            level, tone, error = _score(
                                P[g, c], scalars, fact[0, c], fact[1, c], fact[2, c], quantisation
                            )
                            if level != 0.0 and error < found[i, 4]:
                                found[i, 0], found[i, 1] = t * width + c, g
                                found[i, 2], found[i, 3], found[i, 4] = level, tone, error


_search = njit(cache=True, nogil=True, error_model="numpy")(_match)


def compute(ranges: Blocks, domains: Blocks, isometries: Any, quantisation: Quantisation) -> Match:
    """The best match of each range."""
    q = quantisation
    count, n = domains.pixels.shape
    width = min(_WIDTH, -(-count // 4) * 4)
    padded = np.zeros((-(-count // width) * width, -(-n // 4) * 4))
    padded[:count, :n] = domains.pixels
    tiles = np.ascontiguousarray(padded.reshape(-1, width, padded.shape[1]).swapaxes(1, 2))
    facts = np.zeros((3, len(padded)))
    facts[0, :count], facts[1, :count] = domains.sums, domains.spreads
    with np.errstate(divide="ignore"):
        facts[2] = np.where(facts[1] > 0, 1.0 / (facts[1] * q.contrast_step), 0.0)
    facts = np.ascontiguousarray(facts.reshape(3, -1, width).swapaxes(0, 1))
    inverses = np.argsort(isometries, axis=1)
    levels = (
        q.contrast_step,
        float(q.contrast_levels),
        float(q.brightness_low),
        float(q.brightness_step),
        float(q.brightness_levels),
    )
    found = np.empty((len(ranges.pixels), 5))
    threads = get_num_threads()

    def share(part: slice) -> None:
        mine = Blocks(*(values[part] for values in ranges))
        _search(mine, inverses, (0,) * len(inverses), tiles, facts, levels, float(n), found[part])

    bounds = np.linspace(0, len(found), threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(share, map(slice, bounds[:-1], bounds[1:])))
    return Match._make([*found[:, :4].T.astype(np.int64), found[:, 4].copy()])
