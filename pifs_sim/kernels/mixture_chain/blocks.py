"""Chains of many coordinates: a tile of samples goes through all steps before the next one begins.

Points lie in columns, coordinate by coordinate; they, their logits and sums stay in cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from pifs_sim.kernels.mixture_chain.apart import ROWS as PAIR
from pifs_sim.kernels.mixture_chain.apart import add_distances
from pifs_sim.kernels.mixture_chain.expanded import CHUNK
from pifs_sim.kernels.mixture_chain.softmax import logits, shares, squares
from pifs_sim.kernels.tiles import ROWS, add_products

__all__ = ["compared", "loaded", "multiplied", "run_apart", "run_expanded", "stored"]

_CUT = 64.0  # shares below 2^-64 do not count
_ROOM = 4.0  # times the rounding of products that a logit may err by, where others are much sharper


def _load(source: Any, begin: int, x: Any, W: int) -> None:
    """The samples from `begin` on, in columns; the last one again where there are no more."""
    for w in range(W):
        sample = min(begin + w, source.shape[0] - 1)
        for i in range(source.shape[1]):
            x[i * W + w] = source[sample, i]


def _store(x: Any, target: Any, begin: int, W: int) -> None:
    for w in range(min(W, target.shape[0] - begin)):
        for i in range(target.shape[1]):
            target[begin + w, i] = x[i * W + w]


def _framed(frames: Any, x: Any, z: Any, W: int) -> None:
    for i in range(len(frames)):
        shift, factor = frames[i, 0], frames[i, 1]
        for w in range(W):
            z[i * W + w] = (x[i * W + w] - shift) * factor


def _exact(tables: Any, j: int, w: int, y: Any, G: Any, top: Any, reach: float) -> None:
    """The logits of a sample again, in double precision from differences, where they may count."""
    W, (count, d) = top.size, tables.centres.shape
    eta, least = tables.terms[j, :, 2], -np.inf
    for k in range(count):
        least = max(least, G[k * W + w] - reach * eta[k])
    least -= _CUT / tables.sharpness[j]
    cos, far = tables.guards[j, 0], 0.0
    if cos > 0.5:
        cos, far = 1.0, -tables.guards[j, 1]
    top[w] = -np.inf
    for k in range(count):
        if G[k * W + w] + reach * eta[k] >= least:
            total = 0.0
            for i in range(d):
                e = (y[i * W + w] - cos * tables.centres[k, i]) - far * tables.centres[k, i]
                total += e * e
            G[k * W + w] = tables.priors[j, k] - eta[k] * total
        top[w] = max(top[w], G[k * W + w])


def _compared(tables: Any, j: int, x: Any, y: Any, G: Any, facts: Any) -> None:
    """G becomes the logits of points x in step j, facts[1] their largest; y is x, or a place for it in its frame."""
    W, (count, d) = facts.shape[1], tables.centres.shape
    if tables.frames.shape[1]:
        _moved(tables.frames[j], x, y, W)
    multiplied(tables.first, y, 0, d, G, W)
    if not tables.own:
        logits(G, tables.terms, 3 * count * j, count, facts[0], facts[1], facts[2], ())
        return
    squares(y, d, facts[0])
    logits(G, tables.terms, 3 * count * j, count, facts[0], facts[1], facts[2], (0,))
    size, nat = tables.guards[j, 2], tables.guards[j, 3]
    if nat < np.inf:
        for w in range(W):
            if facts[0, w] + size > _ROOM * (nat + facts[2, w]):
                _repaired(tables, j, w, y, G, facts[1], tables.rounding * (facts[0, w] + size))


def _multiplied(first: Any, y: Any, at: int, d: int, G: Any, W: int) -> None:
    """G_kw = sum_i first_ik y_iw, y from its entry `at` on, a chunk of coordinates after the other."""
    for start in range(0, d, CHUNK):
        n = min(CHUNK, d - start)
        for tile in range(first.shape[0]):
            a, g = ROWS * (tile * d + start), ROWS * tile * W
            if start == 0:
                add_products(first, a, y, at, n, G, g, G, ())
            else:
                add_products(first, a, y, at + start * W, n, G, g, G, (0,))


loaded = njit(error_model="numpy")(_load)
stored = njit(error_model="numpy")(_store)
_moved = njit(error_model="numpy")(_framed)
_repaired = njit(error_model="numpy")(_exact)
multiplied = njit(error_model="numpy", inline="always")(_multiplied)
compared = njit(error_model="numpy", inline="always")(_compared)


def _expanded(tables: Any, source: Any, target: Any, slots: Any, kept: Any, W: int, first: int, stop: int) -> None:
    """Samples first..stop - 1 through all steps; x after step j also to kept[slots[j]] unless that is negative."""
    count, d = tables.centres.shape
    x = np.zeros(tables.second.shape[0] * ROWS * W, source.dtype)
    G = np.empty(tables.first.shape[0] * ROWS * W, source.dtype)
    S, facts = np.empty(ROWS * W, source.dtype), np.zeros((4, W), source.dtype)
    y = np.empty(d * W, source.dtype) if tables.frames.shape[1] else x
    for begin in range(first, stop, W):
        loaded(source, begin, x, W)
        for j in range(slots.size):
            compared(tables, j, x, y, G, facts)
            shares(G, tables.mixing, 2 * count * j, count, tables.sharpness, j, facts[1], facts[3])
            for tile in range(tables.second.shape[0]):
                a = tile * count * ROWS
                if not tables.blends.shape[1]:
                    add_products(tables.second, a, G, 0, count, x, ROWS * tile * W, facts[3], (0, 0))
                    continue
                add_products(tables.second, a, G, 0, count, S, 0, S, ())
                for r in range(min(ROWS, d - ROWS * tile)):
                    i = ROWS * tile + r
                    alpha, gamma = tables.blends[j, i, 0], tables.blends[j, i, 1]
                    for w in range(W):
                        x[i * W + w] = alpha * x[i * W + w] + gamma * S[r * W + w]
            if slots[j] >= 0:
                stored(x, kept[slots[j]], begin, W)
        stored(x, target, begin, W)


def _apart(tables: Any, source: Any, target: Any, slots: Any, kept: Any, W: int, first: int, stop: int) -> None:
    """The same for diagonal covariances of each component."""
    count, d = tables.terms.shape[1], source.shape[1]
    x, S = np.zeros(tables.onto.shape[1] * ROWS * W, source.dtype), np.empty(ROWS * W, source.dtype)
    G, facts = np.empty(tables.centres.shape[1] * PAIR * W, source.dtype), np.zeros((4, W), source.dtype)
    for begin in range(first, stop, W):
        loaded(source, begin, x, W)
        for j in range(slots.size):
            G[:] = 0
            for start in range(0, d, CHUNK):
                n = min(CHUNK, d - start)
                for tile in range(tables.centres.shape[1]):
                    a = 3 * PAIR * ((j * tables.centres.shape[1] + tile) * d + start)
                    add_distances(tables.centres, a, x, start * W, n, G, PAIR * tile * W)
            logits(G, tables.terms, 3 * count * j, count, facts[0], facts[1], facts[2], ())
            shares(G, tables.mixing, 2 * count * j, count, tables.sharpness, j, facts[1], facts[3])
            for tile in range(tables.onto.shape[1]):
                a, here = ROWS * count * (j * tables.onto.shape[1] + tile), ROWS * tile * W
                add_products(tables.along, a, G, 0, count, S, 0, S, ())
                for w in range(ROWS * W):
                    x[here + w] *= S[w]
                add_products(tables.onto, a, G, 0, count, x, here, S, (0,))
            if slots[j] >= 0:
                stored(x, kept[slots[j]], begin, W)
        stored(x, target, begin, W)


run_expanded = njit(cache=True, nogil=True, error_model="numpy")(_expanded)
run_apart = njit(cache=True, nogil=True, error_model="numpy")(_apart)
