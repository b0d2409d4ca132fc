"""Every exact denoiser against 50-digit Bayes, on random and adversarial laws, points and angles, both precisions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from mpmath import mpf

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product, ScaleMixture
from tests.diffusion.exact_laws import KINDS, Case, law, points
from tests.diffusion.mixture_bounds import Bounds, bounds
from tests.diffusion.mixture_oracle import ExactMixture

HALF_PI = math.pi / 2
LIMIT = mpf(10) ** -40
SMALLEST = 1e-52  # the differences of the oracle have 50 digits


def parts(posterior: Any) -> dict[str, np.ndarray]:
    """Every part of a posterior, operators as matrices."""
    found = {name: getattr(posterior, name) for name in Bounds._fields}
    return {name: part.dense() if hasattr(part, "dense") else part for name, part in found.items()}


def assert_exact(case: Case, x: np.ndarray, angles: Any) -> None:
    """All parts at all points within the bounds, and in the precision of x."""
    found, eps = parts(exact_denoiser(case.measure).posterior(x, angles)), float(np.finfo(x.dtype).eps)
    each = np.broadcast_to(angles, len(x)).tolist()
    noised = {angle: case.exact.at(angle) for angle in each}
    for i, (point, angle) in enumerate(zip(x.astype(np.float64), each, strict=True)):
        limits = bounds(noised[angle], point, eps, full=case.full)
        for name, part in found.items():
            assert part.dtype == x.dtype
            error = np.abs(part[i].astype(np.float64) - getattr(noised[angle], name)(point)).max()
            assert error <= getattr(limits, name) + SMALLEST, (
                f"{name} at {point!r}, angle {angle!r}: off by {error:.3g}"
            )


def drawn_angle(rng: np.random.Generator, way: int, least: float) -> float:
    """Anywhere, small, or close to pi/2, by turns."""
    near = HALF_PI - 10 ** rng.uniform(-16, -1)
    return float([rng.uniform(0.05, 1.5), 10 ** rng.uniform(least, 0), near][way])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_posteriors_of_random_laws_are_exact_to_rounding(kind: str, dtype: Any) -> None:
    """Means of sizes 1e-3, 1 and 1e3, variances over four decades or 0, angles from 1e-8 to pi/2."""
    for number in range(12):
        rng = np.random.default_rng([number, KINDS.index(kind)])
        size, zeros = (2.0, 1e3, 1e-3, 2.0)[number % 4], number % 4 == 3
        dim, count = int(rng.integers(1, 4)), int(rng.integers(1, 5))
        case = law(kind, rng, dim=dim, count=count, spread=size, zeros=zeros, dtype=dtype)
        # a matrix without full rank is known to eps only, and 1/sin^2 is what it is inverted to
        least = -2 if case.full and zeros else -8
        angle = drawn_angle(rng, number % 3, least)
        assert_exact(case, points(case, angle, rng), angle)


@pytest.mark.parametrize("kind", KINDS)
def test_at_pi_over_2_all_is_exact_to_rounding(kind: str) -> None:
    rng = np.random.default_rng(KINDS.index(kind))
    case = law(kind, rng, dim=3, count=4)
    assert_exact(case, points(case, HALF_PI, rng), HALF_PI)


@pytest.mark.parametrize("angle", [1e-3, 0.4, 1.5])
@pytest.mark.parametrize("size", [1e4, 1e20, 1e50])
def test_components_far_apart_do_not_disturb_each_other(size: float, angle: float) -> None:
    """Near one of them, between two, and at a distance from all."""
    centres, variances = np.array([[0.0, 1.0], [size, 0.0], [size, size]]), np.array([0.0, 0.1, 1e-4])
    x = np.array([[0.3, 0.4], [math.cos(angle) * size, 0.1], [0.4 * size, 0.5]])
    weights = np.array([0.2, 0.5, 0.3])
    cloud = Case(PointCloud(centres, weights), ExactMixture.points(centres, weights), False)
    mixture = Case(Mixture(weights, centres, variances), ExactMixture(weights, centres, variances), False)
    for case in (cloud, mixture):
        assert_exact(case, x, angle)


@pytest.mark.parametrize("angle", [1e-9, 0.5, HALF_PI - 1e-9])
@pytest.mark.parametrize("variance", [1e-40, 1e-12, 1e12, 1e40])
def test_variances_of_any_size_are_taken_as_they_are(variance: float, angle: float) -> None:
    centres, weights = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.5, 0.5])
    for variances in (np.array([[variance, 1.0], [1.0, variance]]), np.array([variance, 3 * variance])):
        case = Case(Mixture(weights, centres, variances), ExactMixture(weights, centres, variances), False)
        assert_exact(case, np.array([[0.3, 0.4], [1.0, 1.0]]), angle)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("gap", [0.0, 1e-7, 1e-4])
def test_nearly_tied_logits_are_exact_to_rounding(gap: float, dtype: Any) -> None:
    """x half-way between two of five points 200 deviations away, but for a small gap."""
    rng = np.random.default_rng(5)
    angle, centres = 0.05, np.asarray(rng.standard_normal((5, 3)), dtype=dtype)
    centres[1] = -centres[0]
    x = np.asarray(math.cos(angle) * gap * centres[:1], dtype=dtype)
    weights = np.full(5, 0.2, dtype=dtype)
    assert_exact(Case(PointCloud(centres, weights), ExactMixture.points(centres, weights), False), x, angle)


@pytest.mark.parametrize("variance", [0.0, 1e-3], ids=["points", "components"])
def test_float32_picks_another_component_only_within_rounding(variance: float) -> None:
    """Half-way between two of five equals: the logit picked is below the largest by no more than the bound."""
    eps, calls = float(np.finfo(np.float32).eps), []
    for number in range(40):
        rng = np.random.default_rng([number, 77])
        centres, weights = np.asarray(2 * rng.standard_normal((5, 3)), dtype=np.float32), np.full(5, 0.2)
        measure = PointCloud(centres) if variance == 0 else Mixture(weights, centres, np.full(5, np.float32(variance)))
        angle = float(rng.choice([0.005, 0.02, 0.1]))
        x = np.asarray(math.cos(angle) * (centres[:1] + centres[1:2]) / 2, dtype=np.float32)
        noised = ExactMixture(weights, centres, np.full(5, np.float32(variance))).at(angle)
        picked = int(exact_denoiser(measure).posterior(x, angle).weights[0].argmax())
        logits = noised.logits(x[0])
        bound = 50 * eps * (1 + np.abs(logits).max())
        assert noised.lead(x[0], picked) <= bound
        calls.append(np.diff(np.sort(logits))[-1] <= bound)
    assert sum(calls) >= 10  # not vacuous: this close


@pytest.mark.parametrize("angle", [1e-6, 0.3, 1.2])
def test_jacobians_by_differences_are_those_of_the_posterior_covariance(angle: float) -> None:
    """Two paths of the oracle: differences of the mean and of the noise, and (c/s^2) Cov and (I - (c/s)^2 Cov)/s."""
    rng = np.random.default_rng(3)
    case = law("full", rng, dim=3, count=3)
    noised = case.exact.at(angle)
    c, s = float(noised.c), float(noised.s)
    for point in points(case, angle, rng):
        covariance = noised.covariance(point)
        np.testing.assert_allclose(noised.mean_jacobian(point), c / s**2 * covariance, rtol=1e-12, atol=1e-300)
        expected = (np.eye(3) - (c / s) ** 2 * covariance) / s
        size = (1 + (c / s) ** 2 * np.abs(covariance).max()) / s
        np.testing.assert_allclose(noised.noise_jacobian(point), expected, rtol=0, atol=1e-14 * size)


def test_one_component_is_a_gaussian() -> None:
    rng = np.random.default_rng(8)
    case = law("full", rng, dim=3, count=1)
    gaussian = Gaussian(case.measure.means[0], case.measure.covariances[0])
    for angle in (1e-3, 0.6, 1.5, HALF_PI):
        assert_exact(Case(gaussian, case.exact, True), points(case, angle, rng), angle)


def test_a_mixture_without_variance_is_a_point_cloud() -> None:
    rng = np.random.default_rng(9)
    case = law("cloud", rng, dim=3, count=4)
    centres, weights = case.measure.points, case.measure.weights
    for variances in (np.zeros(4), np.zeros((4, 3)), np.zeros((4, 3, 3))):
        for angle in (1e-4, 0.6, 1.5, HALF_PI):
            assert_exact(Case(Mixture(weights, centres, variances), case.exact, False), points(case, angle, rng), angle)


def test_angles_of_a_batch_are_those_of_its_points() -> None:
    rng = np.random.default_rng(10)
    case = law("diagonal", rng, dim=2, count=3)
    assert_exact(case, rng.standard_normal((4, 2)), np.array([1e-5, 0.3, 1.1, HALF_PI]))


LINES = (np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 2.0]]))
MIXED = (np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]]))
CLOUD = np.array([[0.0, 1.0], [1.0, 0.0], [3.0, 3.0]])
HALF, THIRDS = np.array([0.5, 0.5]), np.array([0.2, 0.5, 0.3])
SCALES = ([0.0, 0.0], [1.0, 0.5], [0.0, 1.0, 2.0], THIRDS)
NEEDLES = (np.zeros((2, 2)), np.array([[[1.0, 1.0], [1.0, 1.0]], [[1.0, -1.0], [-1.0, 1.0]]]))
LIMITS = {
    "points": (PointCloud(CLOUD, THIRDS), ExactMixture.points(CLOUD, THIRDS), [[0, 1], [0.3, 0.4]]),
    "two points as near": (PointCloud(CLOUD, THIRDS), ExactMixture.points(CLOUD, THIRDS), [[0.5, 0.5]]),
    "two lines": (Mixture(HALF, *LINES), ExactMixture(HALF, *LINES), [[0, 1], [1, 1], [0.2, 3]]),
    "half-way between two lines": (Mixture(HALF, *LINES), ExactMixture(HALF, *LINES), [[0.5, 1]]),
    "plane, line and point": (Mixture(THIRDS, *MIXED), ExactMixture(THIRDS, *MIXED), [[1, 1], [1, 2], [0.2, 3]]),
    "crossed needles": (Mixture(HALF, *NEEDLES), ExactMixture(HALF, *NEEDLES), [[1, 1], [1, -1], [0, 0], [1, 0.5]]),
    "a scale of 0": (ScaleMixture(*SCALES), ExactMixture.scales(*SCALES), [[0, 0], [1, 1]]),
    "points and lines side by side": (
        Product((PointCloud(CLOUD, THIRDS), Mixture(HALF, *LINES))),
        ExactMixture.product([ExactMixture.points(CLOUD, THIRDS), ExactMixture(HALF, *LINES)]),
        [[0.3, 0.4, 1.0, 1.0]],
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_at_angle_zero_the_posterior_is_its_limit(name: str) -> None:
    """That of the angle 1e-40: weights, mean and covariance; J x_hat where x_hat does not jump."""
    measure, law_, x = LIMITS[name]
    found, noised = parts(exact_denoiser(measure).posterior(np.array(x, dtype=np.float64), 0.0)), law_.at(LIMIT)
    jumps = name.startswith(("two points", "half-way"))
    for i, point in enumerate(x):
        for part in ("weights", "mean", "covariance"):
            np.testing.assert_allclose(found[part][i], getattr(noised, part)(point), rtol=0, atol=1e-14)
        slope = found["mean_jacobian"][i]
        if jumps:
            assert np.isnan(slope).any()
        else:
            np.testing.assert_allclose(slope, noised.mean_jacobian(point), rtol=0, atol=1e-14)
        assert not found["noise"][i].any()
