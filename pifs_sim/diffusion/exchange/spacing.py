"""Which timesteps n steps visit, N training steps given, first the noisy one.

leading: i (N // n) + offset; trailing: round(N - i N/n) - 1; linspace: n points of [0, N - 1]. Solvers of
the DPM family take n of n + 1 points (leading, linspace), dropping the clean one.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.exchange.config import Config
from pifs_sim.diffusion.exchange.training import library_alpha_bar

__all__ = ["library_timesteps", "meant_timesteps"]


def _last(config: Config) -> int:
    """N, less the timesteps whose ln(alpha/sigma) lies below `lambda_min_clipped`."""
    if config["lambda_min_clipped"] in (None, float("-inf")):
        return config.training_steps
    alpha_bar = library_alpha_bar(config)
    lam = np.log(np.sqrt(alpha_bar)) - np.log(np.sqrt(1 - alpha_bar))
    return config.training_steps - int(np.searchsorted(lam[::-1], np.float32(config["lambda_min_clipped"])))


def library_timesteps(config: Config, count: int) -> FloatArray:
    """The class's own timesteps, float64; with floating-point accidents there may be count + 1 of them."""
    number, spacing = config.training_steps, config["timestep_spacing"] or "linspace"
    offset, solver = config["steps_offset"] or 0, config.cls.family == "solver"
    points, last = count + solver, _last(config)
    if spacing == "trailing":
        # the library counts from `last` to 0 by N/n in floating point: the count may exceed n by one
        return np.asarray(np.round(np.arange(last, 0, -(number / count))) - 1, dtype=np.float64)
    if spacing == "leading":
        steps = np.arange(points) * ((last if solver else number) // points) + float(offset)
    else:
        steps = np.linspace(0, last - 1, points)
        # "noise" classes keep fractions, in float32
        steps = steps.astype(np.float32).astype(np.float64) if config.cls.family == "noise" else steps.round()
    return np.asarray(steps[::-1][: count if solver else points], dtype=np.float64)


def meant_timesteps(config: Config, count: int) -> FloatArray:
    """The timesteps that the option describes: exactly `count`, the first at the noisy end where there is but one."""
    number, spacing = config.training_steps, config["timestep_spacing"] or "linspace"
    last = _last(config)
    if spacing == "trailing":
        return np.array([round(last - Fraction(number * i, count)) - 1.0 for i in range(count)])
    if spacing == "linspace" and count == 1:
        return np.array([last - 1.0])
    return library_timesteps(config, count)
