"""What a diffusers scheduler really does: per model call its timestep, its noise level and where it goes next.

A call i evaluates the model at `angle[i]` and leaves the sample at `next_angle[i]`. A reverse chain would have
next_angle[i] = angle[i + 1]; DDIM and PNDM step to t - N // n instead, whatever the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pifs_sim.diffusion.angles import HALF_PI, FloatArray
from pifs_sim.diffusion.exchange.config import Config
from pifs_sim.diffusion.exchange.levels import Levels, edm_levels, flow_levels, sigma_levels
from pifs_sim.diffusion.exchange.spacing import library_timesteps
from pifs_sim.diffusion.exchange.training import library_alpha_bar, library_sigma
from pifs_sim.dynamics.display import one_line

__all__ = ["SamplerSteps", "sampler_steps"]


@dataclass(frozen=True, eq=False)
class SamplerSteps:
    """Model calls of a sampler, noisy first; all four arrays have shape (m,).

    Args:
        timesteps: what the model is told, float64.
        sigma: the class's own list without its last entry: tan phi, or tau = tan phi/(1 + tan phi) for flow classes.
        angle: phi at which the class takes the sample to be, radians.
        next_angle: phi at which it leaves the sample, which need not be `angle[i + 1]`.
    """

    timesteps: FloatArray
    sigma: FloatArray
    angle: FloatArray
    next_angle: FloatArray

    __repr__ = one_line


def _from_levels(config: Config, levels: Levels) -> SamplerSteps:
    steps, sigma, angle = levels.timesteps, levels.sigma, levels.angle
    if config.cls.repeats:  # every level but the first and the last is visited twice
        steps = np.concatenate([steps[:1], np.repeat(steps[1:], 2)])
        order = np.concatenate([[0], np.repeat(np.arange(1, sigma.size - 1), 2), [sigma.size - 1]])
        sigma, angle = sigma[order], angle[order]
    m = steps.size
    return SamplerSteps(steps, sigma[:m], angle[:m], angle[1 : m + 1])


def _runge_kutta(grid: FloatArray, half: int) -> FloatArray:
    """PNDM's first twelve calls over the four noisiest points of the increasing `grid`."""
    points = np.repeat(grid[-4:], 2) + np.tile([0, half], 4)
    return np.repeat(points[:-1], 2)[1:-1][::-1]


def _pndm(config: Config, grid: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Timesteps of PNDM's calls and the timesteps at which each leaves the sample, from the decreasing grid."""
    ratio = config.training_steps // count
    up = grid[::-1]
    if config["skip_prk_steps"]:
        calls = np.concatenate([up[:-1], up[-2:-1], up[-1:]])[::-1]
        goes = calls - ratio
        if calls.size > 1:
            goes[1] = calls[1]  # the second call repeats the first step with a better slope
        return calls, goes
    if count < 4:
        raise ValueError(f"`num_inference_steps` of PNDMScheduler must be at least 4 with Runge-Kutta, got {count}.")
    start = _runge_kutta(up, ratio // 2)
    calls = np.concatenate([start, up[:-3][::-1]])
    goes = calls - ratio
    goes[: start.size] = start - np.where(np.arange(start.size) % 2, 0, ratio // 2)
    return calls, goes


def _index_steps(config: Config, count: int, steps: FloatArray | None) -> SamplerSteps:
    number, name = config.training_steps, config.cls.name
    if steps is None and count > number and name != "PNDMScheduler":
        raise ValueError(f"`num_inference_steps` of {name} must be at most {number}, got {count}.")
    calls = library_timesteps(config, count) if steps is None else steps
    if name == "PNDMScheduler":
        calls, goes = _pndm(config, calls, count)
    elif name == "DDPMScheduler":
        goes = np.append(calls[1:], -1.0)
    else:
        goes = calls - number // count
    beyond = max(calls.max(), goes.max())
    if beyond >= number:
        raise ValueError(f"{name} must stay below timestep {number}, got {int(beyond)} from `steps_offset` or spacing.")
    alpha_bar, sigma = library_alpha_bar(config).astype(np.float64), library_sigma(config).astype(np.float64)
    angles = np.where(alpha_bar == 0.0, HALF_PI, np.arctan(sigma))
    clean = 0.0 if config["set_alpha_to_one"] in (True, None) else angles[0]
    # timestep -1, an accident of trailing spacing, indexes the noisiest entry
    at = calls.astype(np.intp)
    return SamplerSteps(calls, sigma[at], angles[at], np.where(goes < 0, clean, angles[goes.astype(np.intp) % number]))


def sampler_steps(config: Config, count: int, *, mu: float | None, steps: FloatArray | None) -> SamplerSteps:
    """The calls of the class for `count` steps, or for custom timesteps `steps`; ValueError where one is NaN."""
    family = config.cls.family
    if family == "index":
        made = _index_steps(config, count, steps)
    elif family == "edm":
        made = _from_levels(config, edm_levels(config, count, exact=False))
    elif family == "flow":
        made = _from_levels(config, flow_levels(config, count, mu=mu, exact=False))
    else:
        made = _from_levels(config, sigma_levels(config, count, mu=mu, exact=False, steps=steps))
    if any(np.isnan(values).any() for values in (made.timesteps, made.sigma, made.next_angle)):
        raise ValueError(f"`config` must give {config.cls.name} finite noise levels, got NaN.")
    return made
