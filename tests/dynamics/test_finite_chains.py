"""Finite chains: the singular values of the whole product, whatever its range and rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, geometry
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.diffusion.schedules import cosine, karras, linear, uniform_angle
from pifs_sim.dynamics import Cocycle, Map, lyapunov_spectrum
from pifs_sim.testing import strategies
from tests.dynamics import textbook as maps
from tests.kernels.exact import log_singular_values, product

SEEDS = st.integers(0, 2**32 - 1)


def sums(matrices: Any, **options: Any) -> np.ndarray:
    """ln of the singular values of the product, by the engine."""
    system = Cocycle(matrices)
    assert system.length is not None
    found = lyapunov_spectrum(system, np.zeros((1, system.dim)), system.length, **options)
    return found.per_orbit[0] * system.length


def gaussian_chain(schedule: Schedule, lam: np.ndarray, seed: int) -> Chain:
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((len(lam), len(lam))))[0]
    return Chain(schedule, exact_denoiser(Gaussian(rng.standard_normal(len(lam)), (Q * lam) @ Q.T)))


@pytest.mark.parametrize(
    "schedule",
    [cosine(50), linear(200, 1e-3, 0.2), uniform_angle(9), uniform_angle(7, 0.3, 1.2), karras(18, 0.002, 80.0)],
    ids=["cosine", "linear", "angles", "inner angles", "karras"],
)
def test_a_gaussian_chain_has_the_exponents_of_the_geometry(schedule: Schedule) -> None:
    """Lambda(lambda)/T for every eigenvalue of the covariance, the smallest 1e-3 of the largest."""
    lam = np.geomspace(1e-2, 10, 8)
    chain = gaussian_chain(schedule, lam, seed=1)
    found = lyapunov_spectrum(chain, np.random.default_rng(2).standard_normal((2, 8)), schedule.steps)
    expected = np.sort(geometry.lyapunov_exponent(schedule, lam))[::-1] / schedule.steps
    assert_allclose(found.exponents, expected, rtol=0, atol=1e-10)
    assert_allclose(found.per_orbit, np.broadcast_to(expected, (2, 8)), rtol=0, atol=1e-10)
    assert found.finite_time
    assert (found.rank, found.interval, found.history.shape) == (8, 0, (0, 8))


@settings(max_examples=15)
@given(schedule=strategies.schedules(max_steps=8, start=1e-3), data=st.data())
def test_every_gaussian_chain_has_the_exponents_of_the_geometry(schedule: Schedule, data: st.DataObject) -> None:
    spd = data.draw(strategies.spd_matrices(3, least=1e-2, largest=1e2))
    chain = Chain(schedule, exact_denoiser(Gaussian(np.ones(3), spd.matrix)))
    found = lyapunov_spectrum(chain, np.zeros((1, 3)), schedule.steps)
    expected = np.sort(geometry.lyapunov_exponent(schedule, spd.eigenvalues))[::-1] / schedule.steps
    # the law knows its eigenvalues to 1e-15 of the largest, 1e-11 of the smallest, and Lambda' <= 1/(2 lambda)
    assert_allclose(found.exponents, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", [3, 4])
def test_three_of_sixty_four_exponents_are_the_first(seed: int) -> None:
    schedule, lam = cosine(30), np.geomspace(1e-2, 30, 64)
    chain = gaussian_chain(schedule, lam, seed)
    found = lyapunov_spectrum(chain, np.zeros((1, 64)), 30, k=3, rng=np.random.default_rng(seed))
    expected = np.sort(geometry.lyapunov_exponent(schedule, lam))[::-1][:3] / 30
    assert_allclose(found.exponents, expected, rtol=0, atol=1e-10)
    assert (found.stderr <= 1e-10).all()


def test_a_direction_without_variance_is_dead() -> None:
    """From phi_0 = 0 the chain projects onto the support."""
    lam = np.array([0.0, 0.0, 0.5, 2.0])
    chain = gaussian_chain(uniform_angle(6), lam, seed=5)
    found = lyapunov_spectrum(chain, np.zeros((1, 4)), 6)
    assert (found.exponents[2:] == -np.inf).all()
    assert_allclose(
        found.exponents[:2], geometry.lyapunov_exponent(uniform_angle(6), lam[:1:-1]) / 6, rtol=0, atol=1e-12
    )
    assert found.rank == 2


def graded(rng: np.random.Generator, count: int, d: int, span: float) -> np.ndarray:
    """Matrices Q diag(e^s) P, s over `span`: their product's singular values range over up to e^{count span}."""
    Q, P = (np.linalg.qr(rng.standard_normal((count, d, d)))[0] for _ in range(2))
    return Q * np.exp(rng.uniform(-span / 2, span / 2, (count, 1, d))) @ P


@settings(max_examples=25)
@given(seed=SEEDS, d=st.integers(1, 4), count=st.integers(1, 40), span=st.sampled_from([0.1, 2.0, 8.0, 16.0]))
@example(seed=0, d=4, count=40, span=16.0)
def test_products_of_any_range_have_their_singular_values(seed: int, d: int, count: int, span: float) -> None:
    """Each factor errs by rounding times its condition e^span, so that is what logarithms may err by."""
    A = graded(np.random.default_rng(seed), count, d, span)
    digits = int(60 + 2 * count * span / np.log(10))
    expected = log_singular_values(product(A, digits), digits)
    assert_allclose(sums(A), expected, rtol=1e-14, atol=2e-14 * count * np.exp(span))


@settings(max_examples=20)
@given(seed=SEEDS, d=st.integers(2, 4), count=st.integers(2, 30), offset=st.sampled_from([-20.0, 30.0]))
def test_diagonal_products_in_moving_frames_are_exact(seed: int, d: int, count: int, offset: float) -> None:
    """O_n D_n O_{n-1}^T: the logarithms add up, directions are known, and sizes run to e^{+-900}."""
    rng = np.random.default_rng(seed)
    frames = np.linalg.qr(rng.standard_normal((count + 1, d, d)))[0]
    logs = rng.uniform(-2, 2, (count, d)) + offset
    A = frames[1:] * np.exp(logs)[:, None, :] @ np.swapaxes(frames[:-1], 1, 2)
    assert_allclose(sums(A), np.sort(logs.sum(axis=0))[::-1], rtol=1e-14, atol=1e-12 * count)


def test_equal_singular_values_and_rotations_are_exact() -> None:
    rng = np.random.default_rng(7)
    rotations = np.linalg.qr(rng.standard_normal((100, 5, 5)))[0]
    assert_allclose(sums(rotations), 0, rtol=0, atol=1e-13)
    assert_allclose(sums(1e6 * rotations), 100 * np.log(1e6), rtol=1e-14)
    assert_allclose(sums(rotations, k=2), 0, rtol=0, atol=1e-13)


@settings(max_examples=15)
@given(seed=SEEDS, d=st.integers(2, 4), rank=st.integers(0, 3), count=st.integers(1, 8))
def test_products_without_rank_have_dead_directions(seed: int, d: int, rank: int, count: int) -> None:
    """Integer factors B C^T of rank r, positive so that none vanishes: -inf beyond r, the others as 90 digits say."""
    rng, r = np.random.default_rng(seed), min(rank, d)
    factors = rng.integers(1, 8, (count, 2, d, r)).astype(float)
    A = factors[:, 0] @ np.swapaxes(factors[:, 1], 1, 2)
    expected = np.array(log_singular_values(product(A, 90), 90))
    got = sums(A)
    assert np.array_equal(got > -np.inf, expected > -np.inf)
    live = expected > -np.inf
    assert_allclose(got[live], expected[live], rtol=0, atol=1e-10)


@pytest.mark.parametrize("b", [(1, -2, 1), (3, -1, -2), (5, -7, 2), (1, 4, -5)])
def test_a_product_that_vanishes_is_dead(b: Any) -> None:
    """The first factor takes everything to multiples of b, which the second takes to 0: never ln eps."""
    first, second = np.outer(b, (1, 0, 2)), np.outer((3, 1, 1), (1, 1, 1))
    assert not (second @ first).any()
    assert (sums(np.array([first, second], dtype=float)) == -np.inf).all()


def test_rank_that_only_the_product_loses_is_lost() -> None:
    """The shift has rank 3 of 4, its square 2, its fourth power 0."""
    shift = np.eye(4, k=1)
    for count, rank in ((1, 3), (2, 2), (3, 1), (4, 0), (6, 0)):
        found = lyapunov_spectrum(Cocycle(np.array([shift] * count)), np.zeros((1, 4)), count)
        assert found.rank == rank
        assert_allclose(found.exponents[:rank], 0, rtol=0, atol=1e-14)
        assert (found.exponents[rank:] == -np.inf).all()


@settings(max_examples=20)
@given(seed=SEEDS, d=st.integers(2, 12), k=st.integers(1, 4), count=st.integers(1, 20))
def test_the_leading_ones_alone_are_the_first_of_all(seed: int, d: int, k: int, count: int) -> None:
    A = np.random.default_rng(seed).standard_normal((count, d, d))
    whole, part = sums(A), sums(A, k=min(k, d))
    assert_allclose(part, whole[: min(k, d)], rtol=0, atol=1e-11 * count)


@settings(max_examples=20)
@given(seed=SEEDS, d=st.integers(1, 4), count=st.integers(1, 20))
def test_transposed_and_inverted_products_agree(seed: int, d: int, count: int) -> None:
    A = graded(np.random.default_rng(seed), count, d, 3.0)
    expected = sums(A)
    assert_allclose(sums(np.swapaxes(A[::-1], 1, 2)), expected, rtol=0, atol=1e-11 * count)
    assert_allclose(sums(np.linalg.inv(A[::-1])), -expected[::-1], rtol=0, atol=1e-11 * count)
    assert_allclose(expected.sum(), np.linalg.slogdet(A)[1].sum(), rtol=0, atol=1e-12 * count)


def test_orbits_have_products_of_their_own_and_the_frame_does_not_matter() -> None:
    A = graded(np.random.default_rng(8), 30 * 3, 4, 4.0).reshape(30, 3, 4, 4)
    together = lyapunov_spectrum(Cocycle(A), np.zeros((3, 4)), 30)
    for b in range(3):
        assert_allclose(together.per_orbit[b] * 30, sums(A[:, b]), rtol=0, atol=1e-11)
        other = sums(A[:, b], rng=np.random.default_rng(9))
        assert_allclose(together.per_orbit[b] * 30, other, rtol=0, atol=1e-11)
    assert_allclose(together.exponents, together.per_orbit.mean(axis=0), rtol=1e-14)
    assert_allclose(together.stderr, together.per_orbit.std(axis=0, ddof=1) / 3**0.5, rtol=1e-10)


def test_the_first_steps_of_a_chain_are_a_chain() -> None:
    A = np.random.default_rng(10).standard_normal((9, 3, 3))
    found = lyapunov_spectrum(Cocycle(A), np.zeros((1, 3)), 4)
    assert_allclose(found.exponents * 4, sums(A[:4]), rtol=0, atol=1e-13)
    assert found.steps == 4


def test_compiled_and_batch_chains_agree() -> None:
    chain = Map(maps.henon_batch, maps.henon_jacobians, dim=2, length=12)
    compiled = Map.compiled(maps.henon_step, maps.henon_jacobian, dim=2, length=12)
    x = maps.henon_starts(2)
    one, other = (lyapunov_spectrum(system, x, 12) for system in (chain, compiled))
    assert_allclose(one.per_orbit, other.per_orbit, rtol=0, atol=1e-11)


def test_a_few_exponents_without_cotangent_are_refused() -> None:
    chain = Map(maps.henon_batch, tangent=lambda x, n, V: V, dim=2, length=5)  # noqa: ARG005
    with pytest.raises(ValueError, match=r"`k`=1 of d=2 .* need the system's `cotangent\(x, n, U\)`: ask for k=2"):
        lyapunov_spectrum(chain, maps.henon_starts(1), 5, k=1)
