"""Clouds, angles and points for the kernels of point clouds, with the rounding that a result may have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from pifs_sim.kernels.point_cloud_mean import Cloud, Level

HALF_PI = math.pi / 2
SEEDS = st.integers(0, 2**32 - 1)


def level_of(angles: Any) -> Level:
    """Exact at pi/2."""
    angles = np.atleast_1d(np.asarray(angles, dtype=np.float64))
    return Level(np.where(angles == HALF_PI, 0.0, np.cos(angles)), np.sin(angles))


def draw_cloud(rng: np.random.Generator, count: int, d: int, dtype: Any = np.float64) -> Cloud:
    """Points of any size, some far off the origin, two close together or equal; weights of all sizes, some 0."""
    points = 10.0 ** rng.uniform(-2, 1) * rng.standard_normal((count, d))
    points += rng.choice([0, 1, 30]) * rng.standard_normal(d)
    if count > 1 and rng.random() < 0.4:
        points[1] = points[0] + rng.choice([0.0, 10.0 ** rng.uniform(-6, 0)]) * rng.standard_normal(d)
    weights = rng.dirichlet(np.full(count, rng.choice([0.3, 1.0, 100.0]))) + 1e-30
    if count > 1 and rng.random() < 0.3:
        weights[rng.integers(count)] = 0
    return Cloud(points.astype(dtype), weights)


def draw_level(rng: np.random.Generator, batch: int) -> Level:
    """One angle or one for each: small ones and pi/2 among them."""
    angles = np.where(rng.random(batch) < 0.5, rng.uniform(0.01, 1.5, batch), 10.0 ** rng.uniform(-5, 0, batch))
    angles[rng.random(batch) < 0.1] = HALF_PI
    return level_of(angles if batch and rng.random() < 0.5 else [angles[0] if batch else 0.5])


def draw_points(rng: np.random.Generator, cloud: Cloud, level: Level, batch: int) -> Any:
    """Noised points, some half-way between two, some on one, some far out."""
    points, (cos, sin) = cloud.points.astype(np.float64), (part[:, None] for part in level)
    near, other = rng.integers(0, len(points), (2, batch))
    middle = (points[near] + points[other]) / 2
    kind = rng.random((batch, 1))
    x = cos * np.where(kind < 0.3, middle, points[near])
    x = x + np.where(kind > 0.8, 0.0, sin * rng.standard_normal((batch, points.shape[1])))
    return np.where((kind > 0.4) & (kind < 0.45), 5 * x, x).astype(cloud.points.dtype)


def slack(cloud: Cloud, level: Level, x: Any) -> Any:
    """(B,) 50 eps (1 + largest |logit|)."""
    live = cloud.weights > 0
    away = x[:, None, :].astype(np.float64) - level.cos[:, None, None] * cloud.points[live].astype(np.float64)
    logits = np.log(cloud.weights[live]) - (away**2).sum(axis=2) / (2 * level.sin[:, None] ** 2)
    return 50 * float(np.finfo(x.dtype).eps) * (1 + np.abs(logits).max(axis=1))


def size(cloud: Cloud) -> float:
    """The largest coordinate."""
    return float(np.abs(cloud.points).max())


def spread(cloud: Cloud) -> float:
    """The largest length of a point, times the largest distance from their middle, no less than its rounding."""
    points = cloud.points.astype(np.float64)
    length = np.linalg.norm(points, axis=1).max()
    away = np.linalg.norm(points - points.mean(axis=0), axis=1).max()
    return float(length * (away + float(np.finfo(cloud.points.dtype).eps) * length))
