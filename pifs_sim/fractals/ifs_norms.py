"""How much affine maps contract, in a given norm or in an ellipsoidal one made for them.

In the norm |S x|_2 the constant of x -> A x + b is |X|_2, X = S A S^-1. The adapted norm minimises the largest of them
through its smooth upper bounds f_p = 1/2p ln sum_i tr (X_i^T X_i)^p, p = 1, 2, 4, ..; along S -> e^E S, E symmetric,
these are convex and have the gradient G = sum_i [(X_i X_i^T)^p - (X_i^T X_i)^p] / sum_i tr (X_i^T X_i)^p.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["adapted_norm", "constants"]

Floats = npt.NDArray[np.float64]

_POWERS = tuple(2**k for k in range(8))
_STEPS = 60  # of descent for each power
_WORST = 1e6  # condition of S that ends the descent


def constants(matrices: Floats, norm: Any) -> Floats:
    """Lipschitz constants (M,) of the maps; `norm` is 1, 2, inf or S (d, d)."""
    if isinstance(norm, np.ndarray):
        matrices, norm = norm @ matrices @ np.linalg.inv(norm), 2
    return np.asarray(np.linalg.norm(matrices, norm, axis=(1, 2)))


def adapted_norm(matrices: Floats) -> Floats:
    """S (d, d) of an ellipsoidal norm |S x|_2 in which the largest constant is about as small as in any.

    The identity where no norm does better, as the largest constant is that of an eigenvalue. Where the least value is
    not attained (a Jordan block) S is as far on the way as its condition, 1e6 at most, lets it be.

    Source: Protasov, Jungers, Blondel 2010, SIAM J. Matrix Anal. Appl. 31, 2146-2162, on the joint spectral radius.
    """
    S = best = np.eye(matrices.shape[1])
    least = float(constants(matrices, 2).max())
    floor = float(np.abs(np.linalg.eigvals(matrices)).max())
    if least <= floor * (1 + 1e-12):
        return best
    A = matrices / least
    for power in _POWERS:
        value, gradient = _smooth(S, A, power)
        step, gain = 1.0, 1.0
        for _ in range(_STEPS):
            slope = float((gradient**2).sum())
            if slope < 1e-28 or step < 1e-12 or gain < 1e-15:
                break
            other = _turned(-step * gradient) @ S
            lower, next_gradient = _smooth(other, A, power)
            if np.linalg.cond(other) < _WORST and lower < value - 0.25 * step * slope:
                gain = value - lower
                S, value, gradient, step = other, lower, next_gradient, 2 * step
            else:
                step /= 2
        reached = float(constants(matrices, S).max())
        if reached < least:
            best, least = S, reached
    return best


def _smooth(S: Floats, A: Floats, power: int) -> tuple[float, Floats]:
    """f_p and G."""
    X = S @ A @ np.linalg.inv(S)
    left, right = X @ X.swapaxes(1, 2), X.swapaxes(1, 2) @ X
    size = float(np.linalg.norm(left, 2, axis=(1, 2)).max())
    powers = [np.linalg.matrix_power(square / size, power).sum(axis=0) for square in (left, right)]
    total = float(np.trace(powers[0]))
    return 0.5 * np.log(size) + 0.5 / power * np.log(total), (powers[0] - powers[1]) / total


def _turned(E: Floats) -> Floats:
    """e^E of a symmetric matrix."""
    values, vectors = np.linalg.eigh((E + E.T) / 2)
    return np.asarray((vectors * np.exp(values)) @ vectors.T)
