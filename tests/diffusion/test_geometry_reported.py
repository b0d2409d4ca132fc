"""Reported numbers, textbook schedules and limits of the model-free quantities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp
from scipy.optimize import minimize

from pifs_sim.diffusion import geometry
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.schedules import cosine, from_angles, from_sigma, linear, scaled_linear, uniform_angle
from tests.diffusion.oracle import HALF_PI, ExactSchedule

REPORTED = [  # schedule, mean of L*, coefficient of variation, L*_1 (arXiv:2603.13069), to the printed digits
    (linear(1000), "0.805", "0.341", "0.00500"),
    (cosine(1000, offset=0.0), "0.637", "0.483", "0.00079"),
    (cosine(1000, offset=0.008), "0.641", "0.474", "0.00321"),
    (cosine(50, offset=0.0), "0.637", "0.483", "0.01571"),
]
MORAN = [  # lam** computed to 40 digits elsewhere, printed to nine decimals
    (linear(1000), 1.003758569),
    (scaled_linear(1000), 1.003734687),
    (cosine(1000, offset=0.008, max_beta=0.999), 1.002497553),
    (uniform_angle(1000), 1.002470451),
    (linear(1000).subsample(range(0, 1001, 20)), 1.075703339),
]


@pytest.mark.parametrize(("schedule", "mean", "variation", "first"), REPORTED, ids=lambda value: str(value)[:40])
def test_reported_thresholds_come_out_to_the_printed_digits(
    schedule: Schedule, mean: str, variation: str, first: str
) -> None:
    thresholds = geometry.contraction_threshold(schedule)
    assert f"{thresholds.mean():.3f}" == mean
    assert f"{thresholds.std() / thresholds.mean():.3f}" == variation
    assert f"{thresholds[0]:.5f}" == first


@pytest.mark.parametrize(("schedule", "expected"), MORAN, ids=lambda value: str(value)[:40])
def test_moran_threshold_of_known_schedules_has_nine_decimals(schedule: Schedule, expected: float) -> None:
    assert abs(geometry.moran_threshold(schedule) - expected) <= 1e-9


def test_the_linear_chain_has_the_reported_least_step_threshold() -> None:
    assert f"{geometry.step_threshold(linear(1000)).min():.5f}" == "1.00248"


def test_the_cosine_offset_raises_the_first_threshold_fourfold() -> None:
    first = [geometry.contraction_threshold(cosine(1000, offset=offset))[0] for offset in (0.0, 0.008)]
    assert [f"{value:.2e}" for value in first] == ["7.85e-04", "3.21e-03"]


def least_moran_threshold(steps: int) -> float:
    return math.cos(HALF_PI / steps) ** (-2 * steps)


@pytest.mark.parametrize(("steps", "printed"), [(2, "4.000000"), (3, "2.370370"), (10, "1.281154")])
def test_the_least_moran_threshold_has_the_printed_value(steps: int, printed: str) -> None:
    assert f"{least_moran_threshold(steps):.6f}" == printed


@pytest.mark.parametrize("steps", [3, 5, 10])
def test_no_schedule_found_by_optimisation_beats_the_least_moran_threshold(steps: int) -> None:
    """Minimise lam** over the inner log sigmas, from three random starts; it is flat there, so 1e-9 is reached."""
    rng = np.random.default_rng(steps)

    def objective(log_sigma: np.ndarray) -> float:
        sigma = np.exp(np.sort(log_sigma))
        if (np.diff(sigma) <= 1e-9 * sigma[:-1]).any():
            return 1e3
        return min(geometry.moran_threshold(from_sigma([0.0, *sigma, math.inf])), 1e3)

    results = []
    for _ in range(3):
        start = np.sort(rng.normal(0.5, 1.5, steps - 1))
        start = minimize(objective, start, method="Nelder-Mead", options={"maxfev": 200}).x
        result = minimize(objective, start, method="Powell", options={"xtol": 1e-5, "ftol": 1e-12, "maxfev": 4000})
        results.append(result)
    best, expected = min(results, key=lambda result: result.fun), least_moran_threshold(steps)
    assert expected * (1 - 1e-12) <= best.fun <= expected * (1 + 1e-9)
    sigma = math.sqrt(expected) * np.tan(np.arange(1, steps) * HALF_PI / steps)
    assert np.allclose(np.exp(np.sort(best.x)), sigma, rtol=1e-3, atol=0)  # an error of 1e-9 moves it by its root


@pytest.mark.parametrize("steps", [2, 3, 5, 10, 100])
def test_the_least_moran_threshold_is_attained_by_tangents_of_equal_angles(steps: int) -> None:
    expected = least_moran_threshold(steps)
    sigma = math.sqrt(expected) * np.tan(np.arange(1, steps) * HALF_PI / steps)
    got = geometry.moran_threshold(from_sigma([0.0, *sigma, math.inf]))
    assert got == pytest.approx(expected, rel=1e-13)
    assert got > math.exp(math.pi**2 / (4 * steps))


def test_uniform_angles_come_within_2e_9_of_the_least_moran_threshold() -> None:
    excess = geometry.moran_threshold(uniform_angle(1000)) - least_moran_threshold(1000)
    assert 0 < excess < 2e-9


def test_two_uniform_steps_to_pi_over_2_have_no_root() -> None:
    assert geometry.moran_threshold(uniform_angle(2)) == math.inf


def test_one_step_to_pi_over_2_has_no_root() -> None:
    for start in (0.0, 1e-9, 1.0, math.nextafter(HALF_PI, 0)):
        assert geometry.moran_threshold(from_angles([start, HALF_PI])) == math.inf


@pytest.mark.parametrize("angles", [(0.0, 0.5), (0.0, 1e-8), (0.2, 0.9), (1.5, 1.57), (0.7, math.nextafter(0.7, 1))])
def test_the_moran_threshold_of_one_step_is_its_step_threshold(angles: tuple[float, float]) -> None:
    schedule = from_angles(angles)
    assert geometry.moran_threshold(schedule) == pytest.approx(geometry.step_threshold(schedule)[0], rel=1e-15)


def test_the_condition_for_a_root_is_decided_at_the_adjacent_float() -> None:
    """tan(phi_1) cos(0) > 1 iff phi_1 > pi/4; the float nearest pi/4 is below it, the next one above."""
    below, above = HALF_PI / 2, math.nextafter(HALF_PI / 2, 1)
    assert geometry.moran_threshold(from_angles([0.0, below, HALF_PI])) == math.inf
    schedule = from_angles([0.0, above, HALF_PI])
    root = ExactSchedule(schedule.angles).moran_root(1e15)
    # Lambda(inf) is 1.6e-16 and known to some 1e-17 of its terms: one digit of the root
    assert geometry.moran_threshold(schedule) == pytest.approx(float(root), rel=0.5)
    assert 1e15 < root < 1e17


def test_next_to_the_condition_there_is_a_root_or_infinity_and_nothing_else() -> None:
    """tan(phi_1) cos(phi_0) within three roundings of 1: Lambda(inf) is rounding, and a root is of order 1e16."""
    rng = np.random.default_rng(0)
    for first in rng.uniform(0, 1.2, 500):
        second = math.atan(1 / math.cos(first))
        for _ in range(rng.integers(0, 4)):
            second = math.nextafter(second, 2)
        if first < second:
            got = geometry.moran_threshold(from_angles([first, second, HALF_PI]))
            assert got > 1e12


@pytest.mark.parametrize("excess", [1e-3, 1e-6, 1e-9])
def test_a_root_far_out_is_found_to_the_accuracy_of_its_condition(excess: float) -> None:
    schedule = from_angles([0.3, math.atan((1 + excess) / math.cos(0.3)), HALF_PI])
    exact = ExactSchedule(schedule.angles)
    root = exact.moran_root(geometry.moran_threshold(schedule))
    with mp.workdps(exact.digits):
        condition = float(sum(abs(mp.log(f)) for f in exact.expansion(root)) / exact.slope(root))
    assert geometry.moran_threshold(schedule) == pytest.approx(float(root), rel=1e-12 * condition)


def test_fine_steps_have_a_moran_threshold_of_one_plus_their_squares() -> None:
    """lam** - 1 = sum Delta^2/(v_T - v_0) to leading order: the next is smaller by a factor of order Delta."""
    schedule = uniform_angle(4000, 0.2, 1.1)
    expected = np.sum(schedule.increments**2) / (math.sin(1.1) ** 2 - math.sin(0.2) ** 2)
    assert geometry.moran_threshold(schedule) - 1 == pytest.approx(expected, rel=1e-3)


def test_at_variance_one_the_expansion_is_the_cosine_of_the_increment() -> None:
    schedule = from_angles([0.1, 0.4, 1.1, HALF_PI])
    assert np.allclose(geometry.diagonal_expansion(schedule, 1.0), np.cos(schedule.increments), rtol=1e-15, atol=0)


def test_at_pi_over_2_the_expansion_is_the_same_for_every_variance() -> None:
    schedule = from_angles([0.1, 0.4, HALF_PI])
    last = geometry.diagonal_expansion(schedule, np.array([0.0, 1e-12, 1.0, 1e12]))[-1]
    assert np.allclose(last, math.sin(0.4), rtol=4e-16, atol=0)


def test_values_at_pi_over_2_are_their_limits() -> None:
    schedule = uniform_angle(10)
    assert geometry.contraction_threshold(schedule)[-1] == 1.0
    assert geometry.step_threshold(schedule)[-1] == math.inf
    assert geometry.step_threshold_excess(schedule)[-1] == math.inf
    assert geometry.posterior_threshold(schedule)[-1] == math.inf


def test_at_variance_zero_the_expansion_is_the_contraction_floor() -> None:
    schedule = from_angles([0.2, 0.4, 1.1, HALF_PI])
    floor = np.sqrt(schedule.noise_variance[:-1] / schedule.noise_variance[1:])
    assert np.allclose(geometry.diagonal_expansion(schedule, 0.0), floor, rtol=1e-15, atol=0)
    assert np.allclose(geometry.log_expansion(schedule, 0.0), np.log(floor), rtol=1e-15, atol=0)
    assert geometry.lyapunov_exponent(schedule, 0.0) == pytest.approx(math.log(math.sin(0.2)), rel=1e-15)
