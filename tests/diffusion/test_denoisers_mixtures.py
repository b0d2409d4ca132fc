"""The same law given as different measures has one posterior; Jacobians are complex-step derivatives of Bayes' rule.

The comparisons allow 50 eps (1 + the largest logit) of the operands' size.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.dynamics.operators import DiagonalLowRank, Rotated, Spectral, WeightedCovariance
from pifs_sim.testing.strategies import LAWS, SpdMatrix, measures, mixtures, probabilities, spd_matrices

HALF_PI, EPS = math.pi / 2, float(np.finfo(np.float64).eps)
ANGLES = st.floats(0.02, HALF_PI - 1e-6) | st.sampled_from([0.02, 0.7, HALF_PI])
SEEDS = st.integers(0, 2**32 - 1)
MIXED = ("isotropic", "diagonal", "full", "spectral")


def dense(value: Any) -> np.ndarray:
    return value.dense() if hasattr(value, "dense") else value


def assert_same(one: Any, other: Any, angle: float, x: np.ndarray, *, weights: bool = True) -> None:
    """Posteriors of the same law, each value to 50 eps of its operands, which logits of size L blur by 1 + L."""
    sin = math.sin(angle)
    size = 1 + np.abs(x).max() + np.abs(one.mean).max()
    unit = 50 * EPS * (1 + (size / sin) ** 2 / 2)
    scales = {
        "mean": size,
        "noise": size / sin,
        "covariance": size**2,
        "mean_jacobian": (size / sin) ** 2,
        "noise_jacobian": (size / sin) ** 2 / sin,
        "log_density": 1.0,
        **({"weights": 1.0} if weights else {}),
    }
    for name, scale in scales.items():
        found, expected = dense(getattr(one, name)), dense(getattr(other, name))
        assert_allclose(found, expected, rtol=0, atol=unit * scale, err_msg=name)


def near(law: Any, seed: int, angle: float, batch: int = 3) -> np.ndarray:
    """Points of the noised law."""
    rng = np.random.default_rng(seed)
    return math.cos(angle) * law.sample(batch, rng) + math.sin(angle) * rng.standard_normal((batch, law.dim))


@given(
    spd=st.integers(1, 4).flatmap(lambda d: spd_matrices(d, least=0.1, largest=10, zeros=d // 3)),
    angle=ANGLES,
    seed=SEEDS,
)
@settings(max_examples=40)
def test_one_component_is_the_gaussian(spd: SpdMatrix, angle: float, seed: int) -> None:
    mean, d = np.random.default_rng(seed).standard_normal(spd.eigenvalues.size), spd.eigenvalues.size
    law, turned = Gaussian(mean, spd.matrix), Gaussian(mean, np.diag(spd.eigenvalues))
    x = near(law, seed, angle)
    for same in (
        Mixture([1.0], mean[None], spd.matrix[None]),
        Mixture([1.0], mean[None], Spectral(spd.eigenvalues, spd.eigenvectors)),
        Mixture([0.5, 0.5], [mean, mean], np.array([spd.matrix] * 2)),
        ScaleMixture(mean, spd.matrix / 4, [4.0], [1.0]),
        Product([law]),
    ):
        single = same.components.weights.shape == (1,) if hasattr(same, "components") else True
        assert_same(
            exact_denoiser(same).posterior(x, angle), exact_denoiser(law).posterior(x, angle), angle, x, weights=single
        )
    diagonal = exact_denoiser(Mixture([1.0], mean[None], spd.eigenvalues.reshape(1, d)))
    assert_same(diagonal.posterior(x, angle), exact_denoiser(turned).posterior(x, angle), angle, x)


@given(law=measures(("points",)), angle=ANGLES, seed=SEEDS)
@settings(max_examples=40)
def test_components_without_variance_are_points(law: PointCloud, angle: float, seed: int) -> None:
    (count, d), x = law.points.shape, near(law, seed, angle)
    expected = exact_denoiser(law).posterior(x, angle)
    for zeros in (
        np.zeros(count),
        np.zeros((count, d)),
        np.zeros((count, d, d)),
        Spectral(np.zeros((count, d)), np.eye(d)),
    ):
        same = exact_denoiser(Mixture(law.weights, law.points, zeros))
        assert_same(same.posterior(x, angle), expected, angle, x)


@given(law=measures(("scale",)), angle=ANGLES, seed=SEEDS)
@settings(max_examples=60)
def test_a_scale_mixture_is_a_mixture_of_full_covariances(law: ScaleMixture, angle: float, seed: int) -> None:
    means = np.tile(law.mean, (len(law.scales), 1))
    same = Mixture(law.weights, means, law.scales[:, None, None] * law.base)
    x = near(law, seed, angle)
    assert_same(exact_denoiser(same).posterior(x, angle), exact_denoiser(law).posterior(x, angle), angle, x)


@given(one=mixtures("diagonal", dim=2), other=mixtures("diagonal", dim=1), angle=ANGLES, seed=SEEDS)
@settings(max_examples=60)
def test_a_product_is_the_mixture_of_all_pairs_of_components(
    one: Mixture, other: Mixture, angle: float, seed: int
) -> None:
    pairs = list(product(range(len(one.weights)), range(len(other.weights))))
    whole = Mixture(
        [one.weights[k] * other.weights[j] for k, j in pairs],
        [[*one.means[k], *other.means[j]] for k, j in pairs],
        np.array([[*one.covariances[k], *other.covariances[j]] for k, j in pairs]),
    )
    law, x = Product([one, other]), near(whole, seed, angle)
    posterior = exact_denoiser(law).posterior(x, angle)
    assert_same(posterior, exact_denoiser(whole).posterior(x, angle), angle, x)
    assert not posterior.covariance.dense()[:, :2, 2:].any()  # exactly


def bayes(law: Any, angle: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E[x_0|x] and E[eps|x] of a mixture at one point, complex numbers allowed: the textbook, in dense matrices."""
    parts, (c, s), d = law.components, (math.cos(angle), math.sin(angle)), law.dim
    logs, means, noises = [], [], []
    for k, (w, mu) in enumerate(zip(parts.weights, parts.means, strict=True)):
        axes = np.eye(d) if parts.axes is None else parts.axes if parts.axes.ndim == 2 else parts.axes[k]
        C = axes * np.broadcast_to(parts.variances[k], (d,)) @ axes.T
        N = c**2 * C + s**2 * np.eye(d)
        pull = np.linalg.solve(N, x - c * mu)
        logs.append(np.log(max(w, 1e-300)) - (x - c * mu) @ pull / 2 - np.linalg.slogdet(N)[1] / 2)
        means.append(mu + c * C @ pull)
        noises.append(s * pull)
    r = np.exp(np.array(logs) - max(np.real(logs)))
    r = r / r.sum()
    return r @ np.array(means), r @ np.array(noises)


@given(
    law=measures(("isotropic", "diagonal", "full", "spectral", "points", "scale")),
    angle=st.floats(0.1, 1.5),
    seed=SEEDS,
)
def test_jacobians_are_complex_step_derivatives_of_bayes_rule(law: Any, angle: float, seed: int) -> None:
    x, h = near(law, seed, angle, batch=1), 1e-30
    posterior = exact_denoiser(law).posterior(x, angle)
    size, sin = 1 + np.abs(x).max() + np.abs(law.components.means).max(), math.sin(angle)
    unit = 50 * EPS * (1 + (size / sin) ** 2)
    for place, name in enumerate(("mean", "noise")):
        scale = size / sin**place
        value = bayes(law, angle, x[0])[place]
        columns = [bayes(law, angle, x[0] + 1j * h * unit_vector)[place].imag / h for unit_vector in np.eye(law.dim)]
        assert_allclose(getattr(posterior, name)[0], value, rtol=0, atol=unit * scale)
        jacobian = getattr(posterior, f"{name}_jacobian").dense()[0]
        assert_allclose(jacobian, np.array(columns).T, rtol=0, atol=unit * (size / sin) ** 2 / sin**place)


@given(weights=probabilities(5), seed=SEEDS, angle=st.floats(0.3, 1.3))
def test_the_empirical_denoiser_is_a_softmax(weights: np.ndarray, seed: int, angle: float) -> None:
    """x_hat = sum softmax(ln w + cos <x, y>/v - cos^2 |y|^2/(2 v)) y and J x_hat = (cos/v) Cov_softmax(y)."""
    points, c, v = np.random.default_rng(seed).standard_normal((5, 3)), math.cos(angle), math.sin(angle) ** 2
    x = near(PointCloud(points), seed, angle, batch=1)
    powers = weights * np.exp(c * points @ x[0] / v - c**2 * (points**2).sum(axis=1) / (2 * v))
    r = powers / powers.sum()
    posterior = exact_denoiser(PointCloud(points, weights)).posterior(x, angle)
    assert_allclose(posterior.weights[0], r, rtol=1e-12, atol=1e-15)
    assert_allclose(posterior.mean[0], r @ points, rtol=0, atol=1e-13)
    expected = c / v * np.cov(points.T, aweights=r, bias=True)
    assert_allclose(posterior.mean_jacobian.dense()[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", LAWS)
@given(data=st.data(), seed=SEEDS)
@settings(max_examples=25)
def test_block_norms_of_the_jacobians_are_those_of_the_matrices(kind: str, data: st.DataObject, seed: int) -> None:
    law = data.draw(measures((kind,)))
    x, patches = near(law, seed, 0.5), Patches(law.dim, 1)
    jacobian = exact_denoiser(law).posterior(x, 0.5).mean_jacobian
    matrices = jacobian.dense()
    found, expected = block_norms(jacobian, patches), block_norms(matrices, patches)
    assert_allclose(found.blocks, expected.blocks, rtol=0, atol=1e-13 * (1 + np.abs(matrices).max()))
    assert_allclose(found.norm, expected.norm, rtol=1e-12)


def test_jacobians_keep_the_structure_of_the_law() -> None:
    rng = np.random.default_rng(0)
    points, x, w = rng.standard_normal((3, 6)), rng.standard_normal((2, 6)), [0.2, 0.3, 0.5]
    spread = rng.random((3, 6))
    for law in (PointCloud(points), Mixture(w, points, [0.1, 0.0, 2.0]), Mixture(w, points, [0.1] * 3)):
        jacobian = exact_denoiser(law).noise_jacobian(x, 0.4)
        assert isinstance(jacobian, WeightedCovariance)
        assert jacobian.points is law.components.means  # one array for the whole batch, and for the law
    diagonal = exact_denoiser(Mixture(w, points, spread)).posterior_covariance(x, 0.4)
    assert isinstance(diagonal, DiagonalLowRank)
    assert diagonal.left.shape == (2, 6, 3)
    rotated = exact_denoiser(ScaleMixture(points[0], np.cov(rng.standard_normal((6, 9))), [1.0, 2.0], [0.5, 0.5]))
    jacobian = rotated.noise_jacobian(x, 0.4)
    assert isinstance(jacobian, Rotated)
    assert isinstance(jacobian.inner, DiagonalLowRank)
