"""Schedules by the names that the command line takes."""

from __future__ import annotations

from typing import Any

from experiments.terminal import reading_input, unknown

__all__ = ["SCHEDULES", "schedule"]

SCHEDULES = ("linear", "scaled_linear", "cosine", "uniform_angle", "karras", "log_linear", "flow")


def schedule(name: str, steps: int, sigma_min: float = 0.002, sigma_max: float = 80.0) -> Any:
    """The schedule of that name (- or _); sigma_min and sigma_max are those of karras and log_linear.

    Raises:
        BadInput: an unknown name, or values that the schedule refuses.
    """
    from pifs_sim.diffusion import schedules

    key = name.replace("-", "_")
    if key not in SCHEDULES:
        raise unknown("schedule", name, SCHEDULES)
    sigmas = (sigma_min, sigma_max) if key in ("karras", "log_linear") else ()
    with reading_input():
        return getattr(schedules, key)(steps, *sigmas)
