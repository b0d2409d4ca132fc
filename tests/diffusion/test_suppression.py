"""Suppression against closed forms: Gaussians, two points, differences of the noise estimates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import (
    Chain,
    Schedule,
    ensemble_mean,
    exact_denoiser,
    geometry,
    leading_directions,
    marginals,
    rayleigh_quotients,
    reference_law,
    schedules,
    suppression,
)
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud
from pifs_sim.dynamics import Patches
from pifs_sim.testing.strategies import spd_matrices
from tests.diffusion.test_patchwise import PATCHES, SCHEDULE, TILTED, two_bumps

IMAGE = Patches((4, 4), 2)


@given(spd=spd_matrices(4, least=1e-2, largest=1e2), seed=st.integers(0, 2**32 - 1))
def test_a_gaussian_does_not_suppress_itself(spd, seed):
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.ones(4), spd.matrix)))
    x = marginals(chain, 2, np.random.default_rng(seed))
    assert_allclose(suppression(chain, x, PATCHES, reference="full"), 0, atol=1e-13)
    assert_allclose(suppression(chain, x, PATCHES, reference=Gaussian(np.zeros(4), spd.matrix)), 0, atol=1e-13)


@given(spd=spd_matrices(4, least=1e-2, largest=1e2), seed=st.integers(0, 2**32 - 1))
def test_a_gaussian_s_quotients_fall_short_of_f_by_its_suppression(spd, seed):
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.ones(4), spd.matrix)))
    x = marginals(chain, 2, np.random.default_rng(seed))
    leading = leading_directions(spd.matrix, PATCHES)
    S, q = suppression(chain, x, PATCHES), rayleigh_quotients(chain, x, leading.directions)
    f = geometry.diagonal_expansion(SCHEDULE, leading.values)[:, None, :]
    assert_allclose(q, f - S, atol=1e-12)
    assert np.all(S >= -1e-12)  # g <= f


def test_a_gaussian_of_independent_patches_is_its_own_reference():
    covariance = TILTED.copy()
    covariance[0, 3] = covariance[3, 0] = 0.0
    covariance[0, 1] = covariance[1, 0] = 0.7
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.ones(4), covariance)))
    x = marginals(chain, 2, np.random.default_rng(0))
    assert_allclose(suppression(chain, x, PATCHES), 0, atol=1e-15)


@pytest.mark.parametrize("reference", ["patchwise", "full"])
def test_it_is_the_slope_of_the_difference_of_the_noise_estimates(reference):
    """|b| <v, [J(eps - eps_ref)]_kk v> by central differences, good to h^2."""
    chain, h = Chain(SCHEDULE, exact_denoiser(two_bumps())), 1e-5
    x = marginals(chain, 3, np.random.default_rng(1))
    law = reference_law(chain, PATCHES, reference)
    gaussian, directions = exact_denoiser(law), leading_directions(law.covariance, PATCHES).directions
    found = suppression(chain, x, PATCHES, reference=reference)
    for t in range(1, 6):
        angle, size = float(SCHEDULE.angles[t]), -SCHEDULE.b[t - 1]

        def deviation(points, angle=angle):
            return chain.denoiser.noise(points, angle) - gaussian.noise(points, angle)

        for k, v in enumerate(directions.T):
            slope = (deviation(x[t - 1] + h * v) - deviation(x[t - 1] - h * v)) @ v / (2 * h)
            assert_allclose(found[t - 1, :, k], size * slope, atol=1e-8)


def test_the_identity_holds_at_every_point_of_a_mixture():
    chain = Chain(SCHEDULE, exact_denoiser(two_bumps(7)))
    x = marginals(chain, 20, np.random.default_rng(2))
    leading = leading_directions(chain.denoiser.measure.covariance, PATCHES)
    q, S = rayleigh_quotients(chain, x, leading.directions), suppression(chain, x, PATCHES)
    f = geometry.diagonal_expansion(SCHEDULE, leading.values)[:, None, :]
    assert_allclose(q, f - S, atol=1e-13)
    assert S.min() < 0 < S.mean()  # negative at some points, positive in the mean


def test_two_points_on_a_line_have_the_textbook_suppression():
    """x_hat = a tanh(a c x/s^2) against the Gaussian of variance a^2."""
    a, schedule = 1.5, schedules.uniform_angle(6, 0.0, 1.4)
    chain = Chain(schedule, exact_denoiser(PointCloud(np.array([[-a], [a]]))))
    x = np.linspace(-2, 2, 9)[None, :, None] * np.ones((6, 1, 1))
    c, s = schedule.cos[1:, None], schedule.sin[1:, None]
    slope = a**2 * c / s**2 / np.cosh(a * c * x[:, :, 0] / s**2) ** 2
    expected = np.sin(schedule.increments)[:, None] / s * (a**2 * c / (a**2 * c**2 + s**2) - slope)
    found = suppression(chain, x, Patches(1, 1))[:, :, 0]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert np.all(found[:, 4] < 0)  # midway between the points the data stretches more than any Gaussian


def test_the_means_over_the_marginal_and_over_the_chain_s_own_samples_differ():
    """Theory's counterexample: E S >= 0 over p_t, and -0.50 over what the chain itself makes of p_T."""
    law = Mixture(np.array([0.6, 0.4]), np.array([[-2.5], [2.5]]), np.array([0.3, 0.3]))
    chain, rng = Chain(Schedule([0.05, 0.42, math.pi / 2]), exact_denoiser(law)), np.random.default_rng(0)
    x = marginals(chain, 20_000, rng)
    exact = ensemble_mean(suppression(chain, x, Patches(1, 1)))
    own = ensemble_mean(suppression(chain, chain.trajectory(x[-1])[1:], Patches(1, 1)))
    assert exact.value[0, 0] > 5 * exact.stderr[0, 0]
    assert own.value[0, 0] == pytest.approx(-0.50, abs=5 * own.stderr[0, 0] + 0.005)
    assert exact.value[1, 0] == own.value[1, 0] == 0  # at pi/2 nothing is suppressed


def test_one_component_is_the_gaussian():
    law, same = Gaussian(np.ones(4), TILTED), Mixture(np.ones(1), np.ones((1, 4)), TILTED[None])
    one, other = (Chain(SCHEDULE, exact_denoiser(measure)) for measure in (law, same))
    x = marginals(one, 3, np.random.default_rng(3))
    assert_allclose(suppression(one, x, PATCHES), suppression(other, x, PATCHES), atol=1e-13)
    U = leading_directions(TILTED, PATCHES).directions
    assert_allclose(rayleigh_quotients(one, x, U), rayleigh_quotients(other, x, U), rtol=1e-13)


@given(spd=spd_matrices(16, least=1e-2, largest=1e2))
def test_leading_directions_are_the_blocks_leading_eigenvectors(spd):
    values, directions = leading_directions(spd.matrix, IMAGE)
    for k, indices in enumerate(IMAGE.indices):
        block = spd.matrix[np.ix_(indices, indices)]
        v = directions[indices, k]
        assert values[k] == pytest.approx(np.linalg.eigvalsh(block)[-1], rel=1e-13)
        assert_allclose(block @ v, values[k] * v, atol=1e-12 * values[k])
        assert np.linalg.norm(v) == pytest.approx(1)
        assert not np.any(np.delete(directions[:, k], indices))


def test_references_are_the_moments_the_patches_and_the_law_itself():
    chain = Chain(SCHEDULE, exact_denoiser(two_bumps(8)))
    law = chain.denoiser.measure
    patchwise, full = reference_law(chain, PATCHES), reference_law(chain, PATCHES, "full")
    assert_allclose(full.covariance, law.covariance, rtol=1e-14)
    assert_allclose(patchwise.mean, law.mean)
    assert_allclose(patchwise.covariance[:2, :2], law.covariance[:2, :2], rtol=1e-14)
    assert not patchwise.covariance[:2, 2:].any()
    given_ = Gaussian(np.zeros(4), np.eye(4))
    assert reference_law(chain, PATCHES, given_) is given_


@pytest.mark.parametrize(
    "reference", ["patch", 3, np.eye(4), Gaussian(np.zeros(2), np.eye(2))], ids=lambda r: str(r)[:9]
)
def test_another_reference_is_refused(reference):
    chain = Chain(SCHEDULE, exact_denoiser(two_bumps()))
    with pytest.raises(ValueError, match="`reference`"):
        suppression(chain, np.zeros((5, 1, 4)), PATCHES, reference=reference)


def test_bad_input_is_refused_by_name():
    chain = Chain(SCHEDULE, exact_denoiser(two_bumps()))
    with pytest.raises(ValueError, match="`x`"):
        suppression(chain, np.zeros((4, 1, 4)), PATCHES)
    with pytest.raises(ValueError, match="`patches`"):
        suppression(chain, np.zeros((5, 1, 4)), Patches(6, 2))
    with pytest.raises(ValueError, match="`directions` must have shape"):
        rayleigh_quotients(chain, np.zeros((5, 1, 4)), np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"`directions` must be unit vectors, got one of length 2\."):
        rayleigh_quotients(chain, np.zeros((5, 1, 4)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="`covariance`"):
        leading_directions(np.eye(3), PATCHES)


def test_a_denoiser_without_a_measure_needs_a_gaussian():
    class Bare:
        dim = 4

        def posterior(self, x, angle):
            return exact_denoiser(Gaussian(np.zeros(4), TILTED)).posterior(x, angle)

    chain = Chain(SCHEDULE, Bare())
    with pytest.raises(ValueError, match="`reference` must be a Gaussian"):
        suppression(chain, np.zeros((5, 1, 4)), PATCHES)
    own = suppression(chain, np.zeros((5, 1, 4)), PATCHES, reference=Gaussian(np.zeros(4), TILTED))
    assert np.array_equal(own, np.zeros((5, 1, 2)))
