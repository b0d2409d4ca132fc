"""The optimum of DPM-Solver++(2M) where float64 is too coarse: a search of the soft axes in long double.

For F = |r|^2 with the Jacobian J = U S V^T in units of |r|: an axis of V is stiff where S > 30, else soft. With fifty
steps on a smooth spectrum S reaches 1e9, and an angle rounded by 1e-16 leaves the floor of the valley, U_stiff^T r = 0,
so far that the second derivatives D_k of r seem to curve F by |sum_k r_k D_k|/F = 1e2, where the floor curves by 1e-3.
So r is taken in long double, and its stiff part out of it; on the floor, with W = V^T (sum_k r_k D_k/F) V,

    g = 2 S U^T r/|r|,   H = 2 (S^2 + W),   H_floor = H_soft - H_soft,stiff H_stiff^-1 H_stiff,soft.

A step is Newton's within a trust region of the soft axes, led back to the floor by Gauss and Newton along the stiff
ones (from 0.1 away |r|^2 is 1e11 times the floor's, and three returns end there). D is exact: J at numbers with an
infinitesimal imaginary part. A step that becomes shorter than the shortest is pinned there: it wants to vanish.
Where long double is no wider than float64 the search ends earlier; `exact_gradient` judges where it led.
Source: Gauss-Newton returns to a curved floor, variable projection, Golub, Pereyra 1973; trust region, Conn, Gould,
Toint 2000.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.design.directions import Directions, Objective

__all__ = ["search"]

Wide: TypeAlias = npt.NDArray[Any]  # long double, float64, or complex float64 as a number and its derivative

_TINY = 1e-100  # of the imaginary part: its square is nothing
_STIFF = 30.0
_RETURNS = 8
_ON_FLOOR = 1e-15  # of F left in the stiff residuals
_WIDEST = 2.0
_SHRINKS = 12
_UNSEEN = 1e-10  # share of F to gain that F in long double cannot show: the last step is taken unseen
_FLAT = 1e-7  # curvature of ln F below which it is rounding


def _lifted(f: Callable[[Wide], Wide], slope: Callable[[Wide], Wide]) -> Callable[[Wide], Wide]:
    def of(x: Wide) -> Wide:
        return f(x.real) + 1j * (slope(x.real) * x.imag) if np.iscomplexobj(x) else f(x)

    return of


_sin = _lifted(np.sin, np.cos)
_cos = _lifted(np.cos, lambda x: -np.sin(x))
_exp = _lifted(np.exp, np.exp)
_log1p = _lifted(np.log1p, lambda x: 1 / (1 + x))
_sqrt = _lifted(np.sqrt, lambda x: 0.5 / np.sqrt(x))


def _chain(angles: Wide, turns: Wide, root: Wide) -> tuple[Wide, Wide]:
    """y_0 - 1, (B, K), and its derivatives by the inner angles, (T-1, B, K): `two_step.log_gain`, batched.

    Args:
        angles: (T+1, B).
        turns: (T, B), their differences.
        root: (K,).
    """
    cos, sin = _cos(angles), _sin(angles)
    inverse = 1 / _log1p(_sin(turns) / (cos[1:] * sin[:-1]))
    before = np.concatenate([inverse[1:], 0 * inverse[:1]])
    kappa = (before / 2 / inverse)[..., None]
    by_own, by_before = (before / 2)[..., None], kappa * before[..., None]
    signal, noise = root * cos[..., None], sin[..., None]
    scale = 1 / _sqrt(signal * signal + noise * noise)
    c, s = signal * scale, noise * scale
    sin_delta = root * _sin(turns)[..., None] * (scale[:-1] * scale[1:])
    cos_delta = c[:-1] * c[1:] + s[:-1] * s[1:]
    loss, reach = sin_delta**2 / (1 + cos_delta), sin_delta / s[1:]
    steps, pull = len(turns), kappa * reach
    y, ahead = 0 * s * c + 1, 0 * reach
    moved = error = 0 * y[0]
    for t in range(steps - 1, -1, -1):
        if t < steps - 1:
            ahead[t] = (sin_delta[t + 1] * s[t + 2] - loss[t + 1] * c[t + 2]) * y[t + 1] + c[t + 2] * moved
        moved = pull[t] * ahead[t] - loss[t] * y[t + 1]
        error = error + moved
        y[t] = 1 + error
    weight = 0 * y
    weight[0] = 1
    for t in range(steps):
        weight[t + 1] += weight[t] * (cos_delta[t] + pull[t] * c[t + 1])
        if t < steps - 1:
            weight[t + 2] -= weight[t] * pull[t] * c[t + 2]
    drawn, turned = weight[:-1] * ahead, weight[:-1] * sin_delta * y[1:]
    by_psi, by_log = 0 * y, 0 * y
    by_psi[:-1] += turned - kappa * drawn * cos_delta / s[1:]
    by_psi[1:] += kappa * (drawn * s[:-1] / s[1:] ** 2 - turned) - turned
    by_psi[2:] += (weight[:-1] * pull)[:-1] * s[2:] * y[2:]
    own, before = drawn * reach * by_own, drawn * reach * by_before
    by_log[:-1] -= own
    by_log[1:] += own + before
    by_log[2:] -= before[:-1]
    inner = slice(1, -1)
    return error, by_psi[inner] * root * scale[inner] ** 2 + by_log[inner] / (cos * sin)[inner, :, None]


@dataclass(frozen=True, eq=False)
class _Valley:
    """r as a function of the logarithms of the free steps' lengths; pins (T,): the other lengths, NaN if free."""

    root: Wide
    share: Wide
    ends: Wide
    pins: Wide
    metric: Objective

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        return np.isnan(self.pins)

    def turns(self, theta: Wide) -> Wide:
        """(T, B) step lengths for theta, (free steps, B)."""
        shares = _exp(theta - theta.real.max(axis=0))
        room = self.ends[1] - self.ends[0] - np.nansum(self.pins)
        turns = self.pins[:, None] + 0 * theta[:1]
        turns[self.free] = shares * (room / shares.sum(axis=0))
        return turns

    def residuals(self, theta: Wide) -> tuple[Wide, Wide]:
        """r, (B, K), and its derivatives by theta, (free steps, B, K)."""
        turns = self.turns(theta)
        angles = self.ends[0] + np.concatenate([0 * turns[:1], np.cumsum(turns, axis=0)])
        angles[-1] = self.ends[1]
        miss, slope = _chain(angles, turns, self.root)
        by_turn = np.concatenate([np.cumsum(slope[::-1], axis=0)[::-1], 0 * slope[:1]])[self.free]
        turns = turns[self.free][..., None]
        by_theta = turns * (by_turn - (turns * by_turn).sum(axis=0) / turns.sum(axis=0))
        if self.metric == "w2":
            return self.share * miss, self.share * by_theta
        one = self.root.dtype.type(1)  # (c^2 - 1)/2 - ln c = e^2 (1 - e/3 + e^2/4 - ..), c = 1 + e
        bent = _sqrt(1 - miss * (one / 3 - miss * (one / 4 - miss * (one / 5 - miss * (one / 6 - miss / 7)))))
        return self.share * miss * bent, self.share * by_theta * ((1 + miss / 2) / ((1 + miss) * bent))

    def at(self, theta: Wide) -> tuple[Wide, Wide]:
        """r, (K,), and J, (K, free steps)."""
        r, slope = self.residuals(theta[:, None])
        return r[0], slope[:, 0].T

    def bend(self, theta: Wide) -> Wide:
        """D, (K, free steps, free steps), in float64."""
        root, share, ends, pins = (part.astype(np.float64) for part in (self.root, self.share, self.ends, self.pins))
        coarse = _Valley(root, share, ends, pins, self.metric)
        nudged = theta.astype(np.float64)[:, None] + 1j * _TINY * np.eye(theta.size)
        by = np.moveaxis(coarse.residuals(nudged)[1].imag / _TINY, 2, 0)
        return (by + np.swapaxes(by, 1, 2)) / 2


class _Place(NamedTuple):
    """theta; F; in units of |r|: r, and J as U, S, V^T."""

    theta: Wide
    error: float
    residual: Wide
    left: Wide
    size: Wide
    right: Wide


def _place(valley: _Valley, theta: Wide) -> _Place:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        r, slope = valley.at(theta)
        square = r @ r
    if not 0 < square < np.inf or not np.isfinite(slope).all():
        return _Place(theta, np.inf, r, r, r, r)
    idle = max(0, theta.size - r.size)  # so that V is square with fewer residuals than steps
    r = np.append(r / np.sqrt(square), np.zeros(idle)).astype(np.float64)
    slope = np.vstack([slope / np.sqrt(square), np.zeros((idle, theta.size))]).astype(np.float64)
    return _Place(theta, float(square), r, *np.linalg.svd(slope, full_matrices=False))


def _returned(valley: _Valley, theta: Wide, norm: float, most: float) -> _Place:
    """The floor below theta, stiff in units of `norm`, by steps of length `most` at most."""
    here = best = _place(valley, theta)
    for _ in range(_RETURNS):
        if here.error == np.inf:
            break
        stiff = here.size * np.sqrt(here.error) > _STIFF * norm
        astray = here.left[:, stiff].T @ here.residual
        back = here.right[stiff].T @ (astray / here.size[stiff])
        if astray @ astray * here.error <= _ON_FLOOR * norm**2 or np.linalg.norm(back) > most:
            break
        here = _place(valley, here.theta - back)
        if here.error < best.error:
            best = here
    return best


def _bounded(slope: Wide, size: Wide, radius: float) -> Wide:
    """-slope/(size + mu), mu >= 0 the least that makes every size + mu > 0 and the step `radius` long at most."""
    least = max(_FLAT, -float(size.min()) * (1 + 1e-9) + _FLAT)
    low, high = 0.0, float(np.linalg.norm(slope)) / radius
    if np.linalg.norm(slope / (size + least)) <= radius:
        high = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        short = np.linalg.norm(slope / (size + least + middle)) <= radius
        low, high = (low, middle) if short else (middle, high)
    return -slope / (size + least + high)


def _model(valley: _Valley, here: _Place) -> tuple[Wide, Wide, Wide]:
    """Curvatures along the floor, the slopes of ln F along their axes, and the axes with the stiff ones' share."""
    stiff, count, bend = here.size > _STIFF, here.size.size, valley.bend(here.theta)
    rest = here.residual - here.left[:, stiff] @ (here.left[:, stiff].T @ here.residual)
    curved = (rest[: len(bend)] @ bend.reshape(len(bend), -1)).reshape(count, count) / np.sqrt(here.error)
    hessian = 2 * (np.diag(here.size**2) + here.right @ curved @ here.right.T)
    slaved = -np.linalg.solve(hessian[np.ix_(stiff, stiff)], hessian[np.ix_(stiff, ~stiff)])
    still = here.right[~stiff].sum(axis=1)  # along (1, .., 1) nothing changes: it is given curvature
    floor = hessian[np.ix_(~stiff, ~stiff)] + hessian[np.ix_(~stiff, stiff)] @ slaved + np.outer(still, still) / count
    size, axes = np.linalg.eigh(floor)
    along = axes.T @ (2 * here.size * (here.left.T @ rest))[~stiff]
    return size, along, (here.right[~stiff].T + here.right[stiff].T @ slaved) @ axes


def _descend(valley: _Valley, theta: Wide, shortest: float, rounds: int) -> tuple[Wide, bool]:
    """Where the search leads, or where a step becomes shorter than `shortest`; whether there is more to do."""
    here = _returned(valley, theta, np.sqrt(_place(valley, theta).error), 1.0)
    here = _returned(valley, here.theta, np.sqrt(here.error), 1.0)
    radius = 0.1
    for _ in range(rounds):
        if valley.turns(here.theta[:, None])[:, 0].min() < shortest * (1 - 1e-12):
            return here.theta, True
        size, along, axes = _model(valley, here)
        for _ in range(_SHRINKS):
            move = _bounded(along, size, radius)
            expected = -float(along @ move + move @ (size * move) / 2)
            length = float(np.linalg.norm(move))
            there = _returned(valley, here.theta + axes @ move, np.sqrt(here.error), max(0.5, 2 * length))
            gained = 1 - there.error / here.error
            if gained > 0.1 * expected or expected <= _UNSEEN:
                break
            radius = min(radius, length) / 3
        else:
            return here.theta, False
        here = there
        if expected <= _UNSEEN:
            return here.theta, False
        if gained > 0.5 * expected and length > 0.8 * radius:
            radius = min(2 * radius, _WIDEST)
        elif gained < 0.25 * expected:
            radius = length / 2
    return here.theta, False


def search(
    lengths: Wide,
    spectrum: Directions,
    *,
    ends: tuple[float, float],
    shortest: float,
    vanish: npt.NDArray[np.bool_] | None = None,
    rounds: int = 400,
) -> tuple[Wide, npt.NDArray[np.bool_]]:
    """The optimal step lengths of 2M near some, (T,) in long double, and which of them want to vanish.

    Args:
        lengths: (T,) where to start, near enough that c is within 1e-2 of 1.
        spectrum: what the optimum is for.
        ends: phi_0, phi_T.
        shortest: length of the steps that want to vanish.
        vanish: (T,) those that do; none by default.
        rounds: of the search at most.
    """
    turns = np.asarray(lengths).astype(np.longdouble)
    pins = np.where(np.zeros(turns.size, bool) if vanish is None else vanish, np.longdouble(shortest), np.nan)
    wide = [np.asarray(values).astype(np.longdouble) for values in (spectrum.root, spectrum.weight, ends)]
    while True:
        valley = _Valley(wide[0], np.sqrt(wide[1]), wide[2], pins, spectrum.metric)
        theta, more = _descend(valley, np.log(turns[valley.free]), shortest, rounds)
        turns = valley.turns(theta[:, None])[:, 0]
        if not more:
            return turns, ~valley.free
        pins = np.where(turns < shortest, np.longdouble(shortest), pins)
