"""Covariant Lyapunov vectors by Ginelli's method, and finite-time local exponents along an orbit.

Forward, J_n Q_n = Q_{n+1} R_{n+1} with Q converged from the far past. A vector v_j = Q c with c in the span of the
first j columns stays in that flag; run backward, c <- R^{-1} c converges to the covariant direction, J_n v_j(n)
parallel to v_j(n+1), and |J_n v_j(n)| is its local growth (Ginelli et al. 2007, Phys. Rev. Lett. 99, 130601).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import check_count, check_points
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.frames import advance, random_frame
from pifs_sim.dynamics.system import System
from pifs_sim.kernels import orthonormal

__all__ = ["CovariantVectors", "covariant_vectors", "local_exponents"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CovariantVectors:
    """Covariant vectors along orbits.

    Attributes:
        points: (N, B, d).
        vectors: (N, B, d, k) unit columns v_1, .., v_k at each point.
        growth: (N - 1, B, k) ln |J_n v_j(n)|; its mean over n is the exponent.
    """

    points: Array
    vectors: Array
    growth: Array

    __repr__ = one_line

    def angles(self, i: int, j: int) -> Array:
        """Angle in [0, pi/2] between v_i and v_j, (N, B), accurate near 0 too; ValueError unless 0 <= i, j < k."""
        a, b = self.vectors[..., i], self.vectors[..., j]
        b = b * np.where((a * b).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
        return np.asarray(2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1)))

    def splitting(self, j: int) -> Array:
        """Least angle between the span of the first j vectors and that of the others, (N, B): 0 at a tangency.

        Raises ValueError unless 0 < j < k.
        """
        check_count("j", j, 1, self.vectors.shape[-1] - 1)
        first, others = (np.linalg.qr(part)[0] for part in (self.vectors[..., :j], self.vectors[..., j:]))
        cosines = np.linalg.svd(np.swapaxes(first, -1, -2) @ others, compute_uv=False)[..., 0]
        remainder = others - first @ (np.swapaxes(first, -1, -2) @ others)
        sines = np.linalg.svd(remainder, compute_uv=False)[..., -1]
        return np.asarray(np.arctan2(sines, cosines))


def covariant_vectors(
    system: System,
    x0: Any,
    steps: int,
    *,
    k: int | None = None,
    transient: int = 1000,
    backward: int = 1000,
    rng: np.random.Generator | None = None,
) -> CovariantVectors:
    """The k leading covariant Lyapunov vectors at `steps` successive points of orbits.

    Args:
        system: its Jacobian may be singular only in directions beyond the first k.
        x0: (B, d) starting points.
        steps: N, the points at which the vectors are returned.
        k: number of vectors; d by default.
        transient: steps before these points, in which the frame converges; part of the chain for a finite one.
        backward: steps after them, in which the coefficients converge.
        rng: for the first frame and coefficients; a generator with seed 0 by default.

    Raises:
        ValueError: a count out of range, x0 of another dimension, an orbit that diverges, or a dead direction among
            the first k.
    """
    x = np.asarray(check_points(x0, system.dim, "x0"), dtype=np.float64)
    k = system.dim if k is None else k
    for name, value, low, high in (
        ("k", k, 1, system.dim),
        ("steps", steps, 1, None),
        ("transient", transient, 0, None),
        ("backward", backward, 0, None),
    ):
        check_count(name, value, low, high)
    if system.length is not None:
        check_count("transient + steps + backward", transient + steps + backward, 1, system.length)
    rng = np.random.default_rng(0) if rng is None else rng
    Q = random_frame(x, k, rng)
    if transient:
        moved = advance(system, x, Q, first=0, steps=transient, interval=1)
        x, Q = moved.x, moved.V
    points, frames, factors = [x], [Q], []
    for i in range(steps + backward - 1):
        x, V = system.tangent(x, transient + i, Q)
        Q, R = orthonormal.compute(V)
        if not np.isfinite(R).all() or (np.diagonal(R, axis1=1, axis2=2) == 0).any():
            raise ValueError(
                f"covariant vectors need finite orbits and k={k} live directions: step n={transient + i} has neither."
            )
        factors.append(R)
        if i < steps - 1:
            points.append(x)
            frames.append(Q)
    coefficients = np.triu(rng.standard_normal((x.shape[0], k, k))) + 2 * np.eye(k)
    vectors, growth = [], []
    for i in range(steps + backward - 1, -1, -1):
        coefficients = coefficients / np.linalg.norm(coefficients, axis=1, keepdims=True)
        if i < steps:
            vectors.append(frames[i] @ coefficients)
        if i > 0:
            coefficients = np.linalg.solve(factors[i - 1], coefficients)
            if i < steps:
                growth.append(-np.log(np.linalg.norm(coefficients, axis=1)))
    empty = np.empty((0, x.shape[0], k))
    return CovariantVectors(np.array(points), np.array(vectors[::-1]), np.array(growth[::-1]) if growth else empty)


def local_exponents(
    system: System,
    x0: Any,
    steps: int,
    *,
    window: int,
    k: int | None = None,
    transient: int = 0,
    rng: np.random.Generator | None = None,
) -> Array:
    """Finite-time exponents along orbits: the growth of the frame in successive windows, over their length.

    Args:
        system: see `System`.
        x0: (B, d).
        steps: steps in all, a multiple of `window`.
        window: steps in a window.
        k: number of exponents; d by default.
        transient: steps before the first window.
        rng: for the first frame; a generator with seed 0 by default.

    Returns:
        (steps/window, B, k), nan from where an orbit diverges, -inf for dead directions.

    Raises:
        ValueError: a count out of range, or `window` does not divide `steps`.
    """
    x = check_points(x0, system.dim, "x0")
    k = system.dim if k is None else k
    check_count("k", k, 1, system.dim)
    check_count("window", window, 1, None)
    check_count("transient", transient, 0, None)
    check_count("steps", steps, window, system.length)
    if steps % window:
        raise ValueError(f"`window` must divide `steps`, got {window} and {steps}.")
    Q = random_frame(x, k, np.random.default_rng(0) if rng is None else rng)
    n, rows = 0, []
    for count in [transient] * (transient > 0) + [window] * (steps // window):
        moved = advance(system, x, Q, first=n, steps=count, interval=1)
        n, x, Q = n + count, moved.x, moved.V
        rows.append(np.where(np.isfinite(x).all(axis=1)[:, None], moved.growth, np.nan) / count)
    return np.array(rows[transient > 0 :])
