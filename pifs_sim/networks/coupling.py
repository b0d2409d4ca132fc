"""What patches do to each other: delta = max_k sum_{j != k} ||[J]_kj|| of operators that are only applied.

Three ways; the cheapest in vectors multiplied is taken unless one is named.

exact      J^T E_k for the n unit vectors of every patch k: all blocks, d vectors, of reverse mode, which is a little
           cheaper than forward mode for most networks. Only for d <= 3072, or n <= s.
lanczos    Golub-Kahan-Lanczos on the M(M-1) blocks (`norms`), two vectors a block and step.
frobenius  J Z_j for s Gaussian vectors on every patch j, M s vectors. With A = [J]_kj, ||A Z||_F^2/s has the mean
           ||A||_F^2 >= ||A||^2 (Hutchinson 1990, Commun. Stat. Simul. 19, 433-450): an estimate from above. For the
           leading right singular vector w of A, |Z^T w|^2 has the law chi^2_s, so that

               ||A Q|| <= ||A|| <= ||A Z||/sqrt(c),  Z = Q R,  c the quantile of chi^2_s at the level of error,

           where ||A Z|| <= ||A Z||_F: the bound needs no more than that one direction is hit. The sum over j != k takes
           level/(M-1) for each; the largest sum over k is the sum of the row that is largest, so that needs no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.arrays import check_count
from pifs_sim.networks.norms import block_norms_by_lanczos, check_rate

__all__ = ["Coupling", "chosen_method", "coupling"]

Array = npt.NDArray[np.float64]
Method = Literal["exact", "lanczos", "frobenius"]

METHODS: tuple[Method, ...] = ("exact", "lanczos", "frobenius")
LARGEST = 3072  # d up to which the whole Jacobian is formed


@dataclass(frozen=True, eq=False)
class Coupling:
    """Sums over j != k of block norms, from below and above.

    Args:
        value: (B, M) sum_{j != k} of the norms; by "frobenius", of ||A||_F as estimated, no further than the bounds of
            ||A||: an estimate from above; see the module.
        lower: (B, M) never above the true sums, up to rounding.
        upper: (B, M) above the true sum, each with probability `confidence`; of "exact" the value.
        own: (B, M) ||[J]_kk|| by "exact"; None by the others.
        frobenius: (B, M, M) estimates of ||[J]_kj||_F^2 without bias, exact by "exact"; None by "lanczos".
        method: which way was taken.
        columns: vectors that were multiplied, in all.
        confidence: of `upper`.
    """

    value: Array
    lower: Array
    upper: Array
    own: Array | None
    frobenius: Array | None
    method: Method
    columns: int
    confidence: float

    @property
    def delta(self) -> tuple[Array, Array, Array]:
        """delta, (B,): value, lower and upper, the largest over k of each."""
        return self.value.max(axis=1), self.lower.max(axis=1), self.upper.max(axis=1)


def chosen_method(patches: Patches, method: Method | None, *, probes: int, most: int) -> Method:
    """The way named, or the one that multiplies fewest vectors, the better one of equals.

    As many Gaussian vectors as unit vectors, and more, are replaced by these: then "frobenius" is "exact".

    Raises:
        ValueError: an unknown way, or "exact" for d > 3072 and more unit vectors than `probes`.
    """
    if method not in (None, *METHODS):
        raise ValueError(f'`method` must be "exact", "lanczos", "frobenius" or None, got {method!r}.')
    count, n = patches.count, patches.length
    affordable = patches.dim <= LARGEST or n <= probes
    if method == "exact" and not affordable:
        raise ValueError(f'`method` "exact" is for d up to {LARGEST}, got d={patches.dim}.')
    if method == "lanczos":
        return method
    if method == "frobenius":
        return "exact" if n <= probes else method
    if method == "exact":
        return method
    costs: dict[Method, int] = {"lanczos": 2 * min(most, n) * count * (count - 1), "frobenius": count * min(probes, n)}
    if affordable:
        costs = {"exact": patches.dim, **costs}
    return min(costs, key=costs.__getitem__)


def coupling(
    operator: Any,
    patches: Patches,
    *,
    rng: np.random.Generator,
    method: Method | None = None,
    probes: int = 64,
    tolerance: float = 1e-2,
    most: int = 30,
    confidence: float = 0.95,
    rounding: float = float(np.finfo(np.float64).eps),
) -> Coupling:
    """The sums sum_{j != k} ||[J]_kj|| of every operator of a batch: delta is the largest of them.

    Args:
        operator: a batch of B operators on d coordinates, with `shape`, `@` and `T`.
        patches: M patches of n of the d coordinates.
        rng: for the first or Gaussian vectors, drawn sample by sample.
        method: "exact", "lanczos", "frobenius", or the cheapest.
        probes: s, Gaussian vectors on each patch; n or more of them are replaced by the n unit vectors.
        tolerance: of "lanczos", see `block_norms_by_lanczos`.
        most: pairs of products of "lanczos".
        confidence: of the upper bounds.
        rounding: of the products, relative.

    Raises:
        ValueError: another d, an unknown method, "exact" for d > 3072, probes or `most` < 1, or rates outside (0, 1).
    """
    if patches.dim != operator.shape[1]:
        raise ValueError(f"`patches` partitions d={patches.dim}, expected d={operator.shape[1]}.")
    check_count("probes", probes, 1, None)
    check_count("most", most, 1, None)
    check_rate("confidence", confidence)
    method = chosen_method(patches, method, probes=probes, most=most)
    others = max(patches.count - 1, 1)
    level = (1 - confidence) / others
    if method == "lanczos":
        options = {"tolerance": tolerance, "most": most, "rounding": rounding}
        return _by_lanczos(operator, patches, rng, confidence, 1 - level, options)
    exact = method == "exact"
    s = patches.length if exact else probes
    least = 2 * gammaincinv(s / 2, level)
    batch, count = operator.shape[0], patches.count
    draws = None if exact else rng.standard_normal((batch, count, patches.length, s))
    side = operator.T if exact else operator
    parts = [_column(side, patches, j, draws, least) for j in range(count)]
    value, lower, upper, squares = (  # (B, M, M)
        np.stack(part, axis=1 if exact else 2) for part in zip(*parts, strict=True)
    )
    noise = 8 * np.sqrt(patches.length) * rounding
    apart = 1 - np.eye(patches.count)
    return Coupling(
        value=(apart * value).sum(axis=2),
        lower=(apart * lower).sum(axis=2) * (1 - noise),
        upper=(apart * upper).sum(axis=2) * (1 + noise),
        own=np.diagonal(value, axis1=1, axis2=2).copy() if exact else None,
        frobenius=squares,
        method=method,
        columns=batch * count * s,
        confidence=confidence,
    )


def _by_lanczos(
    operator: Any, patches: Patches, rng: np.random.Generator, confidence: float, each: float, options: dict[str, Any]
) -> Coupling:
    count = patches.count
    off = np.argwhere(~np.eye(count, dtype=bool))
    if not len(off):
        nothing = np.zeros((operator.shape[0], count))
        return Coupling(nothing, nothing, nothing, None, None, "lanczos", 0, confidence)
    found = block_norms_by_lanczos(operator, patches, off, rng=rng, confidence=each, **options)
    parts = (found.value, found.lower, found.upper)  # (B, M(M-1)), row by row
    value, lower, upper = (part.reshape(-1, count, count - 1).sum(axis=2) for part in parts)
    return Coupling(value, lower, upper, None, None, "lanczos", found.columns, confidence)


def _column(
    operator: Any, patches: Patches, j: int, draws: Array | None, least: float
) -> tuple[Array, Array, Array, Array]:
    """Of the blocks (k, j) of a patch j, (B, M): value, lower and upper bound of the norm, squared Frobenius norm.

    Without draws they are exact. Those of the transposed operator are the blocks (j, k) of the operator itself.
    """
    batch, d, _ = operator.shape
    n = patches.length
    if draws is None:
        Q = np.broadcast_to(np.eye(n), (batch, n, n))
    else:
        Q, R = np.linalg.qr(draws[:, j])  # J Q R loses no digits, as J Z R^-1 would
    stacked = np.zeros((batch, d, Q.shape[2]))
    stacked[:, patches.indices[j]] = Q
    blocks = patches.split(np.asarray(operator @ stacked, dtype=np.float64))  # (B, M, n, s)
    grams = blocks.swapaxes(2, 3) @ blocks
    lower = _root(grams)
    if draws is None:
        return lower, lower, lower, np.trace(grams, axis1=2, axis2=3)
    grams = R[:, None].swapaxes(2, 3) @ grams @ R[:, None]
    upper = np.maximum(_root(grams) / np.sqrt(least), lower)
    squares = np.trace(grams, axis1=2, axis2=3) / Q.shape[2]
    return np.clip(np.sqrt(squares), lower, upper), lower, upper, squares


def _root(grams: Array) -> Array:
    """Square root of the largest eigenvalue of symmetric matrices."""
    return np.sqrt(np.maximum(np.linalg.eigvalsh(grams)[..., -1], 0.0))
