"""The chaos game: laws with known moments, counts that are those of the points, and exponents in closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import get_num_threads, set_num_threads

from pifs_sim.fractals import IFS, gallery, log_density
from pifs_sim.testing import check_system
from tests.fractals.affine import Known, contractions, similar

FERN = gallery.barnsley_fern().ifs
RIGHT = gallery.sierpinski_right()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def moments(ifs: IFS) -> tuple[Any, Any]:
    """Mean and second moments of the invariant measure, from mu = sum p_i f_i(mu)."""
    A, b, p, d = ifs.matrices, ifs.offsets, ifs.probabilities, ifs.dim
    mean = np.linalg.solve(np.eye(d) - np.einsum("i,irc->rc", p, A), p @ b)
    # E xx^T = sum p_i (A_i E xx^T A_i^T + A_i m b_i^T + b_i m^T A_i^T + b_i b_i^T)
    cross = np.einsum("i,irc,c,is->rs", p, A, mean, b)
    known = cross + cross.T + np.einsum("i,ir,is->rs", p, b, b)
    linear = np.einsum("i,irc,ise->rsce", p, A, A).reshape(d * d, d * d)
    return mean, np.linalg.solve(np.eye(d * d) - linear, known.ravel()).reshape(d, d)


@settings(max_examples=25)
@given(known=contractions(largest=0.9), seed=st.integers(0, 2**32 - 1))
def test_the_points_have_the_moments_of_the_invariant_measure(known: Known, seed: int) -> None:
    """Within five standard errors, from the spread of the 128 independent orbits."""
    points = known.ifs.attractor(128 * 400, rng=rng(seed)).reshape(400, 128, -1)
    mean, second = moments(known.ifs)
    for found, exact in (
        (points.mean(axis=0), mean),
        (np.einsum("nor,nos->ors", points, points) / 400, second),
    ):
        error = found.std(axis=0, ddof=1) / math.sqrt(128)
        assert (np.abs(found.mean(axis=0) - exact) <= 5 * error + 1e-9).all()


def test_every_point_is_an_image_of_the_orbits_last_point() -> None:
    n = 128 * 50
    points = FERN.attractor(n, rng=rng(3)).reshape(-1, 128, 2)
    images = np.einsum("irc,noc->inor", FERN.matrices, points[:-1]) + FERN.offsets[:, None, None]
    assert np.abs(images - points[1:]).max(axis=3).min(axis=0).max() < 1e-14


@settings(max_examples=40)
@given(known=contractions(largest=0.9), seed=st.integers(0, 2**32 - 1), bins=st.integers(1, 30))
def test_the_histogram_counts_the_points(known: Known, seed: int, bins: int) -> None:
    """The default grid holds them all."""
    ifs, n = known.ifs, 3000
    counts = ifs.histogram(n, bins=bins, rng=rng(seed))
    assert counts.sum() == n
    low, high = ifs.bounding_box()
    width = high - low
    flat = np.where(width <= 2.0**-30 * width.max(), width.max() / 2, 0.0)
    q = (ifs.attractor(n, rng=rng(seed)) - (low - flat)) * (bins / (width + 2 * flat))
    expected = np.zeros(counts.shape, int)
    np.add.at(expected, tuple(np.minimum(q.astype(int), bins - 1).T), 1)
    assert np.abs(counts - expected).sum() <= 2  # a point within rounding of a face may change the box


def test_the_triangle_meets_3_to_the_k_boxes_at_every_scale() -> None:
    corner = np.zeros(2)
    counts = RIGHT.ifs.histogram(1_000_000, bins=512, bounds=(corner, corner + 1))
    for k in range(9, -1, -1):
        assert np.count_nonzero(counts) == 3**k
        counts = counts.reshape(2 ** max(k - 1, 0), -1, 2 ** max(k - 1, 0), 2 if k else 1).sum(axis=(1, 3))


def test_a_grid_over_a_part_counts_what_lies_in_it() -> None:
    whole = RIGHT.ifs.histogram(50_000, bins=(64, 64), bounds=([0, 0], [1, 1]), rng=rng(1))
    part = RIGHT.ifs.histogram(50_000, bins=(16, 32), bounds=([0.25, 0.0], [0.5, 0.5]), rng=rng(1))
    assert np.array_equal(part, whole[16:32, :32])


def test_the_picture_depends_on_the_generator_alone() -> None:
    threads, n = get_num_threads(), 1_200_000  # three blocks of orbits
    try:
        set_num_threads(1)
        alone = FERN.histogram(n, bins=100, rng=rng(5))
    finally:
        set_num_threads(threads)
    assert np.array_equal(FERN.histogram(n, bins=100, rng=rng(5)), alone)
    reference = FERN.histogram(n // 100, bins=100, rng=rng(5), backend="reference")
    assert np.array_equal(FERN.histogram(n // 100, bins=100, rng=rng(5)), reference)
    assert np.array_equal(FERN.histogram(n, bins=100), FERN.histogram(n, bins=100, rng=rng(0)))
    assert not np.array_equal(FERN.histogram(n, bins=100), alone)


def test_progress_is_reported_and_does_not_change_the_counts() -> None:
    calls: list[tuple[int, int]] = []
    n = 20_000_000
    counts = RIGHT.ifs.histogram(n, bins=8, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(10_000_000, n), (n, n)]
    assert counts.sum() == n


def test_a_transient_forgets_the_start_and_without_one_the_first_points_are_its_images() -> None:
    start = FERN.fixed_points[1]
    first = FERN.attractor(128, rng=rng(2), transient=0)
    images = FERN.deterministic(start[None], 1)
    assert np.abs(first[:, None] - images[None]).max(axis=2).min(axis=1).max() < 1e-14
    later = FERN.attractor(128, rng=rng(2), transient=60)
    assert np.array_equal(later, FERN.attractor(128 * 61, rng=rng(2), transient=0)[-128:])


def test_the_system_follows_the_orbits_of_the_points() -> None:
    points = FERN.attractor(128 * 300, rng=rng(7), transient=0).reshape(300, 128, 2)
    system, x = FERN.system(rng(7)), np.tile(FERN.fixed_points[1], (128, 1))
    for n in range(300):
        x = system.step(x, n)
        assert np.abs(x - points[n]).max() < 1e-12


@pytest.mark.parametrize("name", ["carpet", "menger", "sierpinski"])
def test_the_game_is_a_system(name: str) -> None:
    ifs = gallery.get(name).ifs
    check_system(ifs.system(), ifs.attractor(3), steps=20, by_orbit=False)


def test_a_box_that_is_flat_gets_the_length_of_the_longest() -> None:
    line = IFS(np.tile(np.eye(2) / 3, (2, 1, 1)), [[0.0, 0.0], [2 / 3, 0.0]])
    counts = line.histogram(1000, bins=9)
    assert counts[:, 4].sum() == 1000
    assert np.flatnonzero(counts[:, 4]).tolist() == [0, 2, 6, 8]


@pytest.mark.parametrize("name", ["cantor", "carpet", "menger", "koch"])
def test_equal_ratios_give_their_logarithm_as_every_exponent(name: str) -> None:
    ifs = gallery.get(name).ifs
    spectrum = ifs.lyapunov(40, orbits=4)
    ratio = np.linalg.norm(ifs.matrices[0], 2)
    assert spectrum.exponents == pytest.approx(np.full(ifs.dim, math.log(ratio)), rel=1e-13)


@settings(max_examples=15)
@given(known=similar(), seed=st.integers(0, 99))
def test_similarities_have_the_mean_logarithm_of_their_ratios(known: Known, seed: int) -> None:
    """The logarithms are drawn independently, so their standard error is known too."""
    steps, orbits, p, logs = 60, 200, known.ifs.probabilities, np.log(known.ratios)
    exact = p @ logs
    error = math.sqrt(p @ (logs - exact) ** 2 / (steps * orbits))
    found = known.ifs.lyapunov(steps, orbits=orbits, rng=rng(seed)).exponents
    assert np.abs(found - exact).max() <= 5 * error + 1e-12


def test_a_diagonal_system_has_the_mean_logarithms_of_its_entries_and_a_dead_direction_is_dead() -> None:
    p = np.array([0.3, 0.7])
    entries = np.array([[0.5, 0.1], [0.25, 0.9]])
    ifs = IFS(entries[:, :, None] * np.eye(2), np.zeros((2, 2)), p)
    spectrum = ifs.lyapunov(500, orbits=100)
    exact = np.sort(p @ np.log(entries))[::-1]
    assert (np.abs(spectrum.exponents - exact) <= 5 * spectrum.stderr).all()
    assert spectrum.stderr.max() < 0.01
    assert FERN.lyapunov(2000, orbits=8).exponents[1] == -math.inf  # its stem is flat


@given(counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_brightness_runs_from_0_to_1_in_the_order_of_the_counts(counts: list[int]) -> None:
    bright = log_density(np.array(counts))
    assert ((bright >= 0) & (bright <= 1)).all()
    assert (np.diff(bright[np.argsort(counts)]) >= 0).all()
    assert max(counts) == 0 or bright.max() == 1
    assert log_density([0, 1, 3])[1] == pytest.approx(0.5, rel=1e-15)
