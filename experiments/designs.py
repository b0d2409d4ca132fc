"""A schedule designed to order: which ends, which solver, on a training grid or not, in which form it leaves."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.audits import ERRORS, errors, solver_of
from experiments.terminal import BadInput, reading_input, unknown
from pifs_sim.diffusion import Schedule, exchange, schedules
from pifs_sim.diffusion import design as designing
from pifs_sim.diffusion.exchange.classes import CLASSES
from pifs_sim.diffusion.exchange.config import Config, read_config
from pifs_sim.diffusion.spectra import Spectrum, power_law, two_scales

__all__ = ["Order", "described", "design", "order"]

_FORMS = ("json", "csv", "comfyui")
_ENDS = (0.002, 80.0)
_MOST_OPTIMISED, _MOST_STEPS = 500, 10_000  # the optimum of 500 steps takes seconds (2m: a minute)


@dataclass(frozen=True)
class Order:
    """What was asked for; `chain` is the training chain and `config` its configuration, where there is one."""

    steps: int
    objective: Any
    solver: Any
    method: Any
    ends: tuple[float, float]
    export: str
    config: Any
    chain: Schedule | None


def _choice(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise BadInput(f"{option} must be {' or '.join(known)}, got {value!r:.60}.")
    return value


def order(
    steps: int,
    objective: str,
    solver: str | None,
    method: str,
    ends: tuple[float | None, float | None],
    config: str | None,
    export: str,
) -> Order:
    """The order, checked; BadInput for what cannot be meant."""
    _choice("--objective", objective, ERRORS)
    _choice("--method", method, ("optimise", "density"))
    most = _MOST_OPTIMISED if method == "optimise" else _MOST_STEPS
    if not 1 <= steps <= most:
        raise BadInput(f"--steps must lie in 1..{most} for --method {method}, got {steps}.")
    if solver is not None:
        _choice("--solver", solver, ("ddim", "2m"))
    if export not in _FORMS and export not in CLASSES:
        raise unknown("export", export, (*CLASSES, *_FORMS))
    with reading_input():
        source: Any = _source(config, export)
        read = None if source is None else read_config(source)
        chain = None if source is None else exchange.from_diffusers(source)
    if read is not None and export in CLASSES and read.cls.name != export:
        raise BadInput(f"--config must be of {export}, or --export left out, got {read.cls.name}.")
    if export in CLASSES and not CLASSES[export].accepts:
        taking = ", ".join(name for name, cls in CLASSES.items() if cls.accepts)
        raise BadInput(f"--export must name a class that takes steps ({taking}), got {export}.")
    default = _ENDS if chain is None else (float(chain.sigma[0]), float(chain.sigma[-1]))
    low, high = (value if given is None else given for given, value in zip(ends, default, strict=True))
    return Order(steps, objective, solver or _usual(read, export), method, (low, high), export, source, chain)


def _source(config: str | None, export: str) -> Any:
    """The configuration: a file, a class of --config, or the defaults of the exported class."""
    if config is not None:
        return {"_class_name": config} if config in CLASSES else Path(config)
    return {"_class_name": export} if export in CLASSES else None


def _usual(config: Config | None, export: str) -> str:
    return solver_of(config)[0] if export in CLASSES else "ddim"


def _on_timesteps(wanted: Order) -> bool:
    """Whether the exported class takes whole timesteps of its training chain only."""
    cls = CLASSES.get(wanted.export)
    return cls is not None and cls.accepts[0] == "timesteps" and cls.family != "noise"


def _exported(schedule: Schedule, wanted: Order) -> str:
    if wanted.export == "json":
        return exchange.to_json(schedule) + "\n"
    if wanted.export == "csv":
        return exchange.to_csv(schedule)
    content: Any = (
        exchange.comfyui_sigmas(schedule)
        if wanted.export == "comfyui"
        else exchange.to_diffusers(schedule, wanted.export, config=wanted.config)
    )
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _rivals(steps: int, ends: tuple[float, float]) -> list[Schedule]:
    """The usual schedules between the same ends."""
    angles = math.atan(ends[0]), math.atan(ends[1])
    found = [schedules.uniform_angle(steps, *angles)]
    if ends[0] > 0 and math.isfinite(ends[1]):
        found = [schedules.karras(steps, *ends), schedules.log_linear(steps, *ends), *found]
    return found


def design(wanted: Order, spectrum: Spectrum) -> tuple[dict[str, Any], str, list[Schedule]]:
    """Facts about the best schedule, its exported text, and the schedules to draw.

    Raises:
        ValueError: a schedule that cannot be made or exported.
    """
    lam, counts = spectrum.eigenvalues, spectrum.multiplicities
    schedule = designing.optimal_schedule(
        lam,
        wanted.steps,
        multiplicities=counts,
        objective=wanted.objective,
        method=wanted.method,
        solver=wanted.solver,
        sigma_min=wanted.ends[0],
        sigma_max=wanted.ends[1],
    )
    if _on_timesteps(wanted) and wanted.chain is not None:
        schedule = designing.on_grid(
            schedule,
            wanted.chain,
            lam,
            multiplicities=counts,
            objective=wanted.objective,
            solver=wanted.solver,
        )
    text = _exported(schedule, wanted)
    rivals = _rivals(wanted.steps, wanted.ends)
    facts: dict[str, Any] = {
        "schedule": schedule.name,
        "steps": schedule.steps,
        "objective": wanted.objective,
        "solver": wanted.solver,
        "sigma_min": wanted.ends[0],
        "sigma_max": wanted.ends[1],
        "export": wanted.export,
        **errors(schedule, spectrum, wanted.solver),
        "angles": schedule.angles.tolist(),
        "sigmas": schedule.sigma.tolist(),
        "exported": json.loads(text) if wanted.export != "csv" else text,
        "rivals": [{"schedule": rival.name, **errors(rival, spectrum, wanted.solver)} for rival in rivals],
    }
    return facts, text, [schedule, *rivals]


def described(spectrum: Spectrum, seed: int) -> dict[str, Any]:
    """Total and leading variance, and the power law and the two scales that describe the resolved spectrum best."""
    lam, counts = spectrum.eigenvalues, spectrum.multiplicities
    resolved = lam if spectrum.captured == 1.0 else lam[counts == 1]
    facts: dict[str, Any] = {
        "shape": list(spectrum.shape),
        "total_variance": float(lam @ counts),
        "leading_eigenvalue": float(lam.max()),
        "mean_norm": float(np.linalg.norm(spectrum.mean)),
        "power_law": None,
        "two_scales": None,
    }
    if (resolved > 0).sum() >= 8:
        rng = np.random.default_rng(seed)
        facts["power_law"] = power_law(resolved, rng=rng)._asdict()
        facts["two_scales"] = two_scales(resolved, rng=rng)._asdict()
    return facts
