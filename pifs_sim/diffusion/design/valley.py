"""Descent along a narrow curved valley: every residual to second order, and back to the floor after each step.

For F = |r|^2 near theta, with the Jacobian J and the second derivatives D_k by central differences of J,

    r_k(theta + s) = r_k + J_k s + s^T D_k s/2 + O(|s|^3),     H = 2 (J^T J + sum_k r_k D_k)/F.

Where errors of steps nearly cancel, |J| is 1e3 to 1e6 times |r|: H has eigenvalues from 1e12 down to 1 and the valley
bends by its width within 1e-3 of a step. A quadratic model of F is good no further; the quartic |r_k + J_k s + ..|^2 is
as far as third derivatives let it, 1e-1. It is minimised within a trust region by Newton's method on its own curvature,
every step of which is led back to the floor along the stiff axes of H before it is judged. The chain follows, and what
third derivatives moved it off the floor is led back along the stiff rows of J.
Source: trust region, Conn, Gould, Toint 2000; models of second order in r, Schnabel, Frank 1984.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from pifs_sim.diffusion.angles import FloatArray

__all__ = ["Model", "descend", "second_order"]

Residuals: TypeAlias = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_STEP = 1e-5  # of the difference of J: error 1e-10 of the second derivatives
_WALL = 100.0  # eigenvalue of H above which an axis is stiff: the valley is narrower than 0.1
_STIFF = 3.0  # a direction in which r changes by more than 3 |r| a unit is led back
_RETURNS = 4
_INNER = 600
_WIDEST = 3.0
_SHRINKS = 12
_SETTLED = 1e-14  # predicted share of F left to gain that F in floats cannot show: the last step is taken unseen


class Model(NamedTuple):
    """r (K,), its derivatives (K, T), and its second derivatives (K, T, T)."""

    residual: FloatArray
    slope: FloatArray
    bend: FloatArray

    def __call__(self, step: FloatArray) -> tuple[FloatArray, FloatArray]:
        """r and J at `step` from here."""
        turned = self.bend @ step
        return self.residual + self.slope @ step + turned @ step / 2, self.slope + turned

    def axes(self, residual: FloatArray, slope: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Eigenvalues and axes of H where the model has these r and J, and the gradient of ln F along the axes."""
        count = slope.shape[1]
        curved = (residual @ self.bend.reshape(-1, count * count)).reshape(count, count)
        error = residual @ residual
        size, axes = np.linalg.eigh(2 * (slope.T @ slope + curved) / error)
        return size, axes, axes.T @ (2 * (slope.T @ residual) / error)


def second_order(residuals: Residuals, theta: FloatArray) -> Model:
    """The model at `theta`, by 2 T + 1 evaluations."""
    rows = [residuals(theta + e)[1] - residuals(theta - e)[1] for e in _STEP * np.eye(theta.size)]
    bend = np.moveaxis(np.array(rows), 1, 0) / (2 * _STEP)
    return Model(*residuals(theta), (bend + np.swapaxes(bend, 1, 2)) / 2)


def _bounded(slope: FloatArray, size: FloatArray, radius: float) -> FloatArray:
    """-slope/(size + mu), mu >= 0 the least that makes every size + mu > 0 and the step about `radius` long at most."""
    least = max(0.0, -float(size.min())) + 1e-14 * float(np.abs(size).max())
    mu = least
    for _ in range(50):  # Newton's method on the length, which falls and is convex
        step = slope / (size + mu)
        length = float(np.linalg.norm(step))
        if length <= radius * (1 + 1e-3):
            break
        mu += (length / radius - 1) * length**2 / float(step @ (step / (size + mu)))
    return -step * min(1.0, radius / length) if length else -step


def _within(model: Model, radius: float, least: float) -> tuple[FloatArray, float, bool]:
    """The step to the model's minimum in the ball, or to where the descent leaves it; the share of F gained; which."""
    at, (r, slope) = np.zeros(model.slope.shape[1]), (model.residual, model.slope)
    first, reach = r @ r, radius / 4
    for _ in range(_INNER):
        size, axes, along = model.axes(r, slope)
        error = r @ r
        for _ in range(_SHRINKS):
            move = _bounded(along, size, reach)
            expected = -float(along @ move + move @ (size * move) / 2)
            step = axes @ move
            if expected <= _SETTLED:
                return at + step, float(1 - error / first) + expected, bool(np.linalg.norm(move) < 0.99 * reach)
            new = at + step
            new_r, new_slope = model(new)
            for _ in range(_RETURNS):
                if new_r @ new_r < error * (1 - 0.3 * expected):
                    break
                new_size, new_axes, new_along = model.axes(new_r, new_slope)
                stiff = new_size > _WALL * error / (new_r @ new_r)
                back = new_axes[:, stiff] @ (new_along[stiff] / new_size[stiff])
                if not 0 < np.linalg.norm(back) <= np.linalg.norm(step):
                    break
                new = new - back
                new_r, new_slope = model(new)
            gained = float(1 - new_r @ new_r / error)
            if gained > 0.05 * expected:
                break
            reach = min(reach, float(np.linalg.norm(step))) / 3
        else:
            break
        at, r, slope = new, new_r, new_slope
        if gained > 0.5 * expected and np.linalg.norm(step) > 0.8 * reach:
            reach = min(2.5 * reach, radius / 2)
        elif gained < 0.2 * expected:
            reach = float(np.linalg.norm(step)) / 2
        if np.linalg.norm(at) > radius or r @ r <= least:
            break
    return at, float(1 - r @ r / first), False


def _followed(
    residuals: Residuals, theta: FloatArray, model: Model, step: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Near theta + step, where r is as the model has it in the stiff directions: the place, r and J there."""
    wanted, slope = model(step)
    norm = float(np.linalg.norm(model.residual))
    left, stiffness, right = np.linalg.svd(slope / norm, full_matrices=False)
    stiff = stiffness > max(_STIFF, 1e-12 * stiffness[0])
    move = step
    best = (theta + move, *residuals(theta + move))
    for _ in range(_RETURNS):
        astray = (residuals(theta + move)[0] - wanted) / norm
        back = right[stiff].T @ ((left[:, stiff].T @ astray) / stiffness[stiff])
        if not np.linalg.norm(back) <= 2 * np.linalg.norm(step):
            break
        move = move - back
        new = (theta + move, *residuals(theta + move))
        if not np.linalg.norm(new[1]) < np.linalg.norm(best[1]):
            break
        best = new
    return best


def descend(residuals: Residuals, theta: FloatArray, *, rounds: int, least: float) -> tuple[FloatArray, bool]:
    """Where the search leads from `theta`, and whether it ended at a minimum.

    Args:
        residuals: theta -> r, (K,), and J, (K, T); a NaN or an infinite entry forbids the place.
        theta: (T,) start.
        rounds: steps at most; about 2 T + 6 evaluations each.
        least: F at which nothing is left to gain.
    """
    radius = 0.1
    for _ in range(rounds):
        model = second_order(residuals, theta)
        norm = float(np.linalg.norm(model.residual))
        if not least < norm**2 < np.inf:
            return theta, norm**2 <= least
        for _ in range(_SHRINKS):
            step, expected, inside = _within(model, radius, least)
            length = float(np.linalg.norm(step))
            if expected <= _SETTLED:
                return (theta + step if inside else theta), inside
            new, r, _ = _followed(residuals, theta, model, step)
            gained = 1 - (float(np.linalg.norm(r)) / norm) ** 2 if np.isfinite(r).all() else -np.inf
            if gained > 0.02 * expected:
                break
            radius = min(radius, length) / 3
        else:
            break
        theta = new
        if gained > 0.5 * expected:
            radius = min(2 * radius, _WIDEST)
        elif gained < 0.2 * expected:
            radius = length / 2
    return theta, False
