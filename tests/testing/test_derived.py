"""Systems derived from others: their steps are those of the original, at the original's times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Map
from pifs_sim.testing.derived import Conjugate, Iterate, Reversed, orbit

A = np.array([[0.5, 0.2], [-0.3, 0.9]])
X = np.random.default_rng(0).standard_normal((3, 2))


def driven(x: Any, n: int) -> Any:
    return x @ A.T + n


SYSTEM = Map(driven, lambda x, n: np.broadcast_to(A, (len(x), 2, 2)), dim=2)  # noqa: ARG005


def test_an_iterate_takes_all_its_steps_at_their_own_times() -> None:
    """f^3 from the time 6: A^3 x + 6 A^2 1 + 7 A 1 + 8 1."""
    expected = X @ np.linalg.matrix_power(A, 3).T + (6 * A @ A + 7 * A + 8 * np.eye(2)).sum(axis=1)
    iterate = Iterate(SYSTEM, 3)
    assert_allclose(iterate.step(X, 2), expected, rtol=1e-14)
    moved, V = iterate.tangent(X, 2, np.broadcast_to(np.eye(2), (3, 2, 2)))
    assert_allclose(moved, expected, rtol=1e-14)
    assert_allclose(V, np.broadcast_to(np.linalg.matrix_power(A, 3), (3, 2, 2)), rtol=1e-13)


def test_a_conjugate_moves_as_the_original_in_other_coordinates() -> None:
    S = np.array([[2.0, 1.0], [0.5, -1.0]])
    ours = orbit(SYSTEM, X, 4)
    theirs = orbit(Conjugate(SYSTEM, S), X @ S.T, 4)
    assert_allclose(theirs, ours @ S.T, rtol=1e-12)


def test_steps_backwards_undo_those_forwards() -> None:
    back = Reversed(SYSTEM, lambda y, n: np.linalg.solve(A, (y - n).T).T, 4)
    there = orbit(SYSTEM, X, 4)
    assert_allclose(orbit(back, there[-1], 4)[::-1], there, rtol=1e-11, atol=1e-11)
