"""Boxes and pairs counted on a GPU's threads: the law's counts, ties and faces included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pifs_sim.kernels import box_counting, pair_counting
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine

# Eighths lie on faces; tenths make ties that rounding breaks.
COORDINATES = (
    st.integers(-8, 8).map(lambda i: i / 8) | st.integers(-9, 9).map(lambda i: 0.1 * i) | st.floats(-1, 1, width=32)
)


@st.composite
def clouds(draw: Any) -> Any:
    """Points in [-1, 1]^d, some of them twice, in either precision; up to 300, that is three blocks of threads."""
    few = draw(arrays(np.float64, (draw(st.integers(1, 30)), draw(st.integers(1, 6))), elements=COORDINATES))
    rows = np.random.default_rng(draw(st.integers(0, 99))).integers(0, len(few), draw(st.integers(1, 300)))
    return few[rows].astype(draw(st.sampled_from([np.float32, np.float64])))


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(points=clouds(), levels=st.integers(0, 20), ratio=st.sampled_from([2, 2, 3, 7]), grids=st.integers(0, 3))
def test_boxes_are_counted_as_by_the_law(machine: Machine, points: Any, levels: int, ratio: int, grids: int) -> None:
    origins = -1.0 - np.random.default_rng(grids).integers(0, 17, (grids, points.shape[1])) / 8
    levels = min(levels, int(53 / np.log2(ratio)))
    law = box_counting.compute(points, origins, 4.0, levels=levels, ratio=ratio, backend="reference")
    with machine as gpu:
        given = gpu.there(points), gpu.there(origins)
        found = gpu.here(box_counting.compute(*given, 4.0, levels=levels, ratio=ratio, backend="cuda"))
    assert found.dtype == np.int64
    assert np.array_equal(found, law)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("d", "levels", "ratio"), [(1, 52, 2), (3, 40, 2), (70, 2, 2), (5, 3, 2**17), (2, 1, 2**53)])
def test_keys_may_be_longer_than_a_word(machine: Machine, d: int, levels: int, ratio: int) -> None:
    points, origins = np.random.default_rng(1).random((300, d)) ** 30, np.zeros((1, d))
    law = box_counting.compute(points, origins, 1.0, levels=levels, ratio=ratio, backend="reference")
    with machine as gpu:
        given = gpu.there(points), gpu.there(origins)
        found = gpu.here(box_counting.compute(*given, 1.0, levels=levels, ratio=ratio, backend="cuda"))
    assert np.array_equal(found, law)


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    points=clouds(),
    radii=st.lists(st.integers(1, 30).map(lambda i: 0.1 * i) | st.floats(1e-3, 3), max_size=12, unique=True),
    theiler=st.sampled_from([0, 0, 1, 3, 140, 2**62]),
)
def test_pairs_are_counted_as_by_the_law(machine: Machine, points: Any, radii: list[float], theiler: int) -> None:
    ascending = np.sort(np.array(radii, dtype=float))
    law = pair_counting.compute(points, ascending, theiler=theiler, backend="reference")
    with machine as gpu:
        given = gpu.there(points), gpu.there(ascending)
        found = gpu.here(pair_counting.compute(*given, theiler=theiler, backend="cuda"))
    assert found.dtype == np.int64
    assert np.array_equal(found, law)


@pytest.mark.parametrize("machine", MACHINES)
def test_points_and_radii_may_be_more_than_a_launch_takes(machine: Machine) -> None:
    """Two runs of 4096 points and three slices of 96 radii; on a line, n - l pairs at each distance l."""
    n, radii = 4300, np.arange(1.0, 201.0)
    with machine as gpu:
        points = gpu.there(np.arange(float(n))[:, None])
        found = gpu.here(pair_counting.compute(points, gpu.there(radii), theiler=2, backend="cuda"))
    assert found.tolist() == [sum(n - lag for lag in range(3, int(r))) for r in radii]
