"""The list of noise levels of a class: m timesteps and m + 1 sigmas, noisy first, the last one where it ends.

`exact=False` follows the class in its own float32 arithmetic, defects included; `exact=True` is the list that
its options describe: the same recipe on the exact training chain, with n points, shifted once, nothing rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import HALF_PI, FloatArray
from pifs_sim.diffusion.exchange.config import Config
from pifs_sim.diffusion.exchange.ramps import chosen_ramp, karras_ramp, shifted, timesteps_of
from pifs_sim.diffusion.exchange.spacing import library_timesteps, meant_timesteps
from pifs_sim.diffusion.exchange.training import library_sigma, meant_angles

__all__ = ["Levels", "edm_levels", "flow_levels", "is_flow", "sigma_levels"]


@dataclass(frozen=True)
class Levels:
    """timesteps (m,), sigma (m + 1,), and whether sigma is a flow's tau = sigma/(1 + sigma)."""

    timesteps: FloatArray
    sigma: FloatArray
    flow: bool = False

    @property
    def angle(self) -> FloatArray:
        """(m + 1,) angles in [0, pi/2]: tan phi = sigma, or tau/(1 - tau)."""
        if self.flow:
            return np.where(self.sigma == 1.0, HALF_PI, np.arctan2(self.sigma, 1 - self.sigma))
        return np.arctan(self.sigma)


def is_flow(config: Config) -> bool:
    """Whether the class's sigmas are flow times."""
    return config.cls.family == "flow" or bool(config["use_flow_sigmas"])


def _wide(values: npt.NDArray[Any]) -> FloatArray:
    return values.astype(np.float64)


def _quarter_log(sigma: FloatArray, exact: bool) -> FloatArray:
    return np.log(sigma) / 4 if exact else _wide(np.log(sigma.astype(np.float32)) / np.float32(4))


def edm_levels(config: Config, count: int, exact: bool) -> Levels:
    """EDM's ramp between its sigma_min and sigma_max; its timesteps are ln(sigma)/4; ValueError if it ends at 0."""
    low, high = float(config["sigma_min"]), float(config["sigma_max"])
    if config["sigma_schedule"] == "karras":
        sigma = karras_ramp(high, low, np.linspace(0, 1, count), float(config["rho"]))
    else:
        points = np.linspace(np.log(high), np.log(low), count)
        # the library's list runs from sigma_min up: one value is sigma_min
        sigma = np.exp(points) if exact or count > 1 else np.array([low])
    sigma = sigma if exact else _wide(sigma.astype(np.float32))
    if not sigma[-1] > 0:
        raise ValueError(f"`sigma_min` must be above 0 where the ramp ends, got {low!r} with `rho` {config['rho']!r}.")
    last = sigma[-1] if config["final_sigmas_type"] == "sigma_min" else 0.0
    return Levels(_quarter_log(sigma, exact), np.append(sigma, last))


def flow_levels(config: Config, count: int, *, mu: float | None, exact: bool) -> Levels:
    """FlowMatchEuler's times: from 1 to 1/N, shifted. The library shifts its last time twice."""
    number = config.training_steps
    first, last = 1.0, 1 / number
    if not exact and not config["use_dynamic_shifting"]:
        shift = float(config["shift"])
        grid = (np.array([number, 1], dtype=np.float32) / np.float32(number)).astype(np.float32)
        grid = np.float32(shift) * grid / (np.float32(1) + np.float32(shift - 1) * grid)
        first, last = float(grid[0]), float(grid[1])
    elif not exact:
        last = float(np.float32(1) / np.float32(number))
    tau = shifted(config, np.linspace(first * number, last * number, count) / number, mu)
    ramp = chosen_ramp(config, tau, count)
    tau = tau if ramp is None else ramp
    if exact:
        return Levels(tau * number, np.append(tau, 0.0), flow=True)
    rounded = tau.astype(np.float32)
    return Levels(_wide(rounded * np.float32(number)), np.append(_wide(rounded), 0.0), flow=True)


def _solver_flow(config: Config, count: int, *, mu: float | None, exact: bool) -> FloatArray:
    number = config.training_steps
    if config.cls.name == "UniPCMultistepScheduler":
        tau = shifted(config, np.linspace(1, 1 / number, count + 1)[:-1], mu)
        if not exact and abs(tau[0] - 1) < 1e-6:
            tau[0] -= 1e-6
        return tau
    return shifted(config, (1.0 - np.linspace(1, 1 / number, count + 1))[::-1], mu)[:-1]


def sigma_levels(config: Config, count: int, *, mu: float | None, exact: bool, steps: FloatArray | None) -> Levels:
    """The "noise" and "solver" families: sigmas of a training chain, interpolated or replaced by a ramp."""
    table = np.tan(meant_angles(config)) if exact else library_sigma(config)
    if exact and config["rescale_betas_zero_snr"]:
        table[-1] = 4096.0  # the classes' convention for sigma = inf: alpha_bar = 2^-24
    if steps is None:
        steps = meant_timesteps(config, count) if exact else library_timesteps(config, count)
    solver, name = config.cls.family == "solver", config.cls.name
    sigma = np.interp(steps, np.arange(table.size), table.astype(np.float64))
    ramp = chosen_ramp(config, table[::-1] if solver else sigma, count)
    flow = is_flow(config)
    if ramp is not None:
        sigma, steps = ramp, timesteps_of(ramp, table)
        if flow:
            sigma = sigma / (sigma + 1)
            steps = sigma * config.training_steps
        elif solver and not exact and not (config["use_exponential_sigmas"] or config["use_beta_sigmas"]):
            cosine = config["beta_schedule"] == "squaredcos_cap_v2" and name == "DPMSolverMultistepScheduler"
            steps = steps if cosine else steps.round()
    elif flow:
        sigma = _solver_flow(config, count, mu=mu, exact=exact)
        steps = sigma * config.training_steps
    elif config["interpolation_type"] == "log_linear":
        return _log_linear(table, steps, exact)
    clean = float(table[0])
    if config["final_sigmas_type"] == "sigma_min":
        own = name == "UniPCMultistepScheduler" and (ramp is not None or flow)
        last = float(sigma[-1]) if own else clean
    elif name == "DEISMultistepScheduler":
        last = float(sigma[-1]) if ramp is not None or flow else clean
    else:
        last = 0.0
    sigma = np.append(sigma, last)
    if exact:
        return Levels(steps, sigma, flow)
    steps = np.trunc(steps) if solver else steps.astype(np.float32).astype(np.float64)
    sigma = sigma.astype(np.float32).astype(np.float64)
    if config["timestep_type"] == "continuous" and config["prediction_type"] == "v_prediction":
        steps = _quarter_log(sigma[:-1], exact)
    return Levels(steps, sigma, flow)


def _log_linear(table: npt.NDArray[Any], steps: FloatArray, exact: bool) -> Levels:
    """Equal steps of ln sigma over the training chain, n + 1 values: the library's sampler stops at the last."""
    logs = np.linspace(np.log(float(table[-1])), np.log(float(table[0])), steps.size + 1)
    sigma = np.exp(logs)
    if exact:
        return Levels(timesteps_of(sigma[:-1], table), sigma)
    return Levels(steps, sigma.astype(np.float32).astype(np.float64))
