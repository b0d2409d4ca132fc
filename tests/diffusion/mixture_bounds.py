"""How far rounding may take a mixture's posterior from the exact one: 50 eps (1 + logit) of the operands' size.

Logits are ln w_k - y' N_k^-1 y/2 - ln det N_k/2 with y = x - c mu_k. Rounding x and c mu_k by eps moves a logit by
|y|'|N_k^-1|(|x| + c|mu_k|) eps: where x and c mu_k nearly cancel, that, not the logit, is the size of its operands. A
full covariance is rounded as a whole, by eps ||C_k||. With u = 50 eps and L = 1 + the largest logit's size,
responsibilities carry u L, and sums over r_k what they weigh. Components with r_k < eps^2 do not matter, unless the
gap itself is rounding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.diffusion.mixture_oracle import ExactNoised


class Bounds(NamedTuple):
    """Largest absolute errors."""

    weights: float
    mean: float
    covariance: float
    noise: float
    mean_jacobian: float
    noise_jacobian: float
    log_density: float


class Sizes(NamedTuple):
    """Operands of one component: its logit, m_k, eps_k, P_k, gain and N_k^-1."""

    logit: float
    mean: float
    noise: float
    spread: float
    gain: float
    inverse: float


def bounds(exact: ExactNoised, x: np.ndarray, eps: float, *, full: bool = False) -> Bounds:
    """Bounds at x (d,) in a precision; `full` for covariances that are given as matrices."""
    c, s, unit = float(exact.c), float(exact.s), 50 * eps
    r, logits, means, law = exact.weights(x), exact.logits(x), exact.means(x), exact.law
    parts = zip(law.means, law.covariances, law.factors, exact.inverses, exact.gains, exact.spreads, strict=True)
    table = np.array([_sizes(x, exact, part, eps, full) for part in parts])
    sizes = 1 + law.dim + np.abs(logits) + np.abs(np.array(exact.log_weights, dtype=np.float64)) + table[:, 0]
    unsure = np.max(logits) - logits <= unit * (sizes + sizes[np.argmax(logits)])
    r = np.where(unsure & (unit * sizes > 1), 1.0, r)
    kept = (r > eps**2) | unsure
    r, L = r[kept], float(sizes[kept].max())
    of = Sizes(*table[kept].T)
    off = np.linalg.norm(means[kept] - exact.mean(x), axis=1)
    noises = c / s * off  # |eps_k - eps_hat|
    between = float(r @ (L * off**2 + 2 * off * of.mean + eps * of.mean**2))
    across = float(r @ (L * noises**2 + 2 * noises * of.noise + eps * of.noise**2)) / s
    return Bounds(
        weights=unit * L,
        mean=unit * float(r @ (of.mean + L * off)),
        covariance=unit * (L * float(r @ of.spread) + between),
        noise=unit * float(r @ (of.noise + L * noises)),
        mean_jacobian=unit * (L * float(r @ of.gain) + c / s**2 * between),
        noise_jacobian=unit * (L * s * float(r @ of.inverse) + max(across, c**2 / s**3 * between)),
        log_density=unit * L,
    )


def _sizes(x: np.ndarray, exact: ExactNoised, part: tuple[Any, ...], eps: float, full: bool) -> Sizes:
    mu, C, factor, inv, G, P = (np.array(entry, dtype=np.float64) for entry in part)
    c, s, whole = float(exact.c), float(exact.s), float(factor * np.linalg.norm(C, 2))
    y, operands = x - c * mu, np.abs(x) + c * np.abs(mu)
    logit = float((np.abs(y) + eps * operands) @ np.abs(inv) @ operands)
    inverse, gain, spread = (float(np.linalg.norm(matrix, 2)) for matrix in (inv, G, P))
    length, size = float(np.linalg.norm(operands)), float(np.linalg.norm(y))
    mean, noise = float(np.linalg.norm(mu)) + gain * length, s * inverse * length
    if full:
        turned, moved = float(np.linalg.norm(inv @ y)), c**2 * whole * inverse
        logit += turned * length + c**2 * whole * (turned**2 + float(np.trace(inv)))
        mean, noise = mean + c * whole * inverse * size, noise + s * inverse * moved * size
        spread += whole * (s**2 * inverse) ** 2
        gain += c * whole * inverse
        inverse += inverse * moved
    return Sizes(logit, mean, noise, spread, gain, inverse)
