"""Affine maps: constants, fixed points, boxes and images, against constructions and closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, gallery
from tests.fractals.affine import Known, contractions

EPS = np.finfo(float).eps
FERN = gallery.barnsley_fern().ifs
CARPET = gallery.carpet().ifs


@given(known=contractions())
def test_the_constants_in_the_norm_of_the_construction_are_those_of_the_construction(known: Known) -> None:
    found = known.ifs.contraction(known.S)
    assert found == pytest.approx(known.ratios, rel=64 * EPS * np.linalg.cond(known.S))


@given(known=contractions())
def test_the_adapted_norm_does_as_well_as_the_norm_of_the_construction(known: Known) -> None:
    """Which is as well as any: the first ratio is a spectral radius."""
    found = known.ifs.contraction("adapted").max()
    assert known.ratios[0] * (1 - 1e-12) <= found <= known.ratios[0] * (1 + 1e-6)
    assert known.ifs.is_contractive()


def test_the_adapted_norm_sees_contraction_that_1_2_and_inf_do_not() -> None:
    """A rotation by 45 degrees of 0.9, sheared: it stretches some vectors in each of the three norms."""
    turn, shear = gallery.entry.turn(math.pi / 4), np.array([[1.0, 3.0], [0.0, 1.0]])
    ifs = IFS((0.9 * np.linalg.inv(shear) @ turn @ shear)[None], np.zeros((1, 2)))
    assert min(ifs.contraction(norm).max() for norm in (1, 2, math.inf)) > 1.5
    assert ifs.contraction("adapted").max() == pytest.approx(0.9, rel=1e-9)
    assert ifs.is_contractive()


def test_constants_of_a_matrix_in_the_three_norms() -> None:
    ifs = IFS([[[0.5, -0.25], [0.0, 0.25]]], [[0.0, 0.0]])
    assert ifs.contraction(1).tolist() == [0.5]
    assert ifs.contraction(math.inf).tolist() == [0.75]
    assert ifs.contraction()[0] ** 2 == pytest.approx((0.375 + math.sqrt(0.375**2 - 4 * 0.125**2)) / 2, rel=1e-15)


@given(known=contractions(), factor=st.floats(1.0, 3.0))
def test_an_eigenvalue_of_size_1_or_more_rules_contraction_out(known: Known, factor: float) -> None:
    grown = IFS(known.ifs.matrices / known.ratios[0] * factor * (1 + 1e-9), known.ifs.offsets)
    assert not grown.is_contractive()
    with pytest.raises(ValueError, match=r"no attractor .* in the 1-norm, .* in the best ellipsoidal norm found"):
        grown.attractor(10)


def test_an_ifs_may_contract_on_average_although_a_map_expands() -> None:
    ifs = IFS([[[2.0]], [[0.1]]], [[0.0], [1.0]], [0.5, 0.5])
    assert ifs.mean_log_contraction() == pytest.approx(0.5 * math.log(0.2), rel=1e-15)
    assert not ifs.is_contractive()
    assert IFS([[[0.0]], [[0.1]]], [[0.0], [1.0]]).mean_log_contraction() == -math.inf


@given(known=contractions())
def test_fixed_points_are_fixed(known: Known) -> None:
    x, (A, b) = known.ifs.fixed_points, (known.ifs.matrices, known.ifs.offsets)
    moved = np.einsum("irc,ic->ir", A, x) + b
    assert np.abs(moved - x).max() <= 1e-11 * (1 + np.abs(x).max())


def test_a_map_without_one_fixed_point_is_refused() -> None:
    with pytest.raises(ValueError, match="map 1 must have one fixed point"):
        _ = IFS([[[0.5]], [[1.0]]], [[0.0], [1.0]]).fixed_points


@given(known=contractions(largest=0.7))
def test_the_box_holds_the_attractor_and_every_face_is_reached(known: Known) -> None:
    """Images of a fixed point are in the attractor, and after k steps within c^k of every point of it."""
    ifs = known.ifs
    low, high = ifs.bounding_box()
    k = min(40, max(1, int(math.log(20_000) / math.log(max(len(ifs), 2)))))
    points = ifs.deterministic(ifs.fixed_points[:1], k)
    assert (points >= low).all()
    assert (points <= high).all()
    away = known.ratios.max() ** k * np.linalg.norm(high - low) * np.linalg.cond(known.S)
    assert np.abs(np.concatenate([points.min(axis=0) - low, high - points.max(axis=0)])).max() <= away + 1e-9


@pytest.mark.parametrize(
    ("entry", "low", "high"),
    [
        (gallery.cantor(), [0], [1]),
        (gallery.overlapping(), [0], [1.5]),
        (gallery.carpet(), [0, 0], [1, 1]),
        (gallery.koch(), [0, 0], [1, math.sqrt(1 / 12)]),
        (gallery.menger(), [0, 0, 0], [1, 1, 1]),
        (gallery.bedford_mcmullen(), [0, 0], [1, 1]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_boxes_of_known_sets_are_exact(entry: Any, low: Any, high: Any) -> None:
    found = entry.ifs.bounding_box()
    assert np.concatenate(found) == pytest.approx(np.array([*low, *high], float), abs=1e-13)


@pytest.mark.parametrize(
    ("angles", "offset", "low", "high"),
    [
        ((math.pi / 4, 3 * math.pi / 4), [1.0, 0.0], [-1 / 3, -1 / 3], [7 / 6, 2 / 3]),
        ((math.pi / 4, -math.pi / 4), [0.5, 0.5], [-1 / 2, -1 / 4], [3 / 2, 1]),
    ],
    ids=["Heighway's dragon", "Levy's curve"],
)
def test_boxes_of_the_dragons_are_exact(angles: Any, offset: Any, low: Any, high: Any) -> None:
    """Maps that turn: the image of a box is larger than a box."""
    ifs = IFS([math.sqrt(0.5) * gallery.entry.turn(angle) for angle in angles], [[0.0, 0.0], offset])
    assert np.concatenate(ifs.bounding_box()) == pytest.approx(np.array([*low, *high]), abs=1e-13)


def test_many_ties_for_an_extreme_point_are_merged() -> None:
    """300 maps of the line of one ratio: branches with the same direction are one."""
    low, high = IFS(np.full((300, 1, 1), 0.5), np.linspace(0, 0.5, 300)[:, None]).bounding_box()
    assert [low[0], high[0]] == pytest.approx([0, 1], abs=1e-13)


@given(known=contractions(), seed=st.integers(0, 99), k=st.integers(0, 3))
def test_images_come_by_words_and_iterations_add_up(known: Known, seed: int, k: int) -> None:
    ifs, rng = known.ifs, np.random.default_rng(seed)
    points = rng.standard_normal((3, ifs.dim))
    images = ifs.deterministic(points, k)
    assert images.shape == (len(ifs) ** k * 3, ifs.dim)
    word = rng.integers(0, len(ifs), k)
    x = points[1]
    for i in word[::-1]:
        x = ifs.matrices[i] @ x + ifs.offsets[i]
    place = int(np.polyval([0, *word], len(ifs))) * 3 + 1
    assert images[place] == pytest.approx(x, rel=1e-12, abs=1e-12)
    assert ifs.deterministic(images, 1) == pytest.approx(ifs.deterministic(points, k + 1), rel=1e-12, abs=1e-12)


@given(known=contractions(largest=0.8))
def test_two_sets_come_together_at_the_rate_of_the_largest_constant(known: Known) -> None:
    """Hutchinson: every image of one point is near the image of the other under the same word."""
    ifs, S = known.ifs, known.S
    k = 6
    x, y = ifs.deterministic(np.zeros((1, ifs.dim)), k), ifs.deterministic(np.ones((1, ifs.dim)), k)
    apart = np.linalg.norm((x - y) @ S.T, axis=1).max()
    first = np.linalg.norm(S @ np.ones(ifs.dim))
    assert apart <= known.ratios.max() ** k * first * (1 + 1e-9)
    assert apart == pytest.approx(known.ratios[0] ** k * first, rel=1e-9)  # attained: these are similarities of |S x|


def test_float32_maps_stay_float32_and_everything_else_becomes_float64() -> None:
    single = IFS(CARPET.matrices.astype(np.float32), CARPET.offsets.astype(np.float32))
    assert single.attractor(10).dtype == np.float32
    assert single.deterministic(np.zeros((1, 2), np.float32), 1).dtype == np.float32
    assert IFS([[[0]]], [[1]]).attractor(3).dtype == np.float64
    assert IFS(single.matrices, CARPET.offsets).matrices.dtype == np.float64
