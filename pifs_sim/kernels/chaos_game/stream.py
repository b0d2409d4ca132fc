"""The random numbers of the chaos game: Philox 4x32-10, a bijection of 128-bit counters keyed by the seed.

Draw g of orbit o is a number below 2^64. With four draws a block it is 2^32 times the word g % 4 of the block at the
counter (g // 4, o mod 2^32, o // 2^32, 0); with two, word 2 (g % 2) + 2^32 times word 2 (g % 2) + 1 of that at
(g // 2, ..). A block is ten rounds of
c <- (hi(M_1 c_2) ^ c_1 ^ k_0, lo(M_1 c_2), hi(M_0 c_0) ^ c_3 ^ k_1, lo(M_0 c_0)), k <- k + (W_0, W_1), on 32-bit
words. No two draws of a game share a word, and the generator passes BigCrush along any counter and for any key.

Source: Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3, doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["KEY_STEPS", "LOW", "MULTIPLIERS", "ROUNDS", "block", "draws"]

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


def draws(seed: int, first: int, count: int, orbits: npt.NDArray[np.uint64], *, each: int) -> npt.NDArray[np.uint64]:
    """The draws first..first + count - 1 of the orbits (B,), `each` of a block, 2 or 4; shape (count, B)."""
    blocks = np.arange(first // each, -(-(first + count) // each), dtype=np.uint64)[:, None]
    zero, shift = np.zeros((len(blocks), len(orbits)), np.uint64), np.uint64(32)
    a, b, c, d = block((zero + blocks, zero + (orbits & np.uint64(LOW)), zero + (orbits >> shift), zero), seed)
    drawn = [a | b << shift, c | d << shift] if each == 2 else [word << shift for word in (a, b, c, d)]
    return np.stack(drawn, axis=1).reshape(-1, len(orbits))[first % each : first % each + count]
