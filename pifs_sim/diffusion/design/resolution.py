"""How a picture's spectrum changes with its resolution, and the logSNR shift that a schedule should follow it with.

In the orthonormal cosine basis of a D x D picture, the picture of d x d pixels with nothing but a low-pass filter
between them has the same coefficients, times d/D, for the d x d lowest frequencies: the variance of a fixed mode grows
as d^2, and each finer grid adds modes. The best shift of a schedule on another spectrum is that of the least error.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.design.directions import Objective
from pifs_sim.diffusion.design.optimal import chain_error
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import check_count, reals
from pifs_sim.dynamics.display import one_line

__all__ = ["ModeSpectrum", "best_shift", "mode_spectrum"]

_REACH = 16.0  # logSNR, on either side
_GRID = 17


class ModeSpectrum(NamedTuple):
    """Variances (K,) of the modes of a picture by shells of frequency, the lowest first, and their numbers (K,)."""

    variances: FloatArray
    multiplicities: FloatArray

    def __repr__(self) -> str:
        return one_line(self)


def mode_spectrum(picture: Any, pixels: int) -> ModeSpectrum:
    """Mean square cosine coefficients of the middle square of a picture at a resolution of `pixels` x `pixels`.

    Shell k holds the modes (i, j) of all channels with sqrt(i^2 + j^2) nearest to k; the mean colour, k = 0, is left
    out. One picture's squares stand for the variances of an ensemble with its spectrum.

    Args:
        picture: (H, W) or (H, W, C), real.
        pixels: d, at least 2 and at most min(H, W).

    Raises:
        ValueError: another shape, entries that are not finite, or `pixels` out of range.
    """
    from scipy.fft import dctn  # only needed here

    values = np.asarray(reals("picture", picture)[1], dtype=np.float64)
    if values.ndim not in (2, 3) or not np.isfinite(values).all():
        raise ValueError(f"`picture` must be finite, of shape (H, W) or (H, W, C), got shape {values.shape}.")
    side = min(values.shape[:2])
    check_count("pixels", pixels, 2, side)
    top, left = ((size - side) // 2 for size in values.shape[:2])
    middle = np.atleast_3d(values)[top : top + side, left : left + side]
    squares = (dctn(middle, axes=(0, 1), norm="ortho")[:pixels, :pixels] * (pixels / side)) ** 2
    index = np.arange(pixels)
    shell = np.rint(np.hypot(index[:, None], index)).astype(np.intp).ravel()
    number = np.bincount(shell)
    mean: FloatArray = np.bincount(shell, squares.mean(axis=2).ravel()) / number
    return ModeSpectrum(mean[1:], number[1:].astype(np.float64) * squares.shape[2])


def best_shift(
    schedule: Schedule, lam: Any, multiplicities: npt.ArrayLike | None = None, *, objective: Objective = "kl"
) -> float:
    """The shift of all logSNR with which a schedule has the least error on a spectrum, to about 1e-5.

    Looked for within 16 of no shift, by a grid of 2 and then Brent's method.

    Args:
        schedule: the steps; its ends shift too, but 0 and pi/2 stay where they are.
        lam: variances of the data, any shape.
        multiplicities: number of directions of each variance, like lam; 1 by default.
        objective: "kl" or "w2".

    Raises:
        ValueError: as `chain_error`; a least error at an end of the range, or none.
    """
    from scipy.optimize import minimize_scalar  # 0.1 s to import, and only needed here

    def error(shift: float) -> float:
        return math.log(max(chain_error(schedule.shift(shift), lam, multiplicities, objective=objective), 1e-300))

    grid = np.linspace(-_REACH, _REACH, _GRID)
    least = int(np.argmin([error(shift) for shift in grid]))
    if least in (0, _GRID - 1):
        raise ValueError(f"`schedule` must have its best shift within {_REACH:g}, got one at {float(grid[least])!r}.")
    bounds = (grid[least - 1], grid[least + 1])
    return float(minimize_scalar(error, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x)
