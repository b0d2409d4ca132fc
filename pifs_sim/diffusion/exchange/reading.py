"""Doors from diffusers: the schedule that a configuration means, and the calls that its class makes."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.angles import HALF_PI, FloatArray
from pifs_sim.diffusion.exchange.config import MOST_STEPS, Config, ConfigSource, read_config, show
from pifs_sim.diffusion.exchange.levels import edm_levels, flow_levels, is_flow, sigma_levels
from pifs_sim.diffusion.exchange.sampler import SamplerSteps, sampler_steps
from pifs_sim.diffusion.exchange.spacing import meant_timesteps
from pifs_sim.diffusion.exchange.training import meant_angles
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import reals

__all__ = ["check_request", "diffusers_steps", "from_diffusers", "meant", "nonlinear"]


def nonlinear(config: Config) -> str | None:
    """The option that makes a step nonlinear, if one is on."""
    return next((name for name in ("thresholding", "clip_sample") if config[name]), None)


def _warn(config: Config) -> None:
    option = nonlinear(config)
    if option is not None:
        text = f"`{option}` of {config.cls.name} is on: where it acts, the step is no longer the chain's."
        warnings.warn(text, UserWarning, stacklevel=3)


def _custom(config: Config, timesteps: npt.ArrayLike) -> FloatArray:
    name = config.cls.name
    if "timesteps" not in config.cls.accepts:
        raise ValueError(f"`timesteps` must be left out for {name}, whose set_timesteps takes none.")
    try:
        steps = np.asarray(reals("timesteps", timesteps)[1], dtype=np.float64)
    except (OverflowError, TypeError, RecursionError):
        raise ValueError("`timesteps` must hold real numbers.") from None
    if steps.ndim != 1 or not 1 <= steps.size <= MOST_STEPS:
        raise ValueError(f"`timesteps` must be a list of 1..{MOST_STEPS} numbers, got shape {steps.shape}.")
    if not (np.isfinite(steps).all() and (np.diff(steps) < 0).all()):
        raise ValueError("`timesteps` must decrease strictly, from noise to data.")
    if not (steps[-1] >= 0 and steps[0] < config.training_steps):
        raise ValueError(f"`timesteps` must lie in 0..{config.training_steps - 1}, got {steps[0]:g} to {steps[-1]:g}.")
    ramp = any(
        config[key] for key in ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
    )
    if ramp:
        raise ValueError(f"`timesteps` must be left out where {name} chooses its own sigmas.")
    whole = config.cls.family != "noise"
    return np.trunc(steps) if whole else steps.astype(np.float32).astype(np.float64)


def check_request(config: Config, count: Any, mu: Any, timesteps: Any) -> tuple[int, float | None, FloatArray | None]:
    """`count`, `mu` and custom `timesteps`, or ValueError where they do not suit the configuration."""
    if mu is not None:
        good = isinstance(mu, (int, float, np.floating)) and not isinstance(mu, bool) and -50 < mu < 50
        if not (good and config["use_dynamic_shifting"]):
            raise ValueError(f"`mu` must be a number in (-50, 50) given with `use_dynamic_shifting`, got {show(mu)}.")
        if config["time_shift_type"] == "linear" and mu <= 0:
            raise ValueError(f"`mu` must be positive where the time shift is linear, got {show(mu)}.")
        mu = float(mu)
    elif config["use_dynamic_shifting"] and is_flow(config):
        raise ValueError(f"`mu` must be given: {config.cls.name} shifts dynamically here.")
    if timesteps is not None:
        if count is not None:
            raise ValueError("`num_inference_steps` must be left out where `timesteps` are given.")
        steps = _custom(config, timesteps)
        return steps.size, mu, steps
    if not isinstance(count, Integral) or isinstance(count, bool) or not 1 <= int(count) <= MOST_STEPS:
        raise ValueError(f"`num_inference_steps` must be an integer in 1..{MOST_STEPS}, got {show(count)}.")
    return int(count), mu, None


def diffusers_steps(
    config: ConfigSource,
    num_inference_steps: int | None = None,
    *,
    mu: float | None = None,
    timesteps: npt.ArrayLike | None = None,
) -> SamplerSteps:
    """What the scheduler class does in n steps, its defects included.

    Args:
        config: a mapping, or the path of a scheduler_config.json or of its folder.
        num_inference_steps: n, 1..10000.
        mu: the dynamic flow shift, where the configuration asks for one.
        timesteps: (n,) custom decreasing timesteps in place of n, for classes whose set_timesteps takes them.

    Returns:
        The m calls. Whole timesteps are the library's exactly, fractional ones to 7e-5 (a unit of float32: its
        float32 square root differs between machines), sigmas to 2e-5; where `rescale_betas_zero_snr` leaves almost
        no signal, angles to 1e-6.

    Raises:
        ValueError: a bad configuration or count, or steps that the class cannot make.

    Source: behaviour of diffusers 0.42.0.
    """
    read = read_config(config)
    count, mu, steps = check_request(read, num_inference_steps, mu, timesteps)
    _warn(read)
    return sampler_steps(read, count, mu=mu, steps=steps)


def _index_angles(config: Config, count: int, steps: FloatArray | None) -> FloatArray:
    chain, name = meant_angles(config), config.cls.name
    visited = meant_timesteps(config, count) if steps is None else steps
    if visited[0] >= chain.size:
        raise ValueError(f"`steps_offset` must keep {name} below timestep {chain.size}, got {visited[0]:.0f}.")
    clean = 0.0 if config["set_alpha_to_one"] in (True, None) else chain[0]
    return np.append(chain[visited.astype(np.intp)], clean)


def meant(config: Config, count: int, *, mu: float | None, steps: FloatArray | None) -> FloatArray:
    """Angles of the schedule that the options describe, noisy first, idle steps at the clean end left out.

    Raises:
        ValueError: options that describe no schedule.
    """
    family = config.cls.family
    if family == "index":
        angles = _index_angles(config, count, steps)
    elif family == "edm":
        angles = edm_levels(config, count, exact=True).angle
    elif family == "flow":
        angles = flow_levels(config, count, mu=mu, exact=True).angle
    else:
        angles = sigma_levels(config, count, mu=mu, exact=True, steps=steps).angle
    while angles.size > 2 and angles[-1] == angles[-2]:
        angles = angles[:-1]
    if not (np.diff(angles) < 0).all():
        raise ValueError(
            f"`num_inference_steps` must leave distinct noise levels, got {count} steps of {config.cls.name} "
            "of which two coincide or rise."
        )
    return angles


def _training(config: Config) -> FloatArray:
    number = config.training_steps
    if config.cls.family == "edm":
        return edm_levels(config, number, exact=True).angle
    if is_flow(config):
        return schedules.flow(number, float(config["shift"] or config["flow_shift"])).angles[::-1]
    return np.append(meant_angles(config)[::-1], 0.0)


def from_diffusers(
    config: ConfigSource,
    num_inference_steps: int | None = None,
    *,
    mu: float | None = None,
    timesteps: npt.ArrayLike | None = None,
) -> Schedule:
    """The schedule that a diffusers configuration means, without torch or diffusers.

    Exact arithmetic in place of float32, n steps on the spacing that the options name, each to the next grid
    point, every shift applied once. Without a number of steps: the whole training chain with its clean end.

    Args:
        config: a mapping, or the path of a scheduler_config.json or of its folder.
        num_inference_steps: n, 1..10000.
        mu: the dynamic flow shift, where the configuration asks for one.
        timesteps: (n,) custom decreasing timesteps in place of n, for classes whose set_timesteps takes them.

    Raises:
        ValueError: a bad configuration or count, or a request whose noise levels coincide.

    >>> config = {"_class_name": "DDIMScheduler", "clip_sample": False}
    >>> from_diffusers(config, 5).sigma.round(3).tolist()
    [0.0, 0.01, 0.724, 2.041, 6.174, 25.736]
    """
    read = read_config(config)
    whole = num_inference_steps is None and timesteps is None
    if whole:
        angles, label = _training(read), "training chain"
    else:
        count, mu, steps = check_request(read, num_inference_steps, mu, timesteps)
        angles = meant(read, count, mu=mu, steps=steps)
        label = f"{angles.size - 1} steps"
    _warn(read)
    if not (np.diff(angles) < 0).all():
        raise ValueError(f"`config` of {read.cls.name} must give noise levels that differ, got two that coincide.")
    return Schedule(np.minimum(angles[::-1], HALF_PI), f"{read.cls.name}, {label}")
