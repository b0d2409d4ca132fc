"""Descent along a narrow curved valley: a trust region on the exact curvature, and back to the floor after each step.

For F = |r|^2 with Jacobian J, in units of F,

    g = 2 J^T r/F,     H = 2 (J^T J + sum_k r_k D^2 r_k)/F.

Where errors of steps nearly cancel, |J| is 1e3 to 1e6 times |r|: H has eigenvalues from 1e12 down to 1, and its second
term, without which the soft ones are wrong, is the central difference of J^T r with r held, so that no rounding of r
enters it. A step s that bends away from the valley's floor is led back by least changes along the stiff rows of J until
r(theta + s) = r + J s there: steps may then be as long as the valley is straight in its soft directions.
Source: trust region, Conn, Gould, Toint 2000; second-order correction, Fletcher 1982.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pifs_sim.diffusion.angles import FloatArray

__all__ = ["curvature", "descend"]

Residuals: TypeAlias = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_STEP = 1e-5  # of the difference of J: error 1e-10 of the curvature
_STIFF = 3.0  # a direction in which r changes by more than 3 |r| a unit is led back
_RETURNS = 5
_WIDEST = 3.0
_SHRINKS = 10
_SETTLED = 1e-14  # predicted share of F left to gain that F in floats cannot show: the last step is taken unseen


def curvature(residuals: Residuals, theta: FloatArray, held: FloatArray) -> FloatArray:
    """sum_k r_k D^2 r_k with r = held, (T, T)."""
    rows = [held @ (residuals(theta + e)[1] - residuals(theta - e)[1]) for e in _STEP * np.eye(theta.size)]
    bend = np.array(rows) / (2 * _STEP)
    return (bend + bend.T) / 2


def _bounded(slope: FloatArray, size: FloatArray, radius: float) -> FloatArray:
    """-slope/(size + mu), mu >= 0 the least that makes every size + mu > 0 and the step at most `radius` long."""
    least = max(0.0, -float(size.min())) + 1e-14 * float(np.abs(size).max())
    low, high = least, least
    while np.linalg.norm(slope / (size + high)) > radius:
        low, high = high, least + max(10 * (high - least), 1e-12)
    for _ in range(60 if high > least else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.norm(slope / (size + middle)) > radius else (low, middle)
    return -slope / (size + high)


def descend(residuals: Residuals, theta: FloatArray, *, rounds: int, least: float) -> tuple[FloatArray, bool]:
    """Where the search leads from `theta`, and whether it ended at a minimum.

    Args:
        residuals: theta -> r, (K,), and J, (K, T); a NaN or an infinite entry forbids the place.
        theta: (T,) start.
        rounds: steps at most; about 2 T + 4 evaluations each.
        least: F at which nothing is left to gain.
    """
    r, jacobian = residuals(theta)
    radius = 0.3
    for _ in range(rounds):
        norm = float(np.linalg.norm(r))
        if not least < norm**2 < np.inf:
            return theta, norm**2 <= least
        unit, steep = r / norm, jacobian / norm
        hessian = 2 * (steep.T @ steep + curvature(residuals, theta, unit) / norm)
        size, axes = np.linalg.eigh(hessian)
        slope = axes.T @ (2 * steep.T @ unit)
        left, stiffness, right = np.linalg.svd(steep, full_matrices=False)
        stiff = stiffness > max(_STIFF, 1e-12 * stiffness[0])
        for _ in range(_SHRINKS):
            along = _bounded(slope, size, radius)
            step, expected = axes @ along, -float(slope @ along + along @ (size * along) / 2)
            if expected <= _SETTLED:
                inside = bool(np.linalg.norm(step) < 0.99 * radius)
                return (theta + step if inside else theta), inside
            move = step
            for _ in range(_RETURNS):
                new, new_jacobian = residuals(theta + move)
                if not np.isfinite(new).all() or np.linalg.norm(new) < norm:
                    break
                astray = (new - r) / norm - steep @ step
                back = right[stiff].T @ ((left[:, stiff].T @ astray) / stiffness[stiff])
                if np.linalg.norm(back) > 2 * np.linalg.norm(step):
                    break
                move = move - back
            gained = 1 - (float(np.linalg.norm(new)) / norm) ** 2
            if gained > 0.02 * expected:
                break
            radius = min(radius, float(np.linalg.norm(step))) / 3
        else:
            break
        theta, r, jacobian = theta + move, new, new_jacobian
        if gained > 0.5 * expected and np.linalg.norm(step) > 0.8 * radius:
            radius = min(2.5 * radius, _WIDEST)
        elif gained < 0.2 * expected:
            radius = float(np.linalg.norm(step)) / 2
    return theta, False
