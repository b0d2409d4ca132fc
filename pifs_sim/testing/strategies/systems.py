"""Denoisers, chains, patches, block matrices of known norms, and contractive (partitioned) IFS."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, exact_denoiser
from pifs_sim.diffusion.denoisers import Doors
from pifs_sim.dynamics import Patches
from pifs_sim.fractals import IFS, random_pifs
from pifs_sim.fractals.synthetic import AffinePIFS
from pifs_sim.testing.strategies.laws import LAWS, measures
from pifs_sim.testing.strategies.values import rotations, schedules

__all__ = ["BlockMatrix", "Similarities", "block_matrices", "chains", "denoisers", "ifs", "partitioned_ifs", "patches"]

Array = npt.NDArray[np.float64]


class BlockMatrix(NamedTuple):
    """A matrix (d, d), its patches, and the norms |A_kj|_2 of its blocks, (M, M)."""

    matrix: Array
    patches: Patches
    norms: Array


class Similarities(NamedTuple):
    """An IFS of the maps x -> r_i Q_i x + b_i, and its ratios r_i, (M,)."""

    ifs: IFS
    ratios: Array


@st.composite
def patches(draw: st.DrawFn, *, max_count: int = 4, max_size: int = 3, images: bool = True) -> Patches:
    """Up to `max_count` patches of side up to `max_size`, of a vector or, if `images`, an image (H, W, 1 or 3)."""
    if not images or draw(st.booleans()):
        size = draw(st.integers(1, max_size))
        return Patches(size * draw(st.integers(1, max_count)), size)
    height, width = draw(st.integers(1, max_size)), draw(st.integers(1, max_size))
    down = draw(st.integers(1, max_count))
    across = draw(st.integers(1, max_count // down))
    shape = (down * height, across * width, *draw(st.sampled_from([(), (1,), (3,)])))
    return Patches(shape, (height, width))


@st.composite
def block_matrices(
    draw: st.DrawFn, *, max_count: int = 4, max_size: int = 3, largest: float = 1.0, symmetric: bool = False
) -> BlockMatrix:
    """Matrices on the patches of a vector whose blocks have drawn norms up to `largest`, some of them 0.

    There are up to `max_count` patches of up to `max_size` entries.
    A block is U diag(s) V^T with rotations U, V and s_1 its norm; if `symmetric`, A_jk = A_kj^T.
    """
    partition = draw(patches(max_count=max_count, max_size=max_size, images=False))
    count, size = partition.count, partition.length
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = st.sampled_from([0.0, largest]) | st.floats(1e-6 * largest, largest)
    drawn = draw(st.lists(sizes, min_size=count * count, max_size=count * count))
    norms = np.array(drawn).reshape(count, count)
    if symmetric:
        norms = np.triu(norms) + np.triu(norms, 1).T
    blocks = np.empty((count, count, size, size))
    for k in range(count):
        for j in range(k if symmetric else 0, count):
            values = np.sort(rng.random(size))[::-1]
            U, V = (np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(2))
            V = U * rng.choice([-1.0, 1.0], size) if symmetric and j == k else V
            blocks[k, j] = (U * (norms[k, j] * values / values[0])) @ V.T
            if symmetric:
                blocks[j, k] = blocks[k, j].T
    return BlockMatrix(blocks.swapaxes(1, 2).reshape(partition.dim, partition.dim), partition, norms)


def denoisers(kinds: tuple[str, ...] = LAWS, *, singular: bool = True) -> st.SearchStrategy[Doors]:
    """Exact denoisers of data laws, `kinds` and `singular` as for `measures`; the law is `.measure`."""
    return measures(kinds, singular=singular).map(exact_denoiser)


@st.composite
def chains(
    draw: st.DrawFn,
    kinds: tuple[str, ...] = LAWS,
    *,
    max_steps: int = 12,
    start: float | None = None,
    stop: float | None = None,
    singular: bool = True,
) -> Chain:
    """DDIM chains with the exact denoiser of a drawn law on a drawn schedule of up to `max_steps` steps.

    `start` and `stop` fix its ends; `kinds` and `singular` as for `measures`.
    """
    schedule = draw(schedules(max_steps=max_steps, start=start, stop=stop))
    return Chain(schedule, draw(denoisers(kinds, singular=singular)))


@st.composite
def ifs(draw: st.DrawFn, *, max_dim: int = 3, max_maps: int = 4, largest: float = 0.9) -> Similarities:
    """Contractive IFS of 2 to `max_maps` similarities of R^1 to R^`max_dim`, ratios in 0.05..`largest`."""
    d, count = draw(st.integers(1, max_dim)), draw(st.integers(2, max_maps))
    logs = draw(st.lists(st.floats(math.log(0.05), math.log(largest)), min_size=count, max_size=count))
    ratios = np.exp(logs)
    turns = np.array([draw(rotations(d)) for _ in range(count)])
    offsets = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal((count, d))
    return Similarities(IFS(ratios[:, None, None] * turns, offsets), ratios)


@st.composite
def partitioned_ifs(draw: st.DrawFn, *, max_count: int = 6, max_size: int = 4, largest: float = 0.95) -> AffinePIFS:
    """Affine PIFS with hard or soft pairing whose row sums of block norms are at most a drawn norm <= `largest`.

    They have up to `max_count` blocks of up to `max_size` entries.
    """
    temperature = draw(st.sampled_from([None, 0.0, 0.1, 1.0, 10.0]))
    return random_pifs(
        draw(st.integers(1, max_count)),
        draw(st.integers(1, max_size)),
        norm=draw(st.floats(0.05, largest)),
        pairing="hard" if temperature is None else "soft",
        temperature=temperature,
        rng=np.random.default_rng(draw(st.integers(0, 2**32 - 1))),
    )
