"""The search of narrow valleys, and the gradient in ball arithmetic that judges where it ends."""

import math
import warnings

import numpy as np
import pytest

from experiments.benchmarks import exact_search
from experiments.benchmarks import schedules as table
from experiments.benchmarks.exact_gradient import stationary, vanishing
from pifs_sim.diffusion.design import chain_error, optimal_schedule, optimum
from pifs_sim.diffusion.design.density import density_angles
from pifs_sim.diffusion.design.directions import directions
from pifs_sim.diffusion.design.optimal import end_angles, gain_of, settle
from pifs_sim.diffusion.design.optimum import Problem, bounded_minimum
from pifs_sim.diffusion.design.valley import descend, second_order
from pifs_sim.diffusion.schedule import Schedule

ENDS = {"sigma_min": 0.02, "sigma_max": 80.0}
LOW, HIGH = end_angles(**ENDS)
TWO = [1e-3, 1e2]


def banana(theta):
    """A valley y = x^2 a thousand times as steep as its floor; F = 1/4 at (1, 1) is the minimum."""
    x, y = theta
    r = np.array([1e3 * (y - x * x), 1 - x, 0.5])
    return r, np.array([[-2e3 * x, 1e3], [-1.0, 0.0], [0.0, 0.0]])


def test_the_valley_leads_to_its_minimum():
    theta, settled = descend(banana, np.array([-2.0, 4.0]), rounds=100, least=0.0)
    assert settled
    np.testing.assert_allclose(theta, 1.0, atol=1e-9)


def test_too_few_rounds_are_no_minimum():
    assert not descend(banana, np.array([-2.0, 4.0]), rounds=2, least=0.0)[1]


def test_the_search_ends_where_the_error_is_least_enough():
    theta, settled = descend(lambda x: (x, np.eye(2)), np.array([3.0, 1.0]), rounds=50, least=1e-8)
    assert settled
    assert theta @ theta <= 1e-8


def test_a_forbidden_place_is_not_entered():
    def halved(theta):
        r, jacobian = banana(theta)
        return (r if theta[0] < 0.5 else np.full(3, np.nan)), jacobian

    theta, settled = descend(halved, np.array([-2.0, 4.0]), rounds=100, least=0.0)
    assert not settled
    assert theta[0] < 0.5


def test_the_model_of_quadratic_residuals_is_exact():
    here, step = np.array([0.3, 0.7]), np.array([-1.2, 0.8])
    model = second_order(banana, here)
    np.testing.assert_allclose(model.bend, [[[-2e3, 0], [0, 0]], np.zeros((2, 2)), np.zeros((2, 2))], atol=1e-6)
    for got, expected in zip(model(step), banana(here + step), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("solver", ["ddim", "2m"])
@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_the_enclosed_gradient_is_that_in_floats(solver, objective):
    spectrum = directions([0.01, 0.3, 40.0], [1.0, 3.0, 2.0], objective, LOW)
    problem = Problem(gain_of(solver), spectrum, (LOW, HIGH), np.full(7, math.nan))
    theta = np.random.default_rng(4).normal(size=7)
    here = stationary(problem.angles(theta), spectrum, second=solver == "2m")
    assert here.rounded == pytest.approx(np.abs(problem(theta)[1]).max(), rel=1e-11)


@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_what_rounding_costs_is_the_error_over_the_optimum(objective):
    """By the closed form of one scale: the optimum is uniform in psi."""
    spectrum = directions([4.0], [2.0], objective, LOW)
    schedule = optimal_schedule([4.0], 6, objective=objective, **ENDS)
    best = chain_error(schedule, [4.0], [2.0], objective=objective)
    moved = schedule.angles + np.append(np.append(0.0, 1e-3 * np.sin(np.arange(1.0, 6.0))), 0.0)
    excess = (chain_error(Schedule(moved), [4.0], [2.0], objective=objective) / best) ** (1 + (objective == "w2")) - 1
    found = stationary(moved, spectrum, second=False)
    assert found.excess == pytest.approx(excess, rel=1e-9)
    assert found.gradient <= 1e-10 < found.rounded
    assert found.minimum


@pytest.mark.parametrize(
    ("objective", "steps", "end", "cost", "least"),
    [
        ("w2", 20, "interior", 1e-16, 2.86296e-6),
        ("kl", 10, "1 vanish", 1e-4, 9.7555e-5),
    ],
)
def test_the_curved_valley_of_two_scales_ends_at_an_optimum(objective, steps, end, cost, least):
    """The gradient is proven to be at most 1e-8 of the objective, and rounding costs next to nothing."""
    spectrum = directions(TWO, None, objective, LOW)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        angles, found = settle(spectrum, steps, (LOW, HIGH), "2m")
    claim = table.end_of(spectrum, angles, found, "2m")
    assert claim["end"] == end
    assert claim["gradient"] <= 1e-8 < claim["in floats"]
    assert 0 <= claim["excess"] < cost
    error = chain_error(Schedule(angles), TWO, objective=objective, solver="2m")
    assert error == pytest.approx(least, rel=1e-5)  # recorded


def test_with_many_steps_2m_makes_no_error_at_all_on_two_scales():
    spectrum = directions(TWO, None, "kl", LOW)
    problem = Problem(gain_of("2m"), spectrum, (LOW, HIGH), np.full(50, math.nan))
    start = np.log(np.diff(density_angles(spectrum, (LOW, HIGH), 50)))
    theta, settled = descend(problem.residuals, start, rounds=50, least=1e-24)
    assert settled
    assert vanishing(problem.angles(theta), spectrum, second=True) < 1e-10
    away = theta + 0.01 * np.random.default_rng(0).normal(size=50)
    assert 1e-3 < vanishing(problem.angles(away), spectrum, second=True) < 0.1


def test_no_schedule_of_ddim_makes_no_error():
    """c < 1 whatever the steps: no zero is found, nor claimed."""
    spectrum = directions(TWO, None, "kl", LOW)
    angles = density_angles(spectrum, (LOW, HIGH), 8)
    assert vanishing(angles, spectrum, second=False) is None


def test_a_search_that_has_not_ended_says_so(monkeypatch):
    monkeypatch.setattr(optimum, "_EVALUATIONS", 0)
    with pytest.warns(RuntimeWarning, match="has not settled"):
        schedule = optimal_schedule(TWO, 10, method="optimise", objective="w2", solver="2m", **ENDS)
    assert chain_error(schedule, TWO, objective="w2", solver="2m") < 6e-4  # the valley leads on to 3.4e-4


def test_a_step_that_would_vanish_is_held_at_the_shortest_length():
    """Of DDIM no step vanishes: a bound above its shortest step must hold that, at the price of more error."""
    spectrum = directions(np.arange(1.0, 9.0) ** -2, None, "kl", LOW)
    free = Problem(gain_of("ddim"), spectrum, (LOW, HIGH), np.full(6, math.nan))
    start = np.zeros(6)
    angles, loose = bounded_minimum(free, start)
    least = 2 * float(np.diff(angles).min())
    bounded = Problem(gain_of("ddim"), spectrum, (LOW, HIGH), np.full(6, math.nan), least)
    angles, held = bounded_minimum(bounded, start)
    assert np.diff(angles).min() == pytest.approx(least, rel=1e-9)
    assert held.value > loose.value
    assert held.gradient <= 1e-8
    for t in np.flatnonzero(np.isfinite(held.pins)):  # longer would be worse
        longer = np.diff(angles)
        longer[t] *= 1.01
        inner = LOW + np.cumsum(longer * ((HIGH - LOW) / longer.sum()))
        turns = np.diff(np.concatenate([[LOW], inner]))
        assert free(np.log(turns))[0] > held.value


@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_the_residuals_in_long_double_are_those_in_floats(objective):
    """And their second derivatives the differences of the first, a pinned step's included."""
    spectrum = directions([0.2, 1.0, 5.0], [1.0, 3.0, 2.0], objective, LOW)
    turns = np.diff(density_angles(spectrum, (LOW, HIGH), 40))
    pins = np.where(np.arange(40) == 7, turns, math.nan)
    floats = Problem(gain_of("2m"), spectrum, (LOW, HIGH), pins)
    wide = [np.asarray(x).astype(np.longdouble) for x in (spectrum.root, np.sqrt(spectrum.weight), (LOW, HIGH), pins)]
    valley = exact_search._Valley(*wide, objective)
    theta = np.log(np.delete(turns, 7))
    model = second_order(floats.residuals, theta)
    for got, expected in zip(valley.at(theta), model[:2], strict=True):
        np.testing.assert_allclose(got.astype(float), expected, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(valley.bend(theta), model.bend, atol=1e-8)


def test_fewer_directions_than_steps_are_no_obstacle():
    """From three digits of its step lengths."""
    spectrum = directions(TWO, None, "w2", LOW)
    start = np.array([15.0, 14.7, 17.1, 25.5, 40.6, 81.0, 163.0, 911.0, 221.0, 50.4])
    start *= (HIGH - LOW) / start.sum()
    lengths, held = exact_search.search(start, spectrum, ends=(LOW, HIGH), shortest=1e-6)
    assert not held.any()
    angles = np.append(LOW + np.append(0.0, np.cumsum(lengths)[:-1]), HIGH).astype(np.float64)
    found = stationary(angles, spectrum, second=True, lengths=lengths)
    assert found.gradient <= 1e-10
    assert found.error == pytest.approx(1.14653e-7, rel=1e-5)  # recorded


@pytest.mark.parametrize(
    ("objective", "start", "ended", "least"),
    [
        (
            "kl",
            [13, 8.6, 7.7, 9.6, 22, 38, 28, 72, 80, 130, 170, 220, 220, 190, 140, 90, 51, 36, 0.01, 13],
            [18],
            2.2841e-10,
        ),
        (
            "w2",
            [15, 9.5, 13, 23, 31, 74, 8.6, 160, 0.01, 180, 170, 220, 200, 160, 110, 77, 44, 32, 0.01, 12],
            [8, 18],
            2.2442e-5,
        ),
    ],
)
def test_the_search_in_long_double_ends_where_that_in_floats_does(objective, start, ended, least):
    """From two digits of its step lengths; steps that want to vanish are held at the shortest length."""
    lam = table._spectra()["log-normal"]
    spectrum = directions(lam, None, objective, LOW)
    start = np.array(start) * ((HIGH - LOW) / sum(start))
    lengths, held = exact_search.search(start, spectrum, ends=(LOW, HIGH), shortest=6.4224e-6)
    assert np.flatnonzero(held).tolist() == ended
    np.testing.assert_allclose(lengths[held].astype(float), 6.4224e-6)
    found = np.append(LOW + np.append(0.0, np.cumsum(lengths)[:-1]), HIGH).astype(np.float64)
    error = chain_error(Schedule(found), lam, objective=objective, solver="2m")
    assert error == pytest.approx(least, rel=1e-4)  # recorded
