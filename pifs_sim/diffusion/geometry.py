"""The model-free quantities of a schedule, in closed forms without cancellation.

Write c, s for cosine and sine of an angle, Delta = phi_t - phi_s, and for a direction of variance lam

    N_t = lam c_t^2 + s_t^2,   P_t = lam c_s c_t + s_s s_t,   f_t(lam) = P_t / N_t,
    P_t - N_t = tan(Delta/2) ((lam - 1) c_t (s_s + s_t) - sin Delta),

so that ln f_t = +-log1p(|P - N| / min(P, N)): no subtraction but the one that has a zero at lam*_t, and lam - 1.
Contraction threshold, diagonal expansion function and global expansion threshold: Dooms 2026,
arXiv:2603.13069; the closed forms are derived here. Sums over the chain are compensated.

`lam` is a number or an array (NumPy, or any array-API array such as CuPy's) of variances >= 0; float32
arrays are computed and returned in float32, everything else in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.gaussian_error import gaussian_error
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.sweep import accumulate, fill

__all__ = [
    "contraction_threshold",
    "diagonal_expansion",
    "gaussian_error",
    "log_expansion",
    "lyapunov_exponent",
    "moran_threshold",
    "posterior_threshold",
    "step_threshold",
    "step_threshold_excess",
]


def __dir__() -> list[str]:
    return list(__all__)


def _ends(schedule: Schedule) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """(c_s, c_t, s_s, s_t), each (T,); ValueError for anything but a schedule."""
    if not isinstance(schedule, Schedule):
        raise ValueError(f"`schedule` must be a Schedule, got {schedule!r:.80}.")
    return schedule.cos[:-1], schedule.cos[1:], schedule.sin[:-1], schedule.sin[1:]


def contraction_threshold(schedule: Schedule) -> FloatArray:
    """Contraction threshold L*_t = (r_t - 1)/|b_t| = sin(mean angle)/cos(Delta/2), (T,), entry t-1 for step t.

    In (0, 1) for phi_t < pi/2 and 1 at phi_t = pi/2. A step whose noise Jacobian is symmetric with all
    eigenvalues above L*_t (and below (r_t + 1)/|b_t|) contracts. Source: Dooms 2026, arXiv:2603.13069.

    >>> from pifs_sim.diffusion.schedules import uniform_angle
    >>> contraction_threshold(uniform_angle(3, 0.1, 1.5)).round(4).tolist()
    [0.3363, 0.7373, 0.9807]
    """
    _, c_t, s_s, s_t = _ends(schedule)
    return np.where(c_t == 0.0, 1.0, (s_s + s_t) / (1 + np.cos(schedule.increments)))


def step_threshold(schedule: Schedule) -> FloatArray:
    """Step threshold lam*_t = tan phi_t / tan(mean angle), (T,): f_t(lam) > 1 iff lam > lam*_t; inf at pi/2.

    >>> from pifs_sim.diffusion.schedules import uniform_angle
    >>> step_threshold(uniform_angle(3, 0.1, 1.5)).round(4).tolist()
    [1.8376, 1.6296, 4.426]
    """
    c_s, c_t, s_s, s_t = _ends(schedule)
    with np.errstate(divide="ignore"):
        return s_t * (c_s + c_t) / (c_t * (s_s + s_t))


def step_threshold_excess(schedule: Schedule) -> FloatArray:
    """lam*_t - 1 = sin Delta / (c_t (s_s + s_t)), (T,), without cancellation; inf at pi/2."""
    _, c_t, s_s, s_t = _ends(schedule)
    with np.errstate(divide="ignore"):
        return np.sin(schedule.increments) / (c_t * (s_s + s_t))


def posterior_threshold(schedule: Schedule) -> FloatArray:
    """Posterior variance above which step t expands, P*_t = v_t cos(mean)/(c_t cos(Delta/2)), (T,); inf at pi/2.

    <u, J u> > 1 for the step's Jacobian J iff Var(<u, x_0> | x_t) > P*_t, for any data law with its exact
    denoiser (derived here).

    >>> from pifs_sim.diffusion.schedules import uniform_angle
    >>> posterior_threshold(uniform_angle(3, 0.1, 1.5)).round(4).tolist()
    [0.3318, 1.0322, 4.3296]
    """
    c_s, c_t, _, s_t = _ends(schedule)
    with np.errstate(divide="ignore"):
        return s_t**2 * (c_s + c_t) / (c_t * (1 + np.cos(schedule.increments)))


def _ratio(xp: Any, lam: Any, cc: Any, ss: Any, c_tt: Any, s_tt: Any, at_zero: Any) -> Any:
    """f = P/N from c_s c_t, s_s s_t, c_t^2, s_t^2; at lam = 0 it is s_s/s_t, also where the squares underflow."""
    ratio = (lam * cc + ss) / (lam * c_tt + s_tt)
    return xp.where(lam == 0, at_zero, ratio) if xp.any(lam == 0) else ratio


def _log_columns(schedule: Schedule) -> tuple[FloatArray, ...]:
    """The columns of `_log_ratio`: those of P and N, of P - N, and ln f at lam = 0."""
    c_s, c_t, s_s, s_t = _ends(schedule)
    tangent = np.tan(schedule.increments / 2)
    with np.errstate(divide="ignore"):
        at_zero = -np.log1p(tangent * (c_s + c_t) / s_s)
    gain, loss = tangent * c_t * (s_s + s_t), tangent * np.sin(schedule.increments)
    return c_s * c_t, s_s * s_t, c_t * c_t, s_t * s_t, gain, loss, at_zero


def _log_ratio(xp: Any, lam: Any, cc: Any, ss: Any, c_tt: Any, s_tt: Any, gain: Any, loss: Any, at_zero: Any) -> Any:
    """ln f = +-log1p(|P - N|/min(P, N)); at lam = 0 it is ln(s_s/s_t), -inf from phi_s = 0."""
    excess = (lam - 1) * gain - loss
    size = xp.log1p(xp.abs(excess) / xp.minimum(lam * cc + ss, lam * c_tt + s_tt))
    log = xp.where(excess < 0, -size, size)
    return xp.where(lam == 0, at_zero, log) if xp.any(lam == 0) else log


def diagonal_expansion(schedule: Schedule, lam: Any) -> Any:
    """Diagonal expansion function f_t(lam) = r_t - |b_t| sqrt(v_t)/N_t(lam) = P_t/N_t.

    The factor by which step t stretches a direction of variance `lam` of Gaussian data. Strictly increasing
    in lam from sqrt(v_s/v_t) at 0 to r_t; cos Delta_t at lam = 1; identically cos Delta_t at phi_t = pi/2.

    Returns:
        (T, *lam.shape), entry t-1 for step t, of the kind and precision of `lam`.

    Raises:
        ValueError: `lam` negative, NaN or infinite.

    Source: Dooms 2026, arXiv:2603.13069.

    >>> from pifs_sim.diffusion.schedules import uniform_angle
    >>> diagonal_expansion(uniform_angle(2, 0.1, 1.5), np.array([0.0, 1.0, 9.0])).round(3).tolist()
    [[0.139, 0.765, 1.292], [0.719, 0.765, 1.114]]
    """
    c_s, c_t, s_s, s_t = _ends(schedule)
    return fill(lam, (c_s * c_t, s_s * s_t, c_t * c_t, s_t * s_t, s_s / s_t), _ratio)


def log_expansion(schedule: Schedule, lam: Any) -> Any:
    """ln f_t(lam), (T, *lam.shape): accurate relative to the two terms of P - N even where f_t is near 1.

    -inf where f_t(lam) = 0 (lam = 0 with phi_s = 0, or phi_s = 0 with phi_t = pi/2). Errors as for
    `diagonal_expansion`.
    """
    return fill(lam, _log_columns(schedule), _log_ratio)


def lyapunov_exponent(schedule: Schedule, lam: Any) -> Any:
    """Lyapunov exponent of the whole chain along variance `lam`: sum over t of ln f_t(lam), lam.shape.

    Natural logarithm, per chain (not per step). Positive iff lam > `moran_threshold(schedule)`. Errors as for
    `diagonal_expansion`. Source: Dooms 2026, arXiv:2603.13069.

    >>> from pifs_sim.diffusion.schedules import uniform_angle
    >>> lyapunov_exponent(uniform_angle(3, 0.1, 1.5), np.array([0.5, 1.0, 9.0])).round(4).tolist()
    [-0.6886, -0.3393, 0.5961]
    """
    return accumulate(lam, _log_columns(schedule), _log_ratio)


def _log_tangent_times_cosine(tangent_angle: float, cosine_angle: float) -> float:
    """ln(tan a * cos b) for 0 < a < pi/2, small results included: ln tan(pi/4 + x) = 2 artanh(tan x)."""
    from_quarter = (tangent_angle - math.pi / 4) - 3.061616997868383e-17  # pi/4 - float(pi/4)
    log_tan = math.log(math.tan(tangent_angle)) if abs(from_quarter) > 0.5 else 2 * math.atanh(math.tan(from_quarter))
    return log_tan - math.log1p(math.tan(cosine_angle) ** 2) / 2


def moran_threshold(schedule: Schedule) -> float:
    """Global expansion threshold lam**: the root of prod_t f_t(lam) = 1 (a discrete Moran equation).

    For phi_T < pi/2 there is exactly one root, between the least and the largest lam*_t. At phi_T = pi/2 there is
    one iff tan phi_{T-1} cos phi_0 > 1; otherwise (as for T = 1) every direction contracts and the threshold is
    inf. It always exceeds 1.

    Source: Dooms 2026, arXiv:2603.13069; the condition is derived here.

    >>> from pifs_sim.diffusion.schedules import linear, uniform_angle
    >>> round(moran_threshold(linear(1000)), 6), round(moran_threshold(uniform_angle(3, 0.1, 1.5)), 4)
    (1.003759, 2.0817)
    """
    from scipy.optimize import brentq  # 0.1 s to import, and only needed here

    thresholds = np.log1p(step_threshold_excess(schedule))
    if schedule.cos[-1] > 0:
        exponent = _exponent(schedule)
    elif schedule.steps > 1 and (limit := _log_tangent_times_cosine(*schedule.angles[[-2, 0]])) > 0:
        exponent, thresholds = _exponent_to_half_pi(schedule, limit), thresholds[:-1]
    else:
        return math.inf
    low, high = float(thresholds.min()), float(thresholds.max())
    widening = 1e-15  # in exact arithmetic the sign at `low` is right, and at `high` too unless phi_T = pi/2
    while exponent(low) > 0:
        low, widening = low - widening, 2 * widening
    while exponent(high) < 0:
        high, widening = high + widening, 2 * widening
    return math.exp(brentq(exponent, low, high, xtol=1e-16, rtol=4 * np.finfo(float).eps))


def _exponent(schedule: Schedule) -> Callable[[float], float]:
    """Lambda as a function of ln lam."""
    columns = _log_columns(schedule)
    return lambda log_lam: float(accumulate(math.exp(log_lam), columns, _log_ratio))


def _exponent_to_half_pi(schedule: Schedule, limit: float) -> Callable[[float], float]:
    """Lambda as a function of ln lam for phi_T = pi/2, by the better of two sums.

    Sum of ln f_t, or Lambda(inf) - sum_{t<T} ln(r_t/f_t) with ln(r_t/f_t) = log1p(s_t sin Delta/(c_t P_t)) > 0. The
    rounding of a sum is that of its terms' sizes: the first is better for small angles left to pi/2, the second
    where Lambda(inf) is tiny and the root huge.
    """
    c_s, c_t, s_s, s_t = (column[:-1] for column in _ends(schedule))
    outer, cc, ss = s_t * np.sin(schedule.increments[:-1]) / c_t, c_s * c_t, s_s * s_t
    columns = _log_columns(schedule)

    def exponent(log_lam: float) -> float:
        lam = math.exp(log_lam)
        lost = float(np.sum(np.log1p(outer / (lam * cc + ss))))
        logs = fill(lam, columns, _log_ratio)
        return limit - lost if limit + lost < np.abs(logs).sum() else math.fsum(logs)

    return exponent
