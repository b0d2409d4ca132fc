"""The random words of the chaos game: Philox 4x32-10, a bijection of 128-bit counters keyed by the seed.

Step n of orbit o takes word n % 4 of the block at the counter (n // 4, o mod 2^32, o // 2^32, 0). A block is ten rounds
of c <- (hi(M_1 c_2) ^ c_1 ^ k_0, lo(M_1 c_2), hi(M_0 c_0) ^ c_3 ^ k_1, lo(M_0 c_0)), k <- k + (W_0, W_1), on 32-bit
words. No two (orbit, step) share a word, and the generator passes BigCrush along any counter and for any key.

Source: Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3, doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["KEY_STEPS", "LOW", "MULTIPLIERS", "ROUNDS", "block", "choices", "words"]

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = 0xFFFFFFFF


def block(counter: tuple[Any, Any, Any, Any], seed: int) -> tuple[Any, Any, Any, Any]:
    """The four words at a counter; words are uint64 arrays below 2^32."""
    shift, low = np.uint64(32), np.uint64(LOW)
    a, b, c, d = counter
    keys = seed & LOW, seed >> 32
    for _ in range(ROUNDS):
        p, q = a * np.uint64(MULTIPLIERS[0]), c * np.uint64(MULTIPLIERS[1])
        a, b, c, d = (q >> shift) ^ b ^ np.uint64(keys[0]), q & low, (p >> shift) ^ d ^ np.uint64(keys[1]), p & low
        keys = (keys[0] + KEY_STEPS[0]) & LOW, (keys[1] + KEY_STEPS[1]) & LOW
    return a, b, c, d


def words(seed: int, first: int, steps: int, orbits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """Words of the steps first..first + steps - 1 of the orbits (B,), shape (steps, B)."""
    groups = np.arange(first // 4, (first + steps + 3) // 4, dtype=np.uint64)[:, None]
    zero = np.zeros((len(groups), len(orbits)), np.uint64)
    counter = (zero + groups, zero + (orbits & np.uint64(LOW)), zero + (orbits >> np.uint64(32)), zero)
    drawn = np.stack(block(counter, seed), axis=1).reshape(-1, len(orbits))
    return drawn[first % 4 : first % 4 + steps].astype(np.uint32)


def choices(
    cuts: npt.NDArray[np.uint32], seed: int, first: int, steps: int, orbits: npt.NDArray[np.uint64]
) -> npt.NDArray[np.intp]:
    """Numbers of the maps that these steps take, (steps, B)."""
    return np.searchsorted(cuts, words(seed, first, steps, orbits), side="right")
