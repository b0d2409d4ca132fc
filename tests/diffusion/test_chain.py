"""The DDIM chain of Gaussian data against its definition and against the model-free quantities."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, geometry
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.diffusion.schedules import cosine, from_angles, uniform_angle
from pifs_sim.dynamics import System
from pifs_sim.testing.strategies import SpdMatrix, schedules, spd_matrices

HALF_PI = math.pi / 2
COVARIANCES = st.integers(1, 4).flatmap(lambda d: spd_matrices(d) | spd_matrices(d, zeros=d // 2))
SEEDS = st.integers(0, 2**32 - 1)
LAW = Gaussian([1.0, -2.0, 0.5], [[2.0, 0.6, 0.0], [0.6, 0.5, 0.1], [0.0, 0.1, 3.0]])


def chain_of(schedule: Schedule, spd: SpdMatrix, seed: int) -> tuple[Chain, np.ndarray, float]:
    """A chain with a random mean, three points, and the size of everything that is added up along it."""
    rng = np.random.default_rng(seed)
    d = spd.eigenvalues.size
    mu, x = 3 * rng.standard_normal(d), 3 * rng.standard_normal((3, d))
    return Chain(schedule, exact_denoiser(Gaussian(mu, spd.matrix))), x, 1 + np.abs(mu).max() + np.abs(x).max()


@given(schedule=schedules(), spd=COVARIANCES, seed=SEEDS)
def test_a_step_is_the_ddim_update(schedule: Schedule, spd: SpdMatrix, seed: int) -> None:
    """x -> r x + b eps below pi/2, where r and |b| amplify the rounding; at pi/2 cos(Delta) x + sin(Delta) mu."""
    chain, x, size = chain_of(schedule, spd, seed)
    for n in range(chain.length):
        t = chain.length - n
        got = chain.step(x, n)
        if schedule.angles[t] == HALF_PI:
            s, c = math.sin(schedule.angles[t - 1]), math.cos(schedule.angles[t - 1])
            assert_allclose(got, s * x + c * chain.denoiser.measure.mean, rtol=0, atol=1e-14 * size)
        else:
            r, b = schedule.r[t - 1], schedule.b[t - 1]
            expected = r * x + b * chain.denoiser.noise(x, float(schedule.angles[t]))
            assert_allclose(got, expected, rtol=0, atol=2e-14 * (r + abs(b)) * size)


@given(schedule=schedules(), spd=COVARIANCES, seed=SEEDS)
def test_the_tangent_is_the_derivative_of_the_step(schedule: Schedule, spd: SpdMatrix, seed: int) -> None:
    """A step is affine, so the difference of two points a length of 1 apart is the derivative itself."""
    chain, x, size = chain_of(schedule, spd, seed)
    d = x.shape[1]
    frame = np.random.default_rng(seed).standard_normal((3, d, 2))
    for n in range(chain.length):
        moved, image = chain.tangent(x, n, frame)
        assert np.array_equal(moved, chain.step(x, n))
        difference = [chain.step(x + frame[:, :, j], n) - chain.step(x - frame[:, :, j], n) for j in range(2)]
        stretch = max(1.0, schedule.r[chain.length - n - 1] if np.isfinite(schedule.r[chain.length - n - 1]) else 1.0)
        assert_allclose(image, np.stack(difference, axis=-1) / 2, rtol=0, atol=5e-14 * (size + 10) * stretch)


@given(schedule=schedules(), spd=COVARIANCES, seed=SEEDS)
def test_a_step_stretches_an_eigenvector_by_the_diagonal_expansion(schedule: Any, spd: SpdMatrix, seed: int) -> None:
    chain, x, _ = chain_of(schedule, spd, seed)
    frame = np.broadcast_to(spd.eigenvectors, (3, *spd.matrix.shape))
    factors = geometry.diagonal_expansion(schedule, spd.eigenvalues)
    for n in range(chain.length):
        expected = frame * factors[chain.length - n - 1]
        _, image = chain.tangent(x, n, frame)
        # the law's eigenvalues carry rounding of 1e-15 of the largest, here up to 1e3, and f' is at most r/lam
        assert_allclose(image, expected, rtol=0, atol=1e-9 * factors[chain.length - n - 1].max())


@given(schedule=schedules(), spd=COVARIANCES, seed=SEEDS)
def test_running_is_stepping_and_the_affine_map_of_all_factors(schedule: Any, spd: SpdMatrix, seed: int) -> None:
    """x_T -> c_0 mu + Q F Q^T (x_T - c_T mu), with F the product of the diagonal expansions."""
    chain, x, size = chain_of(schedule, spd, seed)
    stepped = x
    for n in range(chain.length):
        stepped = chain.step(stepped, n)
    got = chain.run(x)
    assert np.array_equal(got, stepped)
    law = chain.denoiser.measure
    factor = np.prod(geometry.diagonal_expansion(schedule, law.eigenvalues), axis=0)
    vectors = np.eye(x.shape[1]) if law.eigenvectors is None else law.eigenvectors
    offset = (x - schedule.cos[-1] * law.mean) @ vectors
    expected = schedule.cos[0] * law.mean + (offset * factor) @ vectors.T
    partial = np.cumprod(geometry.diagonal_expansion(schedule, law.eigenvalues), axis=0).max()
    assert_allclose(got, expected, rtol=0, atol=1e-14 * chain.length * size * max(1.0, partial, factor.max()))


def test_a_trajectory_holds_every_point_at_its_angle() -> None:
    chain, x = Chain(cosine(6), exact_denoiser(LAW)), np.array([[0.3, -1.0, 2.0], [5.0, 0.0, 1.0]])
    rows = chain.trajectory(x)
    assert rows.shape == (7, 2, 3)
    assert np.array_equal(rows[6], x)
    assert np.array_equal(rows[0], chain.run(x))
    for t in range(6, 0, -1):
        assert np.array_equal(rows[t - 1], chain.step(rows[t], 6 - t))


@pytest.mark.parametrize("at", [[0], [6], [3, 1], [0, 6, 6, 2], range(7), np.array([5, 4])], ids=str)
def test_a_trajectory_holds_the_listed_rows_in_their_order(at: Any) -> None:
    chain, x = Chain(cosine(6), exact_denoiser(LAW)), np.array([[0.3, -1.0, 2.0]])
    assert np.array_equal(chain.trajectory(x, at=at), chain.trajectory(x)[list(at)])


def test_a_direction_without_variance_ends_at_its_mean() -> None:
    """From phi_0 = 0 the last step projects onto the support, whatever the start."""
    covariance = np.outer([3.0, 4.0], [3.0, 4.0]) / 25
    chain = Chain(uniform_angle(9), exact_denoiser(Gaussian([1.0, 2.0], covariance)))
    output = chain.run(np.random.default_rng(0).standard_normal((50, 2)) * 10)
    assert_allclose((output - [1.0, 2.0]) @ [4.0, -3.0], 0, rtol=0, atol=1e-13)


def test_one_step_from_pi_over_2_to_zero_is_the_mean_exactly() -> None:
    chain = Chain(from_angles([0.0, HALF_PI]), exact_denoiser(LAW))
    assert_allclose(chain.run(np.array([[1e3, -1e3, 7.0]])), [LAW.mean], rtol=1e-15)


def test_the_points_are_not_written_to() -> None:
    x = np.ones((2, 3))
    x.flags.writeable = False
    chain = Chain(cosine(4), exact_denoiser(LAW))
    chain.invert(chain.run(x))
    chain.trajectory(x)
    assert np.array_equal(x, np.ones((2, 3)))


def test_a_chain_is_a_system() -> None:
    chain = Chain(cosine(4), exact_denoiser(LAW))
    assert isinstance(chain, System)
    assert (chain.dim, chain.length) == (3, 4)


def test_progress_counts_every_step() -> None:
    seen: list[tuple[int, int]] = []
    chain = Chain(cosine(3), exact_denoiser(LAW))
    x = chain.run(np.zeros((1, 3)), progress=lambda done, total: seen.append((done, total)))
    chain.invert(x, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)] * 2


@pytest.mark.parametrize("kind", ["numpy", "strict"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("covariance", [np.diag([2.0, 0.5]), np.array([[2.0, 0.3], [0.3, 1.0]])], ids=str)
def test_every_array_kind_and_precision_runs_the_same_chain(
    kind: str, dtype: str, tolerance: float, covariance: np.ndarray
) -> None:
    xp: Any = np if kind == "numpy" else strict
    of_kind, points = getattr(xp, dtype), np.array([[0.3, -0.4], [1.0, 2.0]])
    reference = Chain(uniform_angle(5, 0.01), exact_denoiser(Gaussian(np.array([1.0, 2.0]), covariance)))
    with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False):
        mean, matrix = xp.asarray([1.0, 2.0], dtype=of_kind), xp.asarray(covariance, dtype=of_kind)
        chain = Chain(uniform_angle(5, 0.01), exact_denoiser(Gaussian(mean, matrix)))
        x, frame = xp.asarray(points, dtype=of_kind), xp.ones((2, 2, 1), dtype=of_kind)
        results = {
            "run": (chain.run(x), reference.run(points)),
            "tangent": (chain.tangent(x, 2, frame)[1], reference.tangent(points, 2, np.ones((2, 2, 1)))[1]),
            "trajectory": (chain.trajectory(x, at=[3, 0]), reference.trajectory(points, at=[3, 0])),
            "invert": (chain.invert(x), reference.invert(points)),
            "sample": tuple(one.sample(3, np.random.default_rng(0)) for one in (chain, reference)),
            "marginal": tuple(one.sample(3, np.random.default_rng(0), start="marginal") for one in (chain, reference)),
        }
    for name, (got, expected) in results.items():
        assert isinstance(got, type(x)), name
        assert got.dtype == of_kind, name
        assert_allclose(np.asarray(got), expected, rtol=0, atol=tolerance * (1 + np.abs(expected).max()), err_msg=name)


def test_points_in_single_precision_stay_single_with_a_law_in_double() -> None:
    chain, x = Chain(cosine(5), exact_denoiser(LAW)), np.ones((2, 3), dtype=np.float32)
    for value in (chain.run(x), chain.step(x, 0), chain.trajectory(x), chain.invert(x)):
        assert value.dtype == np.float32
    moved, image = chain.tangent(x, 0, np.ones((2, 3, 1), dtype=np.float32))
    assert moved.dtype == image.dtype == np.float32


def test_integer_points_are_computed_in_double() -> None:
    chain = Chain(cosine(5), exact_denoiser(LAW))
    assert np.array_equal(chain.run(np.ones((1, 3), dtype=int)), chain.run(np.ones((1, 3))))
    assert np.array_equal(chain.run([[1, 1, 1]]), chain.run(np.ones((1, 3))))


def test_no_points_give_no_points() -> None:
    chain = Chain(cosine(5), exact_denoiser(LAW))
    assert chain.run(np.empty((0, 3))).shape == (0, 3)
    assert chain.trajectory(np.empty((0, 3))).shape == (6, 0, 3)
    assert chain.invert(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("x", [[0.0] * 3, [[0.0]], 1.0, "x", None, [["a", "b", "c"]], np.array([[1j, 0, 0]])], ids=str)
def test_bad_points_are_refused_by_name(x: Any) -> None:
    chain = Chain(cosine(5), exact_denoiser(LAW))
    for call in (chain.run, chain.invert, chain.trajectory, lambda points: chain.step(points, 0)):
        with pytest.raises(ValueError, match="`x`"):
            call(x)


@pytest.mark.parametrize("n", [-1, 5, 7, 0.5, math.nan])
def test_a_step_that_the_chain_does_not_have_is_refused_by_name(n: Any) -> None:
    chain = Chain(cosine(5), exact_denoiser(LAW))
    with pytest.raises(ValueError, match="`n`"):
        chain.step(np.zeros((1, 3)), n)
    with pytest.raises(ValueError, match="`n`"):
        chain.tangent(np.zeros((1, 3)), n, np.zeros((1, 3, 1)))


@pytest.mark.parametrize("at", [[], [-1], [6], [0, 9], [1.5], 3], ids=str)
def test_rows_that_a_trajectory_does_not_have_are_refused_by_name(at: Any) -> None:
    with pytest.raises(ValueError, match="`at`"):
        Chain(cosine(5), exact_denoiser(LAW)).trajectory(np.zeros((1, 3)), at=at)


def test_a_chain_is_made_of_a_schedule_and_a_denoiser() -> None:
    with pytest.raises(ValueError, match="`schedule`"):
        Chain([0.0, 1.0], exact_denoiser(LAW))
    with pytest.raises(ValueError, match="`denoiser`"):
        Chain(cosine(5), LAW)
