"""Distance from the fitted Gaussian, its order, and quotients along the leading directions of patches."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from pifs_sim.diffusion import (  # noqa: E402
    Chain,
    exact_denoiser,
    leading_directions,
    measures,
    rayleigh_quotients,
    schedules,
)
from pifs_sim.dynamics import Patches  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.networks.deviation import FittedGaussian, deviation_slope, score_deviation  # noqa: E402
from pifs_sim.networks.quotients import patch_directions, patch_quotients  # noqa: E402
from tests.networks.exact import exact_mixture  # noqa: E402


def _moments(data):
    return data.mean(axis=0), np.cov(data.T, bias=True)


@pytest.mark.parametrize("count", [200, 5])
@pytest.mark.parametrize("angle", [0.05, 0.8, 1.5, math.pi / 2])
def test_the_fitted_gaussian_has_the_exact_noise_estimate_of_its_moments(count, angle):
    rng = np.random.default_rng(count)
    data, x = rng.standard_normal((count, 8)) @ rng.standard_normal((8, 8)) + 1, rng.standard_normal((3, 8))
    exact = exact_denoiser(measures.Gaussian(*_moments(data)))
    cos = 0.0 if angle == math.pi / 2 else math.cos(angle)
    law = FittedGaussian.of(data)
    assert law.eigenvalues.size == min(8, count - 1)
    assert law.noise(x, cos, math.sin(angle)) == pytest.approx(exact.noise(x, angle), rel=1e-9, abs=1e-10)
    own = exact.noise(x, angle) + 0.5
    assert score_deviation(own, x, law, angle=(cos, math.sin(angle))) == pytest.approx(np.full(3, 0.5 * 8**0.5))


def test_data_without_spread_leaves_the_noise_that_explains_all():
    law = FittedGaussian.of(np.ones((4, 3)))
    assert law.noise(np.full((1, 3), 2.0), 0.6, 0.8) == pytest.approx(np.full((1, 3), 1.4 / 0.8))


def test_the_slope_of_a_power_law_is_its_exponent():
    cos = np.cos(np.linspace(1.0, 1.55, 9))
    D = np.outer(cos**1.7, np.random.default_rng(0).uniform(0.5, 2, 6))
    found = deviation_slope(D, cos)
    assert found.value == pytest.approx(1.7, abs=1e-12)
    assert found.lower == pytest.approx(1.7, abs=1e-10)
    assert found.upper == pytest.approx(1.7, abs=1e-10)


def test_one_sample_has_a_slope_and_no_interval():
    cos = np.cos(np.linspace(1.0, 1.55, 9))
    found = deviation_slope(0.3 * cos[:, None] ** 1.7, cos)
    assert found.value == pytest.approx(1.7, abs=1e-12)
    assert (math.isnan(found.lower), math.isnan(found.upper), found.samples) == (True, True, 1)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_intervals_of_slopes_cover_at_their_rate(confidence):
    rng, cos, trials, covered = np.random.default_rng(1), np.cos(np.linspace(1.0, 1.5, 6)), 1000, 0
    for _ in range(trials):
        shared, own = rng.standard_normal((1, 16)), rng.standard_normal((6, 16))
        D = cos[:, None] * np.exp(0.2 * shared + 0.3 * own)  # the same E at every step but for the power
        found = deviation_slope(D, cos, confidence=confidence)
        covered += found.lower <= 1 <= found.upper
    assert covered / trials == pytest.approx(confidence, abs=5 * math.sqrt(confidence * (1 - confidence) / trials))


def test_the_order_of_a_mean_mismatch_is_one():
    """theory's `deviation-orders`: the noise estimates of two Gaussians with different means."""
    rng = np.random.default_rng(2)
    data = rng.standard_normal((400, 6))
    other = exact_denoiser(measures.Gaussian(data.mean(axis=0) + 1, np.cov(data.T, bias=True)))
    law, angles = FittedGaussian.of(data), math.pi / 2 - np.geomspace(1e-4, 1e-2, 5)
    rows = []
    for phi in angles:
        x = rng.standard_normal((16, 6))
        rows.append(score_deviation(other.noise(x, phi), x, law, angle=(math.cos(phi), math.sin(phi))))
    found = deviation_slope(rows, np.cos(angles))
    assert found.value == pytest.approx(1, abs=1e-3)
    assert found.steps == 5
    assert found.samples == 16


@pytest.mark.parametrize(
    ("D", "cos"), [(np.ones((1, 3)), [0.5]), (np.ones((2, 3)), [0.5, 0.5]), (np.zeros((2, 3)), [0.5, 0.2])]
)
def test_what_has_no_slope_is_refused(D, cos):
    with pytest.raises(ValueError, match="`deviations`"):
        deviation_slope(D, cos)


def test_directions_are_those_of_the_covariance_of_the_data_and_quotients_those_of_the_closed_form():
    rng = np.random.default_rng(3)
    law, module = exact_mixture(rng, dim=12)
    patches, data = Patches((2, 2, 3), 1), law.sample(300, rng)
    found, exact = patch_directions(data, patches), leading_directions(_moments(data)[1], patches)
    assert found.values == pytest.approx(exact.values, rel=1e-10)
    assert np.abs((found.directions * exact.directions).sum(axis=0)) == pytest.approx(np.ones(4), rel=1e-10)
    schedule = schedules.from_angles([0.1, 0.7, 1.4])
    chain, closed = Chain(schedule, NetworkDenoiser(module, (12,))), Chain(schedule, exact_denoiser(law))
    x = rng.standard_normal((2, 3, 12))
    rows = [patch_quotients(chain.jacobian(x[t - 1], 2 - t), found.directions) for t in (1, 2)]
    assert np.stack(rows) == pytest.approx(rayleigh_quotients(closed, x, found.directions), rel=1e-9)


def test_data_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"`data` must have shape \(N, 12\)"):
        patch_directions(np.zeros((5, 8)), Patches(12, 3))
