"""The exact denoiser of a Gaussian against dense linear algebra.

With A = alpha_bar Sigma + v I: E[x_0|x] = mu + sqrt(alpha_bar) Sigma A^-1 y, E[eps|x] = sqrt(v) A^-1 y and
Cov(x_0|x) = v Sigma A^-1, where y = x - sqrt(alpha_bar) mu. Spectra run over 1e-3..1e3, so that A^-1 loses at
most six digits at the largest angles of a well conditioned test, and 1e-11 of the operands' size is allowed.
"""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.testing.strategies import SpdMatrix, spd_matrices

HALF_PI = math.pi / 2
ANGLES = st.floats(1e-3, HALF_PI - 1e-9) | st.sampled_from([1e-3, 0.7, HALF_PI])
COVARIANCES = st.integers(1, 5).flatmap(lambda d: spd_matrices(d) | spd_matrices(d, zeros=d // 2))
SEEDS = st.integers(0, 2**32 - 1)


def drawn(d: int, seed: int, batch: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal(d), 3 * rng.standard_normal((batch, d))


def cos_sin(angle: float) -> tuple[float, float]:
    return (0.0, 1.0) if angle == HALF_PI else (math.cos(angle), math.sin(angle))


@given(spd=COVARIANCES, angle=ANGLES, seed=SEEDS)
def test_the_posterior_is_that_of_dense_linear_algebra(spd: SpdMatrix, angle: float, seed: int) -> None:
    d, (c, s) = spd.eigenvalues.size, cos_sin(angle)
    mu, x = drawn(d, seed)
    posterior = exact_denoiser(Gaussian(mu, spd.matrix)).posterior(x, angle)
    inverse = np.linalg.inv(c**2 * spd.matrix + s**2 * np.eye(d))
    y, gain = x - c * mu, spd.matrix @ inverse
    condition = (c**2 * spd.eigenvalues.max() + s**2) / (c**2 * spd.eigenvalues.min() + s**2)
    close = {"rtol": 0, "atol": 1e-13 * condition * (1 + np.abs(x).max() + np.abs(mu).max())}
    assert_allclose(posterior.mean, mu + c * y @ gain.T, **close)
    amplified = {"rtol": 0, "atol": close["atol"] * np.linalg.norm(inverse, 2)}
    assert_allclose(posterior.noise, s * y @ inverse, **amplified)
    assert_allclose(posterior.covariance.dense(), np.broadcast_to(s**2 * gain, (3, d, d)), **close)
    assert_allclose(posterior.mean_jacobian.dense(), np.broadcast_to(c * gain, (3, d, d)), **close)
    assert_allclose(posterior.noise_jacobian.dense(), np.broadcast_to(s * inverse, (3, d, d)), **amplified)
    assert np.array_equal(posterior.weights, np.ones((3, 1)))


@given(spd=COVARIANCES, angle=ANGLES, seed=SEEDS)
def test_the_noise_is_what_the_mean_leaves_of_x(spd: SpdMatrix, angle: float, seed: int) -> None:
    (c, s), (mu, x) = cos_sin(angle), drawn(spd.eigenvalues.size, seed)
    posterior = exact_denoiser(Gaussian(mu, spd.matrix)).posterior(x, angle)
    size = np.abs(x).max() + np.abs(mu).max()
    assert_allclose(s * posterior.noise + c * posterior.mean, x, rtol=0, atol=1e-13 * size)


@given(spd=COVARIANCES, angle=ANGLES, seed=SEEDS)
def test_jacobians_are_differences_of_the_maps(spd: SpdMatrix, angle: float, seed: int) -> None:
    """The maps are affine, so a difference over a length of 1 has no truncation error."""
    d = spd.eigenvalues.size
    mu, x = drawn(d, seed, batch=1)
    denoiser = exact_denoiser(Gaussian(mu, spd.matrix))
    posterior = denoiser.posterior(x, angle)
    doors = ((denoiser.posterior_mean, posterior.mean_jacobian), (denoiser.noise, posterior.noise_jacobian))
    for map_, jacobian in doors:
        columns = (map_(x + np.eye(d), angle) - map_(x - np.eye(d), angle)).T / 2
        size = 1 + np.abs(map_(x + np.eye(d), angle)).max() + np.abs(mu).max()
        assert_allclose(jacobian.dense()[0], columns, rtol=0, atol=2e-14 * size)


@given(spd=st.integers(1, 5).flatmap(spd_matrices), angle=ANGLES, seed=SEEDS)
def test_the_log_density_is_the_textbook_one(spd: SpdMatrix, angle: float, seed: int) -> None:
    """scipy's own inverse loses digits with the condition of the covariance; so may the difference."""
    d, (c, s) = spd.eigenvalues.size, cos_sin(angle)
    mu, x = drawn(d, seed)
    covariance = c**2 * spd.matrix + s**2 * np.eye(d)
    expected = np.atleast_1d(multivariate_normal(c * mu, covariance).logpdf(x))
    got = exact_denoiser(Gaussian(mu, spd.matrix)).posterior(x, angle).log_density
    assert got.shape == (3,)
    assert_allclose(got, expected, rtol=1e-14 * np.linalg.cond(covariance) + 1e-12, atol=1e-12)


def test_the_score_is_minus_the_noise_over_sin() -> None:
    """Gradient of the log density by central differences: exact for a quadratic."""
    law = Gaussian([1.0, 2.0], [[2.0, 0.6], [0.6, 0.5]])
    denoiser, x, angle = exact_denoiser(law), np.array([[0.3, -0.4]]), 0.8
    shifted = [denoiser.posterior(x + sign * np.eye(2), angle).log_density for sign in (1, -1)]
    assert_allclose((shifted[0] - shifted[1]) / 2, -denoiser.noise(x, angle)[0] / math.sin(angle), rtol=1e-13)


@pytest.mark.parametrize("covariance", [np.diag([4.0, 0.0]), np.array([[2.0, 1.0], [1.0, 2.0]])], ids=str)
def test_at_angle_zero_x_is_the_data(covariance: np.ndarray) -> None:
    law = Gaussian([1.0, 2.0], covariance)
    x = np.array([[5.0, 2.0], [-1.0, 2.0]])  # on the support of either law
    posterior = exact_denoiser(law).posterior(x, 0.0)
    assert_allclose(posterior.mean, x, rtol=1e-15)
    assert np.array_equal(posterior.noise, np.zeros((2, 2)))
    assert np.array_equal(posterior.covariance.dense(), np.zeros((2, 2, 2)))
    assert np.array_equal(posterior.noise_jacobian.dense(), np.zeros((2, 2, 2)))


@pytest.mark.parametrize("covariance", [np.diag([4.0, 0.0]), np.array([[2.0, 1.0], [1.0, 2.0]])], ids=str)
def test_at_pi_over_2_x_is_the_noise(covariance: np.ndarray) -> None:
    law, x = Gaussian([1.0, 2.0], covariance), np.array([[5.0, -3.0]])
    posterior = exact_denoiser(law).posterior(x, HALF_PI)
    assert np.array_equal(posterior.mean, [[1.0, 2.0]])
    assert_allclose(posterior.noise, x, rtol=1e-15)
    assert_allclose(posterior.covariance.dense()[0], covariance, rtol=1e-15, atol=1e-15)
    assert np.array_equal(posterior.mean_jacobian.dense(), np.zeros((1, 2, 2)))
    assert_allclose(posterior.noise_jacobian.dense()[0], np.eye(2), rtol=1e-15, atol=1e-15)
    assert_allclose(posterior.log_density, -0.5 * 34 - math.log(2 * math.pi), rtol=1e-15)


def test_a_point_off_a_singular_law_is_projected_at_angle_zero() -> None:
    posterior = exact_denoiser(Gaussian([1.0, 2.0], np.diag([4.0, 0.0]))).posterior(np.array([[5.0, 7.0]]), 0.0)
    assert_allclose(posterior.mean, [[5.0, 2.0]], rtol=1e-15)


@pytest.mark.parametrize("variances", [(4.0, 0.0), (0.0, 0.0), (0.0, 4.0)], ids=str)
def test_a_law_without_density_is_minus_infinity_off_its_support(variances: tuple[float, float]) -> None:
    off = np.array([[5.0, 7.0]])  # each coordinate is off the mean
    posterior = exact_denoiser(Gaussian([0.0, 0.0], np.diag(variances))).posterior(off, 0.0)
    assert posterior.log_density[0] == -math.inf


@pytest.mark.parametrize("x", [[0.0, 7.0], [7.0, 0.0]], ids=str)
def test_on_the_mean_in_one_direction_and_off_it_in_another_is_off_the_support(x: list[float]) -> None:
    posterior = exact_denoiser(Gaussian([0.0, 0.0], np.zeros((2, 2)))).posterior(np.array([x]), 0.0)
    assert posterior.log_density[0] == -math.inf


def test_a_law_without_density_is_infinite_on_its_support() -> None:
    posterior = exact_denoiser(Gaussian([0.0, 0.0], np.diag([4.0, 0.0]))).posterior(np.array([[5.0, 0.0]]), 0.0)
    assert posterior.log_density[0] == math.inf


def test_every_sample_may_have_its_own_angle() -> None:
    denoiser = exact_denoiser(Gaussian([1.0, 2.0], [[2.0, 0.6], [0.6, 0.5]]))
    angles, x = np.array([0.0, 0.3, 1.2, HALF_PI]), np.arange(8.0).reshape(4, 2)
    together = denoiser.posterior(x, angles)
    for i, angle in enumerate(angles.tolist()):
        alone = denoiser.posterior(x[i : i + 1], angle)
        for name in ("mean", "noise", "log_density", "weights"):
            assert_allclose(getattr(together, name)[i], getattr(alone, name)[0], rtol=1e-14, atol=1e-14)
        for name in ("covariance", "mean_jacobian", "noise_jacobian"):
            assert_allclose(getattr(together, name).dense()[i], getattr(alone, name).dense()[0], rtol=1e-14, atol=1e-14)


def test_the_doors_are_the_posterior() -> None:
    denoiser = exact_denoiser(Gaussian([1.0, 2.0], [[2.0, 0.6], [0.6, 0.5]]))
    x, angle = np.array([[0.3, -0.4]]), np.array([0.8])
    posterior = denoiser.posterior(x, angle)
    assert np.array_equal(denoiser.posterior_mean(x, angle), posterior.mean)
    assert np.array_equal(denoiser.noise(x, angle), posterior.noise)
    assert np.array_equal(denoiser.posterior_covariance(x, angle).dense(), posterior.covariance.dense())
    assert np.array_equal(denoiser.noise_jacobian(x, angle).dense(), posterior.noise_jacobian.dense())
    assert denoiser.dim == 2


@pytest.mark.parametrize("kind", ["numpy", "strict"])
def test_single_precision_stays_single(kind: str) -> None:
    xp: Any = np if kind == "numpy" else strict
    law = Gaussian(np.array([1.0, 2.0]), np.array([[2.0, 0.6], [0.6, 0.5]]))
    x = np.array([[0.3, -0.4], [1.0, 2.0]], dtype=np.float32)
    expected = exact_denoiser(law).posterior(x.astype(np.float64), 0.8)
    with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False):
        posterior = exact_denoiser(law).posterior(xp.asarray(x), 0.8)
        for name in ("mean", "noise", "log_density", "weights"):
            value = getattr(posterior, name)
            assert value.dtype == xp.float32
            assert isinstance(value, type(xp.asarray(x)))
            assert_allclose(np.asarray(value), getattr(expected, name), rtol=2e-6)
        for name in ("covariance", "mean_jacobian", "noise_jacobian"):
            value = getattr(posterior, name).dense()
            assert value.dtype == xp.float32
            assert_allclose(np.asarray(value), getattr(expected, name).dense(), rtol=2e-6)


@pytest.mark.parametrize(
    "angle", [-0.1, 1.6, math.nan, math.inf, [0.1], [[0.1, 0.1]], [0.1, 2.0], "one", None], ids=str
)
def test_bad_angles_are_refused_by_name(angle: Any) -> None:
    denoiser = exact_denoiser(Gaussian([0.0, 0.0], np.eye(2)))
    with pytest.raises(ValueError, match="`angle`"):
        denoiser.posterior(np.zeros((2, 2)), angle)


@pytest.mark.parametrize("x", [[0.0, 0.0], [[0.0]], [[[0.0, 0.0]]], 1.0, "x", None, [["a", "b"]], [[1j, 0]]], ids=str)
def test_bad_points_are_refused_by_name(x: Any) -> None:
    denoiser = exact_denoiser(Gaussian([0.0, 0.0], np.eye(2)))
    for points in (x, np.asarray(x)):
        with pytest.raises(ValueError, match="`x`"):
            denoiser.posterior(points, 0.5)


def test_points_of_another_kind_than_the_measure_are_refused() -> None:
    law = Gaussian(strict.zeros(2), strict.eye(2))
    with pytest.raises(ValueError, match="`x`"):
        exact_denoiser(law).posterior(np.zeros((1, 2)), 0.5)


@pytest.mark.parametrize("measure", [None, 3.0, np.eye(2), "Gaussian"], ids=str)
def test_only_a_data_law_has_an_exact_denoiser(measure: Any) -> None:
    with pytest.raises(ValueError, match="`measure`"):
        exact_denoiser(measure)
