"""What steps need of the components: computed once, in double precision, in the order in which the steps are taken.

With std^2 = N = v cos^2 + sin^2 all is made of quotients by std, so that nothing under- or overflows at small angles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["Array", "Coefficients", "coefficients", "narrow", "parted", "pieces", "several", "simplified"]

Array = npt.NDArray[Any]

_TABLES = 1 << 26
_SHARPEST = {"float32": 1e15, "float64": 1e140}  # most 1/sqrt(N) of logits: it decides as well, and does not overflow


class Coefficients(NamedTuple):
    """Of S steps, R = 1 (shared) or K components and m = 1 (isotropic) or d axes, in float64.

    Attributes:
        cos: (S,) of the angle where each step begins.
        drop: (S,) 1 - cos.
        along: (S, R, m) alpha.
        onto: (S, R, m) gamma.
        halves: (S, R, m) log2(e)/(2 N).
        prior: (S, K) log2 of the weight over the square root of the determinant, less the largest of the step.
    """

    cos: Array
    drop: Array
    along: Array
    onto: Array
    halves: Array
    prior: Array


def simplified(law: Law) -> Law:
    """The same law without components of no weight, its variances in one row or column where all are equal."""
    weights, means, v = law
    live = weights > 0
    if not live.all():
        weights, means, v = weights[live], means[live], v if len(v) == 1 else v[live]
    v = v[:1] if (v == v[:1]).all() else v
    return type(law)(weights, means, v[:, :1] if (v == v[:, :1]).all() else v)


def several(steps: Steps, each: int) -> int:
    """For how many steps tables are made at once, if they take so many bytes a step."""
    return min(len(steps.turn), max(1, _TABLES // each))


def pieces(steps: Steps, rows: tuple[int, ...], size: int) -> Iterator[tuple[Steps, Array]]:
    """So many steps at a time, in their order, and the place in `rows` of each one's end, or -1."""
    for stop in range(len(steps.turn), rows[0], -size):
        start = max(stop - size, rows[0])
        slots = [rows.index(t) if t in rows else -1 for t in range(stop - 1, start - 1, -1)]
        cos, sin = (values[start : stop + 1] for values in steps[:2])
        yield type(steps)(cos, sin, steps.turn[start:stop]), np.array(slots, np.int64)


def coefficients(law: Law, steps: Steps, dtype: Any) -> Coefficients:
    """All of them, for points of a dtype."""
    c, s = (values[:0:-1, None, None] for values in steps[:2])
    c_next, s_next = (values[-2::-1, None, None] for values in steps[:2])
    root = np.sqrt(law.variances)
    std = np.hypot(root * c, s)
    signal, noise = root * c / std, s / std
    prior = np.log2(law.weights) - np.log2(std).sum(axis=2) * (law.means.shape[1] // std.shape[2])
    return Coefficients(
        c[:, 0, 0],
        (s * s / (1 + c))[:, 0, 0],
        signal * (root * c_next / std) + noise * (s_next / std),
        noise * (steps.turn[::-1, None, None] / std),
        math.log2(math.e) / 2 * np.minimum(1 / std, _SHARPEST[np.dtype(dtype).name]) ** 2,
        prior - prior.max(axis=1, keepdims=True),
    )


def parted(known: Coefficients, means: Array, dtype: Any) -> tuple[Array, Array]:
    """The diffused centres cos mu as two numbers (S, K, d), to be subtracted from x in turn, x - cos mu to a rounding.

    In float32 what the first lacks is the second. In float64 they are mu and -(1 - cos) mu at small angles: the first
    difference is exact near a centre, the second number small.
    """
    if dtype == np.float32:
        exact = known.cos[:, None, None] * means
        return exact, exact - exact.astype(dtype)
    small = known.cos > 0.5
    near, far = np.where(small, 1.0, known.cos), np.where(small, -known.drop, 0.0)
    return near[:, None, None] * means, far[:, None, None] * means


def narrow(law: Law, steps: Steps, dtype: Any) -> tuple[Array, Array, Array]:
    """The tables of `narrow.advance`: (S, K, 2 d + m + 1), (S, K, m + d) and (S,), of the dtype."""
    known = coefficients(law, steps, dtype)
    sharpness = known.halves.max(axis=(1, 2))
    shape = (*known.prior.shape, 1)
    eta, along = (
        np.broadcast_to(part, shape[:2] + part.shape[2:])
        for part in (known.halves / sharpness[:, None, None], known.along)
    )
    priors = known.prior / sharpness[:, None]
    near = np.concatenate([*parted(known, law.means, dtype), -eta, priors.reshape(shape)], axis=2)
    mixing = np.concatenate([along, known.onto * law.means], axis=2)
    return near.astype(dtype), mixing.astype(dtype), sharpness.astype(dtype)
