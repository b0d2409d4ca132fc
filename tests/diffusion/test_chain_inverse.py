"""Inverting the chain of Gaussian data, and refusing to where it is not injective."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, geometry
from pifs_sim.diffusion.measures import Gaussian, Mixture
from pifs_sim.diffusion.schedules import cosine, from_angles, karras, linear, uniform_angle
from pifs_sim.testing.strategies import SpdMatrix, schedules, spd_matrices
from tests.diffusion.wild import wild_angles

HALF_PI = math.pi / 2


def condition_number(schedule: Schedule, law: Gaussian) -> float:
    """Of the chain's matrix: largest over least product of the diagonal expansions."""
    factor = np.exp(geometry.lyapunov_exponent(schedule, law.eigenvalues))
    return float(factor.max() / factor.min())


def mean_condition(schedule: Schedule, law: Gaussian) -> float:
    """What rounding the mean, which every x_t contains, becomes in x_T: the largest inverse of the first steps."""
    factors = np.cumsum(geometry.log_expansion(schedule, law.eigenvalues)[::-1], axis=0)
    return float(np.exp(-factors.min()) * np.abs(law.mean).max())


def assert_inverse(schedule: Schedule, law: Gaussian, x: np.ndarray) -> None:
    """To 1e-13 times the condition number of the chain: of its matrix for x, of the affine map for the mean."""
    chain = Chain(schedule, exact_denoiser(law))
    allowed = condition_number(schedule, law) * np.abs(x).max() + mean_condition(schedule, law)
    assert np.abs(chain.invert(chain.run(x)) - x).max() <= 1e-13 * allowed


@given(
    schedule=schedules(),
    spd=st.integers(1, 5).flatmap(lambda d: spd_matrices(d, least=1e-2, largest=1e2)),
    seed=st.integers(0, 2**32 - 1),
)
def test_inverting_undoes_running(schedule: Schedule, spd: SpdMatrix, seed: int) -> None:
    if schedule.steps == 1 and schedule.angles[0] == 0 and schedule.angles[1] == HALF_PI:
        schedule = uniform_angle(2)  # the one step that is a constant map
    rng, d = np.random.default_rng(seed), spd.eigenvalues.size
    assert_inverse(schedule, Gaussian(rng.standard_normal(d), spd.matrix), 3 * rng.standard_normal((4, d)))


@pytest.mark.parametrize(
    "schedule",
    [linear(1000), cosine(1000), uniform_angle(300), uniform_angle(2), karras(18, 0.002, 80.0)],
    ids=lambda schedule: schedule.name,
)
def test_inverting_undoes_long_chains(schedule: Schedule) -> None:
    rng = np.random.default_rng(4)
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    law = Gaussian([1.0, -1.0, 0.0, 5.0], rotation @ np.diag([0.01, 0.3, 2.0, 50.0]) @ rotation.T)
    assert_inverse(schedule, law, rng.standard_normal((20, 4)))


@pytest.mark.parametrize("number", range(64))
def test_inverting_undoes_wild_schedules(number: int) -> None:
    schedule = from_angles(wild_angles(number))
    rng = np.random.default_rng([3, number])
    covariance, mean, x = np.diag(10 ** rng.uniform(-2, 2, 3)), rng.standard_normal(3), rng.standard_normal((5, 3))
    if schedule.steps > 1 or schedule.angles[0] > 0 or schedule.angles[-1] < HALF_PI:
        assert_inverse(schedule, Gaussian(np.zeros(3), covariance), x)
        assert_inverse(schedule, Gaussian(mean, covariance), x)


def test_a_singular_law_can_be_inverted_from_a_positive_angle() -> None:
    law = Gaussian([1.0, 2.0, 3.0], np.diag([2.0, 0.0, 0.5]))
    assert_inverse(uniform_angle(8, 0.1), law, np.random.default_rng(0).standard_normal((5, 3)))


def test_points_of_very_different_size_are_inverted_together() -> None:
    chain = Chain(cosine(20), exact_denoiser(Gaussian([0.0, 0.0], [[2.0, 0.3], [0.3, 1.0]])))
    x = np.array([[1e8, -1e8], [1.0, 2.0], [1e-8, 1e-8], [0.0, 0.0]])
    condition = condition_number(chain.schedule, chain.denoiser.measure)
    assert (np.abs(chain.invert(chain.run(x)) - x) <= 1e-13 * condition * np.abs(x).max(axis=1, keepdims=True)).all()


def test_inverting_in_single_precision_is_accurate_to_it() -> None:
    chain = Chain(cosine(20), exact_denoiser(Gaussian([1.0, 0.0], [[2.0, 0.3], [0.3, 1.0]])))
    x = np.random.default_rng(0).standard_normal((10, 2)).astype(np.float32)
    back = chain.invert(chain.run(x))
    assert back.dtype == np.float32
    condition = condition_number(chain.schedule, chain.denoiser.measure)
    assert np.abs(back - x).max() <= 20 * 6e-8 * condition * (np.abs(x).max() + 1)


NOT_INJECTIVE = {
    "a singular law down to angle 0": (uniform_angle(5), np.diag([1.0, 0.0])),
    "a rotated singular law": (uniform_angle(5, 0.0, 1.2), np.outer([0.6, 0.8], [0.6, 0.8])),
    "one step from pi/2 to 0": (from_angles([0.0, HALF_PI]), np.eye(2)),
}


@pytest.mark.parametrize(("schedule", "covariance"), NOT_INJECTIVE.values(), ids=NOT_INJECTIVE)
def test_a_chain_that_is_not_injective_is_not_inverted(schedule: Schedule, covariance: np.ndarray) -> None:
    chain = Chain(schedule, exact_denoiser(Gaussian([0.0, 0.0], covariance)))
    with pytest.raises(ValueError, match=r"cannot be inverted.*step t=1 is not injective"):
        chain.invert(chain.run(np.ones((2, 2))))


def test_points_that_are_not_numbers_are_not_inverted() -> None:
    chain = Chain(cosine(5), exact_denoiser(Gaussian([0.0], [[1.0]])))
    with pytest.raises(ValueError, match=r"cannot be inverted|`x`"):
        chain.invert(np.array([[math.nan]]))


def test_a_step_that_newton_cannot_undo_is_named_with_its_residual() -> None:
    means = np.random.default_rng(0).normal(size=(3, 2))
    chain = Chain(cosine(10), exact_denoiser(Mixture([0.3, 0.3, 0.4], means, [0.01] * 3)))
    out = chain.run(np.random.default_rng(3).normal(size=(8, 2)))
    with pytest.raises(ValueError, match=r"stalled at step t=\d+, residual \d"):
        chain.invert(out)
