"""The posterior mean of the empirical law of points: softmax attention of x to all of them, streamed.

The law is sum_i w_i delta(y_i). At the angle phi, with c = cos(phi) and v = sin^2(phi),

    x_hat = sum_i r_i y_i,     r_i proportional to exp(l_i),     l_i = ln w_i - |x - c y_i|^2/(2 v),

which is ln w_i + c <x, y_i>/v - c^2 |y_i|^2/(2 v) but for what all share. Points come in tiles, each sample keeping the
largest logit so far, the sum of powers below it and what they weigh: no array of samples times points is made. Logits
are those of differences in float64 wherever their rounding counts, whatever the dtype: of two points at almost the same
distance the nearer one wins. At angle 0 that is the nearest point; points equally near, to rounding, share by the limit
w_i exp(-<x - y_i, y_i>/2).

Shapes: points (K, d) and x (B, d) of one dtype, float32 or float64; weights (K,), cos and sin (1,) or (B,) in float64.
NumPy or CuPy arrays, the same kind out. Time is linear in B K d.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["Cloud", "Estimate", "Level", "check", "compute", "moved", "separated"]

_LIMITS = {4: 1e15, 8: 1e140}  # of points, by the size of a number: squares and their sums are finite
_SMALL = 1e-100  # sines below count as 0: their squares are hardly floats


class Cloud(NamedTuple):
    """Points and their weights."""

    points: Any
    weights: Any


class Level(NamedTuple):
    """Cosines and sines of angles in [0, pi/2]."""

    cos: Any
    sin: Any


class Estimate(NamedTuple):
    """mean x_hat (B, d), and logs ln sum_i w_i exp(-|x - c y_i|^2/(2 v)), (B,) in float64, accurate as x's dtype."""

    mean: Any
    logs: Any


def compute(
    cloud: Cloud,
    level: Level,
    x: Any,
    *,
    threads: int | None = None,
    max_memory: float | None = None,
    backend: Backend | None = None,
) -> Estimate:
    """The means and the logarithms of the sums.

    Args:
        cloud: the points.
        level: the angles.
        x: (B, d).
        threads: of the CPU; None takes Numba's number.
        max_memory: bytes beyond arguments and results, about: so many points are prepared at a time. None: 256 MB.
        backend: None takes "cpu" for NumPy arrays and "cuda" for CuPy arrays.

    Raises:
        ValueError: arrays of other shapes or dtypes, values out of range, or a backend that is unknown or cannot take
            the arrays.
        MemoryError: means that do not fit into the GPU's memory.
    """
    backend = chosen(backend, x=x, **cloud._asdict(), **level._asdict())
    check(cloud, level, x, threads=threads, max_memory=max_memory)
    cloud, level, here = separated(cloud, level)
    if here.all():
        from pifs_sim.kernels.point_cloud_mean import nearest

        return nearest.Ties(cloud, x).estimate()
    if here.any():
        given = Level(level.cos[~here], level.sin[~here])
        parts = [
            (where, compute(cloud, own, x[where], threads=threads, max_memory=max_memory, backend=backend))
            for where, own in ((~here, given), (here, Level(level.cos[here], level.sin[here])))
        ]
        logs = np.empty_like(x, dtype=np.float64, shape=x.shape[:1])
        found = Estimate(np.empty_like(x), logs)
        for where, part in parts:
            found.mean[where], found.logs[where] = part
        return found
    return module_of(__name__, backend).compute(cloud, level, x, threads=threads, max_memory=max_memory)


def separated(cloud: Cloud, level: Level) -> tuple[Cloud, Level, Any]:
    """The points of some weight; the angles; and which of these are 0."""
    live = cloud.weights > 0
    if not live.all():
        cloud = Cloud(cloud.points[live], cloud.weights[live])
    return cloud, level, level.sin < _SMALL


def moved(level: Level) -> tuple[Any, Any]:
    """near and far (A,) with x - near y - far y = x - cos y, where what cancels is exact at small angles."""
    cos, sin = level
    small = cos > 0.5
    return np.where(small, 1.0, cos), np.where(small, -(sin**2) / (1 + cos), 0.0)


def check(cloud: Cloud, level: Level, x: Any, *, threads: int | None, max_memory: float | None) -> None:
    """ValueError unless all of them, `threads` and `max_memory` too, are as the door says."""
    points, weights = cloud
    if points.ndim != 2 or 0 in points.shape or weights.shape != points.shape[:1]:
        raise ValueError(
            f"`points` and `weights` must have shapes (K, d) and (K,), got {points.shape} and {weights.shape}."
        )
    if x.ndim != 2 or x.shape[1] != points.shape[1]:
        raise ValueError(f"`x` must have shape (batch, {points.shape[1]}) like `points`, got {x.shape}.")
    if x.dtype not in (np.float32, np.float64) or x.dtype != points.dtype:
        raise ValueError(
            f"`x` and `points` must be of one dtype, float32 or float64, got {x.dtype} and {points.dtype}."
        )
    for name, values in {"weights": weights, **level._asdict()}.items():
        if values.dtype != np.float64:
            raise ValueError(f"`{name}` must be of float64, got {values.dtype}.")
    if not ((weights >= 0) & (weights < np.inf)).all() or not (weights > 0).any():
        raise ValueError("`weights` must be finite and not negative, nor all 0.")
    limit = _LIMITS[x.dtype.itemsize]
    for name, values in (("x", x), ("points", points)):
        if not (abs(values) <= limit).all():
            raise ValueError(f"`{name}` must be finite and within {limit:g} of 0.")
    if level.cos.shape != level.sin.shape or level.cos.shape not in ((1,), x.shape[:1]):
        raise ValueError(
            f"`cos` and `sin` must have shape (1,) or ({x.shape[0]},), got {level.cos.shape} and {level.sin.shape}."
        )
    if not ((level.cos >= 0) & (level.cos <= 1) & (level.sin >= 0) & (level.sin <= 1)).all():
        raise ValueError("`cos` and `sin` must be of angles within [0, pi/2].")
    if threads is not None and threads < 1:
        raise ValueError(f"`threads` must be at least 1, got {threads!r}.")
    if max_memory is not None and not max_memory > 0:
        raise ValueError(f"`max_memory` must be positive, got {max_memory!r}.")
