"""Six schedules against the numerical optimum on five spectra: KL and W_2 of the DDIM and DPM-Solver++(2M) chains.

Every number is exact for Gaussian data from the exact marginal at sigma_max, sigma 0.02 .. 80. Columns: the least error
reached and the gradient there, as a share of the objective (KL, W_2^2) by the logarithms of the step lengths; then the
error of each schedule in units of it (W_2 as a distance). The density is DDIM's on the same spectrum and objective,
for 2M too. `exponential` (diffusers: equally spaced ln sigma) and `log-linear` are one schedule. `beta` is diffusers'
(quantiles of Beta(0.6, 0.6) laid over sigma itself). `at 1.5 lam` is the error of the optimal schedule on the
spectrum times 1.5, in units of the density's there: above 1, the optimum would fit its spectrum and no other.
A gradient above 1e-8 (2M only) is a search that did not settle, because the errors of its steps nearly cancel:
`least` is then an upper bound of the optimum, and mere rounding of 0 below 1e-22 (KL) or 1e-11 (W_2).

    python -m experiments.benchmarks.schedules [--rounds N] [--output FILE]

The file gets a readable neighbour, FILE with the ending .md.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.design import chain_error, optimal_schedule
from pifs_sim.diffusion.design.directions import Objective, directions
from pifs_sim.diffusion.design.optimal import Solver, end_angles, settle
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum

__all__ = ["main"]

LOW, HIGH = 0.02, 80.0
STEPS = (5, 10, 20, 50)
SOLVERS: tuple[Solver, ...] = ("ddim", "2m")
ROUNDING = {"kl": 1e-22, "w2": 1e-11}
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


def _row(name: str, lam: FloatArray, steps: int, solver: Solver, objective: Objective) -> dict[str, Any]:
    ends = end_angles(LOW, HIGH)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the optimum for", RuntimeWarning)  # the gradient is a column
        angles, found = settle(directions(lam, None, objective, ends[0]), steps, ends, solver)
    optimum = Schedule(angles)
    density = optimal_schedule(lam, steps, objective=objective, sigma_min=LOW, sigma_max=HIGH)

    def error(schedule: Schedule, factor: float = 1.0) -> float:
        return chain_error(schedule, factor * lam, objective=objective, solver=solver)

    least = error(optimum)
    ratios = {label: error(rival) / least for label, rival in {"density": density, **_rivals(steps)}.items()}
    row = {"spectrum": name, "solver": solver, "error": objective, "N": steps, "least": least}
    return row | {"gradient": found.gradient} | ratios | {"at 1.5 lam": error(optimum, 1.5) / error(density, 1.5)}


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
    open_ends = sum(row["gradient"] > 1e-8 and row["least"] > ROUNDING[row["error"]] for row in rows)
    met = "met" if max(smooth) <= 1.01 else "missed"
    return {
        "goal, density of DDIM within 1 % on the first four at N >= 10": f"worst {max(smooth):.5f}, {met}",
        "density on two scales, DDIM": ", ".join(f"{error} N={n}: {value:.4f}" for (error, n), value in two.items()),
        "goal, gradient <= 1e-8 of the objective": f"DDIM {steepest:.1e}, {'met' if steepest <= 1e-8 else 'missed'}; "
        f"2M settled, or zero to rounding, in {len(rows) - len(ddim) - open_ends} of {len(rows) - len(ddim)}",
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
