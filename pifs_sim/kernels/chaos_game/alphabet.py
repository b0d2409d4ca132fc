"""Words of k maps at a time: how one draw chooses a word, and the k maps that its points are images of.

There are K^k words of K maps, k the largest of 4, 2, 1 for which they are at most 256 (1 in any case); letter j of
word v is the digit v // K^(k - 1 - j) mod K. The letters are independent: in units of 2^-32 map i has the share
s_i = cuts_i - cuts_(i-1), and word v the probability p_v = prod s / 2^(32 k), rounded to c_v / 2^B by rounding the
running sums of all p_v down, so |c_v - 2^B p_v| < 1; draws are of B = 64 bits for k = 4, two of a block of `stream`,
else of B = 32, four of a block, the precision of the shares themselves.

A draw u picks the column t of 2^m >= max(2, K^k) by its first m bits, and the word t if the other bits are less than
keep_t, else other_t. The columns are filled so that this holds for exactly c_v of the 2^B draws.

The k points of a word are the images A_j x + b_j of the point x before it, with A_1 = A and b_1 = b of its first letter
and A_j = A A_(j-1), b_j = A b_(j-1) + b for its j-th; products and sums in float64, from left to right, then rounded.

Source: Walker 1977, doi:10.1145/355744.355749; Vose 1991, doi:10.1109/32.92917.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.chaos_game.stream import draws

__all__ = ["Columns", "choices", "columns", "letters", "spell", "word_maps"]

_MOST = 256  # words


class Columns(NamedTuple):
    """Which word a draw chooses; `each` is the number of draws of a block."""

    keep: npt.NDArray[np.uint64]
    pair: npt.NDArray[np.int64]
    bits: int
    each: int

    def words(self, drawn: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
        """Numbers of the words that these draws choose."""
        rest = np.uint64(64 - self.bits)
        column = (drawn >> rest).astype(np.intp)
        leaves = (drawn & np.uint64(2 ** (64 - self.bits) - 1)) >= self.keep[column]
        return self.pair[column, leaves.astype(np.intp)]


def letters(count: int) -> int:
    """Maps of a word, of so many different ones."""
    return next((k for k in (4, 2) if count**k <= _MOST), 1)


def spell(count: int) -> npt.NDArray[np.intp]:
    """Letters of all words, (K^k, k)."""
    k = letters(count)
    return np.ascontiguousarray(np.indices((count,) * k).reshape(k, -1).T)


def _shares(cuts: npt.NDArray[np.uint32]) -> list[int]:
    """Numbers below 2^64 that stand for each word, 2^64 together; with k < 4 they come in lots of 2^32."""
    single = np.diff(np.concatenate([[0], cuts.astype(np.int64), [2**32]])).tolist()
    k, products = letters(len(single)), single
    for _ in range(k - 1):
        products = [p * s for p in products for s in single]
    lot = 0 if k == 4 else 32
    edges = [0, *((total * 2**64 >> 32 * k + lot) << lot for total in accumulate(products))]
    return [high - low for low, high in pairwise(edges)]


def columns(cuts: npt.NDArray[np.uint32]) -> Columns:
    """The columns for maps between these cuts: keep_t, (2^m,), and (t, other_t), (2^m, 2)."""
    shares = _shares(cuts)
    bits = max(1, (len(shares) - 1).bit_length())
    size = 2 ** (64 - bits)
    keep = shares + [0] * (2**bits - len(shares))
    other = list(range(2**bits))
    short = [t for t, share in enumerate(keep) if share < size]
    rich = [t for t, share in enumerate(keep) if share > size]
    while short and rich:
        t, giver = short.pop(), rich[-1]
        other[t] = giver
        keep[giver] -= size - keep[t]
        if keep[giver] <= size:
            rich.pop()
            if keep[giver] < size:
                short.append(giver)
    return Columns(
        np.array(keep, np.uint64), np.array(list(enumerate(other))), bits, 2 if letters(len(cuts) + 1) == 4 else 4
    )


def word_maps(matrices: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The maps of all words, (K^k, k, d, d) and (K^k, k, d), in the precision of the maps."""
    spelt, d = spell(len(matrices)), matrices.shape[1]
    A, b = (np.ascontiguousarray(values, np.float64)[spelt] for values in (matrices, offsets))
    for j in range(1, spelt.shape[1]):
        left, matrix, offset = A[:, j].copy(), A[:, j - 1], b[:, j - 1]
        total, moved = left[:, :, 0, None] * matrix[:, 0, None, :], left[:, :, 0] * offset[:, 0, None]
        for r in range(1, d):
            total = total + left[:, :, r, None] * matrix[:, r, None, :]
            moved = moved + left[:, :, r] * offset[:, r, None]
        A[:, j], b[:, j] = total, moved + b[:, j]
    return A.astype(matrices.dtype), b.astype(offsets.dtype)


def choices(
    cuts: npt.NDArray[np.uint32], seed: int, first: int, steps: int, orbits: npt.NDArray[np.uint64]
) -> npt.NDArray[np.intp]:
    """Numbers of the maps that the steps first..first + steps - 1 of the orbits (B,) take, (steps, B)."""
    k = letters(len(cuts) + 1)
    chosen, groups = columns(cuts), -(-(first + steps) // k) - first // k
    words = chosen.words(draws(seed, first // k, groups, orbits, each=chosen.each))
    maps = spell(len(cuts) + 1)[words].swapaxes(1, 2).reshape(-1, len(orbits))
    return maps[first % k : first % k + steps]
