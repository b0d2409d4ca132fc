"""The numerical optimum: logarithms of the step lengths, analytic gradient, L-BFGS, then Newton.

Delta_t = S softmax(theta)_t keeps every step positive and their sum S. Minimised is ln F, F = KL or W_2^2, so that a
gradient of 1e-8 is 1e-8 of the objective whatever its size. With p = softmax(theta), g_t = sum_{u >= t} d ln F/d phi_u,

    d ln F/d theta_t = S p_t (g_t - sum_u p_u g_u).

Newton's Hessian is the central difference of this gradient on a spectrum condensed to few directions; the gradient it
acts on is that of the whole spectrum, so the end point is the optimum of the whole spectrum. Where errors of steps
nearly cancel, `valley` goes on. Steps pinned at a largest or a shortest length are no variables; which ones are is
found by adding those beyond it and releasing those that would come back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray, differences
from pifs_sim.diffusion.design.directions import Directions
from pifs_sim.diffusion.design.valley import descend

__all__ = ["EXACT", "MANY", "TOLERANCE", "Gain", "Minimum", "Problem", "bounded_minimum", "minimum", "valley_minimum"]

MANY = 512  # directions beyond which the valley is not searched
EXACT = 1e-24  # share of the weights below which the error is rounding of c = 1
TOLERANCE = 1e-8  # largest entry of d ln F/d theta at an optimum
_POLISHED = 1e-10  # Newton goes on to here where it can: its last step costs little
_SCALES = 128  # directions behind L-BFGS and the Hessian
_STEP = 1e-5  # of the central difference: error 1e-10 of the Hessian
_NEWTON = 12
_ROUGH = 1e-5  # gradient after L-BFGS above which the sum of squares is tried as well
_SQUARES = 300
_EVALUATIONS = 6000  # of all directions that the search of the valley may take
_BOX = 7.0  # a step stays within a factor e^7 of its start there
_SHORTEST = 1e-13  # of the longest step: a shorter one is lost in the rounding of its angles

Gain: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
Search: TypeAlias = Callable[["Problem", FloatArray], "Minimum"]


class Minimum(NamedTuple):
    """theta, (free steps,); ln F there; the largest entry of its gradient; whether only rounding is to gain; pins."""

    theta: FloatArray
    value: float
    gradient: float
    settled: bool
    pins: FloatArray


@dataclass(frozen=True, eq=False)
class Problem:
    """ln F as a function of theta, one entry for each free step; pins (T,): lengths of the other steps, NaN if free."""

    gain: Gain
    spectrum: Directions
    ends: tuple[float, float]
    pins: FloatArray
    shortest: float = 0.0
    longest: float = math.inf

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """(T,) whether a step is a variable."""
        return np.isnan(self.pins)

    @property
    def room(self) -> float:
        """Sum of the free steps."""
        return float(differences(np.array(self.ends))[0] - np.nansum(self.pins))

    def turns(self, theta: FloatArray) -> FloatArray:
        """(T,) step lengths."""
        shares = np.exp(theta - theta.max())
        turns = self.pins.copy()
        turns[self.free] = shares * (self.room / shares.sum())
        return turns

    def angles(self, theta: FloatArray) -> FloatArray:
        """(T+1,) angles."""
        angles = self.ends[0] + np.concatenate([[0.0], np.cumsum(self.turns(theta))])
        angles[-1] = self.ends[1]
        return angles

    def slopes(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """ln F, and its derivatives by the step lengths with the last angle held, up to a common constant, (T,)."""
        turns = self.turns(theta)
        nothing = np.zeros_like(turns)
        if turns.min() < _SHORTEST * turns.max():
            return math.inf, nothing
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            log_gain, by_angle = self.gain(self.angles(theta), turns, self.spectrum.root)
            error, weight = self.spectrum.error(log_gain)
        if not 0 < error < math.inf:
            return -math.inf if error == 0 else math.inf, nothing
        return math.log(error), np.append(np.cumsum((by_angle @ weight)[::-1])[::-1], 0.0) / error

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """ln F and its gradient."""
        value, by_turn = self.slopes(theta)
        turns, by_turn = self.turns(theta)[self.free], by_turn[self.free]
        return value, turns * (by_turn - turns @ by_turn / self.room)

    def residuals(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """r with |r|^2 = F, (K,), and its derivatives by theta, (K, free steps); infinite below the shortest step."""
        turns = self.turns(theta)
        log_gain, by_angle = self.gain(self.angles(theta), turns, self.spectrum.root)
        error, slope = self.spectrum.residuals(log_gain)
        by_turn = np.vstack([np.cumsum((by_angle * slope)[::-1], axis=0)[::-1], np.zeros_like(log_gain)])[self.free]
        if turns.min() < self.shortest / 2:
            error = np.full_like(error, math.inf)
        turns = turns[self.free]
        return error, (turns[:, None] * (by_turn - turns @ by_turn / self.room)).T


def _squares(problem: Problem, theta: FloatArray) -> FloatArray:
    """The minimum of the error as a sum of squares, which finds its way where the errors of steps nearly cancel."""
    from scipy.optimize import least_squares

    box = (theta - _BOX, theta + _BOX)
    residuals, jacobian = (lambda at: problem.residuals(at)[0]), (lambda at: problem.residuals(at)[1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = least_squares(residuals, theta, jacobian, box, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=_SQUARES)
    return np.asarray(found.x)


def _newton_step(problem: Problem, theta: FloatArray, gradient: FloatArray) -> FloatArray:
    """Downhill along every axis of the Hessian, at most 1 in any entry; the direction (1, .., 1) changes nothing."""
    rows = [(problem(theta + e)[1] - problem(theta - e)[1]) / (2 * _STEP) for e in _STEP * np.eye(theta.size)]
    curvature, axes = np.linalg.eigh(np.array(rows) + np.array(rows).T)
    size = np.abs(curvature) / 2
    kept = size > 1e-9 * size.max()
    step = -axes[:, kept] @ ((axes.T @ gradient)[kept] / size[kept])
    return step / max(1.0, np.abs(step).max())


def _newton(problem: Problem, model: Problem, theta: FloatArray) -> Minimum:
    """Newton's method from `theta` with the Hessian of `model`, as far as the gradient halves."""
    value, gradient = problem(theta)
    for _ in range(_NEWTON):
        size = float(np.abs(gradient).max())
        if size <= _POLISHED:
            break
        step = _newton_step(model, theta, gradient)
        for shrink in (1.0, 0.5, 0.25, 0.125):
            new = theta + shrink * step
            new_value, new_gradient = problem(new)
            if new_value <= value + 1e-12 * (1 + abs(value)) and 0 < np.abs(new_gradient).max() < size / 2:
                theta, value, gradient = new, new_value, new_gradient
                break
        else:
            break  # not near a minimum: no polish will settle it
    size = float(np.abs(gradient).max())
    return Minimum(theta, value, size, size <= TOLERANCE, problem.pins)


def minimum(problem: Problem, theta: FloatArray) -> Minimum:
    """The minimum that L-BFGS, a sum of squares where that is not enough, and Newton reach from `theta`.

    Where the gradient stays large, `gradient` says so; ln F is inf if the start has steps too short to tell apart, and
    -inf if it makes no error.
    """
    from scipy.optimize import minimize  # 0.1 s to import, and only needed here

    value, _ = problem(theta)
    if theta.size == 1 or not math.isfinite(value):
        return Minimum(theta, value, 0.0, True, problem.pins)
    few, start = replace(problem, spectrum=problem.spectrum.condensed(_SCALES)), theta
    options = {"maxiter": 300, "maxcor": 30, "gtol": 1e-6, "ftol": 0.0}
    theta = np.asarray(minimize(few, theta, jac=True, method="L-BFGS-B", options=options).x)
    if np.abs(few(theta)[1]).max() > _ROUGH:
        other = _squares(few, start)
        theta = min((theta, other), key=lambda at: few(at)[0])
    return _newton(problem, few, theta)


def valley_minimum(problem: Problem, theta: FloatArray) -> Minimum:
    """The minimum that Newton or else `valley` reaches from `theta`, with all directions throughout."""
    found = _newton(problem, problem, theta)
    if found.settled or not math.isfinite(found.value):
        return found
    rounds = _EVALUATIONS // (2 * theta.size + 4)
    least = EXACT * float(problem.spectrum.weight.sum())
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        theta, settled = descend(problem.residuals, found.theta, rounds=rounds, least=least)
    value, gradient = problem(theta)
    size = float(np.abs(gradient).max())
    return Minimum(theta, value, size, settled or size <= TOLERANCE, problem.pins)


def bounded_minimum(problem: Problem, theta: FloatArray, search: Search = minimum) -> tuple[FloatArray, Minimum]:
    """The angles of the minimum with no step shorter or longer than the problem's, from `theta` with every step free.

    Raises:
        ValueError: the set of pinned steps does not settle, which has not been met.
    """
    for _ in range(4 * theta.size + 8):
        found = search(problem, theta)
        turns, pins = problem.turns(found.theta), problem.pins.copy()
        short, long = turns < problem.shortest * (1 - 1e-12), turns > problem.longest * (1 + 1e-12)
        if short.any() or long.any():
            pins[short], pins[long] = problem.shortest, problem.longest
        else:
            by_turn = problem.slopes(found.theta)[1]
            price = turns[problem.free] @ by_turn[problem.free] / problem.room
            back = np.where(pins == problem.longest, by_turn - price, price - by_turn) * turns
            back[problem.free] = -math.inf
            if back.max() <= max(TOLERANCE, found.gradient) or not found.settled:
                return problem.angles(found.theta), found
            pins[back.argmax()] = math.nan
        problem = replace(problem, pins=pins)
        theta = np.log(turns[problem.free])
    raise ValueError(f"`largest_step` must lead to a settled set of longest steps, got {problem.longest!r}.")
