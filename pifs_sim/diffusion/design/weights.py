"""Loss weights of a schedule."""

from __future__ import annotations

import math

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
    """
    if not (math.isfinite(gamma) and gamma > 0):
        raise ValueError(f"`gamma` must be positive and finite, got {gamma!r}.")
    return np.minimum(1.0, gamma * schedule.sigma[1:] ** 2)
