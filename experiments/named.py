"""Schedules by the names that the command line takes."""

from __future__ import annotations

from typing import Any

from experiments.terminal import BadInput, reading_input, unknown

__all__ = ["SCHEDULES", "schedule"]

SCHEDULES = ("linear", "scaled_linear", "cosine", "uniform_angle", "karras", "log_linear", "flow")


def schedule(name: str, steps: int, sigma_min: float | None = None, sigma_max: float | None = None) -> Any:
    """The schedule of that name (- or _); sigma_min, 0.002, and sigma_max, 80, are those of karras and log_linear.

    Raises:
        BadInput: an unknown name, values that the schedule refuses, or a sigma for a schedule that takes none.
    """
    from pifs_sim.diffusion import schedules

    key = name.replace("-", "_")
    if key not in SCHEDULES:
        raise unknown("schedule", name, SCHEDULES)
    sigmas: tuple[float, ...] = ()
    if key in ("karras", "log_linear"):
        sigmas = (0.002 if sigma_min is None else sigma_min, 80.0 if sigma_max is None else sigma_max)
    for option, value in (("--sigma-min", sigma_min), ("--sigma-max", sigma_max)):
        if value is not None and not sigmas:
            raise BadInput(f"{option} must come with karras or log_linear, got {value:g} with {name}.")
    with reading_input():
        return getattr(schedules, key)(steps, *sigmas)
