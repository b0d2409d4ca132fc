"""The search of narrow valleys, and the gradient in 40 digits that judges where it ends."""

import math

import numpy as np
import pytest

from experiments.benchmarks.exact_gradient import stationary
from pifs_sim.diffusion.design import chain_error, optimal_schedule, optimum
from pifs_sim.diffusion.design.directions import directions
from pifs_sim.diffusion.design.optimal import end_angles, gain_of, settle
from pifs_sim.diffusion.design.optimum import Problem, bounded_minimum
from pifs_sim.diffusion.design.valley import curvature, descend

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


def test_the_curvature_is_that_of_the_residuals_held():
    """1e3 r_1 (y - x^2) bends by -2e3 r_1 along x alone."""
    got = curvature(banana, np.array([0.3, 0.7]), np.array([2.0, 5.0, 7.0]))
    np.testing.assert_allclose(got, [[-4e3, 0.0], [0.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("solver", ["ddim", "2m"])
@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_the_gradient_in_40_digits_is_that_in_floats(solver, objective):
    spectrum = directions([0.01, 0.3, 40.0], [1.0, 3.0, 2.0], objective, LOW)
    problem = Problem(gain_of(solver), spectrum, (LOW, HIGH), np.array([math.nan] * 3 + [0.2] + [math.nan] * 3))
    theta = np.random.default_rng(4).normal(size=6)
    value, gradient = problem(theta)
    here = optimum.Minimum(theta, value, float(np.abs(gradient).max()), False, problem.pins)
    assert stationary(problem, here, solver == "2m").start == pytest.approx(here.gradient, rel=1e-11)


@pytest.mark.parametrize(("objective", "least"), [("kl", 9.7555e-5), ("w2", 3.38603e-4)])
def test_the_curved_valley_of_two_scales_ends_at_an_optimum_in_40_digits(objective, least):
    spectrum = directions(TWO, None, objective, LOW)
    found = settle(spectrum, 10, (LOW, HIGH), "2m")[1]
    exact = stationary(Problem(gain_of("2m"), spectrum, (LOW, HIGH), found.pins), found, second=True)
    assert exact.gradient <= 1e-12
    assert exact.moved < 1e-9
    assert 0 <= exact.gained < 1e-15
    error = math.exp(found.value / (2 if objective == "w2" else 1))
    assert error == pytest.approx(least, rel=1e-5)  # recorded


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
