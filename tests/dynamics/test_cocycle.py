"""Products of given and of random matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Cocycle, System, lyapunov_spectrum

RNG = np.random.default_rng(0)
SHARED, OWN = RNG.standard_normal((4, 3, 3)), RNG.standard_normal((4, 2, 3, 3))
X, V = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3, 2))


def gaussian(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.standard_normal((*shape, 3, 3))


@pytest.mark.parametrize("matrices", [SHARED, OWN], ids=["shared", "own"])
def test_each_step_applies_its_matrix(matrices: np.ndarray) -> None:
    system = Cocycle(matrices)
    assert isinstance(system, System)
    assert (system.dim, system.length) == (3, 4)
    for n, A in enumerate(matrices):
        moved, pushed = system.tangent(X, n, V)
        assert_allclose(moved, (A @ X[:, :, None])[:, :, 0], rtol=1e-14)
        assert_allclose(pushed, A @ V, rtol=1e-14)
        assert_allclose(system.cotangent(X, n, V), np.swapaxes(A, -1, -2) @ V, rtol=1e-14)
        assert np.array_equal(system.step(X, n), moved)


def test_periodic_matrices_repeat_for_ever() -> None:
    system = Cocycle(SHARED, periodic=True)
    assert system.length is None
    for n in (0, 3, 4, 1002):
        assert_allclose(system.step(X, n), X @ SHARED[n % 4].T, rtol=0, atol=1e-14)


def test_a_periodic_cocycle_has_the_exponents_of_its_period() -> None:
    """ln|eigenvalues of the product|/T; their moduli are apart, so the average over N steps errs by some units/N."""
    product = SHARED[3] @ SHARED[2] @ SHARED[1] @ SHARED[0]
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(product))))[::-1] / 4
    found = lyapunov_spectrum(Cocycle(SHARED, periodic=True), np.zeros((1, 3)), 4000, transient=400)
    assert_allclose(found.exponents, expected, rtol=0, atol=2e-3)
    assert found.exponents.sum() == pytest.approx(expected.sum(), abs=1e-13)


def test_random_matrices_depend_on_seed_and_step_alone() -> None:
    """Also across the edge of a chunk of draws, in any order, and after other batch sizes."""
    system, other = (Cocycle.random(gaussian, dim=3, seed=5) for _ in range(2))
    steps = [0, 255, 256, 600, 3]
    forward = [system.step(X, n) for n in steps]
    other.step(np.zeros((5, 3)), 256)
    backward = [other.step(X, n) for n in reversed(steps)]
    for one, two in zip(forward, reversed(backward), strict=True):
        assert np.array_equal(one, two)
    assert not np.array_equal(forward[0], Cocycle.random(gaussian, dim=3, seed=6).step(X, 0))
    assert not np.array_equal(forward[1], forward[2])


def test_random_matrices_are_those_of_the_draw() -> None:
    """The ones that `draw` gives for the generator of [seed, chunk]: independent over orbits and steps."""
    drawn = []

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
        drawn.append(gaussian(rng, shape))
        return drawn[-1]

    system = Cocycle.random(draw, dim=3, seed=1, length=700)
    assert system.length == 700
    assert_allclose(system.step(X, 2), (drawn[0][2] @ X[:, :, None])[:, :, 0], rtol=1e-14)
    assert_allclose(system.cotangent(X, 300, V), np.swapaxes(drawn[1][300 - 256], -1, -2) @ V, rtol=1e-14)
    assert len(drawn) == 2
    assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0][:, 0], drawn[0][:, 1])


def test_float_points_stay_single() -> None:
    for system in (Cocycle(SHARED), Cocycle.random(gaussian, dim=3, seed=0)):
        moved, pushed = system.tangent(X.astype("f"), 0, V.astype("f"))
        assert moved.dtype == pushed.dtype == system.cotangent(X.astype("f"), 0, V.astype("f")).dtype == np.float32


def test_given_matrices_are_kept_when_the_array_changes() -> None:
    matrices = SHARED.copy()
    system = Cocycle(matrices)
    matrices[:] = 0
    assert_allclose(system.step(X, 0), X @ SHARED[0].T, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "matrices",
    [
        np.ones((2, 2)),
        np.ones((2, 2, 3)),
        np.ones((0, 2, 2)),
        np.ones((1, 2, 3, 2, 2)),
        np.ones((1, 0, 0)),
        [["a"]],
        None,
    ],
    ids=str,
)
def test_bad_matrices_are_refused_by_name(matrices: Any) -> None:
    with pytest.raises(ValueError, match="`matrices` must"):
        Cocycle(matrices)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_matrices_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="`matrices` must be finite"):
        Cocycle([[[1.0, bad], [0.0, 1.0]]])


@pytest.mark.parametrize("n", [-1, 4])
def test_steps_outside_the_chain_are_refused(n: int) -> None:
    for call in (Cocycle(SHARED).step, lambda x, n: Cocycle(SHARED).cotangent(x, n, V)):
        with pytest.raises(ValueError, match=rf"`n` must be in 0..3, got {n}"):
            call(X, n)


@pytest.mark.parametrize(("options", "message"), [({"dim": 0}, "`dim`"), ({"length": 0}, "`length`")])
def test_bad_random_cocycles_are_refused_by_name(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cocycle.random(gaussian, **({"dim": 3, "seed": 0} | options))


def test_draws_of_a_wrong_shape_are_refused() -> None:
    system = Cocycle.random(gaussian, dim=2, seed=0)
    with pytest.raises(ValueError, match=r"`draw` must return shape \(256, 1, 2, 2\), got \(256, 1, 3, 3\)"):
        system.step(np.zeros((1, 2)), 0)


def test_batches_that_do_not_fit_the_matrices_are_refused() -> None:
    with pytest.raises(ValueError, match="`x`"):
        Cocycle(OWN).step(np.zeros((3, 3)), 0)
