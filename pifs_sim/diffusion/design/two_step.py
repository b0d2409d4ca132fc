"""DPM-Solver++(2M) on Gaussian data: an explicit linear recurrence in two steps, in the angle vocabulary.

The step t -> s = t - 1 after u = t + 1 predicts the data by D = m_t + kappa_t (m_t - m_u), m = E[x_0 | x]:

    x_s = (sin phi_s x_t + sin Delta_t D)/sin phi_t,   kappa_t = h_t/(2 h_u),   h_t = ln(tan phi_t/tan phi_s).

Along variance lam, m_t = sqrt(lam) cos psi_t y_t with y = x/sqrt(N), psi = atan2(sin phi, sqrt(lam) cos phi), and with
delta_t = psi_t - psi_s the step is

    y_s = cos delta_t y_t + kappa_t (sin delta_t/sin psi_t)(cos psi_t y_t - cos psi_u y_u),   y_T = 1.

The exact flow keeps y = 1, so c = y_0 is the whole discretisation error, as for DDIM (kappa = 0). kappa_T = 0, and
kappa_1 = 0 from phi_0 = 0, where h_1 is infinite. The sum runs over z_s = y_s - y_t, whose rounding is relative to
delta^2, not to 1. Source of the solver: Lu et al. 2022, arXiv:2211.01095; the form on Gaussian data is derived here.
"""

from __future__ import annotations

import numpy as np

from pifs_sim.diffusion.angles import FloatArray, cos_sin

__all__ = ["log_gain"]


def _extrapolation(cos: FloatArray, sin: FloatArray, turns: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """kappa_t and its derivatives by h_t and by -h_u, (T, 1) each: 0 at t = T, and where h_t or h_u is infinite."""
    with np.errstate(divide="ignore"):
        inverse = 1 / np.log1p(np.sin(turns) / (cos[1:] * sin[:-1]))
    before = np.append(inverse[1:], 0.0)
    by_own = np.where(inverse > 0, before / 2, 0.0)
    kappa = by_own / np.where(inverse > 0, inverse, 1.0)
    return kappa[:, None], by_own[:, None], (kappa * before)[:, None]


def log_gain(angles: FloatArray, turns: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ln |c|, (K,), and its derivatives by the inner angles, (T-1, K), by the adjoint recurrence.

    Args:
        angles: (T+1,) phi_0..phi_T.
        turns: (T,) their differences.
        root: (K,) sqrt(lam) > 0.
    """
    cos, sin = cos_sin(angles)
    kappa, by_own, by_before = _extrapolation(cos, sin, turns)
    signal, noise = root * cos[:, None], sin[:, None]
    size = np.hypot(signal, noise)
    cos_psi, sin_psi = signal / size, noise / size
    sin_delta = root * np.sin(turns)[:, None] / (size[:-1] * size[1:])
    cos_delta = cos_psi[:-1] * cos_psi[1:] + sin_psi[:-1] * sin_psi[1:]
    loss = sin_delta**2 / (1 + cos_delta)  # 1 - cos delta
    reach = sin_delta / sin_psi[1:]
    steps = turns.size
    y, ahead = np.ones((steps + 1, root.size)), np.zeros((steps, root.size))  # ahead: cos psi_t y_t - cos psi_u y_u
    moved, error = np.zeros(root.size), np.zeros(root.size)
    for t in range(steps - 1, -1, -1):  # row t holds the step from t + 1 to t
        if t < steps - 1:
            fall = sin_delta[t + 1] * sin_psi[t + 2] - loss[t + 1] * cos_psi[t + 2]
            ahead[t] = fall * y[t + 1] + cos_psi[t + 2] * moved
        moved = kappa[t] * reach[t] * ahead[t] - loss[t] * y[t + 1]
        error = error + moved
        y[t] = 1 + error
    weight = np.zeros((steps + 1, root.size))  # d c/d y
    weight[0] = 1.0
    for t in range(steps):
        weight[t + 1] += weight[t] * (cos_delta[t] + kappa[t] * reach[t] * cos_psi[t + 1])
        if t < steps - 1:
            weight[t + 2] -= weight[t] * kappa[t] * reach[t] * cos_psi[t + 2]
    pull = weight[:-1] * ahead
    turn = weight[:-1] * sin_delta * y[1:]
    by_psi = np.zeros_like(y)
    by_psi[:-1] += turn - kappa * pull * cos_delta / sin_psi[1:]
    by_psi[1:] += kappa * (pull * sin_psi[:-1] / sin_psi[1:] ** 2 - turn) - turn
    by_psi[2:] += (weight[:-1] * kappa * reach)[:-1] * sin_psi[2:] * y[2:]
    own, before = pull * reach * by_own, pull * reach * by_before
    by_log = np.zeros_like(y)  # by ln tan phi
    by_log[:-1] -= own
    by_log[1:] += own + before
    by_log[2:] -= before[:-1]
    inner = slice(1, -1)
    slope = by_psi[inner] * root / size[inner] ** 2 + by_log[inner] / (cos * sin)[inner, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # y_0 = 0: the output has no variance
        log = np.where(error > -0.5, np.log1p(np.maximum(error, -0.5)), np.log(np.abs(y[0])))
        return log, slope / y[0]
