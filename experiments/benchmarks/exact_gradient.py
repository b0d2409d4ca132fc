"""Optima in ball arithmetic (Arb, by python-flint; Johansson 2017, arXiv:1611.02831): enclosures, no rounding left out.

The chain along variance lam (`two_step`; kappa = 0 is DDIM), psi = atan2(sin phi, sqrt(lam) cos phi), y_T = 1:

    y_s = cos delta_t y_t + kappa_t (sin delta_t/sin psi_t)(cos psi_t y_t - cos psi_u y_u),   c = |y_0|,

and its adjoint, written without regard to cancellation: 256 bits afford it. Where the errors of 2M's steps cancel, the
curvature of ln F by the logarithms of the step lengths is 1e8 to 1e18, so that rounding one angle to a float moves the
gradient by 1e-8 to 1e4. The optimum is therefore sought in these digits by Newton's method from the schedule in floats
or from `exact_search`'s end, every step of it led back to the floor of the valley, and the price of rounding its angles
is the excess of that schedule's error over the optimum's. The derivative by the logarithm of a length falls with the
length: a step that wants to vanish meets any bound once it is short enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import flint
import numpy as np
import numpy.typing as npt
from flint import arb

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.design.directions import Directions

__all__ = ["Stationary", "stationary", "vanishing"]

Exact: TypeAlias = npt.NDArray[np.object_]

_BITS = 256
_ROUNDS = 40
_SMALL = 1e-10
_VANISHING = 1e-4  # of its length: how long a step that wants to vanish is made
_NEAR = 0.1  # a longer first step of Newton's is none to trust
_DAMPING = (200,) * 4 + (10**7,) * 3  # of a return to the floor of the valley: soft axes are left where they are
_NUDGE = arb(2) ** -80  # of the difference behind the Hessian: third derivatives are 1e18, balls 1e-60 wide
_BOX = arb(2) ** -100
_exact = np.frompyfunc(lambda x: arb(float(x)) + arb(float(x - float(x))), 1, 1)  # of long doubles too
_middle = np.frompyfunc(lambda ball: ball.mid(), 1, 1)
_upper = np.frompyfunc(lambda ball: float(ball.abs_upper()), 1, 1)
_sqrt, _sin, _cos, _log, _exp = (np.frompyfunc(f, 1, 1) for f in (arb.sqrt, arb.sin, arb.cos, arb.log, arb.exp))


class Stationary(NamedTuple):
    """At the optimum and in floats: bounds of the gradient's entries. The optimum, and what rounding it costs.

    gradient: proven bound of |d ln F/d ln Delta_t| at the optimum, t = 1 .. T.
    rounded: the same at the schedule in floats.
    excess: F of that schedule over the optimum's, less 1.
    error: F at the optimum.
    minimum: whether the Hessian there is positive definite, and F falls with steps that vanish (None where no step of
        Newton was needed).
    """

    gradient: float
    rounded: float
    excess: float
    error: float
    minimum: bool | None


@contextmanager
def _bits() -> Iterator[None]:
    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        yield
    finally:
        flint.ctx.prec = before


def _largest(entries: Exact) -> float:
    """Bound of |entries|; infinity where Newton's step led nowhere."""
    bounds = [float(bound) for bound in _upper(entries)]
    return max(bounds) if np.isfinite(bounds).all() else math.inf


def _chain(angles: Exact, root: Exact, second: bool) -> tuple[Exact, Exact]:
    """y_0, (K,), and its derivatives by the angles, (T+1, K)."""
    cos, sin = _cos(angles), _sin(angles)
    steps = angles.size - 1
    level = _log(sin / cos)
    h = level[1:] - level[:-1]
    kappa = np.append(h[:-1] / (2 * h[1:]), arb(0)) * int(second)
    size = _sqrt((root * cos[:, None]) ** 2 + (sin**2)[:, None])
    c, s = root * cos[:, None] / size, sin[:, None] / size
    turn = s[1:] * c[:-1] - c[1:] * s[:-1], c[1:] * c[:-1] + s[1:] * s[:-1]
    reach = turn[0] / s[1:]
    pull = kappa[:, None] * reach
    y = [root * 0] * steps + [root * 0 + 1]
    ahead = [root * 0] * steps
    for t in range(steps - 1, -1, -1):
        if second and t < steps - 1:
            ahead[t] = c[t + 1] * y[t + 1] - c[t + 2] * y[t + 2]
        y[t] = turn[1][t] * y[t + 1] + pull[t] * ahead[t]
    by_psi, by_level = size * 0, size * 0
    by_y = [root * 0 + 1] + [root * 0] * steps
    for t in range(steps):
        by_y[t + 1] = by_y[t + 1] + by_y[t] * turn[1][t]
        by_turn = -by_y[t] * turn[0][t] * y[t + 1]
        if second and t < steps - 1:
            by_pull, back = by_y[t] * ahead[t], by_y[t] * pull[t]
            by_y[t + 1], by_y[t + 2] = by_y[t + 1] + back * c[t + 1], by_y[t + 2] - back * c[t + 2]
            by_turn = by_turn + by_pull * kappa[t] * turn[1][t] / s[t + 1]
            by_psi[t + 1] -= by_pull * pull[t] * c[t + 1] / s[t + 1] + back * s[t + 1] * y[t + 1]
            by_psi[t + 2] += back * s[t + 2] * y[t + 2]
            by_kappa = by_pull * reach[t]
            own, before = by_kappa / (2 * h[t + 1]), by_kappa * kappa[t] / h[t + 1]
            by_level[t] -= own
            by_level[t + 1] += own + before
            by_level[t + 2] -= before
        by_psi[t] -= by_turn
        by_psi[t + 1] += by_turn
    return y[0], by_psi * (root / size**2) + by_level / (cos * sin)[:, None]


class _Problem(NamedTuple):
    """ln F as a function of the logarithms of the step lengths, whose sum is scaled to the span of the ends."""

    ends: tuple[Any, Any]
    spectrum: Directions
    second: bool

    def turns(self, theta: Exact) -> Exact:
        shares = _exp(theta)
        return shares * ((self.ends[1] - self.ends[0]) / shares.sum())

    def gains(self, theta: Exact) -> tuple[Exact, Exact]:
        """y_0, (K,), and its derivatives by theta, (T, K)."""
        low, high = self.ends
        turns = self.turns(theta)
        angles = np.append(low + np.append(arb(0), np.cumsum(turns)[:-1]), high)
        end, by_angle = _chain(angles, _exact(self.spectrum.root), self.second)
        by_turn = np.vstack([np.cumsum(by_angle[1:-1][::-1], axis=0)[::-1], end * 0])
        return end, turns[:, None] * (by_turn - turns @ by_turn / (high - low))

    def errors(self, gain: Exact) -> tuple[Any, Exact, Exact]:
        """F, and its first and second derivatives by every gain, (K,)."""
        weight = _exact(self.spectrum.weight)
        if self.spectrum.metric == "kl":
            error, by_gain = weight @ ((gain**2 - 1) / 2 - _log(gain)), weight * (gain - 1 / gain)
            return error, by_gain, weight * (1 + 1 / gain**2)
        return weight @ (1 - gain) ** 2, 2 * weight * (gain - 1), 2 * weight

    def __call__(self, theta: Exact) -> tuple[Any, Exact]:
        """F, and the gradient of ln F."""
        end, slope = self.gains(theta)
        error, by_gain, _ = self.errors(np.abs(end))
        return error, slope @ (by_gain * np.where(end > 0, 1, -1)) / error

    def floor(self, theta: Exact, free: npt.NDArray[np.bool_], error: Any) -> Exact:
        """Damped Gauss-Newton: off the floor, where F is `error`, H and the soft axes' gradient belong to the walls."""
        for damping in _DAMPING:
            end, slope = self.gains(theta)
            _, by_gain, twice = self.errors(np.abs(end))
            slope = _middle(slope[free] * np.where(end > 0, 1, -1))
            matrix = _middle((slope * twice) @ slope.T)
            matrix[np.diag_indices_from(matrix)] += damping * error.mid()
            theta = theta.copy()
            theta[free] = theta[free] - _eliminated(matrix, _middle(slope @ by_gain))[0]
        return theta

    def hessian(self, theta: Exact, gradient: Exact) -> Exact:
        """By differences of the gradient, to far below its entries."""
        nudges = np.where(np.eye(theta.size, dtype=bool), _NUDGE, arb(0))
        rows = np.array([_middle((self(theta + e)[1] - gradient) / _NUDGE) for e in nudges])
        return (rows + rows.T) / 2


def _eliminated(matrix: Exact, right: Exact) -> tuple[Exact, bool]:
    """The solution for a symmetric matrix, in digits, not balls; whether it is positive definite: its pivots are."""
    a, b, count = matrix.copy(), right.copy(), right.size
    for k in range(count - 1):
        ratio = a[k + 1 :, k] / a[k, k]
        a[k + 1 :, k:] = _middle(a[k + 1 :, k:] - ratio[:, None] * a[k, k:])  # balls would widen at every pivot
        b[k + 1 :] = _middle(b[k + 1 :] - ratio * b[k])
    for k in range(count - 1, -1, -1):
        b[k] = ((b[k] - a[k, k + 1 :] @ b[k + 1 :]) / a[k, k]).mid()
    return b, all(pivot > 0 for pivot in np.diag(a))


def _start(angles: FloatArray) -> tuple[tuple[Any, Any], Exact]:
    exact = _exact(angles)
    return (exact[0], exact[-1]), _middle(_log(exact[1:] - exact[:-1]))


def stationary(
    angles: FloatArray,
    spectrum: Directions,
    *,
    second: bool,
    lengths: npt.NDArray[np.floating[Any]] | None = None,
    vanish: npt.NDArray[np.bool_] | None = None,
) -> Stationary:
    """Newton's method from a schedule in floats to the optimum near it.

    Args:
        angles: (T+1,) the schedule's.
        spectrum: what it is the optimum for.
        second: 2M (or DDIM).
        lengths: (T,) step lengths to start from, in float64 or long double; the schedule's by default.
        vanish: (T,) whether a step wants length 0; none by default.
    """
    with _bits():
        ends, theta = _start(angles)
        problem, free = _Problem(ends, spectrum, second), np.ones(theta.size, dtype=bool)
        here = problem(theta)
        first, rounded = here[0], _largest(here[1])
        if lengths is not None:
            theta = _middle(_log(_exact(lengths)))
        if vanish is not None:
            free = ~vanish
            floor = problem(theta)[0]
            theta = np.where(vanish, theta + arb(_VANISHING).log(), theta)
            theta = problem.floor(theta, free, floor) if vanish.any() else theta
        here = problem(theta)
        hessian, minimum, before = None, None, math.inf
        for _ in range(_ROUNDS):
            if _largest(here[1][free]) <= _SMALL:
                break
            fresh = hessian is None
            if hessian is None:
                hessian = problem.hessian(theta, here[1])[np.ix_(free, free)]
                hessian = hessian + np.trace(hessian) / free.sum() ** 2  # (1, .., 1) changes nothing that is free
            step, minimum = _eliminated(hessian, _middle(-here[1][free]))
            length = _largest(step)
            if length > (_NEAR if fresh else before):
                break
            if length > 0.3 * before and not fresh:  # else another step with the same Hessian costs less than a new one
                hessian = None
                continue
            theta = theta.copy()
            theta[free] = theta[free] + step
            theta = problem.floor(theta, free, here[0])
            here, before = problem(theta), length
        if minimum is not None and not free.all():
            minimum = minimum and all(entry > 0 for entry in here[1][~free])  # shorter is better still
        return Stationary(_largest(here[1]), rounded, float((first / here[0] - 1).mid()), float(here[0].mid()), minimum)


def vanishing(angles: FloatArray, spectrum: Directions, *, second: bool) -> float | None:
    """Largest relative change of a step from a schedule in floats to one that makes no error at all; None if unproven.

    K equations y_0 = 1 in the K unknowns u of theta = theta_0 + J^T u: Gauss-Newton's method, then Krawczyk's operator,
    which maps a box into itself: a zero lies inside.

    Args:
        angles: (T+1,) the schedule's; T > K.
        spectrum: K directions.
        second: 2M (or DDIM).
    """
    with _bits():
        ends, start = _start(angles)
        problem, theta = _Problem(ends, spectrum, second), start
        for _ in range(_ROUNDS):
            end, slope = problem.gains(theta)
            slope = _middle(slope)
            if all(abs(miss) < _BOX**2 for miss in end - 1):
                break
            theta = theta - slope @ _eliminated(slope.T @ slope, _middle(end - 1))[0]
        square = slope.T @ slope
        unit = np.where(np.eye(end.size, dtype=bool), arb(1), arb(0))
        inverse = np.array([_eliminated(square, column)[0] for column in unit])
        box = np.array([arb(0, _BOX)] * end.size, dtype=object)
        rest = unit - inverse @ (problem.gains(theta + slope @ box)[1].T @ slope)
        image = rest @ box - inverse @ (problem.gains(theta)[0] - 1)
        inside = all(abs(value) < _BOX for value in image)
        return _largest(theta + slope @ box - start) if inside else None
