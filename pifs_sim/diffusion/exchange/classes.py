"""What each scheduler class of diffusers accepts, and what it assumes when an option is left out.

A class is one of five families by how it finds its noise levels: "index" (integer timesteps index the training
chain), "noise" (sigma interpolated at n timesteps), "solver" (n of n + 1 timesteps, the clean one dropped),
"edm" (a ramp in sigma^(1/rho)) and "flow" (tau = sigma/(1 + sigma), shifted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CLASSES", "SchedulerClass"]

_CHAIN = {
    "num_train_timesteps": 1000,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "trained_betas": None,
    "prediction_type": "epsilon",
}
_SPACED = {"timestep_spacing": "linspace", "steps_offset": 0}
_LEADING = {"timestep_spacing": "leading", "steps_offset": 0}
_ZERO_SNR = {"rescale_betas_zero_snr": False}
_SIGMAS = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
    "sigma_min": None,
    "sigma_max": None,
}
_LMS_SIGMAS = {key: False for key in _SIGMAS if key.startswith("use_")}
_FLOW = {"use_flow_sigmas": False, "flow_shift": 1.0, "use_dynamic_shifting": False, "time_shift_type": "exponential"}
_FINAL = {"final_sigmas_type": "zero"}
_CLIP = {"clip_sample": True, "thresholding": False}
_SOLVER = {"thresholding": False, "solver_order": 2}
_HEUN_CHAIN = {**_CHAIN, "beta_start": 0.00085, "beta_end": 0.012}
_DPM = {"algorithm_type": "dpmsolver++", "lambda_min_clipped": float("-inf")}


@dataclass(frozen=True)
class SchedulerClass:
    """One class: its options with their defaults, its beta schedules, and the keywords that set its steps.

    `repeats`: model calls come in pairs, so that sigmas repeat (Heun). `accepts`: of `timesteps`, `sigmas`.
    """

    name: str
    family: str
    defaults: Mapping[str, Any]
    accepts: tuple[str, ...] = ()
    beta_schedules: tuple[str, ...] = ("linear", "scaled_linear", "squaredcos_cap_v2")
    stochastic: bool = False
    repeats: bool = False


_ALL = (
    SchedulerClass("DDIMScheduler", "index", {**_CHAIN, **_CLIP, **_LEADING, **_ZERO_SNR, "set_alpha_to_one": True}),
    SchedulerClass(
        "DDPMScheduler",
        "index",
        {**_CHAIN, **_CLIP, **_LEADING, **_ZERO_SNR},
        accepts=("timesteps",),
        beta_schedules=("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"),
        stochastic=True,
    ),
    SchedulerClass(
        "PNDMScheduler", "index", {**_CHAIN, **_LEADING, "set_alpha_to_one": False, "skip_prk_steps": False}
    ),
    SchedulerClass(
        "EulerDiscreteScheduler",
        "noise",
        {
            **_CHAIN,
            **_SPACED,
            **_ZERO_SNR,
            **_SIGMAS,
            **_FINAL,
            "interpolation_type": "linear",
            "timestep_type": "discrete",
        },
        accepts=("sigmas", "timesteps"),
    ),
    SchedulerClass("EulerAncestralDiscreteScheduler", "noise", {**_CHAIN, **_SPACED, **_ZERO_SNR}, stochastic=True),
    SchedulerClass("LMSDiscreteScheduler", "noise", {**_CHAIN, **_SPACED, **_LMS_SIGMAS}),
    SchedulerClass(
        "HeunDiscreteScheduler",
        "noise",
        {**_HEUN_CHAIN, **_SPACED, **_SIGMAS, "clip_sample": False},
        accepts=("timesteps",),
        beta_schedules=("linear", "scaled_linear", "squaredcos_cap_v2", "exp"),
        repeats=True,
    ),
    SchedulerClass(
        "DPMSolverMultistepScheduler",
        "solver",
        {
            **_CHAIN,
            **_SPACED,
            **_ZERO_SNR,
            **_SIGMAS,
            **_FLOW,
            **_FINAL,
            **_SOLVER,
            **_DPM,
            "use_lu_lambdas": False,
        },
        accepts=("timesteps",),
    ),
    SchedulerClass(
        "DPMSolverSinglestepScheduler",
        "solver",
        {**_CHAIN, **_SIGMAS, **_FLOW, **_FINAL, **_SOLVER, **_DPM},
        accepts=("timesteps",),
    ),
    SchedulerClass(
        "UniPCMultistepScheduler",
        "solver",
        {**_CHAIN, **_SPACED, **_ZERO_SNR, **_SIGMAS, **_FLOW, **_FINAL, **_SOLVER, "shift_terminal": None},
        accepts=("sigmas",),
    ),
    SchedulerClass("DEISMultistepScheduler", "solver", {**_CHAIN, **_SPACED, **_SIGMAS, **_FLOW, **_SOLVER}),
    SchedulerClass(
        "EDMEulerScheduler",
        "edm",
        {
            "num_train_timesteps": 1000,
            "sigma_min": 0.002,
            "sigma_max": 80.0,
            "sigma_data": 0.5,
            "sigma_schedule": "karras",
            "rho": 7.0,
            "prediction_type": "epsilon",
            **_FINAL,
        },
    ),
    SchedulerClass(
        "FlowMatchEulerDiscreteScheduler",
        "flow",
        {
            "num_train_timesteps": 1000,
            "shift": 1.0,
            "use_dynamic_shifting": False,
            "time_shift_type": "exponential",
            "invert_sigmas": False,
            "shift_terminal": None,
            "stochastic_sampling": False,
            **_SIGMAS,
        },
        accepts=("sigmas",),
    ),
)

CLASSES: Mapping[str, SchedulerClass] = {cls.name: cls for cls in _ALL}
