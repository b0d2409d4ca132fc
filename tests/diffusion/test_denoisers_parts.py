"""The parts that posteriors are made of: angles at the door, what decides at angle 0, ties, and products."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.denoisers import product, turned
from pifs_sim.diffusion.denoisers.aligned import Aligned
from pifs_sim.diffusion.denoisers.inputs import Angle
from pifs_sim.diffusion.denoisers.responsibilities import Limit, Responsibilities
from pifs_sim.diffusion.denoisers.turned import Turned
from pifs_sim.diffusion.measures import Gaussian, Mixture, Product
from pifs_sim.dynamics.patches import Patches

HALF_PI = math.pi / 2
IMAGE = ([0, 1, 4, 5], [2, 3, 6, 7])  # the patches of 2 x 2 of an image of 2 x 4


class Elsewhere:
    """An array of another device, as CuPy's: `get` brings it to NumPy."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def get(self) -> Any:
        return np.asarray(self.values)


def turns(count: int, d: int) -> Any:
    return np.linalg.qr(np.random.default_rng(5).normal(size=(count, d, d)))[0]


def recorded(asked: list[Any]) -> Callable[..., None]:
    return lambda *words: asked.append(words)


def test_angles_of_single_precision_are_taken_as_the_doubles_that_they_are() -> None:
    x, phi = np.zeros((2, 1)), np.array([0.3, 1e-3], dtype=np.float32)
    single, double = Angle.at(phi, x), Angle.at(phi.astype(np.float64), x)
    for name in ("cos", "sin", "drop", "variance"):
        assert getattr(single, name).tolist() == getattr(double, name).tolist()
    with pytest.raises(ValueError, match=r"`angle` must lie in \[0, pi/2\]"):  # the float32 nearest pi/2 is larger
        Angle.at(np.array(HALF_PI, dtype=np.float32), x)


def test_angles_of_another_device_are_brought_over() -> None:
    assert Angle.at(Elsewhere([0.0, HALF_PI]), np.zeros((2, 1))).cos.tolist() == [[1.0], [0.0]]


def test_the_ends_of_the_angles_are_exact() -> None:
    ends = Angle.at([0.0, HALF_PI, 1e-100, 9e-101], np.zeros((4, 1)))
    assert ends.drop[:2].tolist() == [[0.0], [1.0]]
    assert ends.sin.tolist() == [[0.0], [1.0], [1e-100], [0.0]]


@pytest.mark.parametrize("cos", [1.0, 0.75, 0.5, 0.25, 0.0])
def test_a_point_moves_by_its_cosine(cos: float) -> None:
    angle = Angle(*(np.array([[value]]) for value in (cos, math.sqrt(1 - cos**2), 1 - cos, 1 - cos**2)))
    near, far = angle.moved
    assert (near + far).tolist() == [cos]


def test_points_that_are_not_finite_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^`x` must be finite, got inf\.$"):
        exact_denoiser(Gaussian([0.0], [[1.0]])).posterior([[math.inf]], 0.3)


def test_many_wide_components_are_no_cloud() -> None:
    """Two halves of N(0, I) are N(0, I), for which x_hat = cos(phi) x."""
    x = np.random.default_rng(3).normal(size=(32, 1 << 14))
    posterior = exact_denoiser(Mixture([0.5, 0.5], np.zeros((2, x.shape[1])), [1.0, 1.0])).posterior(x, 0.9)
    assert_allclose(posterior.mean, math.cos(0.9) * x, rtol=1e-12)


def test_components_tie_where_several_count_and_the_point_is_off_a_support() -> None:
    limit = Limit(
        here=np.array([[True], [True], [True], [True], [False]]),
        distance=np.array([[1.0, 1.0, 3.0], [0.0, 0.0, 1.0], [1.0, 2.0, 3.0], [0.5, 0.5, 4.0], [1.0, 1.0, 3.0]]),
        rounding=np.array([[0.0] * 3] * 3 + [[0.5] * 3] + [[0.0] * 3]),
        nullity=np.full(3, 2.0),
        tilt=np.zeros((5, 3)),
    )
    parts = Responsibilities(np.zeros((5, 3)), limit, 2)
    expected = [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    assert_allclose(parts.weights, expected, rtol=1e-15)
    # off two supports; on both; off the one that counts; off by no more than rounding; not at angle 0
    assert parts.ties.tolist() == [[True], [False], [False], [False], [False]]


def test_nothing_ties_where_no_point_is_at_angle_0() -> None:
    ties = Responsibilities(np.zeros((2, 3)), None, 2).ties
    assert ties.shape == (1, 1)
    assert ties[0, 0] is np.False_


def test_a_component_without_weight_gives_its_points_no_density() -> None:
    flat = Limit(np.array([[True]]), np.array([[0.0, 2.0]]), np.zeros((1, 2)), np.ones(2), np.zeros((1, 2)))
    for logits, density in [((-math.inf, 0.0), -math.inf), ((0.0, -math.inf), math.inf)]:
        assert Responsibilities(np.array([logits]), flat, 1).log_density().tolist() == [density]


def test_what_decides_at_angle_0_is_told_by_the_projectors_on_the_directions_without_variance() -> None:
    """With P_k that projector, the distance is |P (x - mu)|, the tilt -(x - mu)^T P mu/2, the nullity tr P."""
    rng = np.random.default_rng(8)
    x, mu, axes = rng.normal(size=(2, 4)), rng.normal(size=(3, 4)), turns(3, 4)
    variances = np.array([[1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.5], [0.3, 1.0, 2.0, 0.0]])
    limit = Turned(x, mu, variances, axes).limit(np.array([[True]]))
    P = np.einsum("kia,ka,kja->kij", axes, variances == 0, axes)
    y = x[:, None] - mu
    assert_allclose(limit.distance, np.linalg.norm(np.einsum("kij,bkj->bki", P, y), axis=-1), rtol=1e-12)
    assert_allclose(limit.tilt, -0.5 * np.einsum("bki,kij,kj->bk", y, P, mu), rtol=1e-12)
    assert limit.nullity.tolist() == [2.0, 3.0, 1.0]


def test_components_that_are_not_turned_decide_as_those_along_the_coordinates() -> None:
    rng = np.random.default_rng(9)
    x, mu, variances = rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    here = np.array([[True]])
    one, other = Turned(x, mu, variances, np.stack([np.eye(3)] * 2)).limit(here), Aligned(x, mu, variances).limit(here)
    for name in ("distance", "nullity", "tilt"):
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-14)


def test_points_of_a_turned_support_are_no_further_from_it_than_rounding() -> None:
    """As 64 directions round one after another, the distance that is found is more than one rounding."""
    d, rng = 64, np.random.default_rng(2)
    axes, mu = turns(2, d), rng.normal(size=(2, d))
    variances = np.tile(np.r_[1.0, np.zeros(d - 1)], (2, 1))
    x = mu[:1] + rng.normal(size=(40, 1)) * axes[0, :, 0]
    limit = Turned(x, mu, variances, axes).limit(np.array([[True]]))
    assert (limit.distance[:, 0] <= limit.rounding[:, 0]).all()
    assert (limit.distance[:, 1] > 1).all()


def test_a_turned_component_has_a_covariance_for_each_angle() -> None:
    """Of one component, whose weight is 1, nothing is between components: Q diag(gains_b) Q^T is all."""
    gains, axes = np.array([[[1.0, 2.0]], [[3.0, 0.5]], [[0.0, 4.0]]]), turns(1, 2)
    parts = Turned(np.ones((3, 2)), np.zeros((1, 2)), np.ones((1, 2)), axes)
    found = parts.operator(np.ones((3, 1)), gains, np.ones(3), np.ones((3, 1, 2)), np.ones((3, 1, 2)))
    expected = np.einsum("ia,ba,ja->bij", axes[0], gains[:, 0], axes[0])
    assert_allclose(found.dense(), expected, rtol=1e-14, atol=1e-15)


def test_memory_is_asked_for_two_covariances_of_each_point_and_component(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(turned, "check_memory", recorded(asked))
    x, axes = np.ones((5, 4), dtype=np.float32), turns(2, 4).astype(np.float32)
    ones = np.ones((1, 2, 4), dtype=np.float32)
    parts = Turned(x, np.zeros((2, 4), dtype=np.float32), np.ones((2, 4)), axes)
    parts.operator(np.full((5, 2), 0.5, dtype=np.float32), ones, np.ones(1, dtype=np.float32), ones, ones)
    assert asked == [("the posterior covariance", (2 * (5 + 2), 4, 4), 4)]


def test_parts_of_an_image_keep_their_places() -> None:
    """A normal law along the coordinates: Cov = diag(v sin^2/N), J x_hat = diag(v cos/N), J eps_hat = diag(sin/N)."""
    variances, phi = np.arange(8.0), 0.6
    law = Product([Gaussian(np.zeros(4), np.diag(variances[own])) for own in IMAGE], patches=Patches((2, 4), 2))
    posterior, N = exact_denoiser(law).posterior(np.ones((1, 8)), phi), variances * math.cos(phi) ** 2
    N = N + math.sin(phi) ** 2
    assert_allclose(posterior.covariance.dense()[0], np.diag(variances * math.sin(phi) ** 2 / N), rtol=1e-14)
    assert_allclose(posterior.mean_jacobian.dense()[0], np.diag(variances * math.cos(phi) / N), rtol=1e-14)
    assert_allclose(posterior.noise_jacobian.dense()[0], np.diag(math.sin(phi) / N), rtol=1e-14)


def test_a_part_off_its_support_leaves_no_density_to_the_whole() -> None:
    """At angle 0 a point has the density inf at itself and -inf elsewhere, and a normal law its own."""
    point, line = Gaussian([0.0], [[0.0]]), Gaussian([0.0], [[1.0]])
    x = np.array([[0.0, 0.0, 1.0], [0.0, 2.0, 1.0], [2.0, 0.0, 1.0], [2.0, 2.0, 1.0]])
    found = exact_denoiser(Product([point, point, line])).posterior(x, 0.0).log_density
    assert found.tolist() == [math.inf, -math.inf, -math.inf, -math.inf]
    assert exact_denoiser(Product([line, point])).posterior([[1.0, 2.0]], 0.0).log_density.tolist() == [-math.inf]


def test_a_product_of_one_law_is_that_law() -> None:
    law, x = Gaussian([1.0, 0.0], [[2.0, 0.5], [0.5, 1.0]]), np.array([[0.3, -0.4]])
    alone, found = exact_denoiser(law).posterior(x, 0.4), exact_denoiser(Product([law])).posterior(x, 0.4)
    assert_array_equal(found.log_density, alone.log_density)
    assert_array_equal(found.mean, alone.mean)


def test_memory_is_asked_for_the_weights_of_all_combinations(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(product, "check_memory", recorded(asked))
    laws = [Mixture(np.full(count, 1 / count), np.zeros((count, 1)), np.ones(count)) for count in (2, 3, 4)]
    weights = exact_denoiser(Product(laws)).posterior(np.ones((5, 3)), 0.3).weights
    assert_allclose(weights, np.full((5, 24), 1 / 24), rtol=1e-14)
    assert asked == [("`weights`", (5, 2, 3)), ("`weights`", (5, 6, 4))]
