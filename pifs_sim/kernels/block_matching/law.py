"""What both backends share: sums over the pixels of blocks, and the levels and the error |R - s D - o|^2 of a pair."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

__all__ = ["Blocks", "Match", "Quantisation", "fitted", "moments"]

_FLAT = 1e-12  # n sum d^2 - (sum d)^2 below this part of n sum d^2 is rounding


@dataclass(frozen=True)
class Quantisation:
    """Contrasts j contrast_step for |j| <= contrast_levels, and brightnesses by levels too.

    Brightnesses are brightness_low + k brightness_step for 0 <= k < brightness_levels.

    Raises:
        ValueError: a step that is not positive and finite, or counts below 1.
    """

    contrast_step: float
    contrast_levels: int
    brightness_low: float
    brightness_step: float
    brightness_levels: int

    def __post_init__(self) -> None:
        for name in ("contrast_step", "brightness_step"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"`{name}` must be positive and finite, got {getattr(self, name)!r}.")
        for name in ("contrast_levels", "brightness_levels"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1, got {getattr(self, name)!r}.")
        if not math.isfinite(self.brightness_low):
            raise ValueError(f"`brightness_low` must be finite, got {self.brightness_low!r}.")


class Match(NamedTuple):
    """For each range, (K,): domain, isometry, contrast level, brightness level, and squared error |r - s g d - m|^2."""

    domain: npt.NDArray[np.int64]
    isometry: npt.NDArray[np.int64]
    contrast: npt.NDArray[np.int64]
    brightness: npt.NDArray[np.int64]
    error: npt.NDArray[np.float64]


class Blocks(NamedTuple):
    """Blocks (N, n), their sums (N,), and n^2 times their variances (N,), 0 where that is rounding."""

    pixels: npt.NDArray[np.float64]
    sums: npt.NDArray[np.float64]
    spreads: npt.NDArray[np.float64]


def moments(blocks: Any) -> Blocks:
    """Blocks (N, n) in float64 with the sums that the law uses."""
    xp = array_namespace(blocks)
    pixels = xp.ascontiguousarray(blocks, dtype=np.float64)
    sums = pixels.sum(axis=1)
    squares = pixels.shape[1] * xp.einsum("ij,ij->i", pixels, pixels)
    spreads = squares - sums * sums
    return Blocks(pixels, sums, xp.where(spreads > _FLAT * squares, spreads, 0.0))


def fitted(A: Any, B: Any, P: Any, Q: Any, R: Any, *, n: int, quantisation: Quantisation) -> tuple[Any, Any, Any]:
    """Contrast level, brightness level and error of pairs, from arrays that broadcast."""
    q = quantisation
    with np.errstate(divide="ignore"):
        weight = np.where(Q > 0, 1.0 / (Q * q.contrast_step), 0.0)
    level = np.copysign(np.minimum(np.floor(np.abs(P) * weight + 0.5), float(q.contrast_levels)), P)
    s = level * q.contrast_step
    mean = (A - s * B) / n
    tone = np.clip(np.floor((mean - q.brightness_low) / q.brightness_step + 0.5), 0.0, float(q.brightness_levels - 1))
    off = mean - (q.brightness_low + tone * q.brightness_step)
    return level, tone, (R - s * (2.0 * P - s * Q)) / n + n * (off * off)
