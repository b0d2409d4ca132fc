"""Effective exponents and dimensions in both senses, on Gaussians exactly and on the law where they part."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import (
    Chain,
    exact_denoiser,
    geometry,
    marginals,
    product_spectrum,
    quotient_spectrum,
    rayleigh_quotients,
    schedules,
)
from pifs_sim.diffusion.measures import Gaussian, Mixture
from pifs_sim.dynamics import kaplan_yorke_dimension
from pifs_sim.testing.strategies import spd_matrices

SCHEDULE = schedules.uniform_angle(12, 0.05, 1.5)


@given(spd=spd_matrices(3, least=1e-2, largest=1e2), seed=st.integers(0, 2**32 - 1))
def test_on_gaussian_data_both_are_the_exponents_of_the_variances(spd, seed):
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.ones(3), spd.matrix)))
    x = marginals(chain, 3, np.random.default_rng(seed))
    exact = geometry.lyapunov_exponent(SCHEDULE, spd.eigenvalues)
    found = quotient_spectrum(rayleigh_quotients(chain, x, spd.eigenvectors))
    product = product_spectrum(chain, x[-1])
    assert_allclose(found.exponents, exact, atol=1e-11)
    assert_allclose(product.exponents, np.sort(exact)[::-1], atol=1e-10)
    assert_allclose(found.stderr, 0, atol=1e-12)
    # a dimension moves by its exponents' rounding over the next exponent's size
    slope = 1 / np.abs(exact).min()
    dimension = kaplan_yorke_dimension(exact)
    assert found.dimension.value == pytest.approx(dimension, abs=1e-10 * (1 + slope))
    assert product.dimension.value == pytest.approx(dimension, abs=1e-9 * (1 + slope))


def test_multiplicities_repeat_an_exponent():
    q = np.exp(np.array([[[0.3, -0.2]], [[0.1, -0.4]]]))
    found = quotient_spectrum(q, [2, 3])
    assert_allclose(found.exponents, [0.4, -0.6])
    assert found.dimension.value == pytest.approx(2 + 0.8 / 0.6)
    assert quotient_spectrum(q).dimension.value == pytest.approx(1 + 0.4 / 0.6)
    assert np.isnan(found.stderr).all()


def test_the_error_is_that_of_independent_points():
    """d = 1 + L_1/|L_2|: its linear part has the standard error of the points' own values."""
    rng = np.random.default_rng(0)
    logs = 0.01 * rng.standard_normal((4, 50, 2)) + np.array([0.1, -0.3])
    found = quotient_spectrum(np.exp(logs))
    sums = logs.sum(axis=0)
    assert_allclose(found.exponents, sums.mean(axis=0))
    assert_allclose(found.stderr, sums.std(axis=0, ddof=1) / math.sqrt(50))
    first, second = found.exponents
    linear = sums @ np.array([-1 / second, first / second**2])
    assert found.dimension.stderr == pytest.approx(linear.std(ddof=1) / math.sqrt(50))


def test_a_direction_that_dies_has_exponent_minus_infinity():
    q = np.ones((2, 3, 2))
    q[0, 1, 1] = 0.0
    found = quotient_spectrum(q)
    assert found.exponents.tolist() == [0.0, -math.inf]
    assert found.dimension.value == 1
    assert found.stderr[1] == 0


def test_products_can_exceed_the_gaussian_dimension_where_quotients_do_not():
    """Theory's counterexample: d = 0 and d_eff = 1.14 by mean log singular values of whole products."""
    law = Mixture(np.full(2, 0.5), np.zeros((2, 2)), np.array([[1.59, 0.01], [0.01, 1.59]]))
    chain = Chain(schedules.uniform_angle(200, 0.02), exact_denoiser(law))
    x = marginals(chain, 100, np.random.default_rng(0))
    exact = geometry.lyapunov_exponent(chain.schedule, np.diag(law.covariance))
    assert kaplan_yorke_dimension(exact) == 0
    assert quotient_spectrum(rayleigh_quotients(chain, x, np.eye(2))).dimension.value == 0
    found = product_spectrum(chain, x[-1]).dimension
    assert found.value == pytest.approx(1.14, abs=5 * found.stderr + 0.005)
    assert found.value > 5 * found.stderr


@pytest.mark.parametrize(
    ("quotients", "multiplicities", "name"),
    [
        (np.ones((2, 2)), None, "quotients"),
        (np.ones((0, 1, 1)), None, "quotients"),
        (-np.ones((1, 1, 1)), None, "quotients"),
        (np.full((1, 1, 1), np.inf), None, "quotients"),
        (np.ones((1, 1, 2)), [1], "multiplicities"),
        (np.ones((1, 1, 2)), [1, 0], "multiplicities"),
        (np.ones((1, 1, 2)), [1, 1.5], "multiplicities"),
        (np.ones((1, 1, 2)), [1, np.nan], "multiplicities"),
    ],
)
def test_bad_input_is_refused_by_name(quotients, multiplicities, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        quotient_spectrum(quotients, multiplicities)
