"""The gradient of ln F by the logarithms of the step lengths in 40 digits, and the stationary point that it leads to.

The chain along variance lam (`two_step`; kappa = 0 is DDIM), psi = atan2(sin phi, sqrt(lam) cos phi), y_T = 1:

    y_s = cos delta_t y_t + kappa_t (sin delta_t/sin psi_t)(cos psi_t y_t - cos psi_u y_u),   c = |y_0|,

and its adjoint, written for mpmath without regard to cancellation: 40 digits afford it. Where the errors of 2M's steps
cancel, the curvature of ln F is 1e8 and more, so that rounding a step length to a float moves the gradient by 1e-8 and
more. The optimum is therefore sought in these digits, from the schedule returned, by Newton's method with the curvature
in floats; its distance says how far from an optimum that schedule is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import mpmath
import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.design.optimum import Minimum, Problem
from pifs_sim.diffusion.design.valley import curvature

__all__ = ["Stationary", "stationary"]

Exact: TypeAlias = npt.NDArray[np.object_]

_DIGITS = 40
_ROUNDS = 6
_SMALL = 1e-11
_sqrt, _sin, _cos, _log, _exp = (
    np.frompyfunc(f, 1, 1) for f in (mpmath.sqrt, mpmath.sin, mpmath.cos, mpmath.log, mpmath.exp)
)
_exact = np.frompyfunc(mpmath.mpf, 1, 1)


class Stationary(NamedTuple):
    """Largest entry of the gradient there and at the start; largest change of a step's logarithm; ln F gained."""

    gradient: float
    start: float
    moved: float
    gained: float


def _chain(angles: Exact, root: Exact, second: bool) -> tuple[Exact, Exact]:
    """y_0, (K,), and its derivatives by the angles, (T+1, K)."""
    cos, sin = _cos(angles), _sin(angles)
    steps = angles.size - 1
    level = _log(sin / cos)
    h = level[1:] - level[:-1]
    kappa = np.append(h[:-1] / (2 * h[1:]), mpmath.mpf(0)) * int(second)
    size = _sqrt((root * cos[:, None]) ** 2 + (sin**2)[:, None])
    c, s = root * cos[:, None] / size, sin[:, None] / size
    turn = s[1:] * c[:-1] - c[1:] * s[:-1], c[1:] * c[:-1] + s[1:] * s[:-1]
    pull = kappa[:, None] * turn[0] / s[1:]
    y = [root * 0] * steps + [root * 0 + 1]
    ahead = [root * 0] * steps
    for t in range(steps - 1, -1, -1):
        if second and t < steps - 1:
            ahead[t] = c[t + 1] * y[t + 1] - c[t + 2] * y[t + 2]
        y[t] = turn[1][t] * y[t + 1] + pull[t] * ahead[t]
    by_psi, by_level = size * 0, size * 0
    by_y = [root * 0 + 1] + [root * 0] * steps
    for t in range(steps):
        by_pull, back = by_y[t] * ahead[t], by_y[t] * pull[t]
        by_y[t + 1] = by_y[t + 1] + by_y[t] * turn[1][t] + back * c[t + 1]
        by_turn = by_pull * kappa[t] * turn[1][t] / s[t + 1] - by_y[t] * turn[0][t] * y[t + 1]
        by_psi[t] -= by_turn
        by_psi[t + 1] += by_turn - by_pull * pull[t] * c[t + 1] / s[t + 1] - back * s[t + 1] * y[t + 1]
        if second and t < steps - 1:
            by_y[t + 2] = by_y[t + 2] - back * c[t + 2]
            by_psi[t + 2] += back * s[t + 2] * y[t + 2]
            by_kappa = by_pull * turn[0][t] / s[t + 1]
            own, before = by_kappa / (2 * h[t + 1]), by_kappa * kappa[t] / h[t + 1]
            by_level[t] -= own
            by_level[t + 1] += own + before
            by_level[t + 2] -= before
    return y[0], by_psi * (root / size**2) + by_level / (cos * sin)[:, None]


def _objective(problem: Problem, theta: Exact, second: bool) -> tuple[Any, Exact]:
    """ln F and its gradient."""
    pins, free = problem.pins, problem.free
    low, high = (mpmath.mpf(end) for end in problem.ends)
    shares = _exp(theta)
    room = high - low - sum(_exact(pins[~free]), mpmath.mpf(0))
    turns = np.empty(pins.size, dtype=object)
    turns[free], turns[~free] = shares * (room / shares.sum()), _exact(pins[~free])
    angles = np.append(low + np.append(mpmath.mpf(0), np.cumsum(turns)[:-1]), high)
    spectrum = problem.spectrum
    end, by_angle = _chain(angles, _exact(spectrum.root), second)
    weight, gain = _exact(spectrum.weight), np.abs(end)
    if spectrum.metric == "kl":
        error, slope = weight @ ((gain**2 - 1) / 2 - _log(gain)), weight * (gain - 1 / gain)
    else:
        error, slope = weight @ (1 - gain) ** 2, 2 * weight * (gain - 1)
    by_inner = by_angle[1:-1] @ (slope * np.where(end > 0, 1, -1))
    by_turn = np.append(np.cumsum(by_inner[::-1])[::-1], mpmath.mpf(0))[free] / error
    return mpmath.log(error), turns[free] * (by_turn - turns[free] @ by_turn / room)


def stationary(problem: Problem, found: Minimum, second: bool) -> Stationary:
    """Newton's method in 40 digits from `found`, with one Hessian in floats.

    Args:
        problem: what `found` minimises, whatever its pins.
        found: the minimum in floats.
        second: 2M (or DDIM).
    """
    problem = replace(problem, pins=found.pins)
    r, jacobian = problem.residuals(found.theta)
    norm = np.linalg.norm(r)
    hessian = 2 * (jacobian.T @ jacobian / norm**2 + curvature(problem.residuals, found.theta, r / norm) / norm)
    hessian += np.full_like(hessian, np.abs(hessian).mean())  # (1, .., 1) changes nothing
    with mpmath.workdps(_DIGITS):
        start = theta = _exact(found.theta)
        first = best = _objective(problem, theta, second)
        for _ in range(_ROUNDS):
            if max(abs(best[1])) <= _SMALL:
                break
            new = theta - _exact(np.linalg.solve(hessian, best[1].astype(np.float64)))
            value = _objective(problem, new, second)
            if max(abs(value[1])) > max(abs(best[1])) / 2:
                break
            theta, best = new, value
        moved = theta - start
        return Stationary(
            float(max(abs(best[1]))),
            float(max(abs(first[1]))),
            float(max(abs(moved - moved.mean()))),
            float(first[0] - best[0]),
        )
