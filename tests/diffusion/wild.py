"""Random schedules, as unpleasant as float angles allow, each from its number alone."""

from __future__ import annotations

import math

import numpy as np

HALF_PI = math.pi / 2
KINDS = ("random", "even", "wild gaps", "near 0", "near pi/2", "both ends", "adjacent floats", "mixture")


def _points(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """About n angles of one kind, in any order."""
    if kind == "even":
        start, stop = np.sort(rng.uniform(0, HALF_PI, 2))
        return np.linspace(start, stop, n)
    if kind == "wild gaps":
        gaps = 10 ** rng.uniform(-14, 0, n)
        return np.cumsum(gaps) * (rng.uniform(0.1, 1) * HALF_PI / gaps.sum())
    if kind == "near 0":
        return 10 ** rng.uniform(rng.choice([-12.0, -60.0]), 0, n)
    if kind == "near pi/2":
        return HALF_PI - 10 ** rng.uniform(-15.5, rng.choice([-10.0, -1.0]), n)
    if kind == "both ends":
        return np.concatenate((_points("near 0", n - n // 2, rng), _points("near pi/2", n // 2, rng)))
    if kind == "adjacent floats":
        start = rng.choice([rng.uniform(0, 1.5), 10 ** rng.uniform(-9, 0), HALF_PI - 10 ** rng.uniform(-10, -1)])
        return start + np.arange(n) * np.spacing(start)
    if kind == "mixture":
        parts = [_points(str(rng.choice(KINDS[:-1])), 1 + n // 4, rng) for _ in range(4)]
        return np.concatenate(parts)
    return rng.uniform(0, HALF_PI, n)


def wild_angles(number: int, steps: int | None = None) -> np.ndarray:
    """Schedule `number`: the kind and the ends cycle, T is 1..300 (or about `steps`), the rest is drawn."""
    rng = np.random.default_rng([20260313, number])
    kind, from_zero, to_half_pi = KINDS[number % 8], (number // 8) % 2, (number // 16) % 2
    if steps is None:
        steps = int(rng.choice([1, 2, 3, 300, rng.integers(1, 301), rng.integers(1, 101)]))
    points = _points(kind, max(2, steps + 1 - from_zero - to_half_pi), rng)
    ends = np.array([0.0] * from_zero + [HALF_PI] * to_half_pi)
    angles = np.unique(np.concatenate((points[(points > 0) & (points < HALF_PI)], ends)))
    angles = angles[: steps + 1] if not to_half_pi else angles[-steps - 1 :]
    return angles if angles.size > 1 else np.array([0.0, 1.0])
