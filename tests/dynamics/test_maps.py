"""Maps from functions of batches, compiled maps, and their tangent systems."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Map, System, Tangent
from tests.dynamics import textbook as maps

SEEDS = st.integers(0, 2**32 - 1)
POINTS = maps.henon_starts(3)
FRAMES = np.random.default_rng(1).standard_normal((3, 2, 2))


def network(seed: int, d: int) -> tuple[Any, Any]:
    """x -> exp(A x sin(n + 1)) and its Jacobian; real-analytic, and of complex points too."""
    A = np.random.default_rng(seed).standard_normal((d, d)) / d

    def step(x: Any, n: int) -> Any:
        return np.exp(x @ A.T * np.sin(n + 1))

    def jacobian(x: Any, n: int) -> Any:
        return step(x, n)[:, :, None] * A * np.sin(n + 1)

    return step, jacobian


@given(seed=SEEDS, d=st.integers(1, 4), n=st.integers(0, 5))
@settings(max_examples=30)
def test_derivatives_by_name_equal_the_jacobian(seed: int, d: int, n: int) -> None:
    """A complex step errs by rounding; central differences by h^2 f'''/6 + eps f/h, 1e-10 of f, f' and f'''."""
    step, jacobian = network(seed, d)
    rng = np.random.default_rng(seed + 1)
    x, V = rng.standard_normal((2, d)), rng.standard_normal((2, d, 3))
    exact = Map(step, jacobian, dim=d).tangent(x, n, V)[1]
    size = np.abs(step(x, n)).max() * (1 + np.abs(V).max()) ** 3
    complex_step = Map(step, dim=d, derivative="complex-step").tangent(x, n, V)[1]
    assert_allclose(complex_step, exact, rtol=0, atol=1e-14 * size)
    differences = Map(step, dim=d, derivative="finite-difference").tangent(x, n, V)[1]
    assert_allclose(differences, exact, rtol=0, atol=1e-9 * size)


def test_a_map_without_derivative_never_guesses_one() -> None:
    bare = Map(maps.henon_batch, dim=2)
    assert np.array_equal(bare.step(POINTS, 0), maps.HENON_BATCH.step(POINTS, 0))
    for call in (lambda: bare.tangent(POINTS, 0, FRAMES), lambda: bare.jacobian(POINTS, 0)):
        with pytest.raises(ValueError, match="no derivative: give `jacobian` or `tangent`, or derivative='complex-st"):
            call()
    assert not hasattr(bare, "cotangent")


def test_a_tangent_function_is_the_jacobian_times_v() -> None:
    by_tangent = Map(
        maps.henon_batch,
        tangent=lambda x, n, V: np.stack([-2.8 * x[:, :1] * V[:, 0] + V[:, 1], 0.3 * V[:, 0]], axis=1),  # noqa: ARG005
        dim=2,
    )
    assert_allclose(
        by_tangent.tangent(POINTS, 0, FRAMES)[1], maps.HENON_BATCH.tangent(POINTS, 0, FRAMES)[1], rtol=1e-15
    )
    assert_allclose(by_tangent.jacobian(POINTS, 0), maps.henon_jacobians(POINTS, 0), rtol=1e-15)
    assert not hasattr(by_tangent, "cotangent")


def test_the_cotangent_is_the_transpose() -> None:
    expected = np.swapaxes(maps.henon_jacobians(POINTS, 0), 1, 2) @ FRAMES
    assert_allclose(maps.HENON_BATCH.cotangent(POINTS, 0, FRAMES), expected, rtol=1e-15)
    given = Map(maps.henon_batch, maps.henon_jacobians, dim=2, cotangent=lambda x, n, U: 2 * U)  # noqa: ARG005
    assert np.array_equal(given.cotangent(POINTS, 0, FRAMES), 2 * FRAMES)


@pytest.mark.parametrize("name", ["HENON", "HENON_ARRAYS", "HENON_WRITING", "HENON_TANGENT"])
def test_every_compiled_form_is_the_map_of_batches(name: str) -> None:
    """By the reference backend, which calls the functions as they are."""
    from pifs_sim.kernels import orbits

    rule = getattr(maps, name).rule
    moved = orbits.compute(rule, POINTS, FRAMES, first=0, steps=1, interval=0, backend="reference")
    expected = maps.HENON_BATCH.tangent(POINTS, 0, FRAMES)
    assert_allclose(moved.x, expected[0], rtol=1e-15)
    assert_allclose(moved.V, expected[1], rtol=1e-14, atol=1e-15)


def test_a_compiled_map_is_the_map_of_batches() -> None:
    for x in (POINTS, POINTS[:0]):
        V = FRAMES[: len(x)]
        moved, pushed = maps.HENON.tangent(x, 0, V)
        assert_allclose(moved, maps.HENON_BATCH.step(x, 0), rtol=1e-15)
        assert_allclose(pushed, maps.HENON_BATCH.tangent(x, 0, V)[1], rtol=1e-14, atol=1e-15)
        assert np.array_equal(maps.HENON.step(x, 0), moved)


def test_integers_become_floats_and_maps_are_systems() -> None:
    assert isinstance(maps.HENON, System)
    assert isinstance(maps.HENON_BATCH, System)
    for system in (maps.HENON, maps.HENON_BATCH):
        assert np.array_equal(system.step([[1, 2]], 0), [[1 - 1.4 + 2, 0.3]])


@given(p=st.integers(1, 3), seed=SEEDS)
@settings(max_examples=20)
def test_a_tangent_systems_step_is_the_tangent_map(p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, V = rng.uniform(0, 0.2, (3, 2)), rng.standard_normal((3, 2, p))
    system = Tangent(maps.HENON_BATCH, p)
    assert (system.dim, system.length) == (2 + 2 * p, None)
    moved, pushed = maps.HENON_BATCH.tangent(x, 0, V)
    assert np.array_equal(system.step(system.pack(x, V), 0), system.pack(moved, pushed))


def test_a_tangent_system_has_the_second_tangent_map() -> None:
    """D(x, v) -> (f, Df v) takes (a, b) to (Df a, D^2 f[v, a] + Df b), and Henon's D^2 f[v, a] is (-2.8 v_0 a_0, 0)."""
    rng = np.random.default_rng(3)
    v, a, b = rng.standard_normal((3, 3, 2))
    system = Tangent(maps.HENON_BATCH, 1, derivative="finite-difference")
    W = np.concatenate([a, b], axis=1)[:, :, None]
    got = system.tangent(system.pack(POINTS, v[:, :, None]), 0, W)[1][:, :, 0]
    J = maps.henon_jacobians(POINTS, 0)
    second = np.stack([-2.8 * v[:, 0] * a[:, 0], np.zeros(3)], axis=1)
    expected = np.concatenate([(J @ a[:, :, None])[:, :, 0], second + (J @ b[:, :, None])[:, :, 0]], axis=1)
    assert_allclose(got, expected, rtol=0, atol=1e-8)
    with pytest.raises(ValueError, match="no derivative"):
        Tangent(maps.HENON_BATCH, 1).tangent(system.pack(POINTS, v[:, :, None]), 0, W)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "`dim` must be an integer of at least 1, got 0"),
        ({"length": 0}, "`length` must be None or at least 1, got 0"),
        ({"tangent": lambda x, n, V: V}, "one of `jacobian`, `tangent` and `derivative`, not several"),  # noqa: ARG005
        ({"derivative": "complex-step"}, "one of `jacobian`, `tangent` and `derivative`, not several"),
        ({"jacobian": None, "derivative": "autodiff"}, "`derivative` must be one of complex-step, finite-difference"),
    ],
)
def test_bad_maps_are_refused_by_name(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Map(**({"step": maps.henon_batch, "jacobian": maps.henon_jacobians, "dim": 2} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "`dim`"),
        ({"length": 0}, "`length` must be None or at least 1, got 0"),
        ({"jacobian": None}, "needs `jacobian` or `tangent`"),
    ],
)
def test_bad_compiled_maps_are_refused_by_name(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Map.compiled(**({"step": maps.henon_step, "jacobian": maps.henon_jacobian, "dim": 2} | options))


@pytest.mark.parametrize(
    ("step", "jacobian", "message"),
    [
        (lambda x, n: x[:, :1], maps.henon_jacobians, r"`step` must return shape \(3, 2\), got \(3, 1\)"),  # noqa: ARG005
        (lambda x, n: x[0], maps.henon_jacobians, r"`step` must return shape \(3, 2\), got \(2,\)"),  # noqa: ARG005
        (maps.henon_batch, lambda x, n: np.eye(2), r"`jacobian` must return shape \(3, 2, 2\), got \(2, 2\)"),  # noqa: ARG005
        (maps.henon_batch, lambda x, n: np.ones((3, 2, 3)), r"`jacobian` must return .*, got \(3, 2, 3\)"),  # noqa: ARG005
    ],
)
def test_results_of_a_wrong_shape_are_refused_by_name(step: Any, jacobian: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Map(step, jacobian, dim=2).tangent(POINTS, 0, FRAMES)


def test_a_tangent_of_a_wrong_shape_is_refused_by_name() -> None:
    bad = Map(maps.henon_batch, tangent=lambda x, n, V: V[:, :, :1], dim=2, cotangent=lambda x, n, U: U[:1])  # noqa: ARG005
    with pytest.raises(ValueError, match=r"`tangent` must return shape \(3, 2, 2\), got \(3, 2, 1\)"):
        bad.tangent(POINTS, 0, FRAMES)
    with pytest.raises(ValueError, match=r"`cotangent` must return shape \(3, 2, 2\), got \(1, 2, 2\)"):
        bad.cotangent(POINTS, 0, FRAMES)


def spoiled(x: Any, n: int) -> Any:
    """NaN in the Jacobian of the second orbit at n = 3."""
    J = maps.henon_jacobians(x, n)
    J[1:2, 0, 0] = np.nan if n == 3 else 0.0
    return J


def test_a_jacobian_that_is_not_finite_is_refused_with_step_and_orbit() -> None:
    system = Map(maps.henon_batch, spoiled, dim=2)
    system.tangent(POINTS, 2, FRAMES)
    with pytest.raises(ValueError, match="`jacobian` is not finite at step n=3, orbit 1, x="):
        system.tangent(POINTS, 3, FRAMES)
    with pytest.raises(ValueError, match="`jacobian` is not finite at step n=3, orbit 1, x="):
        system.cotangent(POINTS, 3, FRAMES)


def test_bad_tangent_systems_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`p` must be at least 1, got 0"):
        Tangent(maps.HENON_BATCH, 0)
    with pytest.raises(ValueError, match="`derivative` must be"):
        Tangent(maps.HENON_BATCH, 1, derivative="complex-step")


@pytest.mark.parametrize("x", [[0.0, 0.0], [[0.0]], [["a", "b"]], None, np.array([[1j, 0]])], ids=str)
def test_bad_points_are_refused_by_name(x: Any) -> None:
    for system in (maps.HENON, maps.HENON_BATCH):
        for call in (lambda s=system: s.step(x, 0), lambda s=system: s.tangent(x, 0, FRAMES)):
            with pytest.raises(ValueError, match="`x` must"):
                call()


@pytest.mark.parametrize("V", [np.ones((3, 2)), np.ones((3, 3, 1)), np.ones((2, 2, 1)), np.ones((1, 2, 1))], ids=str)
def test_frames_that_do_not_fit_are_refused_by_name(V: Any) -> None:
    for system in (maps.HENON, maps.HENON_BATCH):
        with pytest.raises(ValueError, match=r"`V` must have shape \(3, 2, p\)"):
            system.tangent(POINTS, 0, V)
