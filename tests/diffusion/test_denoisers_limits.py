"""The ends of the chain, and single precision: which component is picked, and what is kept."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.dynamics.operators import Spectral
from pifs_sim.testing.strategies import LAWS, measures

HALF_PI = math.pi / 2
LINES = np.array([np.diag([1.0, 0.0]), np.diag([0.0, 2.0])])
TURN = np.linalg.qr(np.array([[1.0, 2.0], [-3.0, 1.0]]))[0]


def at_zero(law: Any, *points: Any) -> Any:
    return exact_denoiser(law).posterior(np.array(points), 0.0)


def test_the_nearest_point_takes_all() -> None:
    posterior = at_zero(PointCloud([[0.0, 0.0], [4.0, 0.0]]), [1.9, 7.0], [2.1, -7.0])
    assert posterior.weights.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert posterior.mean.tolist() == [[0.0, 0.0], [4.0, 0.0]]
    assert not posterior.covariance.dense().any()
    assert not posterior.mean_jacobian.dense().any()
    assert posterior.log_density.tolist() == [-math.inf, -math.inf]


def test_points_at_one_distance_share_by_weight_and_by_the_cosine_that_moves_them() -> None:
    """As phi -> 0, -|x - cos y|^2/(2 sin^2) differ by (|y_1|^2 - |y_2|^2)/4 where |x - y_1| = |x - y_2|."""
    points, w = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.3, 0.7])
    x = [0.0, 0.75]
    shares = w * np.exp((points**2).sum(axis=1) / 4)
    posterior = at_zero(PointCloud(points, w), x)
    assert_allclose(posterior.weights[0], shares / shares.sum(), rtol=1e-14)
    near = exact_denoiser(PointCloud(points, w)).posterior(np.array([x]), 1e-4)
    assert_allclose(near.weights, posterior.weights, rtol=1e-6)
    assert_allclose(posterior.covariance.dense()[0], near.covariance.dense()[0], rtol=1e-6)
    assert np.isnan(posterior.mean_jacobian.dense()).all()  # the mean jumps
    symmetric = at_zero(PointCloud([[-1.0], [1.0]], w), [0.0])
    assert_allclose(symmetric.weights[0], w, rtol=1e-15)


@pytest.mark.parametrize("turn", [None, TURN], ids=["aligned", "turned"])
def test_the_least_distance_to_a_support_wins_then_the_most_directions_without_variance(turn: Any) -> None:
    """Two lines and the plane: on a line it wins over the plane, and where the lines cross they share."""
    means, covariances = np.array([[3.0, 1.0], [2.0, -1.0], [0.0, 0.0]]), np.array([*LINES, np.eye(2)])
    x = np.array([[5.0, 1.0], [2.0, 7.0], [4.0, 4.0], [2.0, 1.0]])
    if turn is not None:
        means, covariances, x = means @ turn.T, turn @ covariances @ turn.T, x @ turn.T
    law = Mixture([0.2, 0.3, 0.5], means, (covariances + covariances.swapaxes(1, 2)) / 2)
    posterior = at_zero(law, *x)
    assert posterior.weights[:3].tolist() == np.eye(3).tolist()
    # each line: the density along it, exp(-y^2/2v)/sqrt(v), and -(x - mu) mu/2 across, which is 0 here
    shares = np.array([0.2 * math.exp(-0.5), 0.3 * math.exp(-1.0) / math.sqrt(2), 0.0])
    assert_allclose(posterior.weights[3], shares / shares.sum(), rtol=1e-13)
    assert_allclose(posterior.mean, x, rtol=1e-14)
    assert posterior.log_density[[0, 1, 3]].tolist() == [math.inf] * 3
    plane = Gaussian(means[2], np.eye(2))
    assert posterior.log_density[2] == pytest.approx(math.log(0.5) + at_zero(plane, x[2]).log_density[0], rel=1e-14)
    rows = turn if turn is not None else np.eye(2)
    for b, axes in enumerate(([1.0, 0.0], [0.0, 1.0], [1.0, 1.0])):
        assert_allclose(posterior.mean_jacobian.dense()[b], rows * np.array(axes) @ rows.T, rtol=0, atol=1e-15)


def test_components_in_one_line_share_its_points_by_their_densities_along_it() -> None:
    means, x = np.array([[1.0, 3.0], [-2.0, 3.0]]), np.array([[0.5, 3.0]])
    spread, w = np.array([[1.0, 0.0], [4.0, 0.0]]), np.array([0.4, 0.6])
    shares = w * np.exp(-0.5 * np.array([0.25, 6.25 / 4])) / np.array([1.0, 2.0])
    for law, point in (
        (Mixture(w, means, spread), x),
        (Mixture(w, means @ TURN.T, Spectral(spread, TURN)), x @ TURN.T),
        (Mixture(w, means @ TURN.T, TURN * spread[:, None, :] @ TURN.T), x @ TURN.T),
    ):
        posterior = at_zero(law, *point)
        assert_allclose(posterior.weights[0], shares / shares.sum(), rtol=1e-13)
        assert_allclose(posterior.mean, point, rtol=1e-14)
        assert posterior.log_density[0] == math.inf
        assert at_zero(law, *(point + 1e-9)).log_density[0] == -math.inf


def test_off_a_common_support_the_mean_does_not_jump() -> None:
    """Both components project x on the same line, so that their tie moves nothing."""
    law = ScaleMixture([1.0, 2.0], TURN @ LINES[0] @ TURN.T, [1.0, 4.0], [0.5, 0.5])
    posterior = at_zero(law, [0.0, 0.0])
    projection = np.outer(TURN[:, 0], TURN[:, 0])
    assert_allclose(posterior.mean_jacobian.dense()[0], projection, rtol=0, atol=1e-15)
    assert_allclose(posterior.mean[0], law.mean - projection @ law.mean, rtol=0, atol=1e-15)


def test_a_component_of_weight_zero_never_counts() -> None:
    law = PointCloud([[0.0], [5.0]], [0.0, 1.0])
    for angle in (0.0, 1e-9, 0.5, HALF_PI):
        posterior = exact_denoiser(law).posterior(np.array([[0.1]]), angle)
        assert posterior.weights.tolist() == [[0.0, 1.0]]
        assert posterior.mean.tolist() == [[5.0]]


@pytest.mark.parametrize("kind", LAWS)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_at_pi_over_2_nothing_is_known_of_the_data(kind: str, data: st.DataObject, seed: int) -> None:
    law = data.draw(measures((kind,)))
    x = np.random.default_rng(seed).standard_normal((2, law.dim))
    posterior = exact_denoiser(law).posterior(x, HALF_PI)
    size = 1 + np.abs(law.covariance).max() + np.abs(law.mean).max() ** 2
    assert_allclose(posterior.mean, np.tile(law.mean, (2, 1)), rtol=0, atol=1e-14 * size)
    assert_allclose(posterior.noise, x, rtol=0, atol=1e-14 * (1 + np.abs(x).max()))
    assert_allclose(posterior.covariance.dense()[0], law.covariance, rtol=0, atol=1e-13 * size)
    assert not posterior.mean_jacobian.dense().any()
    assert_allclose(posterior.noise_jacobian.dense()[0], np.eye(law.dim), rtol=0, atol=1e-14)
    assert_allclose(posterior.log_density, -0.5 * (x**2).sum(axis=1) - law.dim / 2 * math.log(2 * math.pi), rtol=1e-13)


@pytest.mark.parametrize("angle", [5e-324, 1e-200, 1e-120, 1e-60, 1e-20, 1e-9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_smallest_angles_are_no_trap(angle: float, dtype: type) -> None:
    x = np.array([[0.25, 3.0], [0.7, 0.1]], dtype)
    for law in (PointCloud([[0.0, 0.0], [1.0, 0.0]]), Mixture([0.5, 0.5], [[0.0, 0.0], [1.0, 0.0]], [0.0, 1.0])):
        posterior, limit = exact_denoiser(law).posterior(x, angle), at_zero(law, *x)
        assert_allclose(posterior.weights, limit.weights, rtol=0, atol=1e-6)
        assert_allclose(posterior.mean, limit.mean, rtol=0, atol=1e-6)
        for name in ("covariance", "mean_jacobian", "noise_jacobian"):
            assert np.isfinite(getattr(posterior, name).dense()).all()


@given(seed=st.integers(0, 2**32 - 1), angle=st.floats(1e-3, 1.5), exponent=st.integers(-7, 0), varied=st.booleans())
def test_single_precision_picks_another_component_only_within_its_rounding(
    seed: int, angle: float, exponent: int, varied: bool
) -> None:
    """Where logits nearly tie: points on a sphere around x but for 10^exponent, and far from the origin."""
    rng, (count, d) = np.random.default_rng(seed), (6, 5)
    x = (10 * rng.standard_normal((1, d))).astype(np.float32)
    rays = rng.standard_normal((count, d))
    rays *= (1 + 10.0**exponent * rng.standard_normal((count, 1))) / np.linalg.norm(rays, axis=1, keepdims=True)
    centres = (x + math.sin(angle) * rays) / math.cos(angle)
    law = Mixture(np.full(count, 1 / count), centres, 0.1 * rng.random(count) if varied else np.full(count, 0.1))
    double = exact_denoiser(law).posterior(x.astype(np.float64), angle).weights[0]
    single = exact_denoiser(law).posterior(x, angle).weights[0]
    e = x - math.cos(angle) * centres
    N = law.covariances * math.cos(angle) ** 2 + math.sin(angle) ** 2
    largest = (0.5 * (e**2).sum(axis=1) / N + 0.5 * d * np.abs(np.log(N))).max() + math.log(count)
    bound = 50 * float(np.finfo(np.float32).eps) * (1 + largest)
    assert np.log(double.max() / double[single.argmax()]) <= bound
    assert_allclose(single, double, rtol=0, atol=bound)


@pytest.mark.parametrize("kind", ["numpy", "strict"])
def test_single_precision_and_the_array_kind_are_kept(kind: str) -> None:
    xp: Any = np if kind == "numpy" else strict
    rng = np.random.default_rng(0)
    roots, means, w = rng.standard_normal((3, 4, 4)), rng.standard_normal((3, 4)), [0.2, 0.3, 0.5]
    full = roots @ roots.swapaxes(1, 2)
    x, angles = rng.standard_normal((3, 4)).astype(np.float32), np.array([0.0, 0.8, HALF_PI])
    mixtures = [Mixture(w, means, C) for C in ([0.1, 0.0, 2.0], means**2, full)]
    for law in (*mixtures, PointCloud(means), ScaleMixture(means[0], full[0], [0.5, 1.0], [0.5, 0.5]),
                Product([PointCloud(means[:, :1]), Mixture(w, means[:, 1:], full[:, 1:, 1:])])):  # fmt: skip
        expected = exact_denoiser(law).posterior(x.astype(np.float64), angles)
        posterior = exact_denoiser(law).posterior(xp.asarray(x), xp.asarray(angles))
        for name in ("mean", "noise", "weights", "log_density"):
            value = getattr(posterior, name)
            assert isinstance(value, type(xp.asarray(x)))
            assert value.dtype == xp.float32
            assert_allclose(np.asarray(value), getattr(expected, name), rtol=2e-5, atol=2e-5)
        for name in ("covariance", "mean_jacobian", "noise_jacobian"):
            operator, wanted = getattr(posterior, name), getattr(expected, name)
            for value, matrix in ((operator.dense(), wanted.dense()), (operator.spectrum(), wanted.spectrum())):
                assert value.dtype == xp.float32
                assert_allclose(np.asarray(value), matrix, rtol=0, atol=3e-5 * (1 + np.abs(wanted.dense()).max()))


@pytest.mark.parametrize("angle", [1e-10, 1e-25, 1e-36])
def test_single_precision_keeps_angles_whose_square_it_does_not_hold(angle: float) -> None:
    law = Gaussian(np.zeros(2, np.float32), np.diag([0.0, 1.0]).astype(np.float32))
    x = np.array([[angle / 2, 1.0]])
    exact = exact_denoiser(law).posterior(x, angle)
    posterior = exact_denoiser(law).posterior(x.astype(np.float32), angle)
    for name in ("mean", "noise", "log_density"):
        assert getattr(posterior, name).dtype == np.float32
        assert_allclose(getattr(posterior, name), getattr(exact, name), rtol=1e-6, atol=0)
    assert_allclose(posterior.noise_jacobian.spectrum(), exact.noise_jacobian.spectrum(), rtol=1e-6, atol=0)


def test_a_derivative_above_all_floats_stays_finite() -> None:
    law = Gaussian(np.zeros(1), np.zeros((1, 1)))
    posterior = exact_denoiser(law).posterior(np.zeros((1, 1), np.float32), 1e-60)
    assert posterior.noise_jacobian.dense().item() == np.finfo(np.float32).max / 4
    assert posterior.noise.item() == 0


def test_a_density_beside_an_infinite_one_does_not_overflow() -> None:
    """On the flat component's support it is inf; the other's, (1e-100)^(-60/2), is above all floats too."""
    flat = np.ones(60)
    flat[0] = 0
    law = Mixture([0.5, 0.5], np.zeros((2, 60)), np.stack([flat, np.full(60, 1e-100)]))
    assert at_zero(law, np.zeros(60)).log_density.tolist() == [math.inf]
