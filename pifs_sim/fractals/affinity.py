"""The affinity dimension of matrices A_i (Falconer 1988, Math. Proc. Camb. Phil. Soc. 103, 339-350).

With the singular values a_1 >= .. >= a_d of A, phi^s(A) = a_1 .. a_m a_{m+1}^{s-m} for m <= s <= m + 1, m < d, and
|det A|^{s/d} for s >= d. As phi^s(AB) <= phi^s(A) phi^s(B), P_n(s) = sum over words of n of phi^s(A_w) has a limit
P(s) = inf P_n(s)^{1/n}, the pressure, and the affinity dimension is the s at which P(s) falls below 1. It is at least
the upper box dimension of the attractor (capped by d), and equal to it for almost all offsets if all |A_i| < 1/2
(Falconer 1988; Solomyak 1998, Math. Proc. Camb. Phil. Soc. 124, 531-546): generically, not always.

The zeros of P_n - 1 are upper bounds. In the plane, sum over w of phi^s(A_w) with |A_w u| for |A_w|, u a unit vector,
is T^n 1(u) for a positive operator T, and if c <= T^n 1(u)/T^{n-1} 1(u) <= C for all u, then c <= P(s) <= C (Collatz,
Wielandt): c and C are taken over arcs of u. In any d, with the least growth of volumes under A_w in place of the
largest, the sum is at most P(s)^n. All in terms of L_m = ln |C_m(A_w)|_2, C_m the matrix of m x m minors: ln phi^s =
(m + 1 - s) L_m + (s - m) L_{m+1}, and the least growth of m-volumes is L_d - L_{d-m}.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import check_count, reals
from pifs_sim.dynamics.display import one_line
from pifs_sim.fractals.ifs_norms import adapted_norm, constants

__all__ = ["AffinityDimension", "affinity_dimension"]

Floats = npt.NDArray[np.float64]
Pressure = Callable[[float], float]

_BUDGET, _MOST = 1 << 12, 1 << 20  # numbers in the products of a level: by default, at most
_ARCS = 512  # of the half circle
_SLACK = 1e-13  # relative widening of the interval, for rounding


@dataclass(frozen=True)
class AffinityDimension:
    """The affinity dimension.

    Attributes:
        value: the best estimate, inside the interval.
        interval: lower and upper bound, certain up to rounding (1e-13).
        level: length of the words behind the bounds; 0 where a closed form was used.
    """

    value: float
    interval: tuple[float, float]
    level: int

    __repr__ = one_line

    def __float__(self) -> float:
        """The value."""
        return self.value


def affinity_dimension(matrices: npt.ArrayLike, *, level: int | None = None) -> AffinityDimension:
    """Falconer's affinity dimension, with bounds from below and above.

    Exact for matrices with at most one entry in each row and column (a finite sum over flags of coordinate planes) and
    for triangular ones, of which only the diagonals count (Falconer, Miao 2007, Fractals 15, 289-299). The bounds close
    as the level grows for irreducible matrices of the plane, and are equal for similarities; for d >= 3 the lower bound
    may stay behind.

    Args:
        matrices: (M, d, d), d <= 8, contracting in some ellipsoidal norm.
        level: length of the words; by default as long as there are few thousand words.

    Raises:
        ValueError: other shapes, no norm found in which all contract, level < 1 or too many words.

    Source: Falconer 1988, Math. Proc. Camb. Phil. Soc. 103, 339-350.

    >>> import numpy as np
    >>> round(affinity_dimension(np.array([np.diag([0.5, 0.25])] * 3)).value, 6)
    1.292481
    """
    A = np.asarray(reals("matrices", matrices)[1], dtype=np.float64)
    if A.ndim != 3 or 0 in A.shape or A.shape[1] != A.shape[2] or A.shape[1] > 8:
        raise ValueError(f"`matrices` must have shape (M, d, d) with d <= 8, got {A.shape}.")
    if not np.isfinite(A).all():
        raise ValueError(f"`matrices` must be finite, got {float(A[~np.isfinite(A)][0])!r}.")
    sizes = [math.comb(A.shape[1], m) ** 2 for m in range(A.shape[1] + 1)]
    if level is None:
        level = max(1, math.floor(math.log(_BUDGET / max(sizes)) / math.log(max(len(A), 2))))
    check_count("level", level, 1, None)
    if level * math.log(len(A)) + math.log(max(sizes)) > math.log(_MOST):
        raise ValueError(f"`level` must leave at most 2^20 numbers, got {level} for {len(A)} matrices.")
    if any(np.array_equal(A, part(A)) for part in (np.triu, np.tril)):
        A = np.eye(A.shape[1]) * A  # contracts in a norm that makes the rest small
    S = adapted_norm(A)
    largest = float(constants(A, S).max())
    if largest >= 1:
        raise ValueError(f"`matrices` must contract in some ellipsoidal norm, got {largest:.6g} in the best found.")
    if all(np.count_nonzero(A, axis=axis).max() <= 1 for axis in (1, 2)):
        value = _zero(lambda s: _flag_pressure(A, s))
        return AffinityDimension(value, (value * (1 - _SLACK), value * (1 + _SLACK)), 0)
    return _bounded(S @ A @ np.linalg.inv(S), level)


def _zero(excess: Pressure) -> float:
    """Where a decreasing function, which may jump, becomes negative."""
    from scipy.optimize import brentq  # 0.1 s to import, and only needed here

    if excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) >= 0:
        high *= 2
    low = high / 2 if high > 1 else 0.0
    return float(brentq(lambda s: min(max(excess(s), -1e3), 1e3), low, high, xtol=1e-15, rtol=1e-15))


def _phi(L: Floats, s: float) -> Floats:
    """ln phi^s from the rows L_0 .. L_d; where the exponent of a row is 0, the row does not count."""
    d = len(L) - 1
    if s >= d:
        return np.asarray(L[d] * (s / d))
    m = math.floor(s)
    return _times(m + 1 - s, L[m]) + _times(s - m, L[m + 1])


def _times(t: float, L: Floats) -> Floats:
    return L * t if t else np.zeros_like(L)


def _log_sum(logs: Floats) -> Floats:
    """ln sum exp along the first axis, -inf allowed."""
    top = np.max(logs, axis=0)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(shift + np.log(np.exp(logs - shift).sum(axis=0)))


def _flag_pressure(A: Floats, s: float) -> float:
    """P(s) of matrices with at most one entry in each row and column.

    phi^s(A_w) is the largest, over flags J < J' of m and m + 1 coordinates, of (product of the |entries| of columns J)
    to the power 1 - t times (that of J') to the power t; every map takes a flag to a flag, so P(s) is ln of the
    spectral radius of the matrix of these weights, summed over the maps.
    """
    d = A.shape[1]
    m = min(math.floor(s), d - 1)
    t = s - m if s < d else 1.0
    power = 1.0 if s < d else s / d
    flags = [(J, j) for J in combinations(range(d), m) for j in range(d) if j not in J]
    number = {flag: i for i, flag in enumerate(flags)}
    weights = np.zeros((len(flags), len(flags)))
    for matrix in np.abs(A):
        row = matrix.argmax(axis=0)
        entry = matrix.max(axis=0)
        for J, j in flags:
            weight = math.prod(entry[list(J)].tolist()) ** power * (float(entry[j]) ** (t * power) if t else 1.0)
            if weight > 0:
                images = tuple(sorted(row[list(J)].tolist()))
                other = int(row[j]) if entry[j] > 0 else min(set(range(d)) - set(images))
                weights[number[images, other], number[J, j]] += weight
    radius = float(np.abs(np.linalg.eigvals(weights)).max())
    return math.log(radius) if radius > 0 else -math.inf


def _minors(A: Floats, m: int) -> Floats:
    """C_m: the determinants of all m x m submatrices, (M, c, c)."""
    if m == 0:
        return np.ones((len(A), 1, 1))
    sets = np.array(list(combinations(range(A.shape[1]), m)))
    return np.asarray(np.linalg.det(A[:, sets[:, None, :, None], sets[None, :, None, :]]))


class _Words(NamedTuple):
    """All words of one length: L_m of their matrices, (d + 1, N), and the minors scaled to norm 1, (N, c, c) each."""

    L: Floats
    minors: tuple[Floats, ...]

    def longer(self, letters: tuple[Floats, ...]) -> _Words:
        """Those of one letter more, from the minors of the letters."""
        rows, products = [], []
        for L, minors, letter in zip(self.L, self.minors, letters, strict=True):
            product = (minors[:, None] @ letter).reshape(-1, *letter.shape[1:])
            norms = np.linalg.norm(product, 2, axis=(1, 2))
            with np.errstate(divide="ignore"):
                rows.append(np.repeat(L, len(letter)) + np.log(norms))
            products.append(product / np.where(norms > 0, norms, 1.0)[:, None, None])
        return _Words(np.array(rows), tuple(products))


def _bounded(A: Floats, level: int) -> AffinityDimension:
    """Bounds from the words of up to `level` letters."""
    d = A.shape[1]
    letters = tuple(_minors(A, m) for m in range(d + 1))
    words = shorter = _Words(np.zeros((d + 1, 1)), tuple(np.eye(minor.shape[1])[None] for minor in letters))
    low, high, used = 0.0, math.inf, 0
    for _ in range(level):
        words, shorter = words.longer(letters), words
        high = min(high, _zero(partial(_log_sum_phi, words.L)))
        low = max(low, _zero(partial(_log_sum_phi, _least(words.L))))
        used += 1
        if high - low <= _SLACK * high:  # similarities
            break
    else:
        low, high = _narrowed(words, shorter, low, high)
    low, high = low * (1 - _SLACK), high * (1 + _SLACK)
    # the ratio of two sums has the pressure as its limit too, and comes to it faster
    value = _zero(lambda s: _log_sum_phi(words.L, s) - _log_sum_phi(shorter.L, s))
    return AffinityDimension(min(max(value, low), high), (low, high), used)


def _narrowed(words: _Words, shorter: _Words, low: float, high: float) -> tuple[float, float]:
    """Better bounds, in the plane."""
    if len(words.L) != 3:
        return low, high
    least, most = _on_arcs(words)
    before, until = _on_arcs(shorter)
    return (
        max(low, _zero(lambda s: float((_log_sum(_phi(least, s)) - _log_sum(_phi(until, s))).min()))),
        min(high, _zero(lambda s: float((_log_sum(_phi(most, s)) - _log_sum(_phi(before, s))).max()))),
    )


def _log_sum_phi(L: Floats, s: float) -> float:
    return float(_log_sum(_phi(L, s)))


def _least(L: Floats) -> Floats:
    """The least growth of m-volumes in place of the largest."""
    with np.errstate(invalid="ignore"):
        least = np.where(np.isfinite(L[-1]), L[-1] - L[::-1], -np.inf)
    least[0] = 0.0
    return np.asarray(least)


def _on_arcs(words: _Words) -> tuple[Floats, Floats]:
    """Bounds of L, (3, N, arcs), with the length |A_w u| of the image of a unit vector in place of |A_w|.

    |A_w u|^2 is a sinusoid in twice the angle of u, so on an arc it is extreme at an end, or a_1^2 or a_2^2 if the
    singular direction lies within.
    """
    _, L1, L2 = words.L
    angles = np.linspace(0.0, math.pi, _ARCS + 1)
    _, _, rows = np.linalg.svd(words.minors[1])
    lengths = np.linalg.norm(words.minors[1] @ np.stack([np.cos(angles), np.sin(angles)]), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = L1[:, None] + np.log(lengths)
        shortest = np.where(np.isfinite(L2), L2 - L1, -np.inf)
    bounds = []
    for extreme, direction, bound in ((np.minimum, rows[:, 1], shortest), (np.maximum, rows[:, 0], L1)):
        place = np.arctan2(direction[:, 1], direction[:, 0])
        away = (place[:, None] - (angles[:-1] + angles[1:]) / 2 + math.pi / 2) % math.pi - math.pi / 2
        on_arc = extreme(ends[:, :-1], ends[:, 1:])
        on_arc = np.where(np.abs(away) <= 0.51 * math.pi / _ARCS, extreme(on_arc, bound[:, None]), on_arc)
        bounds.append(np.stack([np.zeros_like(on_arc), on_arc, np.broadcast_to(L2[:, None], on_arc.shape)]))
    return bounds[0], bounds[1]
