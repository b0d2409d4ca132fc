"""Numbers of close pairs: closed forms on lattices, ties included, and the same from every backend."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pifs_sim.kernels import pair_counting

COORDINATES = st.integers(-5, 5).map(lambda i: 0.1 * i) | st.floats(
    -1, 1, width=32
)  # tenths: ties that rounding breaks
BACKENDS = pytest.mark.parametrize("backend", ["reference", "cpu"])


@st.composite
def clouds(draw: Any) -> Any:
    """Up to 200 points, that is up to 8 leaves, some of them equal, in either precision."""
    d = draw(st.integers(1, 4))
    few = draw(arrays(np.float64, (draw(st.integers(1, 30)), d), elements=COORDINATES))
    rows = np.random.default_rng(draw(st.integers(0, 99))).integers(0, len(few), draw(st.integers(1, 200)))
    jitter = draw(st.sampled_from([0.0, 0.1])) * (rows[:, None] % 3)
    return (few[rows] + jitter).astype(draw(st.sampled_from([np.float32, np.float64])))


RADII = st.lists(st.integers(1, 30).map(lambda i: 0.1 * i) | st.floats(1e-3, 3), min_size=1, max_size=12, unique=True)


@BACKENDS
@pytest.mark.parametrize("theiler", [0, 1, 7, 98, 99, 1000])
def test_points_on_a_line_have_n_minus_l_pairs_at_each_distance_l(backend: str, theiler: int) -> None:
    """Strictly closer than r, and more than `theiler` apart: l in theiler + 1 .. ceil(r) - 1."""
    n, radii = 100, np.array([0.5, 1.0, 1.5, 2.0, 8.0, 99.0, 99.5])
    expected = [sum(n - lag for lag in range(theiler + 1, n) if lag < r) for r in radii]
    found = pair_counting.compute(np.arange(float(n))[:, None], radii, theiler=theiler, backend=backend)
    assert found.tolist() == expected


@pytest.mark.parametrize(("d", "m"), [(2, 40), (3, 12)])
def test_a_square_lattice_has_the_pairs_that_its_differences_count(d: int, m: int) -> None:
    """(m - |a|)(m - |b|).. ordered pairs for each difference (a, b, ..); some of the radii are distances."""
    radii = np.array([1.0, 2.0, 5.0, 5.5, 7.25, m, m + 0.5])
    ordered = np.zeros(len(radii), np.int64)
    for difference in product(range(1 - m, m), repeat=d):
        distance = sum(a * a for a in difference)
        ordered += ((distance > 0) & (distance < radii**2)) * int(np.prod([m - abs(a) for a in difference]))
    lattice = np.stack(np.meshgrid(*[np.arange(float(m))] * d), axis=-1).reshape(-1, d)
    shuffled = np.random.default_rng(0).permutation(lattice)
    assert (2 * pair_counting.compute(shuffled, radii) == ordered).all()


@BACKENDS
def test_equal_points_are_closer_than_any_radius(backend: str) -> None:
    found = pair_counting.compute(np.full((100, 3), 0.1), np.array([1e-9, 1.0]), theiler=4, backend=backend)
    assert found.tolist() == [95 * 96 // 2] * 2


@BACKENDS
def test_one_point_has_no_pairs(backend: str) -> None:
    assert pair_counting.compute(np.zeros((1, 2)), np.array([1.0]), backend=backend).tolist() == [0]


@given(points=clouds(), radii=RADII, theiler=st.sampled_from([0, 0, 1, 3, 50, 300]))
def test_the_backends_agree_ties_included(points: Any, radii: list[float], theiler: int) -> None:
    ascending = np.sort(np.array(radii))
    reference = pair_counting.compute(points, ascending, theiler=theiler, backend="reference")
    assert np.array_equal(pair_counting.compute(points, ascending, theiler=theiler, backend="cpu"), reference)


@pytest.mark.parametrize(("n", "d"), [(2000, 1), (2500, 2), (1500, 3), (600, 9)])
def test_the_backends_agree_on_clouds_of_many_leaves(n: int, d: int) -> None:
    points, radii = np.random.default_rng(d).normal(size=(n, d)) ** 3, np.geomspace(1e-4, 30.0, 40)
    reference = pair_counting.compute(points, radii, theiler=25, backend="reference")
    assert np.array_equal(pair_counting.compute(points, radii, theiler=25, backend="cpu"), reference)
    assert reference[-1] > reference[-5] > 0


@given(points=clouds(), radii=RADII, exponent=st.integers(-40, 40))
def test_the_unit_of_length_and_the_order_do_not_matter(points: Any, radii: list[float], exponent: int) -> None:
    ascending = np.sort(np.array(radii))
    found = pair_counting.compute(points, ascending)
    scaled = np.ldexp(points.astype(np.float64)[::-1], exponent)
    assert np.array_equal(pair_counting.compute(scaled, np.ldexp(ascending, exponent)), found)
    assert (np.diff(found) >= 0).all()
    assert found[-1] <= len(points) * (len(points) - 1) // 2


def test_points_are_not_written_to() -> None:
    points = np.random.default_rng(0).random((100, 2))
    before = points.copy()
    pair_counting.compute(points, np.array([0.5]))
    assert np.array_equal(points, before)


@pytest.mark.parametrize(
    ("points", "radii", "options", "named"),
    [
        (np.zeros((0, 2)), np.ones(1), {}, "points"),
        (np.zeros(3), np.ones(1), {}, "points"),
        (np.array([[np.nan]]), np.ones(1), {}, "points"),
        (np.array([[np.inf]]), np.ones(1), {}, "points"),
        ([[0.0]], np.ones(1), {}, "list"),
        (np.zeros((3, 1)), np.array([0.0, 1.0]), {}, "radii"),
        (np.zeros((3, 1)), np.array([1.0, 1.0]), {}, "radii"),
        (np.zeros((3, 1)), np.array([1.0, np.nan]), {}, "radii"),
        (np.zeros((3, 1)), np.array([1.0, np.inf]), {}, "radii"),
        (np.zeros((3, 1)), np.ones(1), {"theiler": -1}, "theiler"),
        (np.zeros((3, 1)), np.ones(1), {"backend": "cuda"}, "backend"),
    ],
)
def test_bad_arguments_are_refused_by_name(points: Any, radii: Any, options: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        pair_counting.compute(points, radii, **options)
