"""Schedules given to samplers: round trips, refusals, sigma lists, JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exchange, schedules
from tests.diffusion.diffusers_cases import SD

KARRAS = schedules.from_sigma(np.append(0.0, schedules.karras(9, 0.0292, 14.6).sigma))


@pytest.mark.parametrize("count", [1, 4, 7, 10, 20, 50])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DPMSolverMultistepScheduler", SD),
        ("DPMSolverMultistepScheduler", {**SD, "timestep_spacing": "trailing"}),
        ("DPMSolverMultistepScheduler", {**SD, "final_sigmas_type": "sigma_min"}),
        ("DPMSolverSinglestepScheduler", {}),
        ("DDPMScheduler", {"clip_sample": False, "timestep_spacing": "linspace"}),
    ],
)
def test_whole_timesteps_come_back_exactly(name: str, options: dict[str, Any], count: int) -> None:
    config = {"_class_name": name, **options}
    schedule = exchange.from_diffusers(config, count)
    back = exchange.to_diffusers(schedule, name, config=config)
    assert set(back) == {"timesteps"}
    again = exchange.from_diffusers(config, timesteps=back["timesteps"])
    assert again == schedule
    assert exchange.diffusers_steps(config, timesteps=back["timesteps"]).timesteps.tolist() == back["timesteps"]


@pytest.mark.parametrize("count", [4, 10, 50])
def test_fractional_timesteps_of_heun_come_back(count: int) -> None:
    config = {"_class_name": "HeunDiscreteScheduler", **SD}
    schedule = exchange.from_diffusers(config, count)
    back = exchange.to_diffusers(schedule, "HeunDiscreteScheduler", config=config)["timesteps"]
    assert_allclose(back, np.linspace(999, 0, count), rtol=1e-7, atol=1e-6)
    assert_allclose(exchange.from_diffusers(config, timesteps=back).sigma, schedule.sigma, rtol=1e-6)


def test_euler_takes_the_sigmas_and_so_does_comfyui() -> None:
    sigmas = exchange.to_diffusers(KARRAS, "EulerDiscreteScheduler")["sigmas"]
    assert sigmas == exchange.comfyui_sigmas(KARRAS)
    assert sigmas[-1] == 0.0
    assert_allclose(schedules.from_sigma(sigmas[::-1]).angles, KARRAS.angles, rtol=2e-16)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_flow_times_are_given_before_the_shift(shift: float) -> None:
    config = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": shift}
    taus = exchange.to_diffusers(schedules.flow(8, shift), "FlowMatchEulerDiscreteScheduler", config=config)["sigmas"]
    assert_allclose(taus, np.arange(8, 0, -1) / 8, rtol=1e-15)


def test_unipc_takes_flow_times_only() -> None:
    config = {"_class_name": "UniPCMultistepScheduler", "use_flow_sigmas": True, "flow_shift": 3.0}
    taus = exchange.to_diffusers(schedules.flow(8, 3.0), "UniPCMultistepScheduler", config=config)["sigmas"]
    assert_allclose(taus, np.arange(8, 0, -1) / 8, rtol=1e-15)
    with pytest.raises(ValueError, match="use_flow_sigmas"):
        exchange.to_diffusers(schedules.flow(8), "UniPCMultistepScheduler")


@pytest.mark.parametrize(
    ("schedule", "name", "options", "message"),
    [
        (KARRAS, "DDIMScheduler", {}, "takes none"),
        (KARRAS, "EDMEulerScheduler", {}, "takes none"),
        (KARRAS, "EulerDiscretScheduler", {}, "EulerDiscreteScheduler"),
        (schedules.karras(5, 0.05, 14), "DPMSolverMultistepScheduler", SD, "end at angle 0"),
        (schedules.karras(5, 0.05, 14), "FlowMatchEulerDiscreteScheduler", {}, "end at angle 0"),
        (schedules.flow(5), "EulerDiscreteScheduler", {}, "finite sigma"),
        (schedules.from_sigma([0, 1, 80]), "HeunDiscreteScheduler", {}, "stay on"),
        (schedules.from_sigma([0, 1, 1.0001, 5]), "DPMSolverMultistepScheduler", SD, "two alike"),
        (KARRAS, "DPMSolverMultistepScheduler", {"use_karras_sigmas": True}, "its own sigmas"),
        (schedules.flow(5), "FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": True}, "its own sigmas"),
        (schedules.flow(5), "FlowMatchEulerDiscreteScheduler", {"use_beta_sigmas": True}, "its own sigmas"),
        (KARRAS, "EulerDiscreteScheduler", {"_class_name": "HeunDiscreteScheduler"}, "must be of EulerDiscrete"),
    ],
)
def test_what_a_class_cannot_follow_is_refused(schedule: Any, name: str, options: Any, message: str) -> None:
    config = {"_class_name": name, **options} if options else None
    with pytest.raises(ValueError, match=message):
        exchange.to_diffusers(schedule, name, config=config)


def test_json_brings_the_angles_back_exactly() -> None:
    for schedule in (KARRAS, schedules.flow(8)):
        back = exchange.from_json(exchange.to_json(schedule))
        assert back == schedule
        assert back.name == schedule.name


@pytest.mark.parametrize(
    "text", ["", "[1]", "{}", '{"angles": 3}', "[" * 100_000, '{"angles": [1, 0]}', '{"angles": ["a"]}']
)
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"`(text|angles)`"):
        exchange.from_json(text)


def test_csv_holds_every_angle_exactly() -> None:
    rows = list(csv.DictReader(io.StringIO(exchange.to_csv(schedules.flow(8)))))
    assert [float(row["angle"]) for row in rows] == schedules.flow(8).angles.tolist()
    assert float(rows[-1]["sigma"]) == math.inf
    assert [int(row["step"]) for row in rows] == list(range(9))
