"""Optimal schedules: closed forms, an independent optimiser, and no better neighbour."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pifs_sim.diffusion import geometry, schedules
from pifs_sim.diffusion.angles import HALF_PI
from pifs_sim.diffusion.design import chain_error, optimal_schedule
from pifs_sim.diffusion.design.directions import directions
from pifs_sim.diffusion.design.optimal import end_angles, settle
from pifs_sim.testing import strategies

ENDS = {"sigma_min": 0.02, "sigma_max": 80.0}
POWER = np.arange(1.0, 65.0) ** -2


@pytest.mark.parametrize("method", ["density", "optimise"])
@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_one_scale_is_uniform_in_psi(method, objective):
    schedule = optimal_schedule([9.0, 9.0], 7, method=method, objective=objective, **ENDS)
    psi = np.arctan(schedule.sigma / 3)
    np.testing.assert_allclose(np.diff(psi), (psi[-1] - psi[0]) / 7, rtol=1e-12)


@pytest.mark.parametrize(("steps", "least"), [(2, 4.0), (3, 64 / 27), (10, 1.281154)])
def test_the_least_moran_threshold_is_reached_at_its_own_variance(steps, least):
    assert least == pytest.approx((1 / math.cos(HALF_PI / steps)) ** (2 * steps), rel=5e-7)
    exact = (1 / math.cos(HALF_PI / steps)) ** (2 * steps)
    schedule = optimal_schedule(exact, steps, sigma_min=0.0, sigma_max=math.inf)
    assert geometry.moran_threshold(schedule) == pytest.approx(exact, rel=1e-12)
    np.testing.assert_allclose(schedule.sigma[1:-1], math.sqrt(exact) * np.tan(np.arange(1, steps) * HALF_PI / steps))


def test_two_steps_with_any_other_middle_angle_have_a_larger_moran_threshold():
    best = optimal_schedule(4.0, 2, sigma_min=0.0, sigma_max=math.inf).angles[1]
    for factor in (0.99, 1.01):
        assert geometry.moran_threshold(schedules.from_angles([0.0, factor * best, HALF_PI])) > 4.0 + 1e-4


def brute_force(lam, steps, objective, solver):
    """Nelder-Mead over the inner angles from many starts, knowing only `chain_error`."""
    low, high = end_angles(**ENDS)
    best = math.inf

    def error(inner):
        angles = np.concatenate([[low], inner, [high]])
        if np.diff(angles).min() <= 1e-6:
            return 1e6
        return chain_error(schedules.from_angles(angles), lam, objective=objective, solver=solver)

    rng = np.random.default_rng(2)
    for _ in range(8):
        start = np.arctan(np.exp(np.sort(rng.uniform(math.log(0.03), math.log(60), steps - 1))))
        found = minimize(error, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 600})
        best = min(best, found.fun)
    return best


@pytest.mark.parametrize("solver", ["ddim", "2m"])
@pytest.mark.parametrize("objective", ["kl", "w2"])
@pytest.mark.parametrize("steps", [2, 3, 4])
def test_the_optimum_is_that_of_an_independent_optimiser(solver, objective, steps):
    lam = np.array([0.01, 0.3, 2.0, 40.0])
    schedule = optimal_schedule(lam, steps, method="optimise", objective=objective, solver=solver, **ENDS)
    got = chain_error(schedule, lam, objective=objective, solver=solver)
    assert got == pytest.approx(brute_force(lam, steps, objective, solver), rel=1e-8)


@pytest.mark.parametrize("solver", ["ddim", "2m"])
@pytest.mark.parametrize("objective", ["kl", "w2"])
@pytest.mark.parametrize("steps", [5, 20])
def test_the_gradient_is_1e_8_of_the_objective_seen_by_differences(solver, objective, steps):
    """d ln F/d ln(step length), by moving one inner angle each way, of F from `chain_error` alone."""
    lam = POWER
    angles, found = settle(directions(lam, None, objective, end_angles(**ENDS)[0]), steps, end_angles(**ENDS), solver)
    assert found.gradient <= 1e-8
    for t in range(1, steps):
        h = 1e-4 * min(angles[t] - angles[t - 1], angles[t + 1] - angles[t])
        up, down = (
            math.log(chain_error(schedules.from_angles(angles + s * h * (np.arange(steps + 1) == t)), lam,
                                 objective=objective, solver=solver))
            for s in (1, -1)
        )  # fmt: skip
        assert abs(up - down) / 2e-4 < 1e-6  # rounding 1e-11/1e-4 and third derivatives 1e-8


@settings(max_examples=25)
@given(
    st.lists(strategies.variances(1e-4, 1e3), min_size=1, max_size=4),
    st.integers(2, 6),
    st.sampled_from(["kl", "w2"]),
    st.integers(0, 2**32 - 1),
)
def test_no_perturbation_improves_the_optimum(lam, steps, objective, seed):
    schedule = optimal_schedule(lam, steps, method="optimise", objective=objective, **ENDS)
    least = chain_error(schedule, lam, objective=objective)
    lengths, rng = schedule.increments, np.random.default_rng(seed)
    for size in (1e-3, 1e-1, 1.0):
        moved = lengths * np.exp(size * rng.normal(size=steps))
        angles = schedule.angles[0] + np.cumsum(moved)[:-1] * (lengths.sum() / moved.sum())
        other = schedules.from_angles([schedule.angles[0], *angles, schedule.angles[-1]])
        assert chain_error(other, lam, objective=objective) >= least * (1 - 1e-12)


@pytest.mark.parametrize("method", ["density", "optimise"])
@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_scaling_the_data_and_the_noise_levels_shifts_the_schedule(method, objective):
    base = optimal_schedule(POWER, 6, method=method, objective=objective, **ENDS)
    scaled = optimal_schedule(25 * POWER, 6, method=method, objective=objective, sigma_min=0.1, sigma_max=400.0)
    np.testing.assert_allclose(scaled.sigma, 5 * base.sigma, rtol=1e-8)


@pytest.mark.parametrize("method", ["density", "optimise"])
def test_multiplicities_are_repetitions_and_directions_without_variance_count_nothing(method):
    whole = optimal_schedule([0.5, 0.5, 7.0, 0.0], 6, method=method, **ENDS)
    counted = optimal_schedule([0.5, 7.0, 3.0], 6, multiplicities=[2, 1, 0], method=method, **ENDS)
    np.testing.assert_allclose(counted.angles, whole.angles, rtol=1e-9)


def test_the_whole_range_of_noise_levels_has_an_optimum():
    lam = np.array([1e-8, 1.0, 1e8])
    for objective in ("kl", "w2"):
        density = optimal_schedule(lam, 40, objective=objective, sigma_min=0.0, sigma_max=math.inf)
        best = optimal_schedule(lam, 40, objective=objective, method="optimise", sigma_min=0.0, sigma_max=math.inf)
        assert best.angles[0] == 0.0
        assert best.angles[-1] == HALF_PI
        ratio = chain_error(density, lam, objective=objective) / chain_error(best, lam, objective=objective)
        assert 1 <= ratio < 1.04  # three scales eight decades apart share 40 steps


@pytest.mark.parametrize("largest", [0.35, 0.25, 0.16])
def test_with_a_largest_step_the_optimum_is_that_of_sequential_quadratic_programming(largest):
    from scipy.optimize import LinearConstraint

    low, high = end_angles(**ENDS)
    schedule = optimal_schedule(POWER, 10, method="optimise", largest_step=largest, **ENDS)
    assert schedule.increments.max() <= largest * (1 + 1e-11)
    total = LinearConstraint(np.ones(10), high - low, high - low)

    def error(lengths):
        return math.log(chain_error(schedules.from_angles(low + np.append(0.0, np.cumsum(lengths))), POWER))

    start = np.full(10, (high - low) / 10)
    start[0] *= 0.99
    start[1] += start[2] - start[0]
    start[1] = high - low - start.sum() + start[1]
    bounds = [(1e-4, largest)] * 10
    peer = minimize(error, start, method="SLSQP", bounds=bounds, constraints=[total], options={"ftol": 1e-14})
    assert math.log(chain_error(schedule, POWER)) == pytest.approx(peer.fun, abs=1e-6)
    assert math.log(chain_error(schedule, POWER)) <= peer.fun + 1e-9


def test_a_loose_largest_step_changes_nothing():
    free = optimal_schedule(POWER, 6, method="optimise", **ENDS)
    assert optimal_schedule(POWER, 6, method="optimise", largest_step=1.5, **ENDS) == free


def test_twelve_thousand_directions_reach_the_optimum_of_the_whole_spectrum():
    lam = np.geomspace(1e2, 1e-4, 12288)
    for solver in ("ddim", "2m"):
        found = settle(directions(lam, None, "kl", end_angles(**ENDS)[0]), 12, end_angles(**ENDS), solver)[1]
        assert found.gradient <= 1e-8


def test_2m_can_cancel_its_errors():
    lam = [1e-3, 1e2]
    schedule = optimal_schedule(lam, 10, method="optimise", objective="w2", solver="2m", **ENDS)
    plain = chain_error(schedules.log_linear(10, **ENDS), lam, objective="w2", solver="2m")
    assert chain_error(schedule, lam, objective="w2", solver="2m") < plain / 50


def test_where_every_schedule_is_exact_the_density_is_the_optimum():
    schedule = optimal_schedule([1e-300, 2e-300], 4, method="optimise", **ENDS)
    assert chain_error(schedule, [1e-300, 2e-300]) == 0.0
    density = optimal_schedule([1e-300, 2e-300], 4, **ENDS)
    np.testing.assert_allclose(schedule.angles, density.angles, rtol=1e-14)


def test_steps_too_short_to_tell_apart_are_refused():
    with pytest.raises(ValueError, match="`lam`"):
        optimal_schedule([1e-40, 1.0], 6, method="optimise", sigma_min=0.0, sigma_max=1.0)


def test_one_step_has_nothing_to_choose():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method, solver in (("density", "ddim"), ("optimise", "ddim"), ("optimise", "2m")):
            schedule = optimal_schedule(POWER, 1, method=method, solver=solver, **ENDS)
            np.testing.assert_allclose(schedule.sigma, [0.02, 80.0], rtol=1e-13)
