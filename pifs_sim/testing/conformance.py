"""What every `System` must satisfy, checked on orbits of it.

One step: f and Df V keep shape and precision, write to nothing, repeat themselves and treat orbits apart; Df is
linear, agrees with differences of f, and <Df^T U, V> = <U, Df V>. Many steps, on the same recorded points:
sum_j lambda_j = <ln |det Df|>; the whole product's exponents are its singular values; k exponents are the first k of
d; lambda(f^m) = m lambda(f); y = S x changes no exponent; backwards they are the negatives in reverse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics import System
from pifs_sim.dynamics.arrays import check_count, check_points
from pifs_sim.testing import single_steps, whole_orbits
from pifs_sim.testing.derived import orbit
from pifs_sim.testing.subject import EPS, ConformanceError, Subject

__all__ = ["ConformanceError", "check_system"]


def check_system(
    system: System,
    x0: npt.ArrayLike,
    *,
    steps: int = 64,
    power: int = 2,
    rng: np.random.Generator | None = None,
    inverse: Callable[[Any, int], Any] | None = None,
    by_orbit: bool = True,
    single: bool = True,
    derivative_error: float = 0.0,
) -> None:
    """Put a system to the rules of this module, on NumPy arrays in double precision (and one step in single).

    Args:
        system: a finite chain is followed over its first `steps` steps.
        x0: (B, d) starts of orbits that stay finite, away from kinks and jumps of the map; B >= 2 to compare batches.
        steps: N, how far the orbits are followed.
        power: m of the iterate, at most N.
        rng: of frames and vectors; a generator with seed 0 by default.
        inverse: inverse(y, n) giving the x with f(x, n) = y, to check time reversal.
        by_orbit: whether an orbit alone does what it does in a batch; False where each orbit has matrices of its own.
        single: whether single precision is checked too.
        derivative_error: relative error of the system's derivative beyond rounding, about 1e-9 for differences.

    Raises:
        ConformanceError: an AssertionError, with one sentence on the rule that is broken.
        ValueError: x0 of another dimension, orbits that do not stay finite, or a count out of range.
    """
    x = np.array(check_points(x0, system.dim, "x0"), dtype=np.float64)
    check_count("steps", steps, 1, None)
    steps = steps if system.length is None else min(steps, system.length)
    check_count("power", power, 1, steps)
    rng = np.random.default_rng(0) if rng is None else rng
    V, U = rng.standard_normal((2, *x.shape, 2))
    single_steps.check_kind(system, x, V, single=single)
    points = orbit(system, x, steps)
    if not (len(x) and np.isfinite(points).all()):
        raise ValueError(f"`x0` must start at least one orbit, and orbits that stay finite for {steps} steps.")
    identity = np.broadcast_to(np.eye(system.dim), (len(x), system.dim, system.dim))
    jacobians = np.array([system.tangent(points[n], n, identity)[1] for n in range(steps)])
    singular_values = np.linalg.svd(jacobians, compute_uv=False)
    error, seed = max(EPS, derivative_error), int(rng.integers(2**32))
    subject = Subject(system, points, jacobians, singular_values, error, seed)
    for n in sorted({0, min(1, steps - 1), steps // 2, steps - 1}):
        if by_orbit:
            single_steps.check_batch(subject, n, V)
        single_steps.check_tangent(subject, n, V)
        single_steps.check_cotangent(subject, n, V, U)
        single_steps.check_growth(subject, n)
    whole_orbits.check_sums(subject)
    whole_orbits.check_whole(subject)
    whole_orbits.check_prefix(subject)
    whole_orbits.check_iterate(subject, power)
    whole_orbits.check_conjugate(subject, rng)
    if inverse is not None:
        whole_orbits.check_reversal(subject, inverse)
