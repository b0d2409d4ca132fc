"""Norms of blocks of operators that are only applied, by Golub-Kahan-Lanczos bidiagonalisation of many at once.

With a random unit v_1 on patch j, A V_i = U_i B_i and A^T U_i = V_i B_i^T + beta_i v_{i+1} e_i^T for the block
A = [J]_kj: B_i is upper bidiagonal with alpha_1..alpha_i and beta_1..beta_{i-1}. Its largest singular value theta is
||A q|| for a unit q, and so never above ||A||; the pair's residual is beta_i |p_i|, p the left singular vector of B_i.

From above: A^T A = W diag(sigma^2) W^T and v_{i+1} is a multiple of prod_m (A^T A - theta_m^2) v_1, with theta_m all
Ritz values, so that

    |<w_1, v_1>| prod_m (sigma_1^2 - theta_m^2) <= prod_m alpha_m beta_m.

<w_1, v_1>^2 has the law Beta(1/2, (n-1)/2), whatever A is; its quantile c^2 at 1 - confidence turns the inequality into
a bound on sigma_1 that fails with at most that probability (van Dorsselaer, Hochstenbach, van der Vorst 2000, SIAM J.
Matrix Anal. Appl. 22, 837-852; Hochstenbach 2013, doi:10.1007/s10915-013-9716-x). For max_k ||A_k||, the largest of the
bounds is one at the same confidence: it fails only if that of the largest block does.

Vectors on different patches are stacked as columns: one pair of products J V, J^T U a step, for all blocks of all
samples, and every new vector is made orthogonal to all earlier ones, twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.arrays import check_count

__all__ = ["NormEstimate", "block_norms_by_lanczos", "check_rate", "diagonal_block_norms"]

Array = npt.NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_NEWTON = 40  # steps of a convex and increasing equation, from the right
_DOUBT = 1e-3  # the chance that the bound fails that decides when to stop: one block of many must not stop early


@dataclass(frozen=True, eq=False)
class NormEstimate:
    """Norms of P blocks of each of B operators, from below and above.

    Args:
        value: (B, P) Ritz values.
        lower: (B, P) the same less rounding: never above the norms.
        upper: (B, P) above the norm, each with probability `confidence`.
        residual: (B, P) of the Ritz pairs: a singular value lies within it.
        pairs: products with J and with J^T that were needed, each of at most P vectors a sample.
        columns: vectors that were multiplied, in all.
        confidence: of `upper`.
    """

    value: Array
    lower: Array
    upper: Array
    residual: Array
    pairs: int
    columns: int
    confidence: float


def check_rate(name: str, value: float) -> float:
    """`value` if it lies strictly between 0 and 1; ValueError otherwise."""
    if not 0 < value < 1:
        raise ValueError(f"`{name}` must lie strictly between 0 and 1, got {value!r}.")
    return float(value)


def diagonal_block_norms(operator: Any, patches: Patches, *, rng: np.random.Generator, **options: Any) -> NormEstimate:
    """The norms ||[J]_kk|| of the diagonal blocks: kappa is the largest of them.

    Args:
        operator: a batch of B operators on d coordinates, with `shape`, `@` and `T`; such as `chain.jacobian(x, n)`.
        patches: M patches of the d coordinates.
        rng: for the first vectors, B * d normal numbers.
        options: those of `block_norms_by_lanczos`.

    Returns:
        The estimate, with P = M.
    """
    own = np.arange(patches.count)
    return block_norms_by_lanczos(operator, patches, np.stack([own, own], axis=1), rng=rng, **options)


def block_norms_by_lanczos(
    operator: Any,
    patches: Patches,
    blocks: npt.NDArray[np.intp],
    *,
    rng: np.random.Generator,
    tolerance: float = 1e-3,
    most: int = 30,
    confidence: float = 0.95,
    rounding: float = _EPS,
) -> NormEstimate:
    """The norms ||[J]_kj|| of P blocks of every operator of a batch.

    Args:
        operator: a batch of B operators on d coordinates, with `shape`, `@` and `T`.
        patches: M patches of n of the d coordinates.
        blocks: (P, 2) the patches (k, j) of rows and columns.
        rng: for the first vectors, B * P * n normal numbers, sample by sample.
        tolerance: a block is left alone when its upper bound at a confidence of 0.999, or `confidence` if that is
            more, is above its value by at most this share.
        most: pairs of products after which all are.
        confidence: of the upper bounds.
        rounding: of the products, relative: the eps of the precision they are computed in.

    Raises:
        ValueError: another d, a tolerance or confidence outside (0, 1), or `most` < 1.
    """
    batch, d, _ = operator.shape
    if patches.dim != d:
        raise ValueError(f"`patches` partitions d={patches.dim}, expected d={d}.")
    check_rate("tolerance", tolerance)
    check_rate("confidence", confidence)
    check_count("most", most, 1, None)
    rows, columns = patches.indices[blocks[:, 0]], patches.indices[blocks[:, 1]]
    count, n = columns.shape
    limit = min(most, n)
    levels = np.array([1 - confidence, min(1 - confidence, _DOUBT)])
    least = np.sqrt(betaincinv(0.5, (n - 1) / 2, levels)) if n > 1 else np.ones(2)
    transposed, noise = operator.T, 8 * np.sqrt(n) * rounding
    v = rng.standard_normal((batch, count, n))
    v /= np.linalg.norm(v, axis=2, keepdims=True)
    V, U = (np.zeros((batch, count, limit, n)) for _ in range(2))
    alphas, betas = (np.zeros((batch, count, limit)) for _ in range(2))
    value, upper, doubt, residual = (np.zeros((batch, count)) for _ in range(4))
    active = np.ones((batch, count), dtype=bool)
    multiplied = pairs = 0
    while active.any():
        i = pairs
        V[:, :, i] = v
        u = _orthogonal(_applied(operator, v, active, (columns, rows)), U[:, :, :i])
        U[:, :, i], alphas[:, :, i] = _normalised(u, noise * value)
        w = _orthogonal(_applied(transposed, U[:, :, i], active, (rows, columns)), V[:, :, : i + 1])
        v, betas[:, :, i] = _normalised(w, noise * value)
        if i + 1 == n:
            betas[:, :, i] = 0.0  # the space is exhausted
        found = _ritz(alphas[active][:, : i + 1], betas[active][:, : i + 1], least)
        value[active], upper[active], doubt[active], residual[active] = found
        multiplied += 2 * batch * int(active.sum(axis=1).max())
        pairs += 1
        if pairs == limit:
            break
        active &= doubt > (1 + tolerance) * value
    return NormEstimate(value, value * (1 - noise), upper * (1 + noise), residual, pairs, multiplied, confidence)


def _applied(operator: Any, vectors: Array, active: npt.NDArray[np.bool_], places: tuple[Any, Any]) -> Array:
    """For each active (b, p) the vector on its own columns, times J, on its own rows; 0 for the others."""
    sources, targets = places
    batch, width = len(active), int(active.sum(axis=1).max())
    chosen = np.argsort(~active, axis=1, kind="stable")[:, :width]
    b, p = np.arange(batch)[:, None, None], np.arange(width)[None, :, None]
    stacked = np.zeros((batch, operator.shape[1], width))
    stacked[b, sources[chosen], p] = vectors[b[:, :, 0], chosen]
    product = np.asarray(operator @ stacked)
    out = np.zeros_like(vectors)
    out[b[:, :, 0], chosen] = product[b, targets[chosen], p]
    out[~active] = 0.0
    return out


def _orthogonal(w: Array, basis: Array) -> Array:
    for _ in range(2 if basis.shape[2] else 0):
        w = w - np.matmul(np.matmul(w[:, :, None], basis.swapaxes(2, 3)), basis)[:, :, 0]
    return w


def _normalised(w: Array, least: Array) -> tuple[Array, Array]:
    """Unit vectors and lengths; 0 and 0 for what is nothing but rounding."""
    lengths = np.linalg.norm(w, axis=2)
    lengths[lengths <= least] = 0.0
    return w * np.where(lengths > 0, 1 / np.where(lengths > 0, lengths, 1.0), 0.0)[:, :, None], lengths


def _ritz(alphas: Array, betas: Array, least: Array) -> tuple[Array, Array, Array, Array]:
    """Largest singular value of bidiagonal matrices (m, i), two upper bounds and the residual, each (m,)."""
    size = alphas.shape[1]
    inner = np.pad(betas[:, :-1], ((0, 0), (0, 1)))
    grams = (alphas**2 + inner**2)[:, :, None] * np.eye(size)
    grams[:, :-1] += (betas[:, :-1] * alphas[:, 1:])[:, :, None] * np.eye(size - 1, size, 1)
    grams += np.tril(grams.swapaxes(1, 2), -1)
    squares, vectors = np.linalg.eigh(grams)
    top = squares[:, -1]
    theta = np.sqrt(np.maximum(top, 0.0))
    scale = np.where(top > 0, top, 1.0)
    gaps = np.maximum(1 - squares[:, :-1] / scale[:, None], 0.0)
    with np.errstate(divide="ignore"):
        right = np.log(alphas * betas / scale[:, None]).sum(axis=1)
    first, second = (theta * np.sqrt(1 + _excess(gaps, right - np.log(c))) for c in least)
    return theta, first, second, betas[:, -1] * np.abs(vectors[:, -1, -1])


def _excess(gaps: Array, right: Array) -> Array:
    """e^s with s + sum_m ln(e^s + gap_m) = right, approached from above: every iterate bounds the root."""
    found = np.zeros_like(right)
    solvable = np.isfinite(right)
    gaps, right = gaps[solvable], right[solvable]
    s = right / (gaps.shape[1] + 1)
    for _ in range(_NEWTON):
        terms = np.exp(s)[:, None] + gaps
        slope = 1 + np.sum(np.exp(s)[:, None] / terms, axis=1)
        change = (s + np.sum(np.log(terms), axis=1) - right) / slope
        s = s - change
        if np.all(change < 1e-6):
            break
    found[solvable] = np.exp(s)
    return found
