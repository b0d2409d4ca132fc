"""Attention as a denoiser against a separately written reference, point clouds, and PIFS steps.

Logits of size L carry a rounding of a few eps (1 + L), which the weights turn into a relative one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, exact_denoiser
from pifs_sim.diffusion.denoisers import AttentionDenoiser
from pifs_sim.diffusion.measures import Gaussian, PointCloud, Product
from pifs_sim.diffusion.schedules import from_angles
from pifs_sim.dynamics import Patches
from pifs_sim.fractals import random_pifs
from tests.diffusion import attending
from tests.diffusion.attending import CASES, HALF_PI, PARTITIONS, SELF_CASES, Case

EPS = float(np.finfo(float).eps)
ANGLES = st.floats(0.02, HALF_PI - 1e-9) | st.just(HALF_PI)
SEEDS = st.integers(0, 2**32 - 1)


def rounding(case: Case, angle: float) -> float:
    """100 roundings of the largest logit, for operands of size below 10."""
    return 100 * EPS * (1 + 100 / (case.denoiser.temperature * math.sin(angle) ** 2))


@given(case=CASES, angle=ANGLES)
def test_weights_and_estimate_are_those_of_the_definition(case: Case, angle: float) -> None:
    denoiser, x = case
    posterior, allowed = denoiser.posterior(x, angle), rounding(case, angle)
    expected = np.array([attending.attention(denoiser, point, angle) for point in x])
    mean = np.array([attending.estimate(denoiser, point, angle) for point in x])
    assert_allclose(posterior.weights, expected, rtol=0, atol=allowed)
    assert_allclose(posterior.mean, mean, rtol=0, atol=10 * allowed)
    logarithms = np.log(np.where(expected > 0, expected, 1.0))
    assert_allclose(posterior.entropy, -np.sum(expected * logarithms, axis=-1), rtol=0, atol=50 * allowed)
    remainder = (x - math.cos(angle) * mean) / math.sin(angle)
    assert_allclose(posterior.noise, remainder, rtol=0, atol=10 * allowed / math.sin(angle))


@given(case=CASES, angle=ANGLES)
def test_the_doors_are_the_posterior(case: Case, angle: float) -> None:
    denoiser, x = case
    posterior = denoiser.posterior(x, angle)
    assert np.array_equal(denoiser.attention(x, angle), posterior.weights)
    assert np.array_equal(denoiser.entropy(x, angle), posterior.entropy)
    assert np.array_equal(denoiser.posterior_mean(x, angle), posterior.mean)
    assert np.array_equal(denoiser.noise(x, angle), posterior.noise)
    assert np.array_equal(denoiser.noise_jacobian(x, angle).dense(), posterior.noise_jacobian.dense())


NAMES = ("mean", "noise", "mean_jacobian", "noise_jacobian", "covariance", "log_density")


@given(seed=SEEDS, count=st.integers(1, 8), d=st.integers(1, 4), angle=ANGLES | st.just(0.0))
def test_a_codebook_with_one_patch_is_the_empirical_denoiser(seed: int, count: int, d: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    points, x = rng.standard_normal((count, d)), rng.standard_normal((3, d))
    weights = rng.dirichlet(np.ones(count))
    attention = AttentionDenoiser(Patches(d, d), points, bias=np.log(weights)[None]).posterior(x, angle)
    empirical = exact_denoiser(PointCloud(points, weights)).posterior(x, angle)
    steep = 1e-14 * (1 + 100 / max(math.sin(angle), 0.02) ** 2)  # logits reach 50/sin^2, Jacobians 100/sin^3
    for name in NAMES:
        got, expected = getattr(attention, name), getattr(empirical, name)
        if hasattr(got, "dense"):
            got, expected = got.dense(), expected.dense()
        assert_allclose(got, expected, rtol=0, atol=steep * (100 / max(math.sin(angle), 0.02) ** 3), err_msg=name)
    assert_allclose(attention.weights[:, 0], empirical.weights, rtol=0, atol=steep)


@pytest.mark.parametrize("own", [False, True])
def test_a_codebook_for_patches_is_the_product_of_point_clouds(own: bool) -> None:
    rng = np.random.default_rng(1)
    codebook, bias = rng.standard_normal((3, 5, 2) if own else (5, 2)), rng.standard_normal((3, 5))
    shares = np.exp(bias) / np.exp(bias).sum(axis=1, keepdims=True)
    clouds = [PointCloud(codebook[k] if own else codebook, shares[k]) for k in range(3)]
    product, x = exact_denoiser(Product(clouds)), rng.standard_normal((4, 6))
    denoiser = AttentionDenoiser(Patches(6, 2), codebook, bias=bias)
    for angle in (0.2, 0.9, HALF_PI):
        got, expected = denoiser.posterior(x, angle), product.posterior(x, angle)
        for name in NAMES:
            pair = (getattr(got, name), getattr(expected, name))
            pair = tuple(part.dense() if hasattr(part, "dense") else part for part in pair)
            assert_allclose(*pair, rtol=1e-11, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.2, HALF_PI])
def test_one_patch_attending_to_itself_is_the_denoiser_of_the_normal_law(angle: float) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4))
    got = AttentionDenoiser(Patches(4, 4)).posterior(x, angle)
    expected = exact_denoiser(Gaussian(np.zeros(4), np.eye(4))).posterior(x, angle)
    for name in NAMES[:2]:
        assert_allclose(getattr(got, name), getattr(expected, name), rtol=0, atol=1e-15)
    for name in NAMES[2:4]:
        assert_allclose(getattr(got, name).dense(), getattr(expected, name).dense(), rtol=0, atol=1e-15)
    assert np.array_equal(got.entropy, np.zeros((3, 1)))


@given(seed=SEEDS, angle=st.floats(0.1, 1.2), domain=st.permutations(range(3)))
def test_where_the_pairing_is_fixed_a_last_step_is_a_pifs_step(seed: int, angle: float, domain: list[int]) -> None:
    """From phi to 0 the chain takes x to x_hat, here A x_j + o at cos(phi) x, whatever the temperature."""
    pifs = random_pifs(3, 2, rng=np.random.default_rng(seed))
    maps = pifs.matrix.reshape(3, 2, 3, 2).swapaxes(1, 2)
    pairing = np.abs(maps).sum(axis=(2, 3)) > 0
    assert np.array_equal(pairing.sum(axis=1), np.ones(3))
    bias, x = np.where(pairing, 0.0, -np.inf), np.random.default_rng(seed).standard_normal((4, 6))
    for tau in (0.0, 1.0):
        denoiser = AttentionDenoiser(Patches(6, 2), temperature=tau, bias=bias, maps=maps, offsets=pifs.offset)
        chain = Chain(from_angles([0.0, angle]), denoiser)
        assert_allclose(chain.step(x, 0), pifs.step(math.cos(angle) * x, 0), rtol=0, atol=1e-14)
        image = chain.tangent(x, 0, np.broadcast_to(np.eye(6), (4, 6, 6)))[1]
        assert_allclose(image, np.broadcast_to(math.cos(angle) * pifs.matrix, image.shape), rtol=0, atol=1e-14)
    renamed = AttentionDenoiser(Patches(6, 2), temperature=0.0, bias=bias[:, domain], maps=maps[:, domain])
    assert np.array_equal(renamed.attention(x, angle)[:, :, np.argsort(domain)], np.tile(pairing, (4, 1, 1)))


@given(case=SELF_CASES, angle=st.floats(0.02, HALF_PI - 0.02))
def test_the_hard_limit_is_a_pifs_step_whose_pairing_depends_on_the_state(case: Case, angle: float) -> None:
    """Each range is paired with the domain whose image is nearest; between switches the step is affine."""
    soft, x = case
    patches = soft.patches
    hard = AttentionDenoiser(patches, temperature=0.0, bias=soft.bias, maps=soft.maps, offsets=soft.offsets)
    M, n, cos = patches.count, patches.length, math.cos(angle)
    blocks = np.broadcast_to(np.eye(n) if soft.maps is None else soft.maps, (M, M, n, n))
    offsets = np.zeros(patches.dim) if soft.offsets is None else soft.offsets
    posterior = hard.posterior(x, angle)
    for b, point in enumerate(x):
        parts, matrix = point[patches.indices], np.zeros((patches.dim, patches.dim))
        for k in range(M):
            allowed = [j for j in range(M) if soft.bias is None or soft.bias[k, j] > -np.inf]
            misfit = [np.sum((parts[k] - cos * attending.value(soft, parts, (k, j), cos)) ** 2) for j in allowed]
            best = allowed[int(np.argmin(misfit))]
            matrix[patches.indices[k][:, None], patches.indices[best]] = blocks[k, best]
            assert posterior.weights[b, k, best] == 1
        assert_allclose(posterior.mean[b], matrix @ (cos * point) + offsets, rtol=0, atol=1e-14)
        assert_allclose(posterior.mean_jacobian.dense()[b], cos * matrix, rtol=0, atol=1e-15)
    assert np.array_equal(posterior.entropy, np.zeros((2, M)))


def test_the_pairing_switches_with_the_state() -> None:
    """The middle patch is paired with the neighbour that it is nearer to; just there the step jumps."""
    others = np.where(np.eye(3), -np.inf, 0.0)
    chain = Chain(from_angles([0.0, 0.1]), AttentionDenoiser(Patches(3, 1), temperature=0.0, bias=others))
    left, right = np.array([[0.0, 0.49, 1.0]]), np.array([[0.0, 0.51, 1.0]])
    pairings = [chain.denoiser.attention(x, 0.1)[0].argmax(axis=1).tolist() for x in (left, right)]
    assert pairings == [[1, 0, 1], [1, 2, 1]]
    assert_allclose(
        chain.step(right, 0) - chain.step(left, 0), math.cos(0.1) * np.array([[0.02, 1.0, 0.02]]), rtol=1e-12
    )
    jacobian = chain.jacobian(right, 0).dense()[0]
    assert_allclose(jacobian, math.cos(0.1) * np.eye(3)[pairings[1]], rtol=0, atol=1e-15)


@given(case=CASES, angle=st.floats(0.2, 1.3))
def test_the_limit_of_low_temperature_is_the_hard_limit(case: Case, angle: float) -> None:
    """Where e^-(lead of the best domain over the next, in units of the temperature) underflows, they are equal."""
    soft, x = case
    parts = {name: getattr(soft, name) for name in ("bias", "maps", "offsets")}
    plain = AttentionDenoiser(soft.patches, soft.codebook, maps=soft.maps, offsets=soft.offsets)
    pairs = list(np.ndindex(soft.patches.count, soft.domains))
    logits = np.array([[attending.logit(plain, p[soft.patches.indices], pair, angle) for pair in pairs] for p in x])
    bias = np.zeros((soft.patches.count, soft.domains)) if soft.bias is None else soft.bias
    ordered = np.sort(np.where(np.isfinite(bias), logits.reshape(2, *bias.shape), -1e9), axis=-1)
    lead = (ordered[..., -1] - ordered[..., -2]).min() if soft.domains > 1 else 1.0
    if lead < 1e-6:  # a near tie: no temperature of a reasonable size is low
        return
    tau = lead / (800 + 2 * np.ptp(bias[np.isfinite(bias)]))
    cold, hard = (AttentionDenoiser(soft.patches, soft.codebook, temperature=t, **parts) for t in (tau, 0.0))
    assert np.array_equal(cold.attention(x, angle), hard.attention(x, angle))
    assert np.array_equal(cold.posterior_mean(x, angle), hard.posterior_mean(x, angle))


CODEBOOK, TIED = np.array([[-1.0], [1.0], [3.0]]), np.array([[0.0], [2.0], [-0.1]])
SHARES = np.array([0.2, 0.6, 0.2])


def test_equally_good_domains_share_by_their_biases_in_the_hard_limit() -> None:
    hard = AttentionDenoiser(Patches(1, 1), CODEBOOK, temperature=0.0, bias=np.log(SHARES)[None])
    expected = [[0.25, 0.75, 0.0], [0.0, 0.75, 0.25], [1.0, 0.0, 0.0]]
    assert_allclose(hard.attention(TIED, 0.0)[:, 0], expected, rtol=0, atol=1e-15)
    posterior = hard.posterior(TIED, 0.5)  # 2 is nearer to 3 cos(1/2) than to cos(1/2)
    assert_allclose(posterior.weights[:, 0], [expected[0], [0, 0, 1], expected[2]], rtol=0, atol=1e-15)
    jacobian = posterior.mean_jacobian.dense()[:, 0, 0]
    assert np.array_equal(jacobian, [np.nan, 0, 0], equal_nan=True)  # the estimate jumps at a tie


def test_equally_good_domains_share_at_angle_zero_as_in_the_limit() -> None:
    soft = AttentionDenoiser(Patches(1, 1), CODEBOOK, bias=np.log(SHARES)[None])
    expected = exact_denoiser(PointCloud(CODEBOOK, SHARES)).posterior(TIED, 0.0).weights
    assert_allclose(soft.attention(TIED, 0.0)[:, 0], expected, rtol=0, atol=1e-15)
    assert_allclose(soft.attention(TIED, 1e-4)[:, 0], expected, rtol=0, atol=1e-7)
    image = np.array([[0.0, 1.0, -1.0, 0.5]])  # 0 is as near to 1 as to -1, and shifted by o
    for offsets in (None, np.array([0.0, 0.25, 0.0, 0.5])):
        mapped = AttentionDenoiser(Patches(4, 1), maps=[[2.0]], offsets=offsets, bias=np.where(np.eye(4), -np.inf, 0))
        assert_allclose(mapped.attention(image, 0.0), mapped.attention(image, 1e-4), rtol=0, atol=1e-7)


@given(case=CASES)
def test_the_ends_are_limits(case: Case) -> None:
    """At pi/2 logits have left softmax(bias), at 0 the nearest domain takes all."""
    denoiser, x = case
    near, end = denoiser.posterior(x, HALF_PI - 1e-9), denoiser.posterior(x, HALF_PI)
    for name in ("weights", "mean", "noise"):
        assert_allclose(getattr(near, name), getattr(end, name), rtol=0, atol=1e-6)
    assert_allclose(near.mean_jacobian.dense(), end.mean_jacobian.dense(), rtol=0, atol=1e-6)
    assert_allclose(end.noise, x, rtol=0, atol=1e-14)
    near, start = denoiser.posterior(x, 1e-5), denoiser.posterior(x, 0.0)
    if near.weights.max(axis=-1).min() == 1:  # not near a tie
        assert_allclose(near.mean, start.mean, rtol=0, atol=1e-8)
    assert np.array_equal(start.noise, np.zeros_like(x))
    assert not start.noise_jacobian.dense().any()


@pytest.mark.parametrize("patches", PARTITIONS, ids=str)
def test_self_attention_without_maps_returns_the_image_at_angle_zero(patches: Patches) -> None:
    x = np.random.default_rng(2).standard_normal((3, patches.dim))
    denoiser = AttentionDenoiser(patches)
    assert np.array_equal(denoiser.posterior_mean(x, 0.0), x)
    assert_allclose(denoiser.noise(x, 1e-9), 1e-9 * x, rtol=1e-12)  # nothing cancels


def test_entropy_keeps_its_digits_where_one_domain_takes_nearly_all() -> None:
    """Weights 1 - e and e: H = e (1 - ln e) to first order."""
    lag = 60.0
    denoiser = AttentionDenoiser(Patches(1, 1), np.array([[0.0], [0.0]]), bias=np.array([[0.0, -lag]]))
    assert denoiser.entropy(np.zeros((1, 1)), 0.5)[0, 0] == pytest.approx(math.exp(-lag) * (1 + lag), rel=1e-14)


def test_every_sample_may_have_its_own_angle() -> None:
    denoiser, _ = attending.case(Patches(6, 2), "maps", 5)
    x, angles = np.random.default_rng(0).standard_normal((4, 6)), np.array([0.0, 0.3, 1.2, HALF_PI])
    together = denoiser.posterior(x, angles)
    for i, angle in enumerate(angles.tolist()):
        alone = denoiser.posterior(x[i : i + 1], angle)
        for name in ("mean", "noise", "weights", "entropy"):
            assert_allclose(getattr(together, name)[i], getattr(alone, name)[0], rtol=0, atol=1e-14)
        for name in ("mean_jacobian", "noise_jacobian"):
            assert_allclose(getattr(together, name).dense()[i], getattr(alone, name).dense()[0], rtol=0, atol=1e-13)
