"""Doors to samplers: a schedule as the keyword that a diffusers class takes, a sigma list, JSON or CSV."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.exchange.config import Config, ConfigSource, find_class, read_config
from pifs_sim.diffusion.exchange.levels import is_flow
from pifs_sim.diffusion.exchange.training import meant_angles
from pifs_sim.diffusion.schedule import Schedule

__all__ = ["comfyui_sigmas", "from_json", "to_csv", "to_diffusers", "to_json"]


def comfyui_sigmas(schedule: Schedule) -> list[float]:
    """The T + 1 sigmas tan phi from noise to data, a plain list as ComfyUI's samplers take it.

    Raises:
        ValueError: a schedule that starts at infinite sigma.
    """
    sigma = schedule.sigma[::-1]
    if not math.isfinite(sigma[0]):
        raise ValueError("`schedule` must start at a finite sigma to be listed, got phi_T = pi/2.")
    return [float(value) for value in sigma]


def _flow_times(schedule: Schedule, config: Config) -> list[float]:
    """tau before the class's own shift, noisy first, without the final 0."""
    if schedule.angles[0] != 0.0:
        raise ValueError(f"`schedule` must end at angle 0, where {config.cls.name} ends, got {schedule.angles[0]:.6g}.")
    if config["use_dynamic_shifting"] or config["shift_terminal"] or config["use_karras_sigmas"]:
        raise ValueError(f"`config` of {config.cls.name} must not shift dynamically or choose its own sigmas.")
    if config["use_exponential_sigmas"] or config["use_beta_sigmas"]:
        raise ValueError(f"`config` of {config.cls.name} must not choose its own sigmas.")
    shift = float(config["shift"] or config["flow_shift"])
    cos, sin = schedule.cos[:0:-1], schedule.sin[:0:-1]
    return [float(tau) for tau in sin / (sin + shift * cos)]


def _nearest_timesteps(schedule: Schedule, config: Config) -> FloatArray:
    """Fractional timesteps, noisy first, at which the class interpolates the schedule's sigmas."""
    table = np.tan(meant_angles(config))
    sigma, name = schedule.sigma[:0:-1], config.cls.name
    if config["rescale_betas_zero_snr"] and config.cls.family != "index":
        table[-1] = 4096.0
    table[-1] = min(table[-1], 1e300)
    inside = (sigma >= table[0] * (1 - 1e-9)) & ((sigma <= table[-1] * (1 + 1e-9)) | np.isinf(sigma))
    if not inside.all():
        bad = float(sigma[~inside][0])
        raise ValueError(
            f"`schedule` must stay on {name}'s chain, {table[0]:.6g}..{table[-1]:.6g}, got sigma {bad:.6g}."
        )
    return np.asarray(np.interp(np.minimum(sigma, table[-1]), table, np.arange(table.size)))


def _timesteps(schedule: Schedule, config: Config) -> list[float] | list[int]:
    steps, name = _nearest_timesteps(schedule, config), config.cls.name
    chosen = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")
    if any(config[key] for key in chosen):
        raise ValueError(f"`config` of {name} must not choose its own sigmas where timesteps are given.")
    end = float(meant_angles(config)[0]) if config["final_sigmas_type"] == "sigma_min" else 0.0
    if abs(schedule.angles[0] - end) > 1e-6:
        raise ValueError(f"`schedule` must end at angle {end:.6g}, where {name} ends, got {schedule.angles[0]:.6g}.")
    if config.cls.family == "noise":
        return [float(step) for step in steps]
    whole = [round(float(step)) for step in steps]
    if any(after >= before for before, after in itertools.pairwise(whole)):
        raise ValueError(f"`schedule` must have steps that differ as whole timesteps of {name}, got two alike.")
    return whole


def to_diffusers(schedule: Schedule, class_name: str, *, config: ConfigSource | None = None) -> dict[str, Any]:
    """The keyword that makes a diffusers class follow the schedule: `scheduler.set_timesteps(**result)`.

    Euler takes `sigmas` as they are; flow classes take `sigmas` = tau before their own shift; DPM++ and DDPM take
    `timesteps`, rounded to whole ones, and Heun fractional ones, all on the training chain of `config`.

    Args:
        schedule: the schedule; its clean end must be where the class ends, unless the class takes all sigmas.
        class_name: name of the scheduler class.
        config: the scheduler's configuration; by default the class's own defaults.

    Raises:
        ValueError: an unknown class, one that takes neither keyword, or a schedule that it cannot follow.

    >>> from pifs_sim.diffusion.schedules import from_sigma
    >>> [round(sigma, 6) for sigma in to_diffusers(from_sigma([0.1, 1.0, 10.0]), "EulerDiscreteScheduler")["sigmas"]]
    [10.0, 1.0, 0.1]
    """
    if not isinstance(schedule, Schedule):
        raise ValueError(f"`schedule` must be a Schedule, got {schedule!r:.80}.")
    cls = find_class(class_name)
    read = read_config({"_class_name": class_name} if config is None else config)
    if read.cls is not cls:
        raise ValueError(f"`config` must be of {class_name}, got {read.cls.name}.")
    if not cls.accepts:
        raise ValueError(f"`class_name` must be of a class that takes steps, but {class_name} takes none.")
    if cls.accepts[0] == "timesteps":
        return {"timesteps": _timesteps(schedule, read)}
    if is_flow(read):
        return {"sigmas": _flow_times(schedule, read)}
    if cls.family == "solver":
        raise ValueError(f"`config` of {class_name} must set `use_flow_sigmas`: it takes sigmas only with them.")
    return {"sigmas": comfyui_sigmas(schedule)}


def to_json(schedule: Schedule) -> str:
    """The schedule as JSON: name, angles (exact) and sigmas (null for inf), both from data to noise."""
    sigma = [value if math.isfinite(value) else None for value in schedule.sigma.tolist()]
    content = {"name": schedule.name, "angles": schedule.angles.tolist(), "sigmas": sigma}
    return json.dumps(content, indent=1, allow_nan=False)


def from_json(text: str) -> Schedule:
    """The schedule that `to_json` wrote; ValueError for any other text."""
    try:
        content = json.loads(text)
    except (RecursionError, ValueError):
        raise ValueError("`text` must be a JSON object with `angles`, got text that is not JSON.") from None
    if not isinstance(content, dict) or not isinstance(content.get("angles"), list):
        raise ValueError("`text` must be a JSON object with a list `angles`.")
    return Schedule(content["angles"], str(content.get("name", "custom"))[:200])


def to_csv(schedule: Schedule) -> str:
    """The schedule as CSV, a line for each angle from data to noise: step, angle, sigma, alpha_bar, logsnr."""
    columns = zip(
        schedule.angles.tolist(),
        schedule.sigma.tolist(),
        schedule.alpha_bar.tolist(),
        schedule.logsnr.tolist(),
        strict=True,
    )
    lines = [",".join([str(step), *map(repr, row)]) for step, row in enumerate(columns)]
    return "\n".join(["step,angle,sigma,alpha_bar,logsnr", *lines, ""])
