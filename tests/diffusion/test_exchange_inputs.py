"""Bad configurations and requests: one clear sentence, quickly, and never a traceback of another kind."""

from __future__ import annotations

import json
import math
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special  # noqa: F401 - else the first beta schedule is timed together with a library's loading

from pifs_sim.diffusion import exchange
from pifs_sim.diffusion.exchange.classes import CLASSES
from tests.diffusion.diffusers_cases import SD

EULER = {"_class_name": "EulerDiscreteScheduler"}
DPM = {"_class_name": "DPMSolverMultistepScheduler"}
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler"}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


CONFIGS = [
    ({}, "_class_name"),
    ({"_class_name": 3}, "_class_name"),
    ({"_class_name": "EulerDiscreteSchedular"}, "EulerDiscreteScheduler"),
    ({"_class_name": "DDIM"}, "DDIMScheduler"),
    ({**EULER, "use_karras_sigmas": True, "use_beta_sigmas": True}, "only choice"),
    ({**DPM, "use_karras_sigmas": True, "use_flow_sigmas": True}, "only choice"),
    ({**EULER, "num_train_timesteps": 10**9}, "num_train_timesteps"),
    ({**EULER, "num_train_timesteps": 10**5000}, "num_train_timesteps"),
    ({**EULER, "num_train_timesteps": "1000"}, "num_train_timesteps"),
    ({**EULER, "num_train_timesteps": True}, "num_train_timesteps"),
    ({**EULER, "num_train_timesteps": None}, "num_train_timesteps"),
    ({**EULER, "beta_start": math.nan}, "beta_start"),
    ({**EULER, "beta_end": 1.0}, "beta_end"),
    ({**EULER, "beta_schedule": "sigmoid"}, "beta_schedule"),
    ({**EULER, "trained_betas": [0.1, math.nan]}, "trained_betas"),
    ({**EULER, "trained_betas": nested(50_000)}, "trained_betas"),
    ({**EULER, "timestep_spacing": "Leading"}, "timestep_spacing"),
    ({**EULER, "use_karras_sigmas": "yes"}, "use_karras_sigmas"),
    ({**EULER, "sigma_min": 2.0, "sigma_max": 1.0}, "sigma_max"),
    ({**EULER, "steps_offset": -1}, "steps_offset"),
    ({**DPM, "algorithm_type": "dpmsolver"}, "final_sigmas_type"),
    ({**FLOW, "shift": 0}, "shift"),
    ({**FLOW, "use_dynamic_shifting": True}, "mu"),
    ({**FLOW, "invert_sigmas": True}, "invert_sigmas"),
    ({**FLOW, "sigma_max": 2.0}, "sigma_max"),
    ({"_class_name": "UniPCMultistepScheduler", "shift_terminal": 0.1}, "shift_terminal"),
    ({"_class_name": "EDMEulerScheduler", "sigma_min": None}, "sigma_min"),
    (None, "config"),
    ([1], "config"),
    ("/no/such/file.json", "readable file"),
    ("a\0b", "readable file"),
]


@pytest.mark.parametrize(("config", "message"), CONFIGS, ids=range(len(CONFIGS)))
@pytest.mark.parametrize("door", [exchange.from_diffusers, exchange.diffusers_steps, exchange.discrepancies])
def test_a_bad_configuration_is_named(door: Any, config: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        door(config, 10)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 600


FILES = [b"", b"{", b"[1, 2]", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000, b"9" * 6000, b" " * 9_000_000, b"null"]


@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_a_bad_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scheduler_config.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="`config`"):
        exchange.from_diffusers(path, 10)


def test_a_file_and_its_folder_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps({**DPM, **SD, "lambda_min_clipped": -math.inf, "unknown": {"a": 1}}))
    expected = exchange.from_diffusers({**DPM, **SD}, 10)
    assert exchange.from_diffusers(path, 10) == exchange.from_diffusers(str(tmp_path), 10) == expected


@pytest.mark.parametrize("count", [0, -1, 2.5, True, None, "10", math.nan, 10**9, 10**5000, [10]], ids=range(10))
def test_a_bad_count_is_named(count: Any) -> None:
    with pytest.raises(ValueError, match="num_inference_steps"):
        exchange.diffusers_steps(EULER, count)


@pytest.mark.parametrize(
    "steps", [[1, 2], [5, 5], [], [math.nan], [math.inf, 1], [1000, 1], [3, -1], ["a"], [[3, 1]], 7, [None, 1]]
)
def test_custom_steps_must_decrease_on_the_chain(steps: Any) -> None:
    with pytest.raises(ValueError, match="`timesteps`"):
        exchange.from_diffusers(EULER, timesteps=steps)


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        ({"_class_name": "DDIMScheduler"}, {"timesteps": [9, 3]}, "takes none"),
        ({**EULER, "use_karras_sigmas": True}, {"timesteps": [9, 3]}, "its own sigmas"),
        (EULER, {"timesteps": [9, 3], "num_inference_steps": 2}, "left out"),
        (EULER, {"num_inference_steps": 5, "mu": 1.0}, "`mu`"),
        ({**FLOW, "use_dynamic_shifting": True}, {"num_inference_steps": 5, "mu": math.nan}, "`mu`"),
        (
            {**FLOW, "use_dynamic_shifting": True, "time_shift_type": "linear"},
            {"num_inference_steps": 5, "mu": -1.0},
            "`mu`",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(config: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exchange.diffusers_steps(config, **options)


@pytest.mark.parametrize("option", ["clip_sample", "thresholding"])
@pytest.mark.parametrize("door", [exchange.from_diffusers, exchange.diffusers_steps])
def test_a_nonlinear_step_is_warned_of(door: Any, option: str) -> None:
    config = {"_class_name": "DDIMScheduler", "clip_sample": False, option: True}
    with pytest.warns(UserWarning, match=option) as caught:
        door(config, 10)
    assert caught[0].filename == __file__


ODD = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    1e9,
    10**9,
    10**400,
    0.5,
    1e-320,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    "",
    "linear",
]
ODD += ["leading", "trailing", "exponential", "laplace", "x" * 500, [], [0.1], [0.1, 0.2], [1e-12] * 3, {}, {"a": []}]
ODD += [nested(3000), np.float32(0.01), np.arange(3), b"bytes", 1 + 2j, object(), [0.999999] * 50]


def fuzzed(number: int) -> tuple[Any, Any, Any]:
    """A configuration, a count and a shift, from valid to absurd."""
    rng = random.Random(number)
    name = rng.choice([*CLASSES, "DDIMSchedule"])
    known = list(CLASSES[name].defaults) if name in CLASSES else []
    others = sorted({key for cls in CLASSES.values() for key in cls.defaults})
    config: Any = {"_class_name": name}
    for key in rng.sample(known or others, k=min(len(known or others), rng.randrange(4))):
        default = CLASSES[name].defaults.get(key) if name in CLASSES else None
        if isinstance(default, bool):
            config[key] = rng.choice([True, False, True, True, False, rng.choice(ODD)])
        elif isinstance(default, float | int):
            config[key] = rng.choice(
                [default * rng.choice([0.01, 0.5, 2, 100]), rng.randrange(1, 1200), rng.choice(ODD)]
            )
        else:
            config[key] = rng.choice([default, default, rng.choice(ODD)])
    if rng.random() < 0.1:
        config[rng.choice(others)] = rng.choice(ODD)
    if rng.random() < 0.1:
        config["trained_betas"] = [rng.random() ** rng.randrange(1, 30) for _ in range(rng.randrange(1, 60))]
    count = rng.choice([1, 2, 3, 7, 10, 50, 999, 1000, 1001, 10_000, rng.choice(ODD)])
    dynamic = config.get("use_dynamic_shifting") is True
    return config, count, rng.choice([0.5, 1.15, rng.choice(ODD)]) if dynamic or rng.random() < 0.1 else None


def torment(numbers: range) -> tuple[int, float]:
    """Runs the three doors on fuzzed input; returns how many answers came and the longest time, seconds."""
    answers, longest = 0, 0.0
    for number in numbers:
        config, count, mu = fuzzed(number)
        for door in (exchange.from_diffusers, exchange.diffusers_steps, exchange.discrepancies):
            began = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", UserWarning)
                try:
                    door(config, count, mu=mu)
                    answers += 1
                except ValueError as problem:
                    text = str(problem)
                    assert text.endswith("."), (number, text)
                    assert len(text) < 600, (number, text)
                    assert "\n" not in text, (number, text)
            longest = max(longest, time.process_time() - began)
    return answers, longest


def test_fuzzed_configurations_give_an_answer_or_a_sentence_in_a_second() -> None:
    answers, longest = torment(range(300))
    assert answers > 200
    assert longest < 1.0


def test_an_array_without_axis_is_no_list_of_betas() -> None:
    with pytest.raises(ValueError, match=r"`trained_betas` of DDPMScheduler must be a list"):
        exchange.from_diffusers({"_class_name": "DDPMScheduler", "trained_betas": np.array(0.2)}, 3)


@pytest.mark.parametrize("door", [exchange.from_diffusers, exchange.diffusers_steps])
def test_a_ramp_whose_power_overflows_is_refused(door: Any) -> None:
    with pytest.raises(ValueError, match=r"`rho` must keep sigma\^\(1/rho\) finite, got 0.001"):
        door({"_class_name": "EDMEulerScheduler", "rho": 0.001}, 10)


def test_a_shift_that_divides_by_zero_in_float32_is_refused() -> None:
    with pytest.raises(ValueError, match="`shift` of FlowMatchEulerDiscreteScheduler must lie between 1e-6 and 1e9"):
        exchange.discrepancies({**FLOW, "shift": 1e-300}, 5)


def test_an_option_that_is_spelled_almost_right_is_told() -> None:
    config = {"_class_name": "DDIMScheduler", "clip_sample": False, "beta_strat": 0.1, "clip_sample_range": 1.0}
    assert [found.text for found in exchange.discrepancies(config, 10) if found.kind == "ignored option"] == [
        "`beta_strat` is no option of DDIMScheduler, which ignores it."
    ]


def test_levels_past_pure_noise_differ_by_a_number() -> None:
    config = {**FLOW, "shift": 0.001, "use_karras_sigmas": True, "shift_terminal": 0.02}
    assert exchange.diffusers_steps(config, 10).sigma[0] > 1  # float32 loses what shift_terminal divides by
    levels = next(found for found in exchange.discrepancies(config, 10) if found.kind == "levels")
    assert 0 < levels.size < 1


@pytest.mark.parametrize("door", [exchange.from_diffusers, exchange.diffusers_steps])
def test_an_edm_ramp_that_ends_at_zero_is_refused(door: Any) -> None:
    config = {"_class_name": "EDMEulerScheduler", "sigma_min": 1e-300}
    with pytest.raises(ValueError, match="`sigma_min` must be above 0 where the ramp ends, got 1e-300"):
        door(config, 10)
