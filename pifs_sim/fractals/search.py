"""Two searches for the domain of a range: all of them, or the nearest in a space of features.

A block v has the feature phi(v), the lowest 4 x 4 coefficients but the first of its orthonormal cosine transform over
the length |v - mean v|. For the correlation c of a range and a domain,

    |phi(r) - phi(d)|^2 <= 2 (1 - c),   with equality for blocks of 4 x 4 pixels,

so that neighbours of phi(r) among +-phi(g d) are domains whose contrasted copies can be near r (Saupe 1995, DCC). They
are judged like every pair of the full search. What is lost: domains beyond the last neighbour, as those are that are
near in what finer detail adds or only after quantisation; and with a slack e, as trees are slow in 15 dimensions, a
neighbour may be 1 + e times as far as the one that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import dctn
from scipy.spatial import cKDTree

from pifs_sim.fractals.grey import FloatArray
from pifs_sim.fractals.layout import IntArray
from pifs_sim.kernels import block_matching
from pifs_sim.kernels.backends import Backend
from pifs_sim.kernels.block_matching import Match, Quantisation
from pifs_sim.kernels.block_matching.law import fitted, moments
from pifs_sim.kernels.device import carriers

__all__ = ["Matcher", "exhaustive", "nearest"]

Matcher = Callable[[FloatArray], Match]

_SIDE = 4  # coefficients along a side of the feature


def exhaustive(
    domains: FloatArray,
    turns: IntArray,
    quantisation: Quantisation,
    *,
    backend: Backend | None = None,
) -> Matcher:
    """The best of all domains (C, n) and isometries (G, n), which "cuda" keeps on the GPU."""
    there, here = carriers(backend)
    pool = there(domains), there(turns)

    def match(ranges: FloatArray) -> Match:
        found = block_matching.compute(there(ranges), *pool, quantisation=quantisation, backend=backend)
        return Match._make(map(here, found))

    return match


def _features(blocks: FloatArray) -> FloatArray:
    """phi of blocks (N, n), 0 for flat ones."""
    side = round(blocks.shape[1] ** 0.5)
    centred = blocks - blocks.mean(axis=1, keepdims=True)
    transformed = dctn(centred.reshape(-1, side, side), axes=(1, 2), norm="ortho")
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    low = transformed[:, :_SIDE, :_SIDE].reshape(len(blocks), -1)[:, 1:]
    return np.divide(low, lengths, out=np.zeros_like(low), where=lengths > 0)


def nearest(
    domains: FloatArray, turns: IntArray, quantisation: Quantisation, *, neighbours: int, slack: float
) -> Matcher:
    """The best of the nearest `neighbours` among +-phi of all domains and isometries."""
    n = domains.shape[1]
    features = _features(domains[:, turns].reshape(-1, n))
    tree = cKDTree(np.concatenate([features, -features]))
    sums, spreads = moments(domains)[1:]

    def match(ranges: FloatArray) -> Match:
        pixels, A, R = moments(ranges)
        A, R = A[:, None], R[:, None]
        wanted = np.arange(1, min(neighbours, tree.n) + 1)
        near = tree.query(_features(ranges), k=wanted, eps=slack)[1] % len(features)
        domain, turn = np.divmod(np.sort(near, axis=1), len(turns))  # the first of equal ones as in the full search
        B, Q = sums[domain], spreads[domain]
        P = n * np.einsum("ikn,in->ik", domains[domain[:, :, None], turns[turn]], pixels) - A * B
        level, tone, error = fitted(A, B, P, Q, R, n=n, quantisation=quantisation)
        none = np.zeros_like(A)
        _, flat_tone, flat_error = fitted(A, none, none, none, R, n=n, quantisation=quantisation)
        error = np.concatenate([flat_error, np.where(level == 0, np.inf, error)], axis=1)
        best = error.argmin(axis=1)[:, None]
        columns = (none, domain), (none, turn), (none, level), (flat_tone, tone)
        chosen = [np.take_along_axis(np.concatenate(pair, axis=1), best, axis=1)[:, 0] for pair in columns]
        return Match._make([*(column.astype(np.int64) for column in chosen), error.min(axis=1)])

    return match
