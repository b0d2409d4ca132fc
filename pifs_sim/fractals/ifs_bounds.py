"""A box that certainly holds the attractor K of affine contractions, and hardly more.

The support function h(u) = max_{x in K} <u, x> satisfies h(u) = max_i [<u, b_i> + h(A_i^T u)]. With constants at most
s < 1 in a norm, K lies in the ball of radius R = max_i |f_i(c) - c|/(1 - s) about any c, so h(u) <= <u, c> + R |u|* in
the dual norm; the fixed points of the maps lie in K and bound h from below. The equation is unfolded until the two
bounds meet, and branches that cannot reach the maximum are cut off: what is left is an upper bound at any time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["bounding_box"]

Floats = npt.NDArray[np.float64]

_BRANCHES, _DEPTH = 4096, 10_000
_EPS = float(np.finfo(np.float64).eps)


def bounding_box(A: Floats, b: Floats, norm: Any, largest: float, fixed: Floats) -> tuple[Floats, Floats]:
    """Corners (d,) of the box, from the norm (1, inf or S for |S x|_2), the largest constant and the fixed points."""
    d = A.shape[1]
    S = norm if isinstance(norm, np.ndarray) else np.eye(d)
    kind = 2 if isinstance(norm, np.ndarray) else norm
    inverse, dual = np.linalg.inv(S), {1: np.inf, 2: 2, np.inf: 1}[kind]
    centre = fixed.mean(axis=0)
    radius = float(np.linalg.norm((A @ centre + b - centre) @ S.T, kind, axis=1).max()) / (1 - largest)
    size = float(np.abs(centre).max() + radius * np.linalg.norm(inverse, 2))
    # what rounding adds to an orbit in floats, and to the sums here
    pad = 8 * (d + 2) * _EPS * float(np.linalg.cond(S)) * size / (1 - largest)

    def support(u: Floats) -> float:
        values, directions = np.zeros(1), u[None]
        for _ in range(_DEPTH):
            upper = values + directions @ centre + radius * np.linalg.norm(directions @ inverse, dual, axis=1)
            reached = float((values + (directions @ fixed.T).max(axis=1)).max())
            kept = upper > reached
            if upper.max() <= reached + pad or np.count_nonzero(kept) * len(A) > _BRANCHES:
                break
            values = (values[kept, None] + directions[kept] @ b.T).ravel()
            directions = np.einsum("kr,irc->kic", directions[kept], A).reshape(-1, d)
            values, directions = _merged(values, directions)
        return float(upper.max())

    high, low = ([support(sign * u) for u in np.eye(d)] for sign in (1.0, -1.0))
    return -np.array(low) - pad, np.array(high) + pad


def _merged(values: Floats, directions: Floats) -> tuple[Floats, Floats]:
    """Equal directions once, each with its largest value."""
    unique, same = np.unique(directions, axis=0, return_inverse=True)
    largest = np.full(len(unique), -np.inf)
    np.maximum.at(largest, same.ravel(), values)
    return largest, unique
