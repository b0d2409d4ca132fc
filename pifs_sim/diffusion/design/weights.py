"""Loss weights of a schedule: min(SNR_t, gamma)/SNR_t on the noise estimate, SNR_t = 1/tan^2 phi_t."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.schedule import Schedule

__all__ = ["min_snr_weight"]


def min_snr_weight(schedule: Schedule, gamma: float = 5) -> FloatArray:
    """Min-SNR weight of the noise-prediction loss, min(SNR_t, gamma)/SNR_t = min(1, gamma tan^2 phi_t), (T,).

    Entry t-1 for step t; SNR_t = cot^2 phi_t.

    Raises:
        ValueError: `gamma` not positive and finite.

    Source: Hang et al. 2023, arXiv:2303.09556.

    >>> from pifs_sim.diffusion.schedules import from_sigma
    >>> min_snr_weight(from_sigma([0.1, 0.2, 0.4, 1.0])).round(4).tolist()
    [0.2, 0.8, 1.0]
    """
    if not (isinstance(gamma, Real) and math.isfinite(gamma) and gamma > 0):
        raise ValueError(f"`gamma` must be positive and finite, got {gamma!r}.")
    return np.minimum(1.0, gamma * schedule.sigma[1:] ** 2)
