"""Numba: after the pass for x_hat another one, with the largest logits and the sums of powers known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from pifs_sim.kernels import tiles
from pifs_sim.kernels.mixture_chain.blocks import loaded
from pifs_sim.kernels.point_cloud_mean.cpu import summed
from pifs_sim.kernels.point_cloud_mean.packing import TILE, Array, packed
from pifs_sim.kernels.point_cloud_mean.softmax import pull
from pifs_sim.kernels.point_cloud_mean.stream import SPAN, flushed, multiplied, opened, weighed
from pifs_sim.kernels.sharing import share
from pifs_sim.kernels.tiles import ROWS, add_products

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Level

__all__ = ["compute"]


def _run(
    points: Any, known: Any, frame: Any, tops: Any, middle: Any, source: Any, frames: Any, pulls: Any, sums: Any,
    W: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Take points into pulls (p, B) and sums (p, B, d) of samples first..stop - 1, frames V (p, B, d)."""
    d, p, eps = source.shape[1], frames.shape[0], 5.9604645e-08 if source.itemsize == 4 else 1.1102230246251565e-16
    z, G, U = np.empty(d * W, source.dtype), np.empty(TILE * W, source.dtype), np.empty(TILE * W, source.dtype)
    size = points.second.shape[1] * ROWS * W
    V, S = np.empty((p, d * W), source.dtype), np.zeros((p, size), source.dtype)
    facts, wide = np.zeros((6, W), source.dtype), np.empty((7, W))
    total, scale, ones = np.zeros(W, source.dtype), np.ones(W, source.dtype), np.ones(W)
    centre, pulled = np.empty(p * W, source.dtype), np.zeros(p * W, source.dtype)
    for begin in range(first, stop, W):
        here, added = min(W, stop - begin), 0
        opened(known, frame, source, begin, z, facts, wide, eps)
        for w in range(W):
            wide[6, w] = tops[min(begin + w, tops.size - 1)]
        for q in range(p):
            loaded(frames[q], begin, V[q], W)
            for w in range(W):
                along, sample = 0.0, min(begin + w, tops.size - 1)
                for i in range(d):
                    along += middle[sample, i] * frames[q, sample, i]
                centre[q * W + w] = along
        for t in range(points.second.shape[0]):
            if weighed(points, t, source, begin, z, G, facts, wide, total, scale, True):
                start = t * TILE
                n = min(TILE, points.rows.shape[0] - start)
                rows = points.first[start // ROWS : (start + n + ROWS - 1) // ROWS]
                for q in range(p):
                    multiplied(rows, V[q], d, U, np.empty(rows.shape[0] * ROWS * W, source.dtype))
                    pull(U, G, n, centre, pulled, q * W)
                    for i in range(points.second.shape[1]):
                        at = (t * points.second.shape[1] + i) * TILE * ROWS
                        add_products(points.second, at, U, 0, n, S[q], i * ROWS * W, scale, (0,))
                added += 1
            if added == SPAN or t + 1 == points.second.shape[0]:
                for q in range(p):
                    for w in range(here):
                        pulls[q, begin + w] += pulled[q * W + w]
                    flushed(sums[q], S[q], ones, begin, W)
                pulled[:], added = 0, 0


_spread = njit(cache=True, nogil=True, error_model="numpy")(_run)


def compute(cloud: Cloud, level: Level, x: Array, V: Array, *, threads: int | None, max_memory: float | None) -> Array:
    """See the door."""
    x, frames, block = np.ascontiguousarray(x), np.ascontiguousarray(np.moveaxis(V, 2, 0)), tiles.samples(x.itemsize)
    cloud = cloud._replace(points=np.ascontiguousarray(cloud.points))
    found = summed(cloud, level, x, threads=threads, max_memory=max_memory)
    mean = found.weighed / found.totals[:, None]
    pulls, sums = np.zeros(frames.shape[:2]), np.zeros(frames.shape)
    fixed = found.known, found.frame, found.tops, mean - found.frame.origin, x, frames, pulls, sums, block
    for points in packed(cloud, found.frame.origin, max_memory):
        share(partial(_spread, points, *fixed), len(x), block, threads)
    sums -= pulls[:, :, None] * mean
    sums /= found.totals[:, None]
    return np.moveaxis(sums, 0, 2).astype(x.dtype, order="C")
