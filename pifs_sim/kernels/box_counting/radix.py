"""Any ratio q: one sort of the digits of each point's box in base q, coarsest level first, counts every level.

Neighbours among the sorted boxes that differ first in the digits of level k lie in different boxes from there on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["compute"]


def compute(points: Any, origin: Any, side: float, levels: int, ratio: int) -> npt.NDArray[np.int64]:
    """Occupied boxes, (levels + 1,)."""
    scale = float(ratio) ** levels
    boxes = np.minimum(np.floor((points.astype(np.float64) - origin) * (scale / side)), scale - 1).astype(np.int64)
    width = ratio ** points.shape[1]
    together = max(1, int(62 / np.log2(width)))  # levels that share a word
    words = []
    for first in range(0, levels, together):
        word = np.zeros(len(boxes), np.int64)
        for k in range(first, min(first + together, levels)):
            for column in boxes.T:
                word = word * ratio + column // ratio ** (levels - 1 - k) % ratio
        words.append(word)
    order = np.lexsort(words[::-1]) if words else np.arange(len(boxes))
    new = np.zeros(len(boxes), dtype=bool)
    new[0] = True
    counts = [1]
    for first, word in zip(range(0, levels, together), words, strict=True):
        sorted_word, inside = word[order], min(together, levels - first)
        for k in range(inside):
            prefix = sorted_word // width ** (inside - 1 - k)
            new[1:] |= prefix[1:] != prefix[:-1]
            counts.append(int(np.count_nonzero(new)))
    return np.array(counts, np.int64)
