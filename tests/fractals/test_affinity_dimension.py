"""The affinity dimension: closed forms, bounds that hold it, and what it must not depend on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.fractals import affinity_dimension, gallery, similarity_dimension
from pifs_sim.fractals.affinity import _bounded, _flag_pressure
from tests.fractals.affine import Known, build, contractions, rotation

FERN = gallery.barnsley_fern().ifs.matrices


def grid_carpet(count: int, columns: int, rows: int) -> float:
    """Of `count` maps diag(1/columns, 1/rows), columns > rows."""
    if count <= rows:
        return math.log(count) / math.log(rows)
    if count <= rows * columns:
        return 1 + math.log(count / rows) / math.log(columns)
    return 2 * math.log(count) / math.log(rows * columns)


@given(count=st.integers(1, 40), rows=st.integers(2, 4), more=st.integers(1, 4))
def test_carpets_have_their_closed_form(count: int, rows: int, more: int) -> None:
    found = affinity_dimension(np.tile(np.diag([1 / (rows + more), 1 / rows]), (count, 1, 1)))
    assert found.value == pytest.approx(grid_carpet(count, rows + more, rows), rel=1e-13)
    assert found.level == 0


@given(known=contractions())
def test_conjugates_of_similarities_have_the_similarity_dimension(known: Known) -> None:
    exact = similarity_dimension(known.ratios)
    low, high = affinity_dimension(known.ifs.matrices, level=1).interval
    assert low <= exact * (1 + 1e-12)
    assert high >= exact * (1 - 1e-12)
    if known.ifs.dim == 1 or np.allclose(known.S @ known.S.T, np.eye(known.ifs.dim), atol=1e-15):
        assert high - low <= 1e-11 * max(1, exact)


@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 5), count=st.integers(2, 6))
def test_similarities_have_the_similarity_dimension_at_the_first_level(seed: int, d: int, count: int) -> None:
    known = build(seed, count, d, 0.9, 0.0)
    found = affinity_dimension(known.ifs.matrices)
    exact = similarity_dimension(known.ratios)
    assert found.value == pytest.approx(exact, rel=1e-12)
    assert found.interval == pytest.approx((exact, exact), rel=1e-11)
    assert found.level <= 1


def diagonal_pressure(entries: Any, s: float) -> float:
    """max over the order of the axes of ln sum_i a_1 .. a_m a_{m+1}^{s-m}: written out for d = 2, s <= 2."""
    a, b = entries.T
    if s <= 1:
        return math.log(max((a**s).sum(), (b**s).sum()))
    return math.log(max((a * b ** (s - 1)).sum(), (b * a ** (s - 1)).sum()))


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 4))
def test_diagonal_and_triangular_matrices_have_their_closed_form(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    entries = rng.uniform(0.05, 0.6, (count, 2))
    diagonal = entries[:, :, None] * np.eye(2)
    signs = rng.choice([-1.0, 1.0], (count, 2))[:, :, None]
    found = affinity_dimension(signs * diagonal)
    if found.value < 2:
        assert diagonal_pressure(entries, found.value) == pytest.approx(0, abs=1e-12)
    sheared = diagonal + 0.1 * rng.uniform(-1, 1, (count, 1, 1)) * np.array([[0.0, 1.0], [0.0, 0.0]])
    assert affinity_dimension(sheared).value == pytest.approx(found.value, rel=1e-13)
    assert affinity_dimension(sheared.swapaxes(1, 2)).value == pytest.approx(found.value, rel=1e-13)


def test_matrices_that_swap_the_axes_have_the_dimension_of_their_squares() -> None:
    """A = diag(a, b) times a swap: A A' is diagonal, and words of two letters have the same dimension."""
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    A = np.array([np.diag([0.6, 0.3]) @ swap, np.diag([0.2, 0.5]) @ swap, np.diag([0.3, 0.3]) @ swap])
    squares = (A[:, None] @ A).reshape(-1, 2, 2)
    assert affinity_dimension(A).value == pytest.approx(affinity_dimension(squares).value, rel=1e-13)
    assert affinity_dimension(A).level == 0


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 3), count=st.integers(2, 3))
def test_the_general_bounds_hold_the_closed_form(seed: int, d: int, count: int) -> None:
    """Signed permutations times diagonals: exact through flags, and bounded through words."""
    rng = np.random.default_rng(seed)
    A = np.array([np.eye(d)[rng.permutation(d)] * rng.uniform(0.1, 0.7, d) * rng.choice([-1, 1]) for _ in range(count)])
    exact = affinity_dimension(A).value
    assert _flag_pressure(A, exact * (1 - 1e-9)) >= 0 >= _flag_pressure(A, exact * (1 + 1e-9))
    for level in (1, 3):
        low, high = _bounded(A, level).interval
        assert low <= exact <= high


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 3))
def test_bounds_of_all_levels_meet_and_do_not_depend_on_coordinates(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    A = rng.uniform(-0.45, 0.45, (count, 2, 2))
    found = [affinity_dimension(A, level=level) for level in (1, 2, 5)]
    Q = rotation(rng, 2)
    found.append(affinity_dimension(Q @ A @ Q.T, level=3))
    assert max(f.interval[0] for f in found) <= min(f.interval[1] for f in found)
    assert all(f.interval[0] <= f.value <= f.interval[1] for f in found)
    assert found[0].interval[1] >= found[2].interval[1]


def test_positive_matrices_are_narrowed_down() -> None:
    A = np.array([[[0.5, 0.1], [0.2, 0.2]], [[0.3, 0.2], [0.1, 0.4]]])
    found = affinity_dimension(A)
    assert found.interval[1] - found.interval[0] < 0.06
    assert found.interval[0] < 1.0092184 < found.interval[1]
    assert found.value == pytest.approx(1.0092184, abs=1e-5)  # of words of 8, 10 and 12 letters


def test_the_fern_has_bounds_only() -> None:
    found = gallery.barnsley_fern().ifs.affinity_dimension()
    assert 1.828 < found.interval[0] < found.interval[1] <= gallery.barnsley_fern().bounds[1] + 1e-4
    assert float(found) == found.value


def test_a_flat_map_counts_up_to_its_rank() -> None:
    """Two projections to a line, and one map of the plane: diag(1/2, 0) has no area."""
    A = np.array([np.diag([0.5, 0.0]), np.diag([0.5, 0.0]), np.diag([0.25, 0.25])])
    assert affinity_dimension(A[:2]).value == pytest.approx(1, rel=1e-13)
    assert affinity_dimension(A).value == pytest.approx(1, rel=1e-13)  # P jumps from above to below 1 there
    low, high = _bounded(A, 3).interval
    assert low <= 1 <= high


@pytest.mark.parametrize(
    ("matrices", "options", "named"),
    [
        (np.eye(2), {}, "`matrices`"),
        (np.zeros((1, 9, 9)), {}, "d <= 8"),
        (np.full((1, 1, 1), np.nan), {}, "finite"),
        (np.full((2, 1, 1), 1.0), {}, "contract"),
        (FERN, {"level": 0}, "`level`"),
        (FERN, {"level": 12}, "`level`"),
    ],
)
def test_bad_arguments_are_refused_by_name(matrices: Any, options: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        affinity_dimension(matrices, **options)
