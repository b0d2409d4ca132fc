"""Grey images: arrays (H, W) of floats in [0, 1] or of uint8, and the peak signal-to-noise ratio of two of them.

PSNR(a, b) = -10 log10 mean (a - b)^2, in decibels, for values in [0, 1].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FloatArray", "check_grey", "psnr"]

FloatArray = npt.NDArray[np.float64]


def check_grey(name: str, image: Any) -> FloatArray:
    """A grey image as float64 in [0, 1], (H, W).

    Raises:
        ValueError: not two axes of at least one pixel, neither uint8 nor floats, or values outside [0, 1].
    """
    pixels = np.asarray(image)
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"`{name}` must be a grey image (H, W), got shape {pixels.shape}.")
    if pixels.dtype == np.uint8:
        return pixels / 255.0
    if pixels.dtype.kind != "f":
        raise ValueError(f"`{name}` must hold floats in [0, 1] or uint8, got {pixels.dtype}.")
    if not ((pixels >= 0) & (pixels <= 1)).all():  # nan is neither
        raise ValueError(f"`{name}` must lie in [0, 1], got values from {pixels.min()} to {pixels.max()}.")
    return pixels.astype(np.float64)


def psnr(a: Any, b: Any) -> float:
    """Peak signal-to-noise ratio of two grey images in decibels; inf where they are equal.

    Raises:
        ValueError: an image that is not grey, or images of different shapes.

    >>> round(psnr(np.zeros((8, 8)), np.full((8, 8), 0.1)), 6)
    20.0
    """
    first, second = check_grey("a", a), check_grey("b", b)
    if first.shape != second.shape:
        raise ValueError(f"`b` must have the shape {first.shape} of `a`, got {second.shape}.")
    square = float(np.mean((first - second) ** 2))
    return -10.0 * math.log10(square) if square else math.inf
