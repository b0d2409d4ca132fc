"""Bad input is refused by name, and probabilities are what they are said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, gallery, log_density
from pifs_sim.fractals.ifs_inputs import cuts

HALF = np.full((2, 1, 1), 0.5)
ENDS = np.array([[0.0], [0.5]])
CANTOR, MENGER = gallery.cantor().ifs, gallery.menger().ifs


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((HALF[0], ENDS), r"`matrices` must have shape \(M, d, d\)"),
        ((np.zeros((0, 2, 2)), np.zeros((0, 2))), "`matrices`"),
        ((np.zeros((2, 1, 2)), ENDS), "`matrices`"),
        ((HALF, ENDS[:1]), r"`offsets` must have shape \(2, 1\)"),
        ((HALF, ENDS * np.nan), "`offsets` must be finite, got nan"),
        ((HALF * np.inf, ENDS), "`matrices` must be finite, got inf"),
        ((HALF, [["a"], ["b"]]), "`offsets` must hold real numbers"),
        ((HALF, ENDS, [1.0]), r"`probabilities` must have shape \(2,\)"),
        ((HALF, ENDS, [0.5, 0.4]), "`probabilities` must sum to 1, got 0.9"),
        ((HALF, ENDS, [1.0, 0.0]), "`probabilities` must be at least 2"),
        ((HALF, ENDS, [1.5, -0.5]), "`probabilities` must be at least 2"),
        ((HALF, ENDS, [np.nan, 1.0]), "`probabilities` must be at least 2"),
    ],
)
def test_bad_maps_are_refused_by_name(arguments: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        IFS(*arguments)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: CANTOR.attractor(-1), "`n`"),
        (lambda: CANTOR.attractor(2.5), "`n`"),
        (lambda: CANTOR.attractor(5, transient=-1), "`transient`"),
        (lambda: CANTOR.attractor(5, backend="cuda"), "`backend`"),
        (lambda: CANTOR.histogram(5, bins=0), "`bins`"),
        (lambda: CANTOR.histogram(5, bins=(3, 3)), "`bins`"),
        (lambda: CANTOR.histogram(5, bounds=([0.0], [0.0])), "`grid`"),
        (lambda: CANTOR.histogram(5, bounds=([0.0, 0.0], [1.0, 1.0])), "`bounds`"),
        (lambda: MENGER.histogram(5, bins=2000), "`bins`"),
        (lambda: IFS(np.eye(4)[None] / 2, np.zeros((1, 4))).histogram(5, bins=2), "d <= 3"),
        (lambda: CANTOR.deterministic(np.zeros((1, 2)), 1), "`points`"),
        (lambda: CANTOR.deterministic(np.zeros((1, 1)), -1), "`iterations`"),
        (lambda: CANTOR.deterministic(np.zeros((1, 1)), 28), "`iterations`"),
        (lambda: CANTOR.contraction(3), "`norm`"),
        (lambda: CANTOR.contraction("best"), "`norm`"),
        (lambda: CANTOR.contraction(np.zeros((1, 1))), "`norm`"),
        (lambda: CANTOR.lyapunov(0), "`steps`"),
        (lambda: CANTOR.lyapunov(5, orbits=0), "`orbits`"),
        (lambda: log_density([]), "`counts`"),
        (lambda: log_density([1, -1]), "`counts`"),
        (lambda: log_density([np.nan]), "`counts`"),
    ],
)
def test_bad_requests_are_refused_by_name(call: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        call()


def test_an_ifs_keeps_arrays_of_its_own_that_cannot_be_written() -> None:
    matrices = HALF.copy()
    ifs = IFS(matrices, ENDS)
    matrices[0] = 9.0
    assert ifs.matrices[0, 0, 0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        ifs.matrices[0] = 1.0
    with pytest.raises(AttributeError):
        ifs.offsets = ENDS
    low, _ = ifs.bounding_box()
    low[:] = 7.0
    assert ifs.bounding_box()[0][0] < 1e-12


def test_default_probabilities_follow_the_areas_and_spare_flat_maps_a_hundredth() -> None:
    areas = IFS([np.eye(2) / 2, np.eye(2) / 4], np.zeros((2, 2)))
    assert areas.probabilities == pytest.approx([0.8, 0.2], rel=1e-15)
    flat = IFS([np.eye(2) / 2, np.diag([0.5, 0.0])], np.zeros((2, 2)))
    assert flat.probabilities == pytest.approx([1 / 1.01, 0.01 / 1.01], rel=1e-15)
    lines = IFS([np.diag([0.5, 0.0]), np.diag([0.0, 0.25]), np.zeros((2, 2))], np.zeros((3, 2)))
    assert lines.probabilities == pytest.approx(np.array([0.5, 0.25, 0.005]) / 0.755, rel=1e-14)
    assert IFS(np.zeros((4, 2, 2)), np.zeros((4, 2))).probabilities.tolist() == [0.25] * 4


def test_probabilities_given_in_decimals_are_scaled_to_sum_1() -> None:
    p = [0.1, 0.2, 0.7 + 1e-10]
    assert IFS(np.full((3, 1, 1), 0.5), np.zeros((3, 1)), p).probabilities.sum() == pytest.approx(1, abs=1e-15)


@given(weights=st.lists(st.floats(1e-9, 1), min_size=2, max_size=40))
def test_the_integers_of_the_draw_are_the_probabilities_to_their_unit(weights: list[float]) -> None:
    p = np.array(weights) / sum(weights)
    shares = np.diff(np.concatenate([[0], cuts(p).astype(np.int64), [2**32]]))
    assert (shares >= 1).all()
    assert np.abs(shares / 2**32 - p).max() <= len(p) * 2.0**-32
    assert np.sort(np.abs(shares / 2**32 - p))[-2] <= 2.0**-32  # the largest takes up what rounding leaves


def test_a_rare_map_is_drawn_as_rarely_as_it_should() -> None:
    ifs = IFS(np.zeros((2, 1, 1)), [[0.0], [1.0]], [1 - 1e-4, 1e-4])
    count = ifs.attractor(4_000_000).sum()
    assert abs(count - 400) < 5 * 20


def test_no_points_are_no_points() -> None:
    assert CANTOR.attractor(0).shape == (0, 1)
    assert CANTOR.histogram(0, bins=3).tolist() == [0, 0, 0]
