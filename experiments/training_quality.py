"""How contractive a denoiser's chain is, and how near its samples are to images.

Margins are those of the block-max norm, 1 - max_k sum_j |[J Phi_t]_kj|. Samples are compared with images by the
Wasserstein distance of the normal laws with their moments,

    W2^2 = |m - m'|^2 + tr(S + S' - 2 (S'^1/2 S S'^1/2)^1/2),

and by the energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'|, with the share of the permutations of all points at which
it is no smaller (Szekely, Rizzo 2013, doi:10.1016/j.jspi.2013.03.018).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Chain
from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.norms import block_norms

__all__ = ["Contraction", "Energy", "contraction", "energy_test", "moments_distance"]

Array = npt.NDArray[np.float64]


class Contraction(NamedTuple):
    """Means over points of each step's block norms, (T,) each, entry t-1 for step t."""

    kappa: Array
    delta: Array
    row_sum: Array


class Energy(NamedTuple):
    """Energy distance of two samples, and the share of permutations (this one too) with none smaller."""

    distance: float
    p_value: float


def contraction(chain: Chain, images: Any, patches: Patches, *, rng: np.random.Generator) -> Contraction:
    """Block norms at x_t = cos(phi_t) image + sin(phi_t) eps, by dense Jacobians.

    Args:
        chain: T steps on d coordinates.
        images: (B, d).
        patches: of the d coordinates.
        rng: draws eps, anew at each step.
    """
    found = []
    for t in range(1, chain.length + 1):
        noise = rng.standard_normal(images.shape)
        x = float(chain.schedule.cos[t]) * images + float(chain.schedule.sin[t]) * noise
        norms = block_norms(chain.jacobian(x, chain.length - t).dense(), patches)
        found.append([np.mean(part) for part in (norms.kappa, norms.delta, norms.row_sum)])
    return Contraction(*np.array(found, dtype=np.float64).T)


def moments_distance(x: Array, y: Array) -> float:
    """W2 of the normal laws with the moments of two samples, (n, d) and (m, d)."""
    roots = []
    for sample in (x, y):
        values, vectors = np.linalg.eigh(np.cov(sample.T, bias=True))
        roots.append((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
    shared = float(np.linalg.norm(roots[0] @ roots[1], "nuc"))
    total = sum(float(np.sum(root**2)) for root in roots)
    means = float(np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2))
    return float(np.sqrt(max(0.0, means + total - 2 * shared)))


def energy_test(x: Array, y: Array, rng: np.random.Generator, *, permutations: int = 199) -> Energy:
    """The energy distance of two samples, (n, d) and (m, d), and its permutation test."""
    points, n = np.concatenate([x, y]), len(x)
    squares = np.sum(points**2, axis=1)
    distances = np.sqrt(np.maximum(0.0, squares[:, None] + squares - 2 * points @ points.T))
    signs = np.concatenate([np.full(n, 1 / n), np.full(len(y), -1 / len(y))])
    labels = np.stack([signs] + [rng.permutation(signs) for _ in range(permutations)])
    values = -np.sum((labels @ distances) * labels, axis=1)  # = 2 E|X - Y| - E|X - X'| - E|Y - Y'|
    return Energy(float(values[0]), float(np.mean(values >= values[0])))
