"""Bad arguments of the constructors: one clear sentence that names the argument."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.schedule import Schedule

WITH_STEPS = {
    "linear": (),
    "scaled_linear": (),
    "cosine": (),
    "uniform_angle": (),
    "karras": (0.002, 80.0),
    "log_linear": (0.002, 80.0),
    "flow": (),
}


@pytest.mark.parametrize("name", WITH_STEPS)
@pytest.mark.parametrize("steps", [0, -1, 1.5, 2.0, True, "10", None, math.nan, np.float64(3)], ids=repr)
def test_steps_must_be_a_positive_integer(name: str, steps: Any) -> None:
    with pytest.raises(ValueError, match="`steps`"):
        getattr(schedules, name)(steps, *WITH_STEPS[name])


@pytest.mark.parametrize("name", WITH_STEPS)
@pytest.mark.parametrize("steps", [1, 2, np.int64(3), np.uint8(4)])
def test_every_constructor_makes_that_many_steps(name: str, steps: Any) -> None:
    schedule = getattr(schedules, name)(steps, *WITH_STEPS[name])
    assert isinstance(schedule, Schedule)
    assert schedule.steps == steps
    assert name.split("_")[0] in schedule.name


ARGUMENTS = [
    ("linear", {"beta_min": 0.0}, "beta_min"),
    ("linear", {"beta_min": -0.1}, "beta_min"),
    ("linear", {"beta_min": math.nan}, "beta_min"),
    ("linear", {"beta_max": 1.0}, "beta_max"),
    ("linear", {"beta_max": 1e-5}, "beta_max"),
    ("linear", {"beta_max": math.nan}, "beta_max"),
    ("scaled_linear", {"beta_min": 1.0}, "beta_min"),
    ("scaled_linear", {"beta_max": math.inf}, "beta_max"),
    ("cosine", {"offset": -0.1}, "offset"),
    ("cosine", {"offset": math.nan}, "offset"),
    ("cosine", {"offset": math.inf}, "offset"),
    ("cosine", {"max_beta": 0.0}, "max_beta"),
    ("cosine", {"max_beta": 1.0}, "max_beta"),
    ("cosine", {"max_beta": math.nan}, "max_beta"),
    ("uniform_angle", {"start": -0.1}, "start"),
    ("uniform_angle", {"start": math.pi / 2}, "start"),
    ("uniform_angle", {"start": math.nan}, "start"),
    ("uniform_angle", {"stop": 0.0}, "stop"),
    ("uniform_angle", {"stop": 1.6}, "stop"),
    ("uniform_angle", {"start": 1.0, "stop": 1.0}, "stop"),
    ("uniform_angle", {"stop": math.nan}, "stop"),
    ("karras", {"sigma_min": 0.0, "sigma_max": 1.0}, "sigma_min"),
    ("karras", {"sigma_min": math.nan, "sigma_max": 1.0}, "sigma_min"),
    ("karras", {"sigma_min": 1.0, "sigma_max": 1.0}, "sigma_max"),
    ("karras", {"sigma_min": 1.0, "sigma_max": math.inf}, "sigma_max"),
    ("karras", {"sigma_min": 0.1, "sigma_max": 1.0, "rho": 0.0}, "rho"),
    ("karras", {"sigma_min": 0.1, "sigma_max": 1.0, "rho": -7.0}, "rho"),
    ("karras", {"sigma_min": 0.1, "sigma_max": 1.0, "rho": math.nan}, "rho"),
    ("log_linear", {"sigma_min": -1.0, "sigma_max": 1.0}, "sigma_min"),
    ("log_linear", {"sigma_min": 2.0, "sigma_max": 1.0}, "sigma_max"),
    ("flow", {"shift": 0.0}, "shift"),
    ("flow", {"shift": math.inf}, "shift"),
    ("flow", {"shift": math.nan}, "shift"),
]


@pytest.mark.parametrize(("name", "arguments", "bad"), ARGUMENTS, ids=str)
def test_a_bad_argument_is_refused_by_name(name: str, arguments: dict[str, Any], bad: str) -> None:
    with pytest.raises(ValueError, match=f"`{bad}`"):
        getattr(schedules, name)(10, **arguments)


SEQUENCES = {
    "one value": [0.5],
    "none": [],
    "a number": 0.5,
    "two axes": [[0.1, 0.2]],
    "NaN": [0.1, math.nan],
    "negative": [-0.1, 0.5],
    "equal": [0.5, 0.5],
    "up and down": [0.1, 0.5, 0.3, 0.7],
    "down and up": [0.7, 0.3, 0.5, 0.1],
    "text": ["a", "b"],
    "ragged": [[0.1], [0.2, 0.3]],
    "complex": np.array([0.1, 0.2 + 1j]),
}


@pytest.mark.parametrize("name", ["sigma", "alpha_bar"])
@pytest.mark.parametrize("values", SEQUENCES.values(), ids=SEQUENCES)
def test_bad_values_are_refused_by_the_name_they_were_given_under(name: str, values: Any) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        getattr(schedules, f"from_{name}")(values)


@pytest.mark.parametrize("alpha_bar", [[1.1, 0.5], [0.5, -0.1], [math.inf, 0.5], [0.1, 0.5]], ids=str)
def test_alpha_bar_outside_0_to_1_or_rising_is_refused_by_name(alpha_bar: list[float]) -> None:
    with pytest.raises(ValueError, match="`alpha_bar`"):
        schedules.from_alpha_bar(alpha_bar)


def test_a_list_of_sigmas_from_noise_to_data_is_told_to_be_reversed() -> None:
    with pytest.raises(ValueError, match=r"`sigma`.*reverse"):
        schedules.from_sigma([80.0, 1.0, 0.002])
    with pytest.raises(ValueError, match=r"`sigma`.*reverse"):
        schedules.from_sigma([math.inf, 1.0, 0.0])


@pytest.mark.parametrize("values", [[1.0, 1e17, 1e18], [1.0, 1e20, math.inf]], ids=str)
def test_sigmas_that_no_float_angle_tells_apart_are_refused_by_name(values: list[float]) -> None:
    with pytest.raises(ValueError, match="`sigma`"):
        schedules.from_sigma(values)


def test_the_longest_linear_schedules_that_floats_can_hold_are_made_and_longer_ones_refused() -> None:
    """alpha_bar = exp(-101) at T = 1e4: its angle is pi/2 to the last bit, as is the one before."""
    assert schedules.linear(4000).steps == 4000
    with pytest.raises(ValueError, match=r"`steps`|`angles`"):
        schedules.linear(10_000)
