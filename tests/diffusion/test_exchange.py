"""Steps of scheduler classes as recorded from the diffusers library, and what configurations mean."""

from __future__ import annotations

import json
import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exchange, schedules
from tests.diffusion.diffusers_cases import RECORD, SD, cases, summary

RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))
ROWS = [[RECORDED["classes"][c], RECORDED["options"][i], n, answer] for c, i, n, answer in RECORDED["rows"]]
SD_CONFIG = {"_class_name": "DDIMScheduler", **SD, "clip_sample": False}


def quietly(door: Any, *args: Any, **options: Any) -> Any:
    """The call, without the warning of `clip_sample`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return door(*args, **options)


def test_the_record_covers_every_case() -> None:
    assert RECORDED["diffusers"] == "0.42.0"
    assert [(name, options, count) for name, options, count, _ in ROWS] == cases()
    assert len({name for name, *_ in ROWS}) == 13


@pytest.mark.parametrize("name", sorted({row[0] for row in ROWS}))
def test_steps_are_the_recorded_ones_of_the_library(name: str) -> None:
    """Whole timesteps exactly, fractional ones to a unit of float32; sigma to 2e-5, or angles to 1e-6 near pi/2."""
    for _, options, count, answer in (row for row in ROWS if row[0] == name):
        rest = {key: value for key, value in options.items() if key != "mu"}
        request = {"_class_name": name, **rest}, count
        if "error" in answer:
            with pytest.raises(ValueError, match=r"\.$"):
                quietly(exchange.diffusers_steps, *request, mu=options.get("mu"))
            continue
        steps = quietly(exchange.diffusers_steps, *request, mu=options.get("mu"))
        made = summary(steps.timesteps, steps.sigma)
        assert made["m"] == answer["m"], (options, count)
        if answer["h"]:
            assert made["h"] == answer["h"], (options, count)
        assert_allclose(made["t"], answer["t"], rtol=0, atol=0 if answer["h"] else 7e-5, err_msg=str((options, count)))
        if options.get("rescale_betas_zero_snr"):
            assert_allclose(np.arctan(made["s"]), np.arctan(answer["s"]), rtol=0, atol=1e-6)
        else:
            assert_allclose(made["s"], answer["s"], rtol=2e-5, err_msg=str((options, count)))


def test_the_training_chain_of_stable_diffusion_is_scaled_linear() -> None:
    schedule = exchange.from_diffusers(SD_CONFIG)
    assert_allclose(schedule.angles, schedules.scaled_linear(1000).angles, rtol=1e-15)
    assert schedule.sigma[1] == pytest.approx(0.029167, abs=5e-7)
    assert schedule.sigma[1000] == pytest.approx(14.614641, abs=5e-7)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("count", [1, 7, 10, 30])
def test_ddim_means_the_grid_that_its_spacing_names(spacing: str, count: int) -> None:
    schedule = exchange.from_diffusers({**SD_CONFIG, "timestep_spacing": spacing}, count)
    if spacing == "leading":
        grid = [i * (1000 // count) for i in range(count)]
    elif spacing == "trailing":
        grid = [round(Fraction(1000 * (i + 1), count)) - 1 for i in range(count)]
    else:
        grid = [round(999 * i / (count - 1)) for i in range(count)] if count > 1 else [999]
    expected = schedules.scaled_linear(1000).subsample([0, *(t + 1 for t in grid)])
    assert_allclose(schedule.angles, expected.angles, rtol=1e-15)


def test_flow_matching_means_one_shift() -> None:
    config = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
    schedule = exchange.from_diffusers(config, 1000)
    assert_allclose(schedule.angles, schedules.flow(1000, 3.0).angles, rtol=1e-13)
    assert exchange.from_diffusers(config) == schedules.flow(1000, 3.0)


def test_edm_means_karras_and_a_step_to_zero() -> None:
    schedule = exchange.from_diffusers({"_class_name": "EDMEulerScheduler"}, 18)
    assert_allclose(schedule.angles[1:], schedules.karras(17, 0.002, 80.0).angles, rtol=1e-13)
    assert schedule.angles[0] == 0.0


def test_zero_terminal_snr_ends_at_a_right_angle() -> None:
    schedule = exchange.from_diffusers(
        {**SD_CONFIG, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, 10
    )
    assert schedule.sigma[-1] == math.inf
    assert schedule.angles[0] == 0.0


@pytest.mark.parametrize(
    ("spacing", "count", "wrong"),
    [
        ("linspace", 10, 9),
        ("linspace", 4, 3),
        ("trailing", 7, 5),
        ("trailing", 10, 0),
        ("leading", 7, 0),
        ("leading", 10, 0),
    ],
)
def test_ddims_wrong_steps_are_found(spacing: str, count: int, wrong: int) -> None:
    """t - 1000 // n misses the next grid point under linspace, and under trailing where n does not divide 1000."""
    found = exchange.discrepancies({**SD_CONFIG, "timestep_spacing": spacing}, count)
    calls = [entry.calls for entry in found if entry.kind == "next angle"]
    assert sum(len(entry) for entry in calls) == wrong
    steps = exchange.diffusers_steps({**SD_CONFIG, "timestep_spacing": spacing}, count)
    goes = steps.timesteps - 1000 // count
    assert sum(goes[:-1] != steps.timesteps[1:]) == wrong


def test_a_size_is_the_angle_by_which_a_step_misses() -> None:
    config = {**SD_CONFIG, "timestep_spacing": "linspace"}
    (entry,) = [entry for entry in exchange.discrepancies(config, 10) if entry.kind == "next angle"]
    angles = schedules.scaled_linear(1000).angles[1:]
    grid = np.linspace(0, 999, 10).round().astype(int)[::-1]
    assert entry.size == pytest.approx(max(abs(angles[grid[:-1] - 100] - angles[grid[1:]])), rel=1e-4)


@pytest.mark.parametrize(
    ("config", "count", "kinds"),
    [
        ({"_class_name": "EulerDiscreteScheduler", **SD}, 10, set()),
        ({"_class_name": "EulerDiscreteScheduler", **SD}, 1, {"start", "levels"}),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, 10, set()),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}, 10, {"levels"}),
        ({"_class_name": "DPMSolverMultistepScheduler", **SD, "use_karras_sigmas": True}, 10, {"timestep"}),
        ({"_class_name": "DPMSolverMultistepScheduler", **SD, "use_exponential_sigmas": True}, 10, {"timestep"}),
        ({"_class_name": "DEISMultistepScheduler", **SD, "use_karras_sigmas": True}, 10, {"timestep", "idle step"}),
        ({"_class_name": "EulerDiscreteScheduler", **SD, "set_alpha_to_one": False}, 10, {"ignored option"}),
        ({"_class_name": "EulerDiscreteScheduler", **SD, "rescale_betas_zero_snr": True}, 10, {"zero SNR"}),
        ({**SD_CONFIG, "steps_offset": 1}, 1000, {"fails"}),
        ({**SD_CONFIG, "clip_sample": True}, 10, {"nonlinear"}),
        ({"_class_name": "PNDMScheduler", "skip_prk_steps": True, "timestep_spacing": "linspace"}, 10, {"next angle"}),
    ],
)
def test_each_departure_is_named(config: dict[str, Any], count: int, kinds: set[str]) -> None:
    assert {entry.kind for entry in exchange.discrepancies(config, count)} == kinds


def test_truncated_timesteps_are_measured() -> None:
    """DPM++ casts fractional timesteps of exponential sigmas to whole ones: up to one timestep low."""
    config = {"_class_name": "DPMSolverMultistepScheduler", **SD, "use_exponential_sigmas": True}
    (entry,) = exchange.discrepancies(config, 50)
    assert 0.9 < entry.size < 1.0


@pytest.mark.parametrize(("name", "last"), [("DDIMScheduler", 999), ("EulerDiscreteScheduler", 0)])
def test_trailing_spacing_may_make_a_step_too_many(name: str, last: int) -> None:
    """Counting down by 1000/61 in floating point ends above 0: a 62nd call, told timestep -1.

    DDIM reads entry -1, the noisiest, of its table there; Euler's interpolation stays at entry 0.
    """
    config = {"_class_name": name, **SD, "timestep_spacing": "trailing"}
    steps = quietly(exchange.diffusers_steps, config, 61)
    assert steps.timesteps.size == 62
    assert steps.timesteps[-1] == -1.0
    assert steps.angle[-1] == pytest.approx(schedules.scaled_linear(1000).angles[1 + last], rel=2e-5)
    assert quietly(exchange.from_diffusers, config, 61).steps == 61
    (entry,) = [entry for entry in exchange.discrepancies(config, 61) if entry.kind == "count"]
    assert entry.size == 1.0
