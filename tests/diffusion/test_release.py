"""Rank correlations, release windows and margin monotonicity."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from pifs_sim.diffusion import (
    Chain,
    Window,
    exact_denoiser,
    leading_directions,
    margin_monotonicity,
    rank_correlation,
    rayleigh_quotients,
    release_windows,
    releases,
    schedules,
)
from pifs_sim.diffusion.measures import Gaussian
from tests.diffusion.test_patchwise import PATCHES, TILTED

NUMBERS = st.integers(-3, 3).map(float)


@given(rows=st.lists(st.lists(NUMBERS, min_size=9, max_size=9), min_size=2, max_size=4))
def test_the_correlation_is_scipy_s_with_ties_and_all(rows):
    first, *others = np.array(rows)
    found = rank_correlation(first, np.array(others))
    for i, other in enumerate(others):
        if np.ptp(first) == 0 or np.ptp(other) == 0:
            assert np.isnan(found.value[i])
            assert np.isnan(found.pvalue[i])
        else:
            expected = spearmanr(first, other)
            assert found.value[i] == pytest.approx(expected.statistic, abs=1e-12)
            assert found.pvalue[i] == pytest.approx(expected.pvalue, abs=1e-9)


@pytest.mark.parametrize(("count", "pairings"), [(2, 2), (3, 6), (4, 24), (5, 120), (7, 5040)])
def test_of_a_few_only_two_pairings_are_perfect(count, pairings):
    found = rank_correlation(np.arange(count), np.array([np.exp(np.arange(count)), -np.arange(count)]))
    assert_allclose(found.value, [1, -1])
    assert_allclose(found.pvalue, 2 / pairings)


def test_a_few_with_ties_are_counted():
    """Of (1, 2, 3) against (1, 1, 2): rho = sqrt(3)/2, as have 4 of the 6 pairings; the other two have 0."""
    found = rank_correlation([1.0, 2.0, 3.0], [1.0, 1.0, 2.0])
    assert found.value == pytest.approx(np.sqrt(3) / 2)
    assert found.pvalue == pytest.approx(4 / 6)


def test_bad_numbers_are_refused():
    for first, second, name in (
        ([1.0], [1.0], "first"),
        ([[1.0, 2.0]], [1.0, 2.0], "first"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "second"),
        ([1.0, 2.0], 3.0, "second"),
        ([1.0, np.nan], [1.0, 2.0], "first"),
        ([1.0, 2.0], [1.0, np.inf], "second"),
    ):
        with pytest.raises(ValueError, match=f"`{name}`"):
            rank_correlation(first, second)


def test_windows_are_the_runs_of_negative_margins_from_the_noisy_end():
    margins = np.array([[-1.0, 1.0, 0.0], [-1.0, 1.0, -1.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 1.0], [1.0, 1.0, -2.0]])
    assert release_windows(margins) == (
        (Window(4, 4), Window(1, 2)),
        (),
        (Window(5, 5), Window(2, 2)),
    )
    assert np.array_equal(releases(margins), [4, 0, 5])


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_windows_hold_every_expanding_step_once(signs):
    margins = np.where(np.array(signs), -1.0, 1.0)[:, None]
    (windows,) = release_windows(margins)
    inside = [t for window in windows[::-1] for t in range(window.first, window.last + 1)]
    assert inside == [t for t, sign in enumerate(signs, 1) if sign]
    assert all(a.first > b.last + 1 for a, b in pairwise(windows))


def quotients(covariance, schedule):
    """lam_k and the quotients of a Gaussian at one point, which are those at all."""
    chain = Chain(schedule, exact_denoiser(Gaussian(np.zeros(4), covariance)))
    leading = leading_directions(covariance, PATCHES)
    return leading.values, rayleigh_quotients(chain, np.zeros((schedule.steps, 1, 4)), leading.directions)


def test_independent_gaussians_release_the_larger_variance_first():
    lam, q = quotients(np.diag([2.0, 0.5, 1.9, 1.5]), schedules.uniform_angle(40, 0.0, 1.2))
    found = margin_monotonicity(q, lam)
    assert found.fails.all()
    assert not found.holds.any()
    assert np.array_equal(found.correlation.value, np.full(40, -1.0))
    assert np.array_equal(found.reversed, np.ones(40))


def test_with_coupling_margins_can_increase_with_variance_at_every_step():
    lam, q = quotients(TILTED, schedules.uniform_angle(40, 0.0, 1.2))
    found = margin_monotonicity(q, lam)
    assert found.holds.all()
    assert np.array_equal(found.correlation.value, np.ones(40))
    assert_allclose(found.margins, 1 - q[:, 0])
    assert not found.stderr.any()


def test_with_little_signal_every_gaussian_has_decreasing_margins():
    lam, q = quotients(TILTED, schedules.uniform_angle(200, 0.0, 1.57))
    found = margin_monotonicity(q, lam)
    assert found.fails[-1]
    assert found.holds[0]


def test_the_order_of_the_patches_is_of_no_account():
    rng = np.random.default_rng(0)
    lam, q = rng.random(5), rng.random((3, 20, 5))
    order = rng.permutation(5)
    one, other = margin_monotonicity(q, lam, sigmas=1.0), margin_monotonicity(q[:, :, order], lam[order], sigmas=1.0)
    assert np.array_equal(one.increasing, other.increasing)
    assert np.array_equal(one.reversed, other.reversed)
    assert_allclose(one.margins[:, order], other.margins)
    assert_allclose(one.correlation.value, other.correlation.value)
    assert_allclose(one.stderr, q.std(axis=1, ddof=1) / np.sqrt(20), rtol=1e-12)


def test_equal_variances_are_no_pair_and_noise_is_no_decision():
    rng = np.random.default_rng(1)
    q = 1 + 0.1 * rng.standard_normal((50, 30, 4))
    found = margin_monotonicity(q, [1.0, 1.0, 2.0, 3.0])
    assert found.pairs == 5
    assert found.increasing.sum() + found.reversed.sum() <= 1  # 250 comparisons at five standard errors
    shifted = margin_monotonicity(q + np.array([0.0, 0.0, -1.0, -2.0]), [1.0, 1.0, 2.0, 3.0])
    assert shifted.holds.all()


def test_bad_margins_quotients_and_variances_are_refused():
    q, lam = np.ones((2, 3, 2)), [1.0, 2.0]
    for call, name in (
        (lambda: release_windows([1.0]), "margins"),
        (lambda: release_windows([[np.nan]]), "margins"),
        (lambda: margin_monotonicity(q[0], lam), "quotients"),
        (lambda: margin_monotonicity(q, [1.0]), "lam"),
        (lambda: margin_monotonicity(q[:, :, :1], [1.0]), "lam"),
        (lambda: margin_monotonicity(q, lam, sigmas=-1), "sigmas"),
        (lambda: margin_monotonicity(q, lam, sigmas=float("nan")), "sigmas"),
    ):
        with pytest.raises(ValueError, match=f"`{name}`"):
            call()
