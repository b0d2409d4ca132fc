"""Where a scheduler class departs from the schedule that its configuration means, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import HALF_PI
from pifs_sim.diffusion.exchange.config import Config, ConfigSource, read_config
from pifs_sim.diffusion.exchange.levels import is_flow
from pifs_sim.diffusion.exchange.ramps import timesteps_of
from pifs_sim.diffusion.exchange.reading import check_request, meant, nonlinear
from pifs_sim.diffusion.exchange.sampler import SamplerSteps, sampler_steps
from pifs_sim.diffusion.exchange.training import library_sigma

__all__ = ["Discrepancy", "discrepancies"]

_ROUNDING = 3e-5  # relative, in tan phi: what float32 betas and products cost is 1.3e-5
_TIMESTEP = 0.1  # between the linear and the logarithmic reading of a fractional timestep


@dataclass(frozen=True)
class Discrepancy:
    """One departure: its kind, the calls concerned (0 is the noisiest), its size, and text, a sentence.

    Kinds and the unit of `size`: "next angle" and "clean end", "start" (radians), "levels" (ratio of tan phi, as
    |ln|), "timestep" (timesteps), "count" (calls), "idle step" (calls), "zero SNR" (radians), "ramp" (none),
    "nonlinear", "stochastic", "ignored option", "fails" (none: 0).
    """

    kind: str
    calls: tuple[int, ...]
    size: float
    text: str


def _where(mask: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.flatnonzero(mask))


def _moves(config: Config, made: SamplerSteps, angles: npt.NDArray[np.float64], number: int) -> Iterator[Discrepancy]:
    """First-order classes: every call should leave the sample where the next one takes it to be."""
    gap = np.abs(made.next_angle[:-1] - made.angle[1:])
    wrong = gap > 1e-9
    if wrong.any():
        text = (
            f"{config.cls.name} leaves the sample elsewhere than at the next grid point in {int(wrong.sum())} of "
            f"{made.angle.size} steps: it goes to t - {config.training_steps} // {number}."
        )
        yield Discrepancy("next angle", _where(np.append(wrong, False)), float(gap.max()), text)
    idle = made.next_angle == made.angle
    if idle.any():
        yield Discrepancy("idle step", _where(idle), float(idle.sum()), "Some steps have no length.")
    end = abs(float(made.next_angle[-1] - angles[-1]))
    if end > 1e-4:
        text = f"The last step ends at angle {made.next_angle[-1]:.6g} instead of {angles[-1]:.6g}."
        yield Discrepancy("clean end", (made.angle.size - 1,), end, text)


def _levels(made: SamplerSteps, angles: npt.NDArray[np.float64], number: int) -> Iterator[Discrepancy]:
    angle = made.angle
    if angle.size != number:
        text = f"The class makes {angle.size} calls instead of {number}."
        yield Discrepancy("count", (), float(angle.size - number), text)
    start = abs(float(angle[0] - angles[0]))
    if start > 1e-3:
        text = f"The first call is at angle {angle[0]:.6g} instead of {angles[0]:.6g}."
        yield Discrepancy("start", (0,), start, text)
    if angle.size == number:
        m = min(angle.size, angles.size - 1) or 1
        with np.errstate(divide="ignore", invalid="ignore"):
            # a time above 1 is an angle past pi/2, whose tangent is negative
            ratio = np.abs(np.log(np.abs(np.tan(angle[:m]) / np.tan(angles[:m]))))
        ratio[angle[:m] == angles[:m]] = 0.0  # 0/0
        if max(angle[0], angles[0]) > HALF_PI - 1e-12:
            ratio[0] = 0.0  # of pure noise: "start" says how far apart they are
        wrong = ratio > _ROUNDING
        if wrong.any():
            text = (
                f"{int(wrong.sum())} of {number} noise levels differ, by a factor of up to {math.exp(ratio.max()):.6g}."
            )
            yield Discrepancy("levels", _where(wrong), float(ratio.max()), text)


def _timesteps(config: Config, made: SamplerSteps) -> Iterator[Discrepancy]:
    if config.cls.family not in ("noise", "solver") or config["timestep_type"] == "continuous":
        return
    true = made.sigma * config.training_steps if is_flow(config) else timesteps_of(made.sigma, library_sigma(config))
    gap = np.abs(true - made.timesteps)
    wrong = gap > _TIMESTEP
    if wrong.any():
        text = f"The model is told a timestep up to {gap.max():.3g} off its noise level in {int(wrong.sum())} calls."
        yield Discrepancy("timestep", _where(wrong), float(gap.max()), text)


def _character(config: Config) -> Iterator[Discrepancy]:
    name, option = config.cls.name, nonlinear(config)
    if option is not None:
        yield Discrepancy("nonlinear", (), 0.0, f"`{option}` of {name} is on: where it acts, no step is the chain's.")
    sde = str(config["algorithm_type"]).startswith("sde")
    if config.cls.stochastic or sde or config["stochastic_sampling"]:
        yield Discrepancy("stochastic", (), 0.0, f"{name} adds noise: its steps are not the deterministic chain's.")
    if config["rescale_betas_zero_snr"] and config.cls.family != "index":
        text = f"{name} puts alpha_bar = 2^-24 in place of 0: sigma = 4096, not inf."
        yield Discrepancy("zero SNR", (0,), math.atan(1 / 4096), text)
    for option in config.foreign:
        yield Discrepancy("ignored option", (), 0.0, f"`{option}` is no option of {name}, which ignores it.")


def discrepancies(
    config: ConfigSource,
    num_inference_steps: int | None = None,
    *,
    mu: float | None = None,
    timesteps: npt.ArrayLike | None = None,
) -> tuple[Discrepancy, ...]:
    """Where `diffusers_steps` and `from_diffusers` differ, and by how much.

    Arguments as theirs: `config`, `num_inference_steps` = n, the shift `mu`, custom `timesteps` (n,) in place of n.

    float32 rounding, up to 3e-5 of tan phi, is not listed. A request that the class cannot carry out, or that
    means no schedule, is one entry of kind "fails".

    Raises:
        ValueError: a bad configuration or count.
    """
    read = read_config(config)
    count, mu, steps = check_request(read, num_inference_steps, mu, timesteps)
    found = list(_character(read))
    try:
        made = sampler_steps(read, count, mu=mu, steps=steps)
        angles = meant(read, count, mu=mu, steps=steps)
    except ValueError as problem:
        return (*found, Discrepancy("fails", (), 0.0, str(problem)))
    if read.cls.name == "PNDMScheduler" or read.cls.repeats:  # several calls make one step: compare what they visit
        visited = np.unique(made.angle)[::-1]
        missing = np.array([np.min(np.abs(visited - phi)) for phi in angles[:-1]])
        if missing.max() > 1e-4:
            text = f"{int((missing > 1e-4).sum())} of the {count} noise levels meant are never visited."
            found.append(Discrepancy("levels", _where(missing > 1e-4), float(missing.max()), text))
        found.extend(_pndm_moves(read, made, angles))
    else:
        found.extend(_levels(made, angles, count))
        found.extend(_moves(read, made, angles, count))
    found.extend(_timesteps(read, made))
    return tuple(found)


def _pndm_moves(config: Config, made: SamplerSteps, angles: npt.NDArray[np.float64]) -> Iterator[Discrepancy]:
    """A multistep call should leave the sample at a level that is meant."""
    if config.cls.repeats:
        return
    first = 1 if config["skip_prk_steps"] else 12
    moves = made.next_angle[first:]
    gap = np.array([np.min(np.abs(angles - phi)) for phi in moves]) if moves.size else np.zeros(1)
    if gap.max() > 1e-4:
        text = f"{config.cls.name} leaves the sample off its grid in {int((gap > 1e-4).sum())} of {moves.size} steps."
        yield Discrepancy(
            "next angle", tuple(int(i) + first for i in np.flatnonzero(gap > 1e-4)), float(gap.max()), text
        )
