"""Mixtures, angles and points for the chain's kernels, with the size of what is added up and the largest logit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pifs_sim.kernels.mixture_chain import Law, Steps

HALF_PI = math.pi / 2
KINDS = {"shared": (0, 0), "own": (1, 0), "shared axes": (0, 1), "own axes": (1, 1)}


def steps_of(angles: Any) -> Steps:
    """Steps between angles whose differences need no more than a rounding."""
    angles = np.asarray(angles, dtype=np.float64)
    cos = np.where(angles == HALF_PI, 0.0, np.cos(angles))
    return Steps(cos, np.sin(angles), np.sin(np.diff(angles)))


def piece(steps: Steps, low: int, high: int) -> Steps:
    """The steps from angle `high` to angle `low`."""
    return Steps(steps.cos[low : high + 1], steps.sin[low : high + 1], steps.turn[low:high])


def draw_law(rng: np.random.Generator, count: int, d: int, kind: str) -> Law:
    """Means of any size, some off the origin, some close together; variances over seven decades, some zero."""
    means = 10.0 ** rng.uniform(-2, 1) * rng.standard_normal((count, d)) + rng.choice([0, 1, 30]) * rng.standard_normal(
        d
    )
    if count > 1 and rng.random() < 0.3:
        means[1] = means[0] + 10.0 ** rng.uniform(-6, 0) * rng.standard_normal(d)
    own, axes = KINDS[kind]
    variances = 10.0 ** rng.uniform(-6, 1, (count if own else 1, d if axes else 1))
    variances[rng.random(variances.shape) < rng.choice([0.0, 0.4])] = 0
    return Law(rng.dirichlet(np.ones(count)), means, variances)


def draw_angles(rng: np.random.Generator) -> Any:
    """phi_s < phi_t, with 0 and pi/2 among them."""
    high = rng.choice([HALF_PI, rng.uniform(0.01, 1.5), 10.0 ** rng.uniform(-4, 0)])
    return [rng.choice([0.0, high * rng.uniform(0.1, 0.99)]), high]


def draw_points(rng: np.random.Generator, law: Law, steps: Steps, n: int) -> Any:
    """Points that the law puts at the largest angle, half-way between components, and far out."""
    c, s = steps.cos[-1], steps.sin[-1]
    std = np.sqrt(np.broadcast_to(law.variances * c**2 + s**2, law.means.shape))
    near, other = rng.integers(0, len(law.means), (2, n))
    x = c * law.means[near] + rng.choice([0.1, 1.0, 3.0]) * std[near] * rng.standard_normal((n, law.means.shape[1]))
    x[: n // 4] = c * (law.means[near] + law.means[other])[: n // 4] / 2
    x[n // 4 : n // 3] *= 5
    return x


def logits(law: Law, steps: Steps, x: Any) -> Any:
    """(B, K) at the largest angle."""
    c, s = steps.cos[-1], steps.sin[-1]
    N = np.broadcast_to(law.variances * c**2 + s**2, law.means.shape)
    distances = [((x - c * mu) ** 2 / own).sum(axis=1) for mu, own in zip(law.means, N, strict=True)]
    return np.log(law.weights) - 0.5 * (np.stack(distances, axis=1) + np.log(N).sum(axis=1))


def rounding(law: Law, steps: Steps, x: Any) -> Any:
    """(B,) 50 eps (1 + largest |logit|) times the size of what a step adds up."""
    wide = x.astype(np.float64)
    size = np.maximum(np.abs(wide).max(axis=1), np.abs(law.means).max())
    return 50 * np.finfo(x.dtype).eps * (1 + np.abs(logits(law, steps, wide)).max(axis=1)) * size


def growth(law: Law, steps: Steps, x: Any) -> Any:
    """(B,) the size of what a step adds up for a tangent vector of length 1, over that of a point."""
    c, s, c_next, s_next = steps.cos[-1], steps.sin[-1], steps.cos[-2], steps.sin[-2]
    N = np.broadcast_to(law.variances * c**2 + s**2, law.means.shape)
    alpha, gamma = (law.variances * c * c_next + s * s_next) / N, steps.turn[-1] * s / N
    e = np.linalg.norm((x[:, None, :] - c * law.means) / N, axis=2)
    moved = np.linalg.norm(alpha * x[:, None, :], axis=2) + np.linalg.norm(gamma * law.means, axis=1)
    size = np.maximum(np.abs(x).max(axis=1), np.abs(law.means).max())
    return (alpha.max() + e.max(axis=1) * moved.max(axis=1)) / size
