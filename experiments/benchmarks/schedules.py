"""Six schedules against the numerical optimum on five spectra: KL and W_2 of the DDIM and DPM-Solver++(2M) chains.

Every number is exact for Gaussian data from the exact marginal at sigma_max, sigma 0.02 .. 80. Columns: the least error
reached and the gradient there, as a share of the objective (KL, W_2^2) by the logarithms of the step lengths; then the
error of each schedule in units of it (W_2 as a distance). The density is DDIM's on the same spectrum and objective,
for 2M too. `exponential` (diffusers: equally spaced ln sigma) and `log-linear` are one schedule. `beta` is diffusers'
(quantiles of Beta(0.6, 0.6) laid over sigma itself). `at 1.5 lam` is the error of the optimal schedule on the
spectrum times 1.5, in units of the density's there: above 1, the optimum would fit its spectrum and no other.
For 2M, whose errors of steps nearly cancel, `gradient` is taken in 40 digits (mpmath, `exact_gradient`) at the optimum
that Newton's method reaches in those digits from the schedule returned; `in floats` is the same gradient at that
schedule, before, and `moved` the largest relative change of a step in between. For DDIM, whose errors add, all is in
floats. `end`: "interior"; "n shortest", where n steps shrink until the bound of 2M, 1e-3 of the shortest step of the
starts, holds them (two noise levels want to coincide, and the infimum over all schedules is reached by none: this is
the optimum under the bound, and the gradient that of the other steps); "zero", the error is rounding of 0, below 1e-24
of the sum of the weights, and has no gradient; "not settled", the search ended first, and `least` is an upper bound.

    python -m experiments.benchmarks.schedules [--rounds N] [--output FILE]

The file gets a readable neighbour, FILE with the ending .md.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.exact_gradient import stationary
from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.design import chain_error, optimal_schedule
from pifs_sim.diffusion.design.directions import Directions, Objective, directions
from pifs_sim.diffusion.design.optimal import Solver, end_angles, gain_of, settle
from pifs_sim.diffusion.design.optimum import EXACT, Minimum, Problem
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum

__all__ = ["main"]

LOW, HIGH = 0.02, 80.0
STEPS = (5, 10, 20, 50)
SOLVERS: tuple[Solver, ...] = ("ddim", "2m")
GOAL = 1e-8
ERRORS: tuple[Objective, ...] = ("kl", "w2")
TITLE = "Schedules against the optimum on Gaussian data, sigma 0.02 .. 80"


def _spectra() -> dict[str, FloatArray]:
    from scipy.stats import norm

    k = np.arange(1.0, 193.0)
    return {
        "photograph": patch_spectrum(default_photograph(), 8).eigenvalues,
        "k^-2": k**-2,
        "k^-3": k**-3,
        "log-normal": np.exp(2 * norm.ppf((k - 0.5) / 192)),
        "two scales": np.array([1e-3, 1e2]),
    }


def _beta(steps: int) -> Schedule:
    from scipy.stats import beta

    return schedules.from_sigma(LOW + beta.ppf(np.linspace(0, 1, steps + 1), 0.6, 0.6) * (HIGH - LOW), "beta")


def _rivals(steps: int) -> dict[str, Schedule]:
    log_linear = schedules.log_linear(steps, LOW, HIGH)
    return {
        "Karras": schedules.karras(steps, LOW, HIGH),
        "log-linear": log_linear,
        "exponential": log_linear,
        "arctan-uniform": schedules.uniform_angle(steps, *end_angles(LOW, HIGH)),
        "beta": _beta(steps),
    }


def _end(spectrum: Directions, found: Minimum, solver: Solver) -> dict[str, Any]:
    if found.value <= np.log(EXACT * spectrum.weight.sum()):
        return {"end": "zero", "gradient": found.gradient, "in floats": found.gradient, "moved": 0.0}
    gradient, before, moved = found.gradient, found.gradient, 0.0
    if solver == "2m":
        problem = Problem(gain_of(solver), spectrum, end_angles(LOW, HIGH), found.pins)
        gradient, before, moved, _ = stationary(problem, found, second=True)
    held = int(np.isfinite(found.pins).sum())
    end = f"{held} shortest" if held else "interior"
    return {
        "end": end if gradient <= GOAL else "not settled",
        "gradient": gradient,
        "in floats": before,
        "moved": moved,
    }


def _row(name: str, lam: FloatArray, steps: int, solver: Solver, objective: Objective) -> dict[str, Any]:
    ends = end_angles(LOW, HIGH)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the optimum for", RuntimeWarning)  # the gradient is a column
        spectrum = directions(lam, None, objective, ends[0])
        angles, found = settle(spectrum, steps, ends, solver)
    optimum = Schedule(angles)
    density = optimal_schedule(lam, steps, objective=objective, sigma_min=LOW, sigma_max=HIGH)

    def error(schedule: Schedule, factor: float = 1.0) -> float:
        return chain_error(schedule, factor * lam, objective=objective, solver=solver)

    least = error(optimum)
    ratios = {label: error(rival) / least for label, rival in {"density": density, **_rivals(steps)}.items()}
    row = {"spectrum": name, "solver": solver, "error": objective, "N": steps, "least": least}
    return row | _end(spectrum, found, solver) | ratios | {"at 1.5 lam": error(optimum, 1.5) / error(density, 1.5)}


def _readable(rows: list[dict[str, Any]], facts: Mapping[str, Any]) -> str:
    head = list(rows[0])
    lines = [f"# {TITLE}", "", *(__doc__ or "").split("\n\n")[1].splitlines(), ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _facts(rows: list[dict[str, Any]], seconds: float, rounds: int) -> dict[str, Any]:
    ddim = [row for row in rows if row["solver"] == "ddim"]
    smooth = [row["density"] for row in ddim if row["spectrum"] != "two scales" and row["N"] >= 10]
    two = {(row["error"], row["N"]): row["density"] for row in ddim if row["spectrum"] == "two scales"}
    steepest = max(row["gradient"] for row in ddim)
    ends = [row["end"] for row in rows if row["solver"] == "2m"]
    count = {end: sum(end in other for other in ends) for end in ("interior", "shortest", "zero", "not settled")}
    met = "met" if max(smooth) <= 1.01 else "missed"
    return {
        "goal, density of DDIM within 1 % on the first four at N >= 10": f"worst {max(smooth):.5f}, {met}",
        "density on two scales, DDIM": ", ".join(f"{error} N={n}: {value:.4f}" for (error, n), value in two.items()),
        "goal, gradient <= 1e-8 of the objective, DDIM": f"{steepest:.1e}, {'met' if steepest <= GOAL else 'missed'}",
        "goal, gradient <= 1e-8 of the objective, 2M": ", ".join(f"{n} {end}" for end, n in count.items())
        + f", {'missed' if count['not settled'] else 'met wherever there is an error'}",
        "goal, optimum for DDIM, N = 50, 12288 eigenvalues <= 5 s": f"{seconds:.2f} s, rounds {rounds}, "
        f"{'met' if seconds <= 5 else 'missed'}",
    }


def main() -> None:
    """Design, compare, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=3)
    cases = [(name, lam, solver, error) for name, lam in _spectra().items() for solver in SOLVERS for error in ERRORS]
    rows = [_row(name, lam, steps, solver, error) for name, lam, solver, error in cases for steps in STEPS]
    many = np.geomspace(1e2, 1e-4, 12288)
    task = {"design": lambda: optimal_schedule(many, 50, method="optimise", sigma_min=LOW, sigma_max=HIGH)}
    facts = _facts(rows, medians(task, options.rounds)["design"], options.rounds)
    publish(rows, facts, TITLE, options.output)
    if options.output:
        Path(options.output).with_suffix(".md").write_text(_readable(rows, facts), encoding="utf-8")


if __name__ == "__main__":
    main()
