"""What an audit finds: how far a schedule, and what its class does of it, is from the best one of as many steps.

All errors are exact on Gaussian data with the given spectrum. A class that goes from angle a_i to b_i, where b_i need
not be a_{i+1}, multiplies the standard deviation along variance lam by prod_i f(a_i -> b_i), f = P/N, whatever it was.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.quantities import of_schedule
from experiments.schedule_input import Given, noting
from pifs_sim.diffusion import Schedule, design, exchange, geometry
from pifs_sim.diffusion.angles import cos_sin
from pifs_sim.diffusion.design.directions import Objective, directions
from pifs_sim.diffusion.design.optimal import Solver
from pifs_sim.diffusion.exchange.config import Config, read_config
from pifs_sim.diffusion.spectra import Spectrum
from pifs_sim.dynamics import kaplan_yorke_dimension

__all__ = ["ERRORS", "audit", "errors", "measured", "optima", "solver_of"]

ERRORS: tuple[Objective, ...] = ("kl", "w2")
_MOST_OPTIMISED = 100  # steps; their number times that of the eigenvalues decides the time
_ELSEWHERE = 1.5  # times the variances: other data than the schedule was fitted to
_WORTH = 1.05  # ratio of W_2 from which a change is advised
_FIRST_ORDER = (
    "DDIMScheduler",
    "EulerDiscreteScheduler",
    "EDMEulerScheduler",
    "FlowMatchEulerDiscreteScheduler",
)
_MOVED = ("next angle", "count", "levels", "start", "clean end", "idle step")  # kinds that change the chain


def solver_of(config: Config | None) -> tuple[Solver, str | None]:
    """The solver whose error is computed for a class, and what must be said of that."""
    if config is None or config.cls.name in _FIRST_ORDER or config["solver_order"] == 1:
        return "ddim", None
    if config.cls.name == "DPMSolverMultistepScheduler" and config["algorithm_type"] == "dpmsolver++":
        return "2m", "errors are those of the second-order solver" if config["solver_order"] == 3 else None
    return "ddim", f"errors are those of first-order steps, which {config.cls.name} does not make"


def errors(schedule: Schedule, spectrum: Spectrum, solver: Solver = "ddim") -> dict[str, float]:
    """KL (nats) and W_2 of the chain from the exact marginal at the noisy end."""
    lam, count = spectrum.eigenvalues, spectrum.multiplicities
    return {key: design.chain_error(schedule, lam, count, objective=key, solver=solver) for key in ERRORS}


def measured(schedule: Schedule, spectrum: Spectrum, solver: Solver = "ddim") -> dict[str, Any]:
    """The model-free quantities, the dimension and the errors of one schedule on one spectrum."""
    exponents = geometry.lyapunov_exponent(schedule, spectrum.eigenvalues)
    sigma = schedule.sigma
    return of_schedule(schedule) | {
        "sigma_min": float(sigma[0]),
        "sigma_max": float(sigma[-1]),
        "expanding_directions": int(spectrum.multiplicities[exponents > 0].sum()),
        "dimension_full": kaplan_yorke_dimension(exponents, spectrum.multiplicities),
        **errors(schedule, spectrum, solver),
    }


def optima(schedule: Schedule, spectrum: Spectrum, solver: Solver) -> dict[Objective, Schedule]:
    """The best schedules for KL and W_2 with the same number of steps and the same ends.

    Above 100 steps: by the optimal density of DDIM's steps, which then is the optimum to 1e-5 for DDIM.
    """
    few = schedule.steps <= _MOST_OPTIMISED
    return {
        key: design.optimal_schedule(
            spectrum.eigenvalues,
            schedule.steps,
            multiplicities=spectrum.multiplicities,
            objective=key,
            method="optimise" if few else "density",
            solver=solver if few else "ddim",
            sigma_min=float(schedule.sigma[0]),
            sigma_max=float(schedule.sigma[-1]),
        )
        for key in ERRORS
    }


def _of_class(made: exchange.SamplerSteps, start: float, spectrum: Spectrum) -> dict[str, float]:
    """KL and W_2 of what first-order calls do, against p at angle `start`, from the marginal at the first call."""
    (c_a, s_a), (c_b, s_b) = cos_sin(made.angle), cos_sin(made.next_angle)
    c_0, s_0 = cos_sin(start)
    found: dict[str, float] = {}
    for key in ERRORS:
        wanted = directions(spectrum.eigenvalues, spectrum.multiplicities, key, start)
        lam = wanted.root**2
        log_gain = np.log((lam * c_a[0] ** 2 + s_a[0] ** 2) / (lam * c_0**2 + s_0**2)) / 2
        with np.errstate(divide="ignore"):  # one call from pi/2 to 0 loses everything
            for i in range(made.angle.size):
                log_gain += np.log((lam * (c_a[i] * c_b[i]) + s_a[i] * s_b[i]) / (lam * c_a[i] ** 2 + s_a[i] ** 2))
        error = wanted.error(log_gain)[0]
        found[key] = math.sqrt(error) if key == "w2" else error
    return found


def _json(found: exchange.Discrepancy) -> dict[str, Any]:
    return {"kind": found.kind, "calls": list(found.calls), "size": found.size, "text": found.text}


def _ratio(value: float, best: float) -> float:
    if value == best:  # both 0, or both infinite
        return 1.0
    return value / best if best > 0 else math.inf


def _advice(facts: dict[str, Any], found: tuple[exchange.Discrepancy, ...], config: Config | None, ask: str) -> str:
    """One sentence: what to do."""
    steps, w2, done = facts["steps"], facts["w2"], facts.get("of_class")
    failed = next((entry.text for entry in found if entry.kind == "fails"), None)
    if failed is not None:
        return f"Choose another number of steps or spacing, since the class fails: {failed}"
    if config is not None and done is not None and done["w2"] > _WORTH * w2:
        why = next((entry.text.rstrip(".") for entry in found if entry.kind in _MOVED), "it departs from its options")
        return (
            f"Choose other options or another number of steps, because W₂ is {done['w2']:.3g} instead of the "
            f"{w2:.3g} that the options mean: {why}."
        )
    best = facts["optimum"]
    if facts["w2_ratio"] > _WORTH:
        takes = config is None or bool(config.cls.accepts)
        other = "" if takes else f" (in a class that takes steps, unlike {config.cls.name})" if config else ""
        fitted = facts["optimum_elsewhere"]["w2"]
        return (
            f"Take the steps of `pifs-sim schedule design --steps {steps} {ask}`{other}: at best W₂ falls from "
            f"{w2:.3g} to {best['w2']:.3g} ({fitted:.3g} on data with {_ELSEWHERE} times the variances), or KL from "
            f"{facts['kl']:.3g} to {best['kl']:.3g}{_start(facts)}."
        )
    gain = 100 * (1 - 1 / facts["w2_ratio"])
    return (
        f"Keep it: no {steps} steps between the same ends lower W₂ by more than {gain:.2g} % on this spectrum"
        f"{_start(facts)}."
    )


def _start(facts: dict[str, Any]) -> str:
    """What is to be said of the noisy end where it costs more than the steps do."""
    start = facts.get("from_noise", facts)["w2"]
    if not start > 2 * facts["w2"]:
        return ""
    return f"; starting from N(0, I) at σ = {facts['sigma_max']:.4g} costs more, W₂ = {start:.3g}"


def audit(
    given: Given, spectrum: Spectrum, ask: str, *, mu: float | None = None
) -> tuple[dict[str, Any], list[Schedule]]:
    """All that is found out about a schedule, for people and machines, and the schedules to draw.

    Args:
        given: the schedule and its configuration.
        spectrum: of the data.
        ask: the options that make `schedule design` answer for the same case.
        mu: dynamic shift of flow classes.
    """
    schedule, notes = given.schedule, list[str]()
    config = None if given.config is None else read_config(given.config)
    solver, note = solver_of(config)
    facts = measured(schedule, spectrum, solver) | {"solver": solver}
    facts["class"] = None if config is None else config.cls.name
    with noting(notes):
        best = optima(schedule, spectrum, solver)
        departures = () if given.config is None else exchange.discrepancies(given.config, given.count, mu=mu)
        if config is not None and config.cls.name in _FIRST_ORDER and all(d.kind != "fails" for d in departures):
            made = exchange.diffusers_steps(given.config, given.count, mu=mu)
            facts["of_class"] = _of_class(made, float(schedule.angles[0]), spectrum)
    if schedule.steps > _MOST_OPTIMISED and solver == "2m":
        notes.append(f"above {_MOST_OPTIMISED} steps the best is that for first-order steps")
    facts["optimum"] = {key: errors(best[key], spectrum, solver)[key] for key in ERRORS}
    other = replace(spectrum, eigenvalues=_ELSEWHERE * spectrum.eigenvalues)
    facts["elsewhere"] = errors(schedule, other, solver)
    facts["optimum_elsewhere"] = {key: errors(best[key], other, solver)[key] for key in ERRORS}
    facts |= {f"{key}_ratio": _ratio(facts[key], facts["optimum"][key]) for key in ERRORS}
    if solver == "ddim":
        lam, counts, mean = spectrum.eigenvalues, spectrum.multiplicities, spectrum.mean
        facts["from_noise"] = {
            key: geometry.gaussian_error(schedule, lam, counts, key, "normal", mean) for key in ERRORS
        }
    facts["discrepancies"] = [_json(entry) for entry in departures]
    facts["notes"] = [text for text in notes if "no longer the chain's" not in text] + ([note] if note else [])
    facts["advice"] = _advice(facts, departures, config, ask)
    return facts, [schedule, *best.values()]
