"""Exact marginals, and means over them."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, ensemble_mean, exact_denoiser, marginals, schedules
from pifs_sim.diffusion.ensembles import check_ensemble
from pifs_sim.diffusion.measures import Gaussian

COVARIANCE = np.array([[2.0, 0.6], [0.6, 0.5]])


def chain(steps=3, covariance=COVARIANCE, mean=(1.0, -2.0)):
    schedule = schedules.cosine(steps, max_beta=None)
    return Chain(schedule, exact_denoiser(Gaussian(np.array(mean), covariance)))


def test_every_row_has_the_marginal_s_moments():
    """Means and second moments within five standard errors of N(cos mu, cos^2 Sigma + sin^2)."""
    subject, n = chain(), 20_000
    x = marginals(subject, n, np.random.default_rng(0))
    assert x.shape == (3, n, 2)
    for row, c, s in zip(x, subject.schedule.cos[1:], subject.schedule.sin[1:], strict=True):
        y = row - c * np.array([1.0, -2.0])
        assert_allclose(y.mean(axis=0), 0, atol=5 * row.std() / math.sqrt(n))
        products = y[:, :, None] * y[:, None, :]
        assert_allclose(products.mean(axis=0), c**2 * COVARIANCE + s**2 * np.eye(2), atol=5 * 4 / math.sqrt(n))


def test_the_last_row_of_a_chain_from_pi_over_2_holds_nothing_of_the_data():
    near, far = (marginals(chain(mean=mean), 4, np.random.default_rng(1))[-1] for mean in ((0.0, 0.0), (1e9, -1e9)))
    assert np.array_equal(near, far)


def test_the_generator_decides_the_points():
    first, second, other = (marginals(chain(), 5, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, second)
    assert not np.any(first == other)


def test_points_have_the_precision_of_the_measure():
    law = Gaussian(np.zeros(2, dtype=np.float32), np.eye(2, dtype=np.float32))
    x = marginals(Chain(schedules.cosine(2), exact_denoiser(law)), 3, np.random.default_rng(0))
    assert x.dtype == np.float32


def test_the_mean_is_over_points_with_its_standard_error():
    values = np.array([[[1.0], [2.0], [6.0]], [[0.0], [0.0], [0.0]]])
    found = ensemble_mean(values)
    assert_allclose(found.value, [[3.0], [0.0]])
    assert_allclose(found.stderr, [[math.sqrt(7 / 3)], [0.0]])  # variance 7 of three points


def test_one_point_has_no_standard_error():
    found = ensemble_mean(np.ones((2, 1, 4)))
    assert np.array_equal(found.value, np.ones((2, 4)))
    assert np.isnan(found.stderr).all()


@pytest.mark.parametrize("n", [0, -1, 2.5, "two"], ids=str)
def test_a_bad_number_of_points_is_refused(n):
    with pytest.raises(ValueError, match="`n`"):
        marginals(chain(), n, np.random.default_rng(0))


def test_a_denoiser_without_a_measure_has_no_marginals():
    class Bare:
        dim = 1

        def posterior(self, x, angle):
            raise AssertionError((x, angle))

    with pytest.raises(ValueError, match="`measure`"):
        marginals(Chain(schedules.cosine(2), Bare()), 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    "x", [np.zeros((3, 2)), np.zeros((2, 4, 2)), np.zeros((3, 4, 1)), np.zeros((3, 0, 2))], ids=lambda x: str(x.shape)
)
def test_an_ensemble_of_another_shape_is_refused_with_the_expected_one(x):
    with pytest.raises(ValueError, match=r"`x` must have shape \(3, batch, 2\)"):
        check_ensemble(chain(), x)


def test_an_ensemble_that_is_not_finite_is_refused():
    x = np.zeros((3, 1, 2))
    x[1, 0, 1] = np.nan
    with pytest.raises(ValueError, match="`x` must be finite"):
        check_ensemble(chain(), x)


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((2, 0))], ids=lambda v: str(v.shape))
def test_means_need_points(values):
    with pytest.raises(ValueError, match="`values`"):
        ensemble_mean(values)
