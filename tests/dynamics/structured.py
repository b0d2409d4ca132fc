"""Structured operators drawn together with the dense matrices that they stand for, built by plain NumPy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from pifs_sim.dynamics import Patches, operators

KINDS = ("spectral", "scalar", "diagonal", "blocks", "dense", "weighted", "rotated", "sum")


class Pair(NamedTuple):
    """An operator, its matrices (B, d, d), and whether it was built symmetric."""

    operator: Any
    dense: np.ndarray
    symmetric: bool


def symmetrised(matrices: np.ndarray) -> np.ndarray:
    return matrices + np.swapaxes(matrices, -1, -2)


def low_rank(kind: str, draw: Any, rng: np.random.Generator, batch: int) -> Pair:
    """Each parameter has the batch, a batch of 1, or no batch axis; ranks go from 0 beyond d."""
    d = draw(st.integers(1, 7))
    rank, symmetric, cored = draw(st.integers(0, d + 1)), draw(st.booleans()), draw(st.booleans())

    def parameter(*shape: int) -> np.ndarray:
        return rng.standard_normal((*draw(st.sampled_from([(batch,), (1,), ()])), *shape))

    left = parameter(d, rank)
    right = None if symmetric else parameter(d, rank)
    core = parameter(rank, rank) if cored else None
    core = symmetrised(core) if cored and symmetric else core
    first = parameter() if kind == "scalar" else parameter(d)
    if kind == "diagonal" and draw(st.booleans()):
        first[..., : min(rank, d)] = 0.0  # as many zeros as the rank can make good
    build = operators.ScalarLowRank if kind == "scalar" else operators.DiagonalLowRank
    first = float(first) if first.ndim == 0 else first
    W = left if right is None else right
    product = left @ (np.eye(rank) if core is None else core) @ np.swapaxes(W, -1, -2)
    dense = (np.asarray(first)[..., None, None] if kind == "scalar" else first[..., None]) * np.eye(d) + product
    return Pair(build(first, left, right, core=core), dense.reshape(-1, d, d), symmetric)


def weighted(draw: Any, rng: np.random.Generator, batch: int) -> Pair:
    """A covariance of points, which each sample may move, with some weights zero."""
    d, count = draw(st.integers(1, 5)), draw(st.integers(1, 8))
    points, weights = rng.standard_normal((count, d)), rng.random((batch, count)) * rng.integers(0, 2, (batch, count))
    weights[:, 0] += 0.1
    weights /= weights.sum(axis=1, keepdims=True)
    scale, factor = rng.standard_normal((2, batch))
    moves, moved = {}, np.broadcast_to(points, (batch, count, d))
    if draw(st.booleans()):
        moves = dict(zip(("stretch", "along"), rng.standard_normal((2, batch, count)), strict=True))
        moves["origin"] = rng.standard_normal((batch, d))
        moved = moves["stretch"][:, :, None] * points + moves["along"][:, :, None] * moves["origin"][:, None, :]
    covariances = [np.cov(z.T, aweights=w, bias=True).reshape(d, d) for z, w in zip(moved, weights, strict=True)]
    dense = scale[:, None, None] * np.eye(d) + factor[:, None, None] * np.array(covariances)
    return Pair(operators.WeightedCovariance(scale, factor, weights, points, **moves), dense, True)


def composed(kind: str, draw: Any, rng: np.random.Generator, batch: int) -> Pair:
    """Operators made of others: in a rotated basis, or side by side on shuffled coordinates."""
    inner = [draw(pairs(("scalar", "diagonal", "dense"), batch)) for _ in range(1 if kind == "rotated" else 2)]
    symmetric = all(pair.symmetric for pair in inner)
    if kind == "rotated":
        operator, dense, _ = inner[0]
        basis = np.linalg.qr(rng.standard_normal(dense.shape[1:]))[0]
        return Pair(operators.Rotated(basis, operator), basis @ dense @ basis.T, symmetric)
    dims = [pair.dense.shape[1] for pair in inner]
    indices = np.split(rng.permutation(sum(dims)), [dims[0]])
    dense = np.zeros((max(pair.dense.shape[0] for pair in inner), sum(dims), sum(dims)))
    for places, pair in zip(indices, inner, strict=True):
        dense[:, places[:, None], places] = pair.dense
    return Pair(operators.DirectSum([pair.operator for pair in inner], indices), dense, symmetric)


@st.composite
def pairs(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS, batch: int | None = None) -> Pair:
    """Any operator of the given kinds, in a batch of 1 to 3."""
    kind, batch = draw(st.sampled_from(kinds)), batch or draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if kind == "weighted":
        return weighted(draw, rng, batch)
    if kind in ("rotated", "sum"):
        return composed(kind, draw, rng, batch)
    if kind in ("scalar", "diagonal"):
        return low_rank(kind, draw, rng, batch)
    symmetric = draw(st.booleans())
    if kind == "blocks":
        shape, size = draw(st.sampled_from([(6, 2), (4, 1), (3, 3), ((2, 4, 2), 2), ((3, 4), (3, 2))]))
        patches = Patches(shape, size)
        blocks = rng.standard_normal((batch, patches.count, patches.length, patches.length))
        blocks = symmetrised(blocks) if symmetric else blocks
        dense = np.zeros((batch, patches.dim, patches.dim))
        for m, indices in enumerate(patches.indices):
            dense[:, indices[:, None], indices] = blocks[:, m]
        return Pair(operators.BlockDiagonal(blocks, patches=patches), dense, symmetric)
    d = draw(st.integers(1, 6))
    matrices = rng.standard_normal((batch, d, d))
    if kind == "dense":
        matrices = symmetrised(matrices) if symmetric else matrices
        return Pair(operators.Dense(matrices), matrices, symmetric)
    basis = np.linalg.qr(matrices[0])[0] if symmetric else np.eye(d)
    values = rng.standard_normal((batch, d))
    dense = (basis * values[:, None, :]) @ basis.T
    return Pair(operators.Spectral(values, basis if symmetric else None), dense, True)
