"""Jacobians of maps of batches (n, d) by central differences of the sixth order: no formula, no tangent map."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.marginals import Array

__all__ = ["jacobians"]

_WEIGHTS = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}


def jacobians(function: Callable[[Array], Array], x: Array, step: float = 0.02) -> Array:
    """(n, d, d) of a function at points x, (n, d); the error is of the order of step^6 and eps/step."""
    (n, d), columns = x.shape, []
    moves = np.concatenate([sign * k * step * np.eye(d) for k in _WEIGHTS for sign in (1, -1)])
    values = function((x + moves[:, None]).reshape(-1, d)).reshape(3, 2, d, n, d)
    for k, (up, down) in zip(_WEIGHTS, values, strict=True):
        columns.append(_WEIGHTS[k] * (up - down) / step)
    return np.asarray(sum(columns).transpose(1, 2, 0))
