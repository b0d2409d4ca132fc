"""Pixels in the order of the image, each written once, shared out to threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import get_num_threads, njit, uint64

__all__ = ["compute"]

_FEW = 1 << 16  # numbers that one thread has written before another has begun


def _sweep_images(x: Any, sources: Any, factors: Any, offsets: Any, first: int, stop: int, y: Any) -> None:
    """y[:, first:stop] for x (B, d)."""
    zero = np.zeros(1, x.dtype)[0]
    for b in range(x.shape[0]):
        image = x[b]
        for k in range(first, stop):
            i = uint64(k)  # which the compiler need not count from the end
            total = zero
            for s in range(sources.shape[0]):
                total += image[sources[s, i]]
            y[b, i] = factors[i] * total
            if offsets.size:
                y[b, i] += offsets[i]


def _sweep_columns(x: Any, sources: Any, factors: Any, offsets: Any, first: int, stop: int, y: Any) -> None:
    """y[:, first:stop] for x (B, d, p), all columns of a pixel together."""
    for b in range(x.shape[0]):
        for i in range(first, stop):
            for c in range(x.shape[2]):
                y[b, i, c] = 0
            for s in range(sources.shape[0]):
                source = sources[s, i]
                for c in range(x.shape[2]):
                    y[b, i, c] += x[b, source, c]
            for c in range(x.shape[2]):
                y[b, i, c] *= factors[i]
            if offsets.size:
                for c in range(x.shape[2]):
                    y[b, i, c] += offsets[i]


_swept_images = njit(cache=True, nogil=True, error_model="numpy")(_sweep_images)
_swept_columns = njit(cache=True, nogil=True, error_model="numpy")(_sweep_columns)


def compute(x: Any, sources: Any, factors: Any, offsets: Any) -> Any:
    """The images y."""
    pixels, d = np.ascontiguousarray(x), x.shape[1]
    y = np.empty_like(pixels)
    shifts = np.empty(0, x.dtype) if offsets is None else np.ascontiguousarray(offsets)
    places = np.ascontiguousarray(sources).view(np.uint64)
    arrays = pixels, places, np.ascontiguousarray(factors), shifts
    sweep = _swept_images if x.ndim == 2 else _swept_columns
    threads = min(get_num_threads(), -(-y.size // _FEW), d)
    if threads < 2:
        sweep(*arrays, 0, d, y)
        return y
    edges = [d * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first, stop: sweep(*arrays, first, stop, y), edges[:-1], edges[1:]))
    return y
