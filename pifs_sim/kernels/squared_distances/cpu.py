"""Four points at a time against each centre, which is read once for all points of a block.

Sums may be reassociated, the differences may not: (x - y) - far y is no x - (1 + far) y in floats.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit

__all__ = ["compute", "difference", "distance"]

_LARGE = 1 << 20  # terms of the sums from which threads are worth starting


def _difference(x: float, y: float, near: float, far: float) -> float:
    return (x - near * y) - far * y


difference = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(_difference)


def _pair(x: Any, y: Any, near: float, far: float) -> float:
    total = 0.0
    for i in range(x.size):
        e = difference(np.float64(x[i]), np.float64(y[i]), near, far)
        total += e * e
    return total


def _plain(x: Any, y: Any, near: Any, far: Any, D: Any) -> None:
    batch, d = x.shape
    for k in range(y.shape[0]):
        centre = y[k]
        for b in range(0, batch, 4):
            b1, b2, b3 = min(b + 1, batch - 1), min(b + 2, batch - 1), min(b + 3, batch - 1)
            x0, x1, x2, x3 = x[b], x[b1], x[b2], x[b3]
            n0, n1, n2, n3 = near[b], near[b1], near[b2], near[b3]
            f0, f1, f2, f3 = far[b], far[b1], far[b2], far[b3]
            s0 = s1 = s2 = s3 = 0.0
            for i in range(d):
                c = np.float64(centre[i])
                e0, e1 = difference(x0[i], c, n0, f0), difference(x1[i], c, n1, f1)
                e2, e3 = difference(x2[i], c, n2, f2), difference(x3[i], c, n3, f3)
                s0 += e0 * e0
                s1 += e1 * e1
                s2 += e2 * e2
                s3 += e3 * e3
            D[b, k], D[b1, k], D[b2, k], D[b3, k] = s0, s1, s2, s3


def _weighted(x: Any, y: Any, near: Any, far: Any, weights: Any, D: Any) -> None:
    batch, d = x.shape
    shared = weights.shape[0] == 1
    for k in range(y.shape[0]):
        centre = y[k]
        for b in range(batch):
            own, w = x[b], weights[0 if shared else b, k]
            total = 0.0
            for i in range(d):
                e = difference(own[i], np.float64(centre[i]), near[b], far[b])
                total += w[i] * (e * e)
            D[b, k] = total


distance = njit(error_model="numpy", fastmath={"reassoc", "contract"})(_pair)
_sum = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(_plain)
_weigh = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(_weighted)


def compute(
    x: Any, y: Any, near: npt.NDArray[np.float64], far: npt.NDArray[np.float64], weights: Any
) -> npt.NDArray[np.float64]:
    """D, (B, K)."""
    x, y, near, far = (np.ascontiguousarray(part) for part in (x, y, near, far))
    if weights is not None:
        weights = np.ascontiguousarray(weights if weights.ndim == 3 else weights[None])
    D = np.empty((len(x), len(y)))

    def share(part: slice) -> None:
        if weights is None:
            _sum(x, y[part], near, far, D[:, part])
        else:
            _weigh(x, y[part], near, far, weights[:, part], D[:, part])

    threads = get_num_threads() if x.size * len(y) >= _LARGE else 1
    bounds = np.linspace(0, len(y), threads + 1).astype(int)
    parts = list(map(slice, bounds[:-1], bounds[1:]))
    if threads == 1:
        share(parts[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(share, parts))
    return D
