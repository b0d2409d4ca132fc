"""The leading spectrum of a covariance that is too large to be formed, from two passes over the vectors.

Pass 1 forms C Omega for a Gaussian test matrix Omega (d, l) and takes an orthonormal basis Q of it; pass 2 forms C Q.
With B = Q^T C Q the Nystrom approximation is

    C' = (C Q) B^-1 (C Q)^T = F F^T,   F = C Q B^(-1/2),   0 <= C' <= C,

so that every eigenvalue found is at most the true one, and all of them together miss tr C - tr C', which is known
exactly (Halko, Martinsson, Tropp 2011, doi:10.1137/090771806, section 5.4).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.spectra.moments import Moments
from pifs_sim.diffusion.spectra.spectrum import Spectrum

__all__ = ["leading_spectrum"]

_SPARE = 32  # test vectors beyond the eigenvalues that are kept
_ROUNDING = 1e-12  # of the total variance


def leading_spectrum(
    one_pass: Callable[[Callable[[int], FloatArray]], tuple[Moments, tuple[int, ...]]],
    rank: int,
    rng: np.random.Generator,
) -> Spectrum:
    """The `rank` leading eigenvalues, then the rest of the variance over the rest of the directions.

    The empirical covariance of n vectors has rank at most n - 1: of the other directions, min(d, n - 1) - rank share
    the rest of the variance evenly and what is left has variance 0.

    Args:
        one_pass: given the test matrix as a function of d, returns the moments of all vectors and their shape.
        rank: number of eigenvalues to resolve; fewer are found if the covariance has fewer.
        rng: of the test matrix.
    """

    def random(dim: int) -> FloatArray:
        return rng.standard_normal((dim, min(dim, rank + _SPARE)))

    first, shape = one_pass(random)
    basis = np.linalg.qr(first.scatter)[0]
    moments, _ = one_pass(lambda _: basis)
    image = moments.scatter / moments.count
    size, axes = np.linalg.eigh(basis.T @ image)
    kept = size > basis.shape[1] * np.finfo(np.float64).eps * size[-1]
    vectors, root, _ = np.linalg.svd(image @ (axes[:, kept] / np.sqrt(size[kept])), full_matrices=False)
    found = int(min(rank, (root > 0).sum()))
    values, variance, d = root[:found] ** 2, moments.total / moments.count, vectors.shape[0]
    inside = np.abs(vectors[:, :found].T @ moments.mean)
    outside = np.linalg.norm(moments.mean - vectors[:, :found] @ (vectors[:, :found].T @ moments.mean))
    rest, free = variance - float(values.sum()), min(d, moments.count - 1) - found
    if free <= 0 or rest <= _ROUNDING * variance:
        rest, free = 0.0, 0
    parts = [(value, count) for value, count in ((rest / max(free, 1), free), (0.0, d - found - free)) if count]
    # the mean outside the resolved directions is told of the first of these entries: its directions are not known
    means = [float(outside), 0.0][: len(parts)]
    return Spectrum(
        np.append(values, [value for value, _ in parts]),
        np.array([1] * found + [count for _, count in parts]),
        np.append(inside, means),
        moments.count,
        shape,
        1.0 - rest / variance if variance else 1.0,
    )
