"""Box-counting and correlation dimensions against sets and measures whose dimension is known."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from pifs_sim.dynamics import box_counting_dimension, correlation_dimension
from pifs_sim.dynamics.boxes import rising

ESTIMATORS = pytest.mark.parametrize("estimate", [box_counting_dimension, correlation_dimension])
LN2, LN3 = math.log(2), math.log(3)


def turn(angle: float) -> Any:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def chaos_game(parts: Any, offsets: Any, n: int, weights: Any = None) -> Any:
    """n points of the invariant measure of x -> parts[i] x + offsets[i]: 100 orbits, after 40 steps each."""
    parts, offsets, rng = np.asarray(parts, float), np.asarray(offsets, float), np.random.default_rng(7)
    x, cloud = np.zeros((100, offsets.shape[1])), []
    for _ in range(40 + n // 100):
        chosen = rng.choice(len(parts), size=100, p=weights)
        x = np.einsum("bij,bj->bi", parts[chosen], x) + offsets[chosen]
        cloud.append(x)
    return np.concatenate(cloud[40:])


def cantor(n: int, weights: Any = None) -> Any:
    return chaos_game([[[1 / 3]]] * 2, [[0], [2 / 3]], n, weights)


def sierpinski(n: int) -> Any:
    return chaos_game([np.eye(2) / 2] * 3, [[0, 0], [0.5, 0], [0.25, math.sqrt(3) / 4]], n)


def koch(n: int) -> Any:
    parts = [np.eye(2) / 3, turn(math.pi / 3) / 3, turn(-math.pi / 3) / 3, np.eye(2) / 3]
    return chaos_game(parts, [[0, 0], [1 / 3, 0], [0.5, math.sqrt(3) / 6], [2 / 3, 0]], n)


def carpet(n: int) -> Any:
    return chaos_game(
        [np.eye(2) / 3] * 8, [(i / 3, j / 3) for i, j in product(range(3), repeat=2) if i != 1 or j != 1], n
    )


def henon(n: int) -> Any:
    x, y, cloud = 0.1, 0.1, []
    for _ in range(100 + n):
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
        cloud.append((x, y))
    return np.array(cloud[100:])


FRACTALS = pytest.mark.parametrize(
    ("cloud", "dimension"),
    [(cantor, LN2 / LN3), (sierpinski, LN3 / LN2), (koch, math.log(4) / LN3), (carpet, math.log(8) / LN3)],
)


@pytest.fixture(scope="module")
def orbit() -> Any:
    return henon(100_000)


def test_a_set_that_fits_the_grid_has_its_dimension_exactly() -> None:
    corners = [(i / 2**9, j / 2**9) for i, j in product(range(2**9), repeat=2) if i & j == 0]
    points = np.repeat([*corners, (1.0, 0.0), (0.0, 1.0)], 2, axis=0)  # half of them meet the same boxes
    found = box_counting_dimension(points, levels=9, offsets=0, window=(2.0**-9, 0.5))
    assert found.counts.tolist() == [3**k for k in range(10)]
    assert found.scales.tolist() == [2.0**-k for k in range(10)]
    assert found.window == (2.0**-9, 0.5)
    assert found.total == 2 * (3**9 + 2)
    assert found.local_slopes == pytest.approx(np.full(9, LN3 / LN2), rel=1e-14)
    assert [found.value, *found.interval] == pytest.approx([LN3 / LN2] * 3, rel=1e-13)


@pytest.mark.parametrize(("d", "n"), [(1, 12), (2, 7), (3, 5)])
def test_full_grids_have_the_dimension_of_their_space(d: int, n: int) -> None:
    """Points in the middles of 2^n boxes an axis, and the corners of the cube; 16 points a box and more are fitted."""
    grid = np.stack(np.meshgrid(*[(np.arange(2**n) + 0.5) / 2**n] * d), axis=-1).reshape(-1, d)
    found = box_counting_dimension([*grid, *product([0.0, 1.0], repeat=d)], offsets=0)
    assert [found.value, *found.interval] == pytest.approx([d] * 3, abs=1e-14)


@FRACTALS
def test_the_interval_of_box_counting_holds_the_similarity_dimension(cloud: Any, dimension: float) -> None:
    """0.03: twice the mean error of 1e5 points over such sets and seeds."""
    found = box_counting_dimension(cloud(100_000))
    assert found.interval[0] <= dimension <= found.interval[1]
    assert abs(found.value - dimension) < 0.03
    assert found.interval[1] - found.interval[0] < 0.25


@FRACTALS
def test_the_interval_of_pair_counting_holds_the_similarity_dimension(cloud: Any, dimension: float) -> None:
    """Maps chosen with equal weights make every dimension of the measure that of the set."""
    found = correlation_dimension(cloud(20_000))
    assert found.interval[0] <= dimension <= found.interval[1]
    assert abs(found.value - dimension) < 0.03
    assert found.interval[1] - found.interval[0] < 0.25


def test_an_uneven_measure_has_the_smaller_correlation_dimension() -> None:
    """Weights p, q on the Cantor set: D_2 = -ln(p^2 + q^2)/ln 3 = 0.434 while D_0 stays 0.631."""
    cloud = cantor(20_000, weights=[0.25, 0.75])
    exact = -math.log(0.25**2 + 0.75**2) / LN3
    found = correlation_dimension(cloud)
    assert found.interval[0] <= exact <= found.interval[1]
    assert abs(found.value - exact) < 0.02
    assert found.interval[1] < 0.55 < box_counting_dimension(cloud).interval[1]


def test_the_henon_attractor_has_its_known_dimensions(orbit: Any) -> None:
    """D_0 about 1.26 and D_2 = 1.21..1.22 (Grassberger, Procaccia 1983; Sprott, Rowlands 2001, IJBC 11)."""
    boxes, pairs = box_counting_dimension(orbit), correlation_dimension(orbit[:20_000])
    assert boxes.interval[0] <= 1.26 <= boxes.interval[1]
    assert abs(boxes.value - 1.26) < 0.03
    assert pairs.interval[0] <= 1.21 <= 1.22 <= pairs.interval[1]
    assert abs(pairs.value - 1.215) < 0.03


@ESTIMATORS
def test_value_and_interval_are_least_squares_fits_over_windows(estimate: Any, orbit: Any) -> None:
    """Of boxes, of one grid, and of points in pairs, so that half of them meet the same boxes."""
    boxes = estimate is box_counting_dimension
    found = estimate(np.repeat(orbit[:20_000], 2, axis=0), offsets=0) if boxes else estimate(orbit[:20_000])
    x, y, sign = np.log(found.scales), np.log(found.counts), -1 if boxes else 1
    assert found.local_slopes == pytest.approx(sign * np.diff(y) / np.diff(x), rel=1e-12)
    inside = np.flatnonzero((found.window[0] <= found.scales) & (found.scales <= found.window[1]))
    x, y, m = x[inside], y[inside], len(inside)
    shortest = max(2, -(-m // 3)) if boxes else max(3, -(-m // 4))
    spans = [slice(i, i + size) for size in range(shortest, m + 1) for i in range(m - size + 1)]
    fits = [sign * np.polyfit(x[span], y[span], 1)[0] for span in spans]
    rise = rising(-(x - np.log(found.scales[0])), y) if boxes else fits[-1]
    assert [found.value, *found.interval] == pytest.approx([fits[-1], min(fits), max(*fits, rise)], rel=1e-10)


def test_scales_are_admitted_by_their_boxes_and_their_points(orbit: Any) -> None:
    found = box_counting_dimension(orbit)
    side = float(np.ptp(orbit, axis=0).max())
    inside = (found.window[0] <= found.scales) & (found.scales <= found.window[1])
    assert (inside == ((found.scales <= side / 8) & (5 * found.counts <= len(orbit)))).all()
    assert 5 * found.counts[-1] > len(orbit)
    pairs = correlation_dimension(orbit[:5000], theiler=10)
    inside = (pairs.window[0] <= pairs.scales) & (pairs.scales <= pairs.window[1])
    assert (inside == ((pairs.scales <= np.ptp(orbit[:5000], axis=0).max() / 16) & (pairs.counts >= 100))).all()
    assert pairs.total == sum(5000 - lag for lag in range(11, 5000))


@ESTIMATORS
def test_the_points_of_a_cycle_have_dimension_0(estimate: Any) -> None:
    cycle = np.random.default_rng(3).random((7, 2))
    found = estimate(np.tile(cycle, (1000, 1)))
    assert found.interval[0] == 0.0
    assert 0 <= found.value < 0.05
