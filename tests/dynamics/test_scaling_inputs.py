"""What the estimators of dimensions take, obey and refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.dynamics import DimensionEstimate, box_counting_dimension, correlation_dimension

ESTIMATORS = pytest.mark.parametrize("estimate", [box_counting_dimension, correlation_dimension])
CLOUD = np.random.default_rng(5).normal(size=(3000, 2))


def test_given_radii_are_counted_and_a_window_is_obeyed() -> None:
    """Integers: n - l pairs at distance l, fewer by `theiler`; where no pair is counted there is no slope."""
    radii = [0.5, 2.0, 4.5, 9.0, 20.0, 50.0]
    found = correlation_dimension(np.arange(1000.0)[:, None], radii=radii, theiler=1, window=(4.5, 50.0))
    assert found.scales.tolist() == radii
    assert found.counts.tolist() == [sum(1000 - lag for lag in range(2, math.ceil(r))) for r in radii]
    assert math.isnan(found.local_slopes[0])
    assert math.isnan(found.local_slopes[1])
    assert found.window == (4.5, 50.0)


def test_more_grids_never_raise_a_count_and_lower_it_by_four_at_most() -> None:
    """A box of one grid meets at most four of another."""
    fixed, more = (box_counting_dimension(CLOUD, levels=7, offsets=offsets).counts for offsets in (0, 8))
    assert ((more <= fixed) & (fixed <= 4 * more)).all()
    assert (more < fixed).any()


@ESTIMATORS
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_backends_give_one_answer(estimate: Any, backend: str) -> None:
    found, default = estimate(CLOUD[:2000], backend=backend), estimate(CLOUD[:2000])
    assert found.counts.tolist() == default.counts.tolist()
    assert (found.value, found.interval) == (default.value, default.interval)


@ESTIMATORS
def test_the_unit_of_length_does_not_matter(estimate: Any) -> None:
    found, scaled = estimate(CLOUD), estimate(CLOUD * 2.0**-30)
    assert scaled.counts.tolist() == found.counts.tolist()
    assert scaled.scales.tolist() == (found.scales * 2.0**-30).tolist()
    assert [scaled.value, *scaled.interval] == pytest.approx([found.value, *found.interval], rel=1e-12)


@ESTIMATORS
@pytest.mark.parametrize("points", [[[3.0, 1.0]] * 50, [[3.0, 1.0], [3.0 + 1e-15, 1.0]], np.zeros((9, 4), np.float32)])
def test_points_that_are_one_to_rounding_have_dimension_0(estimate: Any, points: Any) -> None:
    found: DimensionEstimate = estimate(points)
    assert (found.value, found.interval, found.scales.tolist()) == (0.0, (0.0, 0.0), [0.0])
    assert found.counts.tolist() == [1 if estimate is box_counting_dimension else found.total]


@ESTIMATORS
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_order_of_bytes_and_of_axes_in_memory_does_not_matter(estimate: Any, dtype: str) -> None:
    counts = estimate(CLOUD.astype(dtype)).counts.tolist()
    assert estimate(CLOUD.astype(f">{dtype}")).counts.tolist() == counts
    assert estimate(np.asfortranarray(CLOUD.astype(dtype))).counts.tolist() == counts


@ESTIMATORS
def test_points_of_either_precision_have_one_dimension(estimate: Any) -> None:
    """Coordinates off by 2^-24 change a count by a few; the finest default scale follows the precision."""
    single, double = estimate(CLOUD.astype(np.float32)), estimate(CLOUD)
    assert single.value == pytest.approx(double.value, abs=1e-3)
    assert single.scales.dtype == double.scales.dtype == np.float64


@ESTIMATORS
@pytest.mark.parametrize(
    "points",
    [
        [],
        [[]],
        [1.0, 2.0],
        [[[1.0]]],
        [[math.nan], [1.0]],
        [[math.inf], [1.0]],
        [["a"]],
        [[1e200], [0.0]],
        [[1.0], [0.0]],
    ],
    ids=str,
)
def test_bad_points_are_refused_by_name(estimate: Any, points: Any) -> None:
    with pytest.raises(ValueError, match=r"`points`|more points"):
        estimate(points)


@pytest.mark.parametrize(
    ("estimate", "options", "named"),
    [
        (box_counting_dimension, {"levels": -1}, "levels"),
        (box_counting_dimension, {"levels": 53}, "levels"),
        (box_counting_dimension, {"levels": 4.5}, "levels"),
        (box_counting_dimension, {"levels": 3}, "3 admissible"),
        (box_counting_dimension, {"offsets": -1}, "offsets"),
        (box_counting_dimension, {"window": (1.0, 0.5)}, "window"),
        (box_counting_dimension, {"window": (0.5, 1.0)}, "3 admissible"),
        (box_counting_dimension, {"backend": "cuda"}, "backend"),
        (correlation_dimension, {"theiler": -1}, "theiler"),
        (correlation_dimension, {"theiler": 1.5}, "theiler"),
        (correlation_dimension, {"theiler": 2999}, "theiler"),
        (correlation_dimension, {"radii": [0.1, 0.05, 0.2]}, "radii"),
        (correlation_dimension, {"radii": [0.0, 0.1, 0.2]}, "radii"),
        (correlation_dimension, {"radii": [[0.1]]}, "radii"),
        (correlation_dimension, {"radii": [0.01, 0.1]}, "3 admissible"),
        (correlation_dimension, {"backend": "cuda"}, "backend"),
    ],
)
def test_bad_options_are_refused_by_name(estimate: Any, options: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        estimate(CLOUD, **options)
