"""Orbits of compiled rules: the fast kernels against the reference, over so few steps that chaos has no say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Map
from pifs_sim.kernels import orbits
from pifs_sim.kernels.orbits import Rule
from tests.dynamics import textbook as maps

SEEDS = st.integers(0, 2**32 - 1)
# the sizes of the Jacobians along these orbits: 6 steps magnify rounding by less than 7^6
RULES = {"scalar": maps.LOGISTIC, "tuples": maps.HENON, "writing": maps.LATTICE}


def compared(rule: Rule, x: np.ndarray, V: np.ndarray, **options: Any) -> None:
    """Reference == cpu: points, growth, and frames up to the signs of their columns, which no exponent knows."""
    eps = float(np.finfo(x.dtype).eps)
    law, fast = (orbits.compute(rule, x, V, backend=name, **options) for name in ("reference", "cpu"))
    assert fast.x.dtype == fast.V.dtype == x.dtype
    assert fast.growth.dtype == np.float64
    allowed = 50 * eps * 7.0 ** options["steps"]
    assert_allclose(fast.x, law.x, rtol=0, atol=allowed)
    if options["interval"] == 0:
        assert_allclose(fast.V, law.V, rtol=0, atol=allowed * 7.0 ** options["steps"] * np.abs(V).max())
        assert not fast.growth.any()
        return
    least = np.exp(law.growth.min()) if law.growth.size else 1.0  # a direction that shrinks has lost digits
    assert_allclose(fast.growth, law.growth, rtol=0, atol=10 * allowed / min(least, 1.0))
    signs = np.sign((fast.V * law.V).sum(axis=1, keepdims=True)) if options["steps"] else 1
    assert_allclose(fast.V * signs, law.V, rtol=0, atol=10 * allowed / min(least, 1.0))


@pytest.mark.parametrize("name", RULES)
@given(seed=SEEDS, steps=st.integers(0, 6), interval=st.integers(0, 4), first=st.integers(0, 9), data=st.data())
@settings(max_examples=25)
def test_the_kernels_follow_the_reference(
    name: str, seed: int, steps: int, interval: int, first: int, data: st.DataObject
) -> None:
    system, rng = RULES[name], np.random.default_rng(seed)
    k = data.draw(st.integers(1, system.dim))
    dtype = data.draw(st.sampled_from(["d", "f"])) if name == "tuples" and interval else "d"
    x = rng.uniform(0.05, 0.25, (data.draw(st.sampled_from([1, 2, 3, 70])), system.dim)).astype(dtype)
    V = np.linalg.qr(rng.standard_normal((len(x), system.dim, system.dim)))[0][:, :, :k].astype(dtype)
    compared(system.rule, x, V, first=first, steps=steps, interval=interval)


@given(
    seed=SEEDS,
    parts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    k=st.integers(1, 2),
    interval=st.integers(1, 9),
)
@settings(max_examples=25)
def test_neither_cuts_nor_renormalisation_move_the_points(seed: int, parts: list[int], k: int, interval: int) -> None:
    """The same steps in the same order: points to the last bit, or chaos would tell; growth to rounding."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 0.2, (3, 2))
    V = np.linalg.qr(rng.standard_normal((3, 2, 2)))[0][:, :, :k]
    whole = orbits.compute(maps.HENON.rule, x, V, first=4, steps=sum(parts), interval=interval)
    at, n, growth = (x, V), 4, 0.0
    for count in parts:
        part = orbits.compute(maps.HENON.rule, *at, first=n, steps=count, interval=2)
        at, n, growth = (part.x, part.V), n + count, growth + part.growth
    assert np.array_equal(at[0], whole.x)
    assert_allclose(growth, whole.growth, rtol=0, atol=1e-10)


def test_orbits_do_not_depend_on_their_batch() -> None:
    """65 orbits fill one block of the planar kernel and begin another."""
    x = maps.henon_starts(65)
    V = np.broadcast_to(np.eye(2), (65, 2, 2))
    together = orbits.compute(maps.HENON.rule, x, V, first=0, steps=50, interval=3)
    for b in (0, 1, 63, 64):
        alone = orbits.compute(maps.HENON.rule, x[b : b + 1], V[b : b + 1], first=0, steps=50, interval=3)
        assert np.array_equal(alone.x[0], together.x[b])
        assert_allclose(alone.growth[0], together.growth[b], rtol=0, atol=1e-13)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("interval", [1, 3])
def test_a_direction_without_rank_dies_and_stays_dead(backend: Any, interval: int) -> None:
    x, V = np.array([[0.2, 0.3], [0.6, 0.1]]), np.broadcast_to(np.eye(2), (2, 2, 2))
    moved = orbits.compute(maps.RANK_ONE.rule, x, V, first=0, steps=5, interval=interval, backend=backend)
    assert (moved.growth[:, 1] == -np.inf).all()
    assert np.isfinite(moved.growth[:, 0]).all()
    again = orbits.compute(maps.RANK_ONE.rule, moved.x, moved.V, first=5, steps=1, interval=1, backend=backend)
    assert (again.growth[:, 1] == -np.inf).all()
    assert np.isfinite(again.growth[:, 0]).all()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_slope_of_zero_is_minus_infinity(backend: Any) -> None:
    """4 x (1 - x) at its top, and at 1/4 -> 3/4 -> 3/4, where ln|f'| is ln 2 each time."""
    x, V = np.array([[0.5], [0.25]]), np.ones((2, 1, 1))
    moved = orbits.compute(maps.LOGISTIC.rule, x, V, first=0, steps=3, interval=2, backend=backend)
    assert moved.growth[0, 0] == -np.inf
    assert moved.growth[1, 0] == pytest.approx(3 * np.log(2), abs=1e-15)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_an_orbit_that_leaves_does_not_disturb_the_others(backend: Any) -> None:
    x = np.array([[0.1, 0.1], [5.0, 5.0], [0.2, 0.1]])
    V = np.broadcast_to(np.eye(2), (3, 2, 2))
    moved = orbits.compute(maps.HENON.rule, x, V, first=0, steps=12, interval=1, backend=backend)
    kept = orbits.compute(maps.HENON.rule, x[::2], V[::2], first=0, steps=12, interval=1, backend=backend)
    assert not np.isfinite(moved.x[1]).all()
    assert np.array_equal(moved.x[::2], kept.x)
    assert np.array_equal(moved.growth[::2], kept.growth)
    assert not moved.overflowed.any()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_frame_that_leaves_the_floats_is_told(backend: Any) -> None:
    x, V = maps.henon_starts(2), np.eye(2) * np.array([1.0, 1e307])[:, None, None]
    moved = orbits.compute(maps.HENON.rule, x, V, first=0, steps=24, interval=24, backend=backend)
    assert np.isfinite(moved.x).all()
    assert moved.overflowed.tolist() == [False, True]


def test_the_arguments_are_not_written_to() -> None:
    x, V = maps.henon_starts(3), np.ones((3, 2, 2))
    kept = x.copy(), V.copy()
    for backend in ("reference", "cpu", None):
        for interval in (0, 1):
            orbits.compute(maps.HENON.rule, x, V, first=0, steps=3, interval=interval, backend=backend)
            assert np.array_equal(x, kept[0])
            assert np.array_equal(V, kept[1])


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize(
    ("step", "jacobian", "message"),
    [
        (lambda x, n: (x[0], x[1], x[0]), maps.henon_jacobian, "`step` must return"),  # noqa: ARG005
        (lambda x, n: (x[0],), maps.henon_jacobian, "`step` must return"),  # noqa: ARG005
        (maps.henon_step, lambda x, n: ((1.0, 0.0, 5.0), (0.0, 1.0, 5.0)), "`jacobian` must return"),  # noqa: ARG005
        (maps.henon_step, lambda x, n: ((1.0, 0.0),), "`jacobian` must return"),  # noqa: ARG005
        (maps.henon_step, lambda x, n: (1.0, 0.0), "`jacobian` must return"),  # noqa: ARG005
    ],
)
def test_results_of_a_wrong_shape_are_refused(backend: Any, step: Any, jacobian: Any, message: str) -> None:
    system = Map.compiled(step, jacobian, dim=2)
    with pytest.raises(ValueError, match=message):
        orbits.compute(system.rule, np.ones((1, 2)), np.eye(2)[None], first=0, steps=1, interval=1, backend=backend)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [[0.1, 0.1]]}, "`x` must be a NumPy array, .* got list"),
        ({"x": np.ones((1, 3))}, r"`x` must have shape \(batch, 2\), got \(1, 3\)"),
        ({"V": np.ones((1, 3, 1))}, r"`V` must have shape \(1, 2, p\), got \(1, 3, 1\)"),
        ({"V": np.ones((2, 2, 1))}, "`V`"),
        ({"steps": -1}, "`steps` and `interval`"),
        ({"interval": -1}, "`steps` and `interval`"),
        ({"backend": "cuda"}, "`backend`"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused_by_name(change: Any, message: str) -> None:
    given: dict[str, Any] = {"x": np.ones((1, 2)), "V": np.ones((1, 2, 1)), "first": 0, "steps": 1, "interval": 1}
    given |= change
    with pytest.raises(ValueError, match=message):
        orbits.compute(maps.HENON.rule, given.pop("x"), given.pop("V"), **given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "`dim`"),
        ({"jacobian": None}, "needs `jacobian` or `tangent`"),
        ({"tangent": maps.henon_write_tangent}, "one of them only"),
        ({"step": lambda x: x}, r"`step` must be a function step\(x, n\) or \(x, n, out\), got 1 arguments"),
        ({"jacobian": lambda x: x}, "`jacobian` must be a function"),
    ],
)
def test_bad_rules_are_refused_by_name(options: Any, message: str) -> None:
    given: dict[str, Any] = {"step": maps.henon_step, "jacobian": maps.henon_jacobian, "tangent": None, "dim": 2}
    with pytest.raises(ValueError, match=message):
        Rule(**(given | options))
