"""The similarity dimension: the D with sum_i r_i^D = 1 (Moran 1946, Proc. Camb. Phil. Soc. 42, 15-23).

It is the Hausdorff and box-counting dimension of the attractor of similarities x -> r_i Q_i x + b_i under the open set
condition, and never less than they are. Exact overlaps make it too large: if two words give the same map, and, of
course, if it exceeds d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.display import one_line

__all__ = ["SimilarityDimension", "of_similarities", "similarity_dimension"]

Floats = npt.NDArray[np.float64]
Words = tuple[tuple[int, ...], tuple[int, ...]]

_EPS = float(np.finfo(np.float64).eps)
_WORDS = 4096  # that are compared


def similarity_dimension(ratios: npt.ArrayLike) -> float:
    """The D >= 0 with sum_i r_i^D = 1, to a few roundings.

    With r_1 the largest ratio, g(D) = expm1(D ln r_1) + sum_{i > 1} r_i^D adds up without cancellation at its zero,
    and is convex and decreasing, so that Newton's iterates from the left climb to the zero.

    Args:
        ratios: (M,) in (0, 1).

    Raises:
        ValueError: no ratios, or some outside of (0, 1).

    Source: Moran 1946, Proc. Camb. Phil. Soc. 42, 15-23.

    >>> round(similarity_dimension([1 / 3, 1 / 3]), 6)
    0.63093
    """
    r = np.asarray(reals("ratios", ratios)[1], dtype=np.float64)
    if r.ndim != 1 or r.size == 0:
        raise ValueError(f"`ratios` must be one-dimensional and not empty, got shape {r.shape}.")
    outside = ~((r > 0) & (r < 1))
    if outside.any():
        raise ValueError(f"`ratios` must lie in (0, 1), got {float(r[outside][0])!r}.")
    logs = -np.sort(-np.log(r))
    if logs.size == 1:
        return 0.0
    D = math.log(r.size) / -float(logs[-1])  # g >= 0: every ratio is at least the smallest
    while True:
        terms = np.exp(D * logs)
        g = math.fsum([math.expm1(D * logs[0]), *terms[1:].tolist()])
        further = D + g / -float(terms @ logs)
        if further <= D * (1 + 0.5 * _EPS):
            return D
        D = further


@dataclass(frozen=True)
class SimilarityDimension:
    """The similarity dimension of an IFS, with what was found that makes it too large.

    Attributes:
        value: D with sum r_i^D = 1: the dimension of the attractor under the open set condition, else an upper bound.
        ratios: of the maps.
        words: two words with the same map, (w_1, .., w_k) standing for f_{w_1} o .. o f_{w_k}, the shortest found among
            the words compared; or None. That none is found does not prove the open set condition.
        excess: whether D exceeds the dimension of the space, so that images overlap in more than their boundaries.
    """

    value: float
    ratios: tuple[float, ...]
    words: Words | None
    excess: bool

    __repr__ = one_line

    @property
    def overlap(self) -> str | None:
        """One sentence on the overlap that was found, or None."""
        if self.words is not None:
            u, v = ("".join(f" {i}" for i in word) for word in self.words)
            return f"the words{u} and{v} give the same map: D is only an upper bound."
        return "D exceeds the dimension of the space: images overlap." if self.excess else None


def of_similarities(A: Floats, b: Floats) -> SimilarityDimension:
    """The similarity dimension of the maps x -> A_i x + b_i.

    Args:
        A: (M, d, d), each a ratio in (0, 1) times an orthogonal matrix, to within rounding.
        b: (M, d).

    Raises:
        ValueError: a map that is no similarity (its singular values differ), or does not contract.
    """
    values = np.linalg.svd(A, compute_uv=False)
    uneven = np.flatnonzero(values[:, 0] - values[:, -1] > 64 * _EPS * A.shape[1] * values[:, 0])
    if uneven.size:
        i = int(uneven[0])
        raise ValueError(
            f"map {i} must be a similarity for this dimension, but stretches by {values[i, -1]:.6g} to "
            f"{values[i, 0]:.6g} depending on the direction; see `affinity_dimension`."
        )
    ratios = np.asarray(values.mean(axis=1), dtype=np.float64)
    value = similarity_dimension(ratios)
    return SimilarityDimension(
        value, tuple(ratios.tolist()), _same_map(A, b, ratios), value > A.shape[1] * (1 + 16 * _EPS)
    )


def _same_map(A: Floats, b: Floats, ratios: Floats) -> Words | None:
    """Two words whose maps agree to rounding, among the shortest few thousand; tiny maps are not compared."""
    from scipy.spatial import cKDTree  # 0.1 s to import, and only needed here

    count, d = b.shape
    if count == 1:
        return None
    size = float(np.abs(b).max()) / (1 - float(ratios.max())) or 1.0
    matrices, offsets, scales = np.eye(d)[None], np.zeros((1, d)), np.ones(1)
    names: list[tuple[int, ...]] = [()]
    words: list[tuple[int, ...]] = []
    rows, ratio_of = [], []
    while len(words) + len(names) * count <= max(_WORDS, count):
        offsets = (np.einsum("wrc,ic->wir", matrices, b) + offsets[:, None]).reshape(-1, d)
        matrices = (matrices[:, None] @ A).reshape(-1, d, d)
        scales = np.outer(scales, ratios).ravel()
        names = [(*word, i) for word in names for i in range(count)]
        words += names
        rows.append(np.concatenate([matrices.reshape(len(names), -1), offsets / size], axis=1))
        ratio_of.append(scales)
    table = np.concatenate(rows)
    tolerance = 64 * _EPS * math.sqrt(table.shape[1])
    near, others = cKDTree(table).query(table, k=2, distance_upper_bound=tolerance)
    found = np.flatnonzero(np.isfinite(near).all(axis=1) & (np.concatenate(ratio_of) > 1e4 * tolerance))
    if not found.size:
        return None
    pair = sorted(others[found[0]].tolist())
    return words[pair[0]], words[pair[1]]
