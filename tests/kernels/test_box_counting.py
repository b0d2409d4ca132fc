"""Numbers of occupied boxes: exact on sets that fit the grid, and the same from every backend."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pifs_sim.kernels import box_counting
from pifs_sim.kernels.box_counting import keys, pyramid

# Eighths lie on the boundaries of boxes; 0.1 and the other floats do not.
COORDINATES = st.integers(-8, 8).map(lambda i: i / 8) | st.floats(-1, 1, width=32) | st.sampled_from([0.1, -0.7, 1 / 3])


@st.composite
def clouds(draw: Any, max_dim: int = 5) -> Any:
    """Points in [-1, 1]^d, some of them twice, in either precision."""
    d = draw(st.integers(1, max_dim))
    points = draw(arrays(np.float64, (draw(st.integers(1, 40)), d), elements=COORDINATES))
    points = points[draw(st.lists(st.integers(0, len(points) - 1), min_size=1, max_size=60))]
    return points.astype(draw(st.sampled_from([np.float32, np.float64])))


def counts(points: Any, levels: int, **options: Any) -> list[int]:
    """In the unit cube."""
    points = np.asarray(points, dtype=np.float64)
    return box_counting.compute(points, np.zeros((1, points.shape[1])), 1.0, levels=levels, **options)[0].tolist()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_right_angled_sierpinski_triangle_fills_3_to_the_k_boxes(backend: str) -> None:
    """Corners i/2^n with no common bit, and the far vertices, which belong to the last boxes."""
    n = 8
    corners = [(i / 2**n, j / 2**n) for i, j in product(range(2**n), repeat=2) if i & j == 0]
    assert counts([*corners, (1.0, 0.0), (0.0, 1.0)], n, backend=backend) == [3**k for k in range(n + 1)]


@pytest.mark.parametrize(("d", "n"), [(1, 13), (2, 6), (3, 4), (4, 3)])
def test_a_full_grid_fills_every_box_until_it_is_resolved(d: int, n: int) -> None:
    axes = np.meshgrid(*[(np.arange(2**n) + 0.5) / 2**n] * d)
    grid = np.stack(axes, axis=-1).reshape(-1, d)
    assert counts(grid, n + 2) == [2 ** (d * min(k, n)) for k in range(n + 3)]


def test_the_diagonal_of_a_cube_fills_2_to_the_k_boxes() -> None:
    diagonal = np.repeat(np.arange(2**10)[:, None] / 2**10, 3, axis=1)
    assert counts(diagonal, 10) == [2**k for k in range(11)]


def test_the_cantor_set_fills_the_boxes_that_exact_arithmetic_finds() -> None:
    """Endpoints a/3^n: a/3^n is 3^-n 2^-k at least from any other multiple of 2^-k, so rounding moves none."""
    n, levels = 9, 12
    numerators = [0]
    for i in range(n):
        numerators = [a + shift for a in numerators for shift in (0, 2 * 3**i)]
    numerators = [a + end for a in numerators for end in (0, 1)]
    exact = [len({min(a * 2**k // 3**n, 2**k - 1) for a in numerators}) for k in range(levels + 1)]
    assert counts(np.array(numerators)[:, None] / 3**n, levels) == exact


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_face_belongs_to_the_box_that_begins_there_and_the_far_face_to_the_last(backend: str) -> None:
    assert counts([[0.5], [0.75]], 2, backend=backend) == [1, 1, 2]
    assert counts([[0.75], [1.0]], 2, backend=backend) == [1, 1, 1]
    assert counts([[np.nextafter(0.5, 0)], [0.5]], 2, backend=backend) == [1, 2, 2]


@given(points=clouds(), levels=st.integers(0, 20), seed=st.integers(0, 99))
def test_the_backends_agree(points: Any, levels: int, seed: int) -> None:
    origins = np.array([-1.0] * points.shape[1]) - np.random.default_rng(seed).integers(0, 17, (3, points.shape[1])) / 8
    reference = box_counting.compute(points, origins, 4.0, levels=levels, backend="reference")
    assert np.array_equal(box_counting.compute(points, origins, 4.0, levels=levels, backend="cpu"), reference)


@given(points=clouds(max_dim=3), levels=st.integers(0, 7))
def test_bit_maps_and_sorted_keys_agree(points: Any, levels: int) -> None:
    origin = np.full(points.shape[1], -1.0)
    tiles = pyramid.tiles(points.max(axis=0) - origin, 2.0, levels)
    from_maps = pyramid.compute(points, origin, 2.0, levels, tiles)
    assert np.array_equal(from_maps, keys.compute(points, origin, 2.0, levels))


@pytest.mark.parametrize(("d", "levels"), [(1, 52), (3, 40), (7, 20), (70, 2)])
def test_keys_may_be_longer_than_a_word(d: int, levels: int) -> None:
    points = np.random.default_rng(1).random((300, d)) ** 30
    origins = np.zeros((1, d))
    reference = box_counting.compute(points, origins, 1.0, levels=levels, backend="reference")
    assert np.array_equal(box_counting.compute(points, origins, 1.0, levels=levels), reference)
    assert 1 < reference[0, 1] < reference[0, -1]


@given(points=clouds(), levels=st.integers(1, 12))
def test_a_box_has_at_least_one_and_at_most_2_to_the_d_occupied_halves(points: Any, levels: int) -> None:
    d = points.shape[1]
    found = box_counting.compute(points, np.full((1, d), -1.0), 2.0, levels=levels)[0]
    assert found[0] == 1
    assert ((found[:-1] <= found[1:]) & (found[1:] <= 2**d * found[:-1])).all()
    assert found[-1] <= len(np.unique(points, axis=0))


@given(points=clouds(), exponent=st.integers(-40, 40))
def test_the_unit_of_length_and_the_order_do_not_matter(points: Any, exponent: int) -> None:
    origin, scaled = np.full((1, points.shape[1]), -1.0), np.ldexp(points.astype(np.float64), exponent)
    found = box_counting.compute(points, origin, 2.0, levels=9)
    again = box_counting.compute(scaled[::-1], np.ldexp(origin, exponent), 2.0 ** (exponent + 1), levels=9)
    assert np.array_equal(found, again)


def test_points_need_not_be_contiguous_and_are_not_written_to() -> None:
    wide = np.random.default_rng(2).random((500, 4))
    wide.flags.writeable = False
    assert counts(wide[::2, ::2], 8) == counts(wide[::2, ::2].copy(), 8)


@pytest.mark.parametrize(
    ("points", "origins", "options", "named"),
    [
        (np.zeros((0, 2)), np.zeros((1, 2)), {}, "points"),
        (np.zeros(3), np.zeros((1, 3)), {}, "points"),
        (np.zeros((3, 2)), np.zeros((1, 3)), {}, "origins"),
        (np.array([[0.5], [1.5]]), np.zeros((1, 1)), {}, "points"),
        (np.array([[0.5], [-0.1]]), np.zeros((1, 1)), {}, "points"),
        (np.array([[0.5], [np.nan]]), np.zeros((1, 1)), {}, "points"),
        ([[0.5]], np.zeros((1, 1)), {}, "list"),
        (np.zeros((3, 1)), np.zeros((1, 1)), {"levels": -1}, "levels"),
        (np.zeros((3, 1)), np.zeros((1, 1)), {"levels": 54}, "levels"),
        (np.zeros((3, 1)), np.zeros((1, 1)), {"side": 0.0}, "side"),
        (np.zeros((3, 1)), np.zeros((1, 1)), {"side": np.nan}, "side"),
        (np.zeros((3, 1)), np.zeros((1, 1)), {"side": 1e-320}, "side"),
        (np.zeros((3, 1)), np.zeros((1, 1)), {"backend": "cuda"}, "backend"),
    ],
)
def test_bad_arguments_are_refused_by_name(points: Any, origins: Any, options: Any, named: str) -> None:
    side = options.pop("side", 1.0)
    with pytest.raises(ValueError, match=named):
        box_counting.compute(points, origins, side, **({"levels": 3} | options))
