"""Trigonometry of exact angles: phi in [0, pi/2], alpha_bar = cos^2 phi, noise variance = sin^2 phi.

Every float angle is taken at its exact value, except that the float nearest pi/2 stands for pi/2
itself (the float is 6.1e-17 short of it): there the cosine is exactly 0, and differences are corrected.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["HALF_PI", "FloatArray", "cos_sin", "differences"]

FloatArray = npt.NDArray[np.float64]

HALF_PI = math.pi / 2
_HALF_PI_REMAINDER = 6.123233995736766e-17  # pi/2 - float(pi/2)


def cos_sin(angle: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Cosine and sine of angles in [0, pi/2], with cos = 0 exactly at the float nearest pi/2."""
    phi = np.asarray(angle, dtype=np.float64)
    return np.where(phi == HALF_PI, 0.0, np.cos(phi)), np.sin(phi)


def differences(angles: FloatArray) -> FloatArray:
    """Differences of increasing angles, (T+1,) -> (T,), to one rounding even when the last is pi/2."""
    delta: FloatArray = np.diff(angles)
    if angles[-1] == HALF_PI:
        delta[-1] += _HALF_PI_REMAINDER
    return delta
