"""The definition: every range with every domain and isometry."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels.block_matching.law import Blocks, Match, Quantisation, fitted

__all__ = ["compute"]


def compute(ranges: Blocks, domains: Blocks, isometries: Any, quantisation: Quantisation) -> Match:
    """The best match of each range."""
    count, n = ranges.pixels.shape
    none = np.zeros(count)
    _, tone, error = fitted(ranges.sums, none, none, none, ranges.spreads, n=n, quantisation=quantisation)
    found = np.stack([none, none, none, tone, error], axis=1)  # without a domain
    moved = domains.pixels[:, isometries]  # (C, G, n)
    B, Q = domains.sums[:, None], domains.spreads[:, None]
    for i, (r, A, R) in enumerate(zip(*ranges, strict=True)):
        level, tone, error = fitted(A, B, n * (moved @ r) - A * B, Q, R, n=n, quantisation=quantisation)
        error = np.where(level == 0, np.inf, error)
        best = np.unravel_index(int(error.argmin()), error.shape)  # the first of equal ones
        if error[best] < found[i, 4]:
            found[i] = *best, level[best], tone[best], error[best]
    return Match._make([*found[:, :4].T.astype(np.int64), found[:, 4].copy()])
