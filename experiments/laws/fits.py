"""Maximum likelihood by expectation and maximisation: two classical models of image patches.

Scale mixture: sum_i w_i N(mu, s_i Sigma) with a fixed grid of scales s_i and the points' own moments, so that only w is
fitted, under sum w = sum w s = 1: a concave problem. With q_n = (x_n - mu)^T Sigma^-1 (x_n - mu) and responsibilities
r_ni ~ w_i s_i^(-d/2) e^(-q_n/(2 s_i)), R_i their means, w_i <- R_i/(1 + beta (s_i - 1)), beta by sum w s = 1.
(Wainwright, Simoncelli 1999, NIPS 12.)
Mixture: sum_k w_k N(mu_k, C_k), full covariances; it keeps the points' moments by itself. (Dempster, Laird, Rubin 1977,
J. R. Stat. Soc. B 39; of image patches: Zoran, Weiss 2011, ICCV.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.optimize import brentq
from scipy.special import logsumexp

__all__ = ["fit_mixture", "fit_scale_mixture"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None] | None

_LEAST = 1e-9  # share of a scale that no point has, so that sum w s = 1 can be met


def _squares(x: Array, covariance: Array) -> tuple[Array, float]:
    """x^T C^-1 x for every row, (N,), and ln det C."""
    factor = np.linalg.cholesky(covariance)
    solved = solve_triangular(factor, x.T, lower=True)
    return np.einsum("in,in->n", solved, solved), 2 * float(np.log(np.diag(factor)).sum())


def _balanced(shares: Array, scales: Array) -> Array:
    """w_i = R_i/(1 + beta (s_i - 1)) with sum w_i s_i = 1, which with sum R = 1 makes sum w = 1."""
    excess = scales - 1

    def slack(beta: float) -> float:
        return float(np.sum(shares * excess / (1 + beta * excess)))

    low, high = -1 / float(excess.max()), -1 / float(excess.min())
    weights: Array = shares / (1 + brentq(slack, low * (1 - 1e-13), high * (1 - 1e-13), xtol=1e-15) * excess)
    return weights / weights.sum()


def fit_scale_mixture(
    x: Array, scales: Array, *, iterations: int = 50, progress: Progress = None
) -> tuple[Array, list[float]]:
    """Weights (K,) of a scale mixture with the moments of the points, and the mean log-likelihoods.

    Args:
        x: (N, d), their covariance positive definite.
        scales: (K,) positive, some below 1 and some above.
        iterations: of expectation and maximisation.
        progress: called with (iterations done, iterations).
    """
    count, d = x.shape
    y = x - x.mean(axis=0)
    squares, logdet = _squares(y, y.T @ y / count)
    weights, likelihoods = _balanced(np.full(len(scales), 1 / len(scales)), scales), []
    for i in range(iterations):
        logs = np.log(weights) - (d * np.log(scales) + squares[:, None] / scales) / 2
        total = logsumexp(logs, axis=1)
        likelihoods.append(float(total.mean()) - (logdet + d * np.log(2 * np.pi)) / 2)
        shares = np.exp(logs - total[:, None]).mean(axis=0)
        weights = _balanced(np.maximum(shares, _LEAST), scales)
        if progress:
            progress(i + 1, iterations)
    return weights, likelihoods


def fit_mixture(
    x: Array,
    components: int,
    rng: np.random.Generator,
    *,
    iterations: int = 30,
    floor: float = 1e-4,
    progress: Progress = None,
) -> tuple[Array, Array, Array, list[float]]:
    """Weights (K,), means (K, d) and covariances (K, d, d) of a mixture of points (N, d), and mean log-likelihoods.

    The first shares are those of the nearest of K points drawn by `rng`. A component that is left with less than one
    point's share keeps its shape and its weight of less than 1/N.

    Args:
        x: (N, d).
        components: K.
        rng: draws the first centres.
        iterations: of expectation and maximisation.
        floor: added to every variance in each iteration, so that all covariances are invertible.
        progress: called with (iterations done, iterations).
    """
    count, d = x.shape
    centres = x[rng.choice(count, components, replace=False)]
    distances = (centres**2).sum(axis=1) - 2 * x @ centres.T
    shares = np.eye(components)[distances.argmin(axis=1)]
    means, covariances = centres, np.empty((components, d, d))
    covariances[:] = np.cov(x.T, bias=True) + floor * np.eye(d)
    likelihoods = []
    for i in range(iterations):
        sizes = shares.sum(axis=0)
        for k in np.flatnonzero(sizes >= 1).tolist():
            means[k] = shares[:, k] @ x / sizes[k]
            y = x - means[k]
            covariances[k] = y.T @ (shares[:, k, None] * y) / sizes[k] + floor * np.eye(d)
        weights = np.maximum(sizes / count, np.finfo(float).tiny)
        logs = np.empty((count, components))
        for k in range(components):
            squares, logdet = _squares(x - means[k], covariances[k])
            logs[:, k] = np.log(weights[k]) - (squares + logdet + d * np.log(2 * np.pi)) / 2
        total = logsumexp(logs, axis=1)
        likelihoods.append(float(total.mean()))
        shares = np.exp(logs - total[:, None])
        if progress:
            progress(i + 1, iterations)
    return weights / weights.sum(), means, (covariances + covariances.transpose(0, 2, 1)) / 2, likelihoods
