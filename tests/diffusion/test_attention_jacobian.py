"""The Jacobian of attention against complex steps of a separate reference, in chains, and its bound by weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, exact_denoiser
from pifs_sim.diffusion.attention_bound import coupling_bound
from pifs_sim.diffusion.denoisers import AttentionDenoiser
from pifs_sim.diffusion.measures import PointCloud
from pifs_sim.diffusion.schedules import cosine, from_angles, linear
from pifs_sim.dynamics import Patches, block_norms, lyapunov_spectrum
from pifs_sim.dynamics.operators import BlockDiagonal, PairedBlocks
from pifs_sim.testing.strategies import schedules
from tests.diffusion import attending
from tests.diffusion.attending import CASES, HALF_PI, SELF_CASES, Case

EPS = float(np.finfo(float).eps)
SEEDS = st.integers(0, 2**32 - 1)


@given(case=CASES, angle=st.floats(0.05, HALF_PI - 1e-9) | st.just(HALF_PI))
def test_the_jacobian_is_the_derivative_of_the_definition(case: Case, angle: float) -> None:
    """Logits reach 100/(tau s^2), and the weights' relative rounding that many eps; the Jacobian as many numbers."""
    denoiser, x = case
    steep = 1 + 100 / (denoiser.temperature * math.sin(angle) ** 2)
    posterior, d = denoiser.posterior(x, angle), denoiser.dim
    expected = np.array([attending.jacobian(denoiser, point, angle) for point in x])
    assert_allclose(posterior.mean_jacobian.dense(), expected, rtol=0, atol=4 * EPS * steep**2)
    noise = (np.eye(d) - math.cos(angle) * expected) / math.sin(angle)
    assert_allclose(posterior.noise_jacobian.dense(), noise, rtol=0, atol=4 * EPS * steep**2 / math.sin(angle))
    assert isinstance(posterior.mean_jacobian, PairedBlocks if denoiser.codebook is None else BlockDiagonal)


def test_the_jacobian_of_self_attention_is_not_symmetric() -> None:
    """Two scalar patches 0 and 1 with one map, cos^2 = 1/2: asymmetric by a tenth of its norm and more."""
    jacobian = AttentionDenoiser(Patches(2, 1)).posterior(np.array([[0.0, 1.0]]), math.pi / 4).mean_jacobian
    matrix = jacobian.dense()[0]
    assert not jacobian.symmetric
    assert abs(matrix[0, 1] - matrix[1, 0]) > 0.1 * np.abs(matrix).max()


@given(schedule=schedules(max_steps=4), case=CASES, p=st.integers(1, 3))
def test_tangent_and_cotangent_of_a_chain_are_transposes(schedule, case: Case, p: int) -> None:
    chain, x = Chain(schedule, case.denoiser), case.x
    V, U = np.random.default_rng(p).standard_normal((2, 2, chain.dim, p))
    for n in range(chain.length):
        moved, image = chain.tangent(x, n, V)
        back = chain.cotangent(x, n, U)
        pairs = (np.einsum("bip,biq->bpq", U, image), np.einsum("bip,biq->bpq", back, V))
        size = 1 + np.abs(image).max() + np.abs(back).max()
        assert_allclose(*pairs, rtol=0, atol=1e-13 * size * chain.dim)
        assert_allclose(chain.jacobian(x, n).dense() @ V, image, rtol=0, atol=1e-13 * size)
        x = moved


@given(case=CASES, angles=st.tuples(st.floats(0.3, 0.7), st.floats(0.8, 1.5)))
def test_the_tangent_of_a_step_is_its_derivative(case: Case, angles: tuple[float, float]) -> None:
    """Central differences of length h: an error of h^2 times a third derivative (below 1e4), and eps/h."""
    chain, x, h = Chain(from_angles(angles), case.denoiser), case.x, 1e-5
    direction = np.random.default_rng(0).standard_normal(x.shape)
    _, image = chain.tangent(x, 0, direction[:, :, None])
    difference = (chain.step(x + h * direction, 0) - chain.step(x - h * direction, 0)) / (2 * h)
    sharp = 1 + 30 / (case.denoiser.temperature * math.sin(angles[1]) ** 2)
    assert_allclose(image[:, :, 0], difference, rtol=0, atol=1e-9 + 10 * h**2 * sharp**3)


def test_a_chain_with_one_codebook_patch_is_that_of_the_point_cloud() -> None:
    rng = np.random.default_rng(1)
    points, x = rng.standard_normal((6, 3)), rng.standard_normal((4, 3))
    chains = [
        Chain(cosine(8, max_beta=None), denoiser)
        for denoiser in (AttentionDenoiser(Patches(3, 3), points), exact_denoiser(PointCloud(points)))
    ]
    assert_allclose(chains[0].run(x), chains[1].run(x), rtol=0, atol=1e-12)
    spectra = [lyapunov_spectrum(chain, x, chain.length).exponents for chain in chains]
    assert_allclose(spectra[0], spectra[1], rtol=0, atol=1e-7)  # the least singular value is 3e-9


def test_finite_time_exponents_need_no_symmetry() -> None:
    """k < d takes the cotangent; against the singular values of the product of dense Jacobians."""
    denoiser, x = attending.case(Patches(6, 2), "maps", 3)
    chain, product, point = Chain(cosine(5), denoiser), np.eye(6), x[:1]
    for n in range(chain.length):
        product = chain.jacobian(point, n).dense()[0] @ product
        point = chain.step(point, n)
    singular = np.linalg.svd(product, compute_uv=False)
    found = lyapunov_spectrum(chain, x[:1], chain.length, k=2).exponents
    assert_allclose(found, np.log(singular[:2]) / chain.length, rtol=0, atol=1e-10)


@given(schedule=schedules(max_steps=5, start=0.0), case=CASES)
def test_the_coupling_never_exceeds_its_bound(schedule, case: Case) -> None:
    chain, x, patches = Chain(schedule, case.denoiser), case.x, case.denoiser.patches
    for n in range(chain.length):
        found, jacobian = coupling_bound(chain, x, n), chain.jacobian(x, n)
        norms = block_norms(jacobian.dense(), patches)
        allowed = 1e-13 * (1 + np.abs(jacobian.dense()).max())
        assert_allclose(found.delta, norms.delta, rtol=0, atol=allowed * patches.count)
        assert np.all(found.coupling <= (found.weight + found.gradient) * (1 + 1e-13))
        assert np.all((found.tightness >= 0) & (found.tightness <= 1 + 1e-13))
        if case.denoiser.codebook is not None:
            assert not found.bound.any()
            assert np.all(found.tightness == 1)
        x = chain.step(x, n)


@given(schedule=schedules(max_steps=5, start=0.0), seed=SEEDS, tau=st.floats(0.01, 10.0))
def test_without_maps_the_bound_is_at_most_three_times_the_coupling(schedule, seed: int, tau: float) -> None:
    denoiser, x = attending.case(Patches(8, 2), "self", seed, tau)
    chain = Chain(schedule, denoiser)
    for n in range(chain.length):
        found = coupling_bound(chain, x, n)
        assert np.all(found.weight + found.gradient <= 3 * found.coupling * (1 + 1e-12))
        gain = math.sin(schedule.increments[chain.length - n - 1]) / schedule.sin[chain.length - n]
        angle = float(schedule.angles[chain.length - n])
        own = np.diagonal(denoiser.attention(x, angle), axis1=1, axis2=2)
        assert_allclose(found.weight, gain * math.cos(angle) * (1 - own), rtol=0, atol=1e-14)
        x = chain.step(x, n)


@given(case=SELF_CASES, angle=st.floats(0.1, 1.4))
def test_in_the_hard_limit_the_bound_is_attained(case: Case, angle: float) -> None:
    """One domain a range: its map alone couples, and the weights do not move."""
    soft = case.denoiser
    hard = AttentionDenoiser(soft.patches, temperature=0.0, bias=soft.bias, maps=soft.maps, offsets=soft.offsets)
    found = coupling_bound(Chain(from_angles([0.0, angle]), hard), case.x, 0)
    assert not found.gradient.any()
    assert_allclose(found.coupling, found.weight, rtol=1e-13, atol=1e-15)


def test_the_bound_refuses_other_denoisers_steps_and_points() -> None:
    chain = Chain(linear(10), exact_denoiser(PointCloud(np.eye(2))))
    with pytest.raises(ValueError, match="`chain`"):
        coupling_bound(chain, np.zeros((1, 2)), 0)
    attention = Chain(linear(10), AttentionDenoiser(Patches(2, 1)))
    for n in (-1, 10, 0.5):
        with pytest.raises(ValueError, match="`n`"):
            coupling_bound(attention, np.zeros((1, 2)), n)
    with pytest.raises(ValueError, match="`x`"):
        coupling_bound(attention, np.zeros((1, 3)), 0)
