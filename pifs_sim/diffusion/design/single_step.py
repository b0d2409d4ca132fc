"""The DDIM chain on Gaussian data as a function of its angles: ln c(lam) and its gradient, by hand.

With psi = atan2(sin phi, sqrt(lam) cos phi), delta_t = psi_t - psi_{t-1} and psi' = sqrt(lam)/N,

    ln c = sum_t ln cos delta_t,     d ln c/d phi_t = psi'_t (tan delta_{t+1} - tan delta_t),

where tan delta_t = sqrt(lam) sin Delta_t / (lam cos phi_s cos phi_t + sin phi_s sin phi_t) needs no difference.
"""

from __future__ import annotations

import numpy as np

from pifs_sim.diffusion.angles import FloatArray, cos_sin

__all__ = ["log_gain"]


def log_gain(angles: FloatArray, turns: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ln c, (K,), and its derivatives by the inner angles, (T-1, K).

    Args:
        angles: (T+1,) phi_0..phi_T.
        turns: (T,) their differences.
        root: (K,) sqrt(lam) > 0.
    """
    cos, sin = (column[:, None] for column in cos_sin(angles))
    signal = root * cos
    with np.errstate(divide="ignore"):  # one step from pi/2 to 0 loses everything: c = 0
        tangent = root * np.sin(turns)[:, None] / (signal[:-1] * signal[1:] + sin[:-1] * sin[1:])
    slope = root / (signal[1:-1] ** 2 + sin[1:-1] ** 2)
    return -0.5 * np.log1p(tangent * tangent).sum(axis=0), slope * (tangent[1:] - tangent[:-1])
