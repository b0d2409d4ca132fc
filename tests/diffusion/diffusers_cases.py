"""Configurations whose steps are compared with the diffusers library, live or as recorded from it.

`python -m tests.diffusion.diffusers_cases` records the installed library's answers in `diffusers_steps.json`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

RECORD = Path(__file__).parent / "diffusers_steps.json"
COUNTS = (1, 4, 7, 10, 20, 50, 1000)
SPACINGS = ("leading", "trailing", "linspace")
SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
ZERO_SNR = {"rescale_betas_zero_snr": True}
RAMPS = tuple({f"use_{name}_sigmas": True} for name in ("karras", "exponential", "beta"))
TRAINED = {"trained_betas": [0.001 + 0.0004 * i for i in range(40)], "num_train_timesteps": 40}

EXTRA: dict[str, list[dict[str, Any]]] = {
    "DDIMScheduler": [ZERO_SNR, {**SD, "set_alpha_to_one": False, "steps_offset": 1}, COSINE],
    "DDPMScheduler": [ZERO_SNR, {"beta_schedule": "sigmoid"}, {"beta_schedule": "laplace"}],
    "PNDMScheduler": [{**SD, "skip_prk_steps": True, "steps_offset": 1}, {"set_alpha_to_one": True}],
    "EulerDiscreteScheduler": [
        *RAMPS,
        {**SD, "use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 10.0},
        {**SD, **ZERO_SNR},
        {"final_sigmas_type": "sigma_min"},
        {"interpolation_type": "log_linear"},
        {"timestep_type": "continuous", "prediction_type": "v_prediction"},
    ],
    "EulerAncestralDiscreteScheduler": [{**SD, "steps_offset": 1}],
    "LMSDiscreteScheduler": [*RAMPS],
    "HeunDiscreteScheduler": [*RAMPS, {"beta_schedule": "exp"}],
    "DPMSolverMultistepScheduler": [
        *RAMPS,
        {"use_lu_lambdas": True},
        {**COSINE, "use_karras_sigmas": True},
        {**COSINE, "lambda_min_clipped": -5.1},
        {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"},
        {**SD, "final_sigmas_type": "sigma_min"},
    ],
    "DPMSolverSinglestepScheduler": [*RAMPS, {"final_sigmas_type": "sigma_min", "lower_order_final": True}],
    "UniPCMultistepScheduler": [
        *RAMPS,
        {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"},
        {"use_flow_sigmas": True, "use_karras_sigmas": True, "prediction_type": "flow_prediction"},
        {"use_flow_sigmas": True, "shift_terminal": 0.1, "prediction_type": "flow_prediction"},
        {"final_sigmas_type": "sigma_min", "use_beta_sigmas": True},
    ],
    "DEISMultistepScheduler": [*RAMPS, {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}],
    "EDMEulerScheduler": [{"sigma_schedule": "exponential"}, {"rho": 5.0, "final_sigmas_type": "sigma_min"}],
    "FlowMatchEulerDiscreteScheduler": [
        {"shift": 3.0},
        {"use_dynamic_shifting": True, "mu": 0.9},
        {"use_dynamic_shifting": True, "time_shift_type": "linear", "mu": 0.9},
        {"shift": 3.0, "shift_terminal": 0.1},
        *RAMPS,
    ],
}
NO_SPACING = {"DPMSolverSinglestepScheduler", "EDMEulerScheduler", "FlowMatchEulerDiscreteScheduler"}


def cases() -> list[tuple[str, dict[str, Any], int]]:
    """(class, options, n); `mu` among the options is an argument of set_timesteps."""
    found = []
    for name, extras in EXTRA.items():
        spacings = [{}] if name in NO_SPACING else [{"timestep_spacing": spacing} for spacing in SPACINGS]
        plain = [{}] if name in ("EDMEulerScheduler", "FlowMatchEulerDiscreteScheduler") else [{}, SD, TRAINED]
        for options, spacing in itertools.product([*plain, *extras], spacings):
            merged = {**options, **spacing}
            counts = [count for count in COUNTS if count <= merged.get("num_train_timesteps", 1000)]
            found.extend((name, merged, count) for count in counts)
    return found


def summary(timesteps: np.ndarray, sigma: np.ndarray) -> dict[str, Any]:
    """Sizes, four entries of each list, and a digest of whole timesteps."""
    at = sorted({0, 1, len(timesteps) // 2, len(timesteps) - 1} & set(range(len(timesteps))))
    steps = np.asarray(timesteps, dtype=np.float64)
    whole = bool((steps == np.round(steps)).all())
    digest = hashlib.sha256(steps.astype(np.int64).tobytes()).hexdigest()[:12] if whole else ""
    ends = [float(f"{sigma[i]:.7g}") for i in at]
    return {"m": len(steps), "t": [float(f"{steps[i]:.9g}") for i in at], "s": ends, "h": digest}


def library(name: str, options: dict[str, Any], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The installed library's timesteps (m,) and sigmas (m,), both as float64; its own error otherwise."""
    import diffusers

    options = dict(options)
    mu = options.pop("mu", None)
    scheduler = getattr(diffusers, name).from_config({"_class_name": name, **options})
    scheduler.set_timesteps(count, **({} if mu is None else {"mu": mu}))
    timesteps = scheduler.timesteps.numpy().astype(np.float64)
    if hasattr(scheduler, "sigmas"):
        return timesteps, scheduler.sigmas.numpy().astype(np.float64)[: timesteps.size]
    alpha_bar = scheduler.alphas_cumprod.numpy()[timesteps.astype(np.int64)]
    with np.errstate(divide="ignore"):
        return timesteps, np.sqrt((1 - alpha_bar) / alpha_bar).astype(np.float64)


def record() -> None:
    """Write the installed library's answers."""
    import diffusers

    rows = []
    for name, options, count in cases():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                timesteps, sigma = library(name, options, count)
            answer = {"error": "NaN"} if np.isnan(sigma).any() else summary(timesteps, sigma)
        except (IndexError, ValueError, AssertionError, RuntimeError) as problem:
            answer = {"error": type(problem).__name__}
        rows.append([name, options, count, answer])
    names = sorted({json.dumps(row[1], sort_keys=True) for row in rows})
    packed = [[list(EXTRA).index(row[0]), names.index(json.dumps(row[1], sort_keys=True)), *row[2:]] for row in rows]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in packed)
    options = json.dumps([json.loads(text) for text in names], separators=(",", ":"))
    RECORD.write_text(
        f'{{"diffusers":"{diffusers.__version__}","classes":{json.dumps(list(EXTRA))},"options":{options},"rows":[\n{lines}\n]}}\n'
    )


if __name__ == "__main__":
    record()
    sys.stdout.write(f"{RECORD.stat().st_size} bytes\n")
