"""Contrasts and brightnesses as whole numbers of steps.

A contrast is s = S j/J, |j| <= J = 2^(bits - 1) - 1, so that |s| <= S and 0 is one of them. A grey level x in [0, 1] is
mapped to s (x - 1/2) + m: m, the image of mid grey, lies in [-S/2, 1 + S/2] wherever a mean in [0, 1] is met, and is
one of 2^bits levels, both ends included. The brightness is o = m - s/2, as in s x + o.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pifs_sim.dynamics.arrays import check_count
from pifs_sim.fractals.grey import FloatArray
from pifs_sim.kernels.block_matching import Quantisation

__all__ = ["Quantiser"]

_MOST_BITS = 16


@dataclass(frozen=True)
class Quantiser:
    """Levels of contrast and brightness.

    Args:
        contrast_bits: bits of a contrast, 2..16.
        brightness_bits: bits of a brightness, 1..16.
        contrast_limit: S, the largest |s|; a decoder contracts if S < 1.

    Raises:
        ValueError: bits out of range, or a limit that is not positive and finite.
    """

    contrast_bits: int = 5
    brightness_bits: int = 7
    contrast_limit: float = 0.95

    def __post_init__(self) -> None:
        check_count("contrast_bits", self.contrast_bits, 2, _MOST_BITS)
        check_count("brightness_bits", self.brightness_bits, 1, _MOST_BITS)
        if not 0 < self.contrast_limit < math.inf:
            raise ValueError(f"`contrast_limit` must be positive and finite, got {self.contrast_limit!r}.")

    @property
    def contrast_levels(self) -> int:
        """J, the largest |j|."""
        return int(2 ** (self.contrast_bits - 1)) - 1

    @property
    def brightness_levels(self) -> int:
        """Number of brightnesses."""
        return int(2**self.brightness_bits)

    @property
    def brightness_step(self) -> float:
        """Distance of two values of m."""
        return (1.0 + self.contrast_limit) / (self.brightness_levels - 1)

    def contrasts(self, levels: Any) -> FloatArray:
        """s of levels j."""
        return self.contrast_limit * (levels / self.contrast_levels)

    def brightnesses(self, levels: Any, contrasts: Any) -> FloatArray:
        """o = m - s/2 of levels of m, and contrasts s."""
        return levels * self.brightness_step - (self.contrast_limit + contrasts) / 2

    def in_units(self, unit: float) -> Quantisation:
        """The same for grey levels of `unit` times a distance from mid grey, as the encoder compares them."""
        return Quantisation(
            contrast_step=self.contrast_limit / self.contrast_levels,
            contrast_levels=self.contrast_levels,
            brightness_low=-unit * (1.0 + self.contrast_limit) / 2,
            brightness_step=unit * self.brightness_step,
            brightness_levels=self.brightness_levels,
        )
