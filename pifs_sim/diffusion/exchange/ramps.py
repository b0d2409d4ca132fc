"""Lists of sigma between two ends, n values from the noisy one: Karras, exponential, beta quantiles; flow shifts.

Karras: (a + u (b - a))^rho with a = sigma_max^(1/rho), b = sigma_min^(1/rho), u in [0, 1]; exponential: equal
steps of ln sigma; beta: quantiles of Beta(0.6, 0.6). Flow: tau -> s tau/(1 + (s - 1) tau), s = e^mu if dynamic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.exchange.config import Config

__all__ = ["chosen_ramp", "karras_ramp", "shifted", "timesteps_of"]


def karras_ramp(high: float, low: float, u: FloatArray, rho: float = 7.0) -> FloatArray:
    """Values at the fractions u of the ramp in sigma^(1/rho); ValueError where that power overflows."""
    try:
        a, b = high ** (1 / rho), low ** (1 / rho)
    except OverflowError:
        raise ValueError(f"`rho` must keep sigma^(1/rho) finite, got {rho!r} with `sigma_max` {high!r}.") from None
    return np.asarray((a + u * (b - a)) ** rho)


def chosen_ramp(config: Config, sigma: npt.NDArray[Any], count: int) -> FloatArray | None:
    """The list that the configuration chooses between the ends of `sigma` (noisy first); None if it chooses none."""
    high = float(sigma[0]) if config["sigma_max"] is None else float(config["sigma_max"])
    low = float(sigma[-1]) if config["sigma_min"] is None else float(config["sigma_min"])
    u = np.linspace(0, 1, count)
    if config["use_karras_sigmas"]:
        return karras_ramp(high, low, u)
    if config["use_exponential_sigmas"]:
        return np.asarray(np.exp(np.linspace(math.log(high), math.log(low), count)))
    if config["use_beta_sigmas"]:
        from scipy.special import betaincinv  # imported on use: `import pifs_sim` stays quick

        return np.asarray(low + betaincinv(0.6, 0.6, 1 - u) * (high - low))
    if config["use_lu_lambdas"]:
        first, last = math.log(high), math.log(low)
        return np.asarray(np.exp(first + u * (last - first)))
    return None


def shifted(config: Config, tau: FloatArray, mu: float | None) -> FloatArray:
    """Flow times after the shift, stretched to end at `shift_terminal` if set; ValueError for a list of ones."""
    if mu is None or config.cls.name in (
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "DEISMultistepScheduler",
    ):
        shift = float(config["shift"] or config["flow_shift"]) if mu is None else math.exp(mu)
        tau = shift * tau / (1 + (shift - 1) * tau)
    else:
        scale = math.exp(mu) if config["time_shift_type"] == "exponential" else mu
        tau = scale / (scale + (1 / tau - 1))
    if config["shift_terminal"]:
        if tau[-1] == 1.0:
            raise ValueError("`shift_terminal` must have a list to stretch, got one that does not leave 1.")
        tau = 1 - (1 - tau) / ((1 - tau[-1]) / (1 - config["shift_terminal"]))
    return tau


def timesteps_of(sigma: FloatArray, table: npt.NDArray[Any]) -> FloatArray:
    """Fractional timesteps of `sigma`: linear in ln sigma between the entries of the training chain's `table`.

    Raises:
        ValueError: a chain so flat that neighbouring entries coincide.
    """
    logs, ln = np.log(table), np.log(np.maximum(sigma, 1e-10))
    below = np.clip(np.searchsorted(logs, ln, side="right") - 1, 0, logs.size - 2)
    low, high = logs[below], logs[below + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        w = np.clip((low - ln) / (low - high), 0, 1)
    if np.isnan(w).any():
        raise ValueError("`config` must have a training chain whose sigmas differ, got two equal ones.")
    return np.asarray((1 - w) * below + w * (below + 1))
