"""How much a PIFS contracts, in several norms.

Every pixel of range k averages q = ratio^2 pixels with weights s_k/q, and no range takes a pixel twice. So
|L|_inf = max |s_k|. With the ranges as patches (of any sizes), the rows of a block L_kj have no common columns, and

    |L_kj|_2 = |s_k| sqrt(c_kj)/q,    c_kj the most pixels of patch j that one pixel of range k averages,

exactly; kappa, delta and the row sum follow. In the block-max norm max_j |x_j|_2 the induced norm is at most the row
sum, and also at most |s_k| sqrt(m_k/q) if range k meets m_k patches, as the domain's pixels then have the norm
sqrt(m_k) and averaging divides it by sqrt(q); that is attained where every average is of pixels of one patch.

The spectral radius is that of the strongly connected parts of the graph of L: 0, exactly, where there are no circles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigs

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators.krylov import largest_singular_value
from pifs_sim.fractals.grey import FloatArray
from pifs_sim.fractals.wiring import Wiring

__all__ = ["Contraction", "contraction_of"]

_STEPS = 40  # of powers of L before restarts, and dimensions of a matrix that is treated densely


@dataclass(frozen=True)
class Contraction:
    """Norms of the linear part L of a PIFS; the ranges are the patches.

    Args:
        norm_inf: |L|_inf = max |s_k|: below 1 the decoder converges, whatever the image.
        norm_two: |L|_2, to about 1e-12.
        spectral_radius: the largest |eigenvalue| of L, the rate in the long run; from an iteration, except where it
            is 0.
        kappa: max_k |L_kk|_2.
        delta: max_k sum_{j != k} |L_kj|_2.
        row_sum: max_k sum_j |L_kj|_2.
        block_max: upper bound of the induced block-max norm, at most `row_sum`; the norm itself where every average
            is of pixels of one range, as with domains at even places and ratio 2.
    """

    norm_inf: float
    norm_two: float
    spectral_radius: float
    kappa: float
    delta: float
    row_sum: float
    block_max: float

    __repr__ = one_line

    def iterations(self, tolerance: float = 1e-8) -> int:
        """Steps after which an error in the largest pixel is at most `tolerance` times what it was, by |L|_inf.

        Raises:
            ValueError: |L|_inf >= 1, which promises nothing, or a tolerance outside (0, 1).
        """
        if not 0 < tolerance < 1:
            raise ValueError(f"`tolerance` must lie in (0, 1), got {tolerance!r}.")
        if self.norm_inf >= 1:
            raise ValueError(f"nothing bounds the number of iterations where |L|_inf = {self.norm_inf:.6g} >= 1.")
        return max(1, math.ceil(math.log(tolerance) / math.log(self.norm_inf))) if self.norm_inf > 0 else 1


def contraction_of(matrix: csr_array, wiring: Wiring, contrasts: FloatArray) -> Contraction:
    """Norms and spectral radius of L, (d, d), with its wiring and the contrasts (K,) of its ranges."""
    ranges, patches, norms = _block_norms(wiring, np.abs(contrasts))
    own = ranges == patches
    kappa = float(norms[own].max(initial=0.0))
    others = np.bincount(ranges[~own], norms[~own], contrasts.size)
    rows = np.bincount(ranges, norms, contrasts.size)
    whole = np.abs(contrasts) * np.sqrt(np.bincount(ranges, minlength=contrasts.size) / len(wiring.sources))
    return Contraction(
        norm_inf=float(np.abs(contrasts).max()),
        norm_two=float(largest_singular_value(_Applied(matrix), like=contrasts)[0]),
        spectral_radius=_spectral_radius(matrix),
        kappa=kappa,
        delta=float(others.max()),
        row_sum=float(rows.max()),
        block_max=float(np.minimum(rows, whole).max()),
    )


def _block_norms(wiring: Wiring, sizes: FloatArray) -> tuple[Any, Any, FloatArray]:
    """Range k, patch j and |L_kj|_2 of the pairs that meet, sorted by k."""
    q, d = wiring.sources.shape
    ones = np.ones(q * d, dtype=np.int64)
    met = coo_array((ones, (np.tile(np.arange(d), q), wiring.owners[wiring.sources].ravel())), shape=(d, sizes.size))
    met.sum_duplicates()
    pairs = wiring.owners[met.row] * sizes.size + met.col
    order = np.argsort(pairs, kind="stable")
    first = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    counts = np.maximum.reduceat(met.data[order], first)
    ranges, patches = np.divmod(pairs[order][first], sizes.size)
    return ranges, patches, sizes[ranges] * np.sqrt(counts) / q


@dataclass(frozen=True)
class _Applied:
    """A sparse matrix as an operator of a batch of one."""

    matrix: csr_array

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, *self.matrix.shape

    @property
    def T(self) -> _Applied:  # noqa: N802
        return _Applied(self.matrix.T.tocsr())

    def __matmul__(self, V: FloatArray) -> FloatArray:
        return (self.matrix @ V[0])[None]


def _spectral_radius(matrix: csr_array) -> float:
    graph = matrix.copy()
    graph.eliminate_zeros()
    _, parts = connected_components(graph, directed=True, connection="strong")
    recurrent = (np.bincount(parts)[parts] > 1) | (graph.diagonal() != 0)
    core = graph[recurrent][:, recurrent]
    if core.shape[0] <= _STEPS:
        return float(np.abs(np.linalg.eigvals(core.toarray())).max(initial=0.0))
    start = np.cos(np.arange(1.0, core.shape[0] + 1.0) ** 2)  # no direction that the structure of an image favours
    closed = _closed_krylov_space(core, start)
    values = eigs(core, k=1, v0=start, return_eigenvectors=False, tol=1e-10) if closed is None else closed
    return float(np.abs(values).max())


def _closed_krylov_space(matrix: csr_array, start: FloatArray) -> Any:
    """Eigenvalues on the space that powers of L span from a start, if it closes within some steps (Arnoldi), or None.

    A few large ranges on one domain have such spaces, which restarted iterations cannot leave.
    """
    basis, H = (start / np.linalg.norm(start))[None], np.zeros((_STEPS + 1, _STEPS))
    for k in range(_STEPS):
        w = matrix @ basis[k]
        for _ in range(2):  # twice is enough
            overlap = basis @ w
            w = w - overlap @ basis
            H[: k + 1, k] += overlap
        H[k + 1, k] = np.linalg.norm(w)
        if H[k + 1, k] <= 1e-13 * np.abs(H).max():
            return np.linalg.eigvals(H[: k + 1, : k + 1])
        basis = np.concatenate([basis, w[None] / H[k + 1, k]])
    return None
