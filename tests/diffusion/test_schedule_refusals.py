from __future__ import annotations

import math
import re

import pytest

from pifs_sim.diffusion import schedules


def _refusal(match: str) -> pytest.RaisesExc:
    return pytest.raises(ValueError, match=re.escape(match))


def test_the_first_negative_sigma_is_named() -> None:
    with _refusal("got sigma[1]=-1.0."):
        schedules.from_sigma([0.0, -1.0, 2.0, -3.0])


@pytest.mark.parametrize("sigma", [[3.0, 2.0, 1.0], [2.0, 1.0], [5.0, math.inf, 1.0], [math.inf, 1.0, 0.0]])
def test_a_decreasing_list_of_sigma_is_to_be_reversed(sigma: list[float]) -> None:
    with _refusal("`sigma` must increase from the clean to the noisy end, got a decreasing list: reverse it."):
        schedules.from_sigma(sigma)


@pytest.mark.parametrize("sigma", [[3.0, 5.0, 1.0], [3.0, 3.0, 1.0], [3.0, 3.5, 1.0], [1.0], [math.inf, math.inf]])
def test_a_list_that_rises_or_stays_anywhere_is_not_called_decreasing(sigma: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^(?!.*reverse it)"):
        schedules.from_sigma(sigma)


def test_sigmas_of_one_angle_are_named() -> None:
    with _refusal("got sigma[1]=1e+17 and sigma[2]=2e+17, which round to the same one."):
        schedules.from_sigma([1.0, 1e17, 2e17])


def test_the_first_rise_of_alpha_bar_is_named() -> None:
    with _refusal("got alpha_bar[2]=0.6 after alpha_bar[1]=0.5."):
        schedules.from_alpha_bar([1.0, 0.5, 0.6, 0.7])


@pytest.mark.parametrize("beta_min", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("build", [schedules.linear, schedules.scaled_linear])
def test_a_least_beta_outside_the_unit_interval_is_named(build, beta_min: float) -> None:
    with _refusal("`beta_min` must lie strictly between 0 and 1, got"):
        build(3, beta_min=beta_min, beta_max=1.7)


def test_rules_are_spelled_out() -> None:
    for build, rule in (
        (lambda: schedules.linear(3, 0.1, 0.05), "`beta_max` must lie between `beta_min` and 1, below 1, got 0.05."),
        (lambda: schedules.uniform_angle(3, -0.1), "`start` must lie in [0, pi/2), got -0.1."),
        (lambda: schedules.uniform_angle(3, 0.3, 0.2), "`stop` must lie in (start, pi/2], got 0.2."),
        (lambda: schedules.karras(3, 0.0, 1.0), "`sigma_min` must be positive, got 0.0."),
        (lambda: schedules.karras(3, 2.0, 1.0), "`sigma_max` must be finite and exceed `sigma_min`, 2, got 1.0."),
        (lambda: schedules.karras(3, 0.1, 1.0, rho=0.0), "`rho` must be positive, got 0.0."),
        (lambda: schedules.flow(3, shift=-1.0), "`shift` must be positive, got -1.0."),
    ):
        with _refusal(rule):
            build()


def test_a_schedule_bears_the_name_of_its_constructor_or_the_given_one() -> None:
    assert schedules.from_angles([0.0, 1.0]).name == "angles"
    assert schedules.from_sigma([0.0, 1.0]).name == "sigma"
    assert schedules.from_alpha_bar([1.0, 0.5]).name == "alpha_bar"
    assert schedules.from_alpha_bar([1.0, 0.5], "mine").name == "mine"
    assert schedules.from_sigma([0.0, 1.0], name="mine").name == "mine"


def test_karras_and_flow_have_their_published_defaults() -> None:
    assert schedules.karras(7, 0.1, 9.0).angles.tolist() == schedules.karras(7, 0.1, 9.0, rho=7.0).angles.tolist()
    assert schedules.flow(7).angles.tolist() == schedules.flow(7, shift=1.0).angles.tolist()


def test_a_shift_may_be_as_large_as_its_rule_says_and_is_named() -> None:
    schedule = schedules.from_angles([0.0, 0.5, math.pi / 2])
    assert 0 < schedule.shift(1400.0).angles[1] < 1e-300
    assert schedule.shift(2.0).name == "angles, logSNR +2"
