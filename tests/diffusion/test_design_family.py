"""One schedule for several spectra, and schedules on the angles of a training chain."""

import itertools
import math

import numpy as np
import pytest

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.design import chain_error, on_grid, optimal_schedule, worst_case_schedule

ENDS = {"sigma_min": 0.02, "sigma_max": 80.0}
FAMILY = [np.array([0.01, 0.1]), np.array([1.0, 5.0]), np.array([30.0])]


def ratios_of(schedule, objective):
    optima = [optimal_schedule(lam, schedule.steps, objective=objective, method="optimise", **ENDS) for lam in FAMILY]
    return [
        chain_error(schedule, lam, objective=objective) / chain_error(best, lam, objective=objective)
        for lam, best in zip(FAMILY, optima, strict=True)
    ]


@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_the_ratios_are_errors_in_units_of_each_optimum(objective):
    result = worst_case_schedule(FAMILY, 8, objective=objective, **ENDS)
    np.testing.assert_allclose(result.ratios, ratios_of(result.schedule, objective), rtol=1e-9)
    assert result.ratios.min() >= 1


@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_the_spectra_that_count_are_equally_bad(objective):
    result = worst_case_schedule(FAMILY, 8, objective=objective, **ENDS)
    assert result.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(result.ratios[result.weights > 0], result.ratios.max(), rtol=1e-6)
    assert (result.weights > 0).sum() >= 2


def test_no_perturbation_improves_the_worst_case():
    result = worst_case_schedule(FAMILY, 6, **ENDS)
    rng, lengths, start = np.random.default_rng(0), result.schedule.increments, result.schedule.angles[0]
    for size in (1e-3, 1e-2, 0.3):
        for _ in range(10):
            moved = lengths * np.exp(size * rng.normal(size=6))
            angles = start + np.cumsum(moved)[:-1] * (lengths.sum() / moved.sum())
            other = schedules.from_angles([start, *angles, result.schedule.angles[-1]])
            assert max(ratios_of(other, "kl")) >= result.ratios.max() * (1 - 1e-7)


def test_a_family_of_one_is_its_own_optimum():
    result = worst_case_schedule([FAMILY[1]], 6, multiplicities=[[2, 1]], **ENDS)
    best = optimal_schedule(FAMILY[1], 6, multiplicities=[2, 1], method="optimise", **ENDS)
    np.testing.assert_allclose(result.schedule.angles, best.angles, rtol=1e-7)
    assert result.ratios == pytest.approx([1.0], rel=1e-12)
    assert result.weights == pytest.approx([1.0])


@pytest.mark.parametrize("solver", ["ddim", "2m"])
def test_on_a_small_grid_the_choice_is_the_best_of_all(solver):
    grid, lam = schedules.log_linear(14, 0.02, 80.0), [0.05, 1.0, 9.0]
    wanted = optimal_schedule(lam, 4, method="optimise", solver=solver, **ENDS)
    got = on_grid(wanted, grid, lam, solver=solver)
    every = (grid.subsample([0, *inner, 14]) for inner in itertools.combinations(range(1, 14), 3))
    assert chain_error(got, lam, solver=solver) == min(chain_error(one, lam, solver=solver) for one in every)


def test_on_a_training_chain_every_angle_is_one_of_its_angles_and_little_is_lost():
    grid, lam = schedules.scaled_linear(1000), np.arange(1.0, 100.0) ** -2
    wanted = optimal_schedule(lam, 10, sigma_min=0.05, sigma_max=14.0, method="optimise")
    got = on_grid(wanted, grid, lam)
    assert np.isin(got.angles, grid.angles).all()
    assert np.abs(np.log(got.sigma[[0, -1]] / [0.05, 14.0])).max() < 0.05
    exact = optimal_schedule(lam, 10, sigma_min=got.sigma[0], sigma_max=got.sigma[-1], method="optimise")
    assert 1 <= chain_error(got, lam) / chain_error(exact, lam) < 1.01


def test_no_single_move_on_the_grid_improves_the_choice():
    grid, lam = schedules.linear(100), np.array([0.1, 2.0])
    got = on_grid(optimal_schedule(lam, 6, sigma_min=0.05, sigma_max=1.0), grid, lam, objective="w2")
    index, least = np.searchsorted(grid.angles, got.angles), chain_error(got, lam, objective="w2")
    for t in range(1, 6):
        for new in range(index[t - 1] + 1, index[t + 1]):
            if new - index[t] in (1, -1, 2, -2, 4, -4):
                other = grid.subsample([*index[:t], new, *index[t + 1 :]])
                assert chain_error(other, lam, objective="w2") >= least * (1 - 1e-12)


def test_a_crowded_grid_still_gives_distinct_angles():
    """Nearest angles collide where the grid is coarse: they are set apart, and the ends stay."""
    grid = schedules.from_sigma([0.02, 1.0, 2.0, 3.0, 4.0, 80.0])
    got = on_grid(schedules.log_linear(5, 0.02, 80.0), grid, [1.0])
    assert got == grid


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimal_schedule([1.0], 0, **ENDS), "`steps`"),
        (lambda: optimal_schedule([1.0], 2.5, **ENDS), "`steps`"),
        (lambda: optimal_schedule([-1.0], 5, **ENDS), "`lam`"),
        (lambda: optimal_schedule([math.nan], 5, **ENDS), "`lam`"),
        (lambda: optimal_schedule([0.0], 5, **ENDS), "`lam`"),
        (lambda: optimal_schedule([], 5, **ENDS), "`lam`"),
        (lambda: optimal_schedule(["a"], 5, **ENDS), "`lam`"),
        (lambda: optimal_schedule([1.0, 2.0], 5, multiplicities=[1], **ENDS), "`multiplicities`"),
        (lambda: optimal_schedule([1.0], 5, multiplicities=[-1], **ENDS), "`multiplicities`"),
        (lambda: optimal_schedule([1.0], 5, multiplicities=[0], **ENDS), "`lam`"),
        (lambda: optimal_schedule([1.0], 5, objective="tv", **ENDS), "`objective`"),
        (lambda: optimal_schedule([1.0], 5, method="best", **ENDS), "`method`"),
        (lambda: optimal_schedule([1.0], 5, solver="heun", **ENDS), "`solver`"),
        (lambda: optimal_schedule([1.0], 5, solver="2m", **ENDS), "`method`"),
        (lambda: optimal_schedule([1.0], 5, largest_step=1.0, **ENDS), "`method`"),
        (lambda: optimal_schedule([1.0], 5, largest_step=0.3, method="optimise", **ENDS), "`largest_step`"),
        (lambda: optimal_schedule([1.0], 5, largest_step=math.nan, method="optimise", **ENDS), "`largest_step`"),
        (lambda: optimal_schedule([1.0], 5, sigma_min=-0.1, sigma_max=1.0), "`sigma_min`"),
        (lambda: optimal_schedule([1.0], 5, sigma_min=math.nan, sigma_max=1.0), "`sigma_min`"),
        (lambda: optimal_schedule([1.0], 5, sigma_min=1.0, sigma_max=1.0), "`sigma_max`"),
        (lambda: optimal_schedule([1.0], 5, sigma_min=1e15, sigma_max=1e16), "`sigma_max`"),
        (lambda: worst_case_schedule([], 5, **ENDS), "`spectra`"),
        (lambda: worst_case_schedule([[1.0]], 5, multiplicities=[], **ENDS), "`multiplicities`"),
        (lambda: on_grid(schedules.log_linear(5, 1.0, 2.0), schedules.linear(3), [1.0]), "`grid`"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
