"""Grids of any ratio: boxes aligned with a set count it exactly, and the dimension is the set's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from pifs_sim.dynamics import box_counting_dimension
from pifs_sim.fractals import gallery
from pifs_sim.kernels import box_counting

ALIGNED = [name for name in gallery.NAMES if gallery.get(name).boxes is not None]


@pytest.mark.parametrize("name", ALIGNED)
def test_aligned_boxes_are_counted_exactly_at_every_filled_scale(name):
    entry = gallery.get(name)
    number = 1_000_000 if entry.ifs.dim == 3 else 300_000
    found = box_counting_dimension(entry.aligned(entry.ifs.attractor(number)), ratio=entry.ratio, cube=entry.cube)
    filled = np.flatnonzero(40 * found.counts <= number)  # e^-40: no box is missed
    assert len(filled) >= 3
    assert_array_equal(found.counts[filled], entry.boxes**filled)
    low, high = found.interval
    assert high - low <= 0.05
    assert found.value == pytest.approx(entry.dimension, abs=0.01)


@given(
    seed=st.integers(0, 2**32 - 1), d=st.integers(1, 3), ratio=st.integers(2, 7), levels=st.integers(0, 9),
    digits=st.integers(1, 4),
)  # fmt: skip
def test_backends_agree_for_every_ratio_on_faces_and_duplicates(seed, d, ratio, levels, digits):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, ratio**digits + 1, (50, d)) / ratio**digits  # many on faces of boxes, some on the far face
    origins = np.array([np.zeros(d), -rng.random(d)])
    both = [
        box_counting.compute(points, origins, 2.0, levels=levels, ratio=ratio, backend=backend)
        for backend in ("reference", "cpu")
    ]
    assert_array_equal(*both)


def test_a_ratio_of_four_is_every_other_scale_of_two():
    points = np.random.default_rng(3).random((5000, 2)) ** 2
    fine = box_counting.compute(points, np.zeros((1, 2)), 1.0, levels=8)
    assert_array_equal(box_counting.compute(points, np.zeros((1, 2)), 1.0, levels=4, ratio=4), fine[:, ::2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 1}, "`ratio` must be an integer in 2..1024, got 1"),
        ({"cube": ([0.0, 0.0], 0.5)}, "`cube` must be"),
        ({"cube": ([0.5, 0.0], 2.0)}, "`cube` must be"),
        ({"cube": ([0.0], 2.0)}, "`cube` must be"),
        ({"cube": 3}, "`cube` must be"),
        ({"ratio": 10, "levels": 16}, "`levels` must be an integer in 0..15, got 16"),
    ],
)
def test_grids_that_cannot_be_are_refused(options, message):
    points = np.random.default_rng(0).random((1000, 2))
    with pytest.raises(ValueError, match=message):
        box_counting_dimension(points, **options)
