"""The interval of box counting holds the dimension where every window of scales misses it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.dynamics import box_counting_dimension
from pifs_sim.dynamics.boxes import rising
from pifs_sim.fractals import similarity_dimension


def turned(points: Any, seed: int) -> Any:
    """Points (N, d) in the coordinates of a random frame."""
    return points @ np.linalg.qr(np.random.default_rng(seed).standard_normal((points.shape[1],) * 2))[0]


def cube(d: int, n: int, seed: int) -> Any:
    return np.random.default_rng(seed).random((n, d))


def disc(n: int, seed: int) -> Any:
    points = 2 * cube(2, 2 * n, seed) - 1
    return points[np.linalg.norm(points, axis=1) < 1][:n]


@given(
    D=st.floats(0.1, 3), b=st.floats(-2, 2), a=st.floats(-5, 5),
    k=st.lists(st.integers(0, 30), min_size=3, max_size=12, unique=True),
)  # fmt: skip
def test_a_slope_that_rises_as_a_root_is_followed_to_its_limit(D: float, b: float, a: float, k: list[int]) -> None:
    octaves = np.sort(k).astype(float)
    assert rising(octaves, a + D * octaves - b * np.sqrt(octaves)) == pytest.approx(D, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("body", "d"), [(cube(2, 100_000, 1), 2), (disc(100_000, 2), 2), (cube(3, 300_000, 3), 3)])
def test_bodies_have_the_dimension_of_space_though_edges_lower_every_slope(body: Any, d: int, seed: int) -> None:
    found = box_counting_dimension(turned(body, seed))
    slopes = found.local_slopes[np.flatnonzero(found.scales == found.window[1])[0] : -1]
    assert found.value < slopes.max() < d - 0.01
    assert found.interval[1] == d


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_square_in_space_is_told_from_a_body(seed: int) -> None:
    plate = np.concatenate([cube(2, 100_000, seed), np.zeros((100_000, 1))], axis=1)
    low, high = box_counting_dimension(turned(plate, seed)).interval
    assert low <= 2 <= high < 3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_interval_of_few_points_holds_the_slope_of_many(seed: int) -> None:
    """At the same scales: the boxes that few points miss, and many find, are allowed for."""
    many = turned(cube(2, 2_000_000, seed) ** 1.5, seed)  # thin at two sides
    few = box_counting_dimension(many[:20_000])
    low, side = many.min(axis=0), float(np.ptp(many, axis=0).max())
    full = box_counting_dimension(many, levels=7, cube=(low, side * (1 + 1e-12)), window=few.window)
    assert few.value < full.value
    assert few.interval[0] <= full.value <= few.interval[1]


def cantor(n: int, shares: tuple[float, float] = (0.5, 0.5), ratios: tuple[float, float] = (1 / 3, 1 / 3)) -> Any:
    """n points (n,) of {l y, r y + 1 - r}, in the middles of intervals of 40 letters."""
    letters = np.random.default_rng(0).random((n, 40)) < shares[1]
    y = np.full(n, 0.5)
    for letter in letters.T:
        y = np.where(letter, ratios[1] * y + 1 - ratios[1], ratios[0] * y)
    return y


def test_a_cube_that_fits_the_set_leaves_windows_alone() -> None:
    """Cantor's set on a line of the plane, in its own boxes: no edges, no slivers, no generator."""
    points = np.stack([cantor(200_000), np.zeros(200_000)], axis=1)
    found = box_counting_dimension(points, ratio=3, cube=((0.0, 0.0), 1.0))
    assert [found.value, *found.interval] == pytest.approx([math.log(2) / math.log(3)] * 3, abs=4e-3)
    assert found.counts[:13].tolist() == [2**k for k in range(13)]


@pytest.mark.parametrize("offsets", [0, 2])
def test_the_generator_decides_grids_and_halves(offsets: int) -> None:
    points = np.stack([cantor(5000), cube(1, 5000, 0)[:, 0] ** 2], axis=1)
    first, again, other = (
        box_counting_dimension(points, offsets=offsets, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (first.counts.tolist(), first.interval) == (again.counts.tolist(), again.interval)
    assert first.interval != other.interval
    assert (first.counts.tolist() == other.counts.tolist()) == (offsets == 0)


@pytest.mark.parametrize(
    ("share", "ratios"), [(0.5, (1 / 3, 1 / 3)), (0.4, (0.25, 0.5)), (0.7, (0.6, 0.36)), (0.8, (0.4, 0.4))]
)
def test_the_attractor_of_a_baker_has_its_known_dimension(share: float, ratios: tuple[float, float]) -> None:
    """1 + s, l^s + r^s = 1, however uneven the measure, if wide (Farmer, Ott, Yorke 1983, Physica D 7, 153)."""
    points = np.stack([cube(1, 200_000, 1)[:, 0], cantor(200_000, (share, 1 - share), ratios)], axis=1)
    low, high = box_counting_dimension(points).interval
    assert low <= 1 + similarity_dimension(ratios) <= high
    assert high - low < 0.6
