"""Six schedules against the numerical optimum on five spectra: KL and W_2 of the DDIM and DPM-Solver++(2M) chains.

Every number is exact for Gaussian data from the exact marginal at sigma_max, sigma 0.02 .. 80. Columns: the least error
reached and the gradient there, as a share of the objective (KL, W_2^2) by the logarithms of the step lengths; then the
error of each schedule in units of it (W_2 as a distance). The density is DDIM's on the same spectrum and objective,
for 2M too. `exponential` (diffusers: equally spaced ln sigma) and `log-linear` are one schedule. `beta` is diffusers'
(quantiles of Beta(0.6, 0.6) laid over sigma itself). `at 1.5 lam` is the error of the optimal schedule on the
spectrum times 1.5, in units of the density's there: above 1, the optimum would fit its spectrum and no other.
`gradient` bounds its entries at the optimum, proven in 256 bits by ball arithmetic (Arb, `exact_gradient`); `in floats`
is the same at the schedule in floats, whose angles are rounded, and `excess` what that costs: its error (KL, W_2^2)
over the optimum's, less 1. For 2M, whose errors of steps nearly cancel, `in floats` can be large and `excess` nothing.
`end`: "interior"; "n vanish", where n steps shrink without end (two noise levels want to coincide: 2M then takes the
denoiser's derivative there, and the infimum is reached by no schedule). The schedule in floats keeps such steps at 1e-3
of the shortest step of the starts, which is nearly all of `excess`; `gradient`, theirs included, is taken where they
are at most 1e-4 of that. "zero": a schedule within rounding of this one makes no error at all, proven by Krawczyk's
operator: its gradient is 0, and `least` and the ratios are those of rounding. "not settled": no optimum was reached,
and `least` is an upper bound. Where the search in floats leaves 2M short of an optimum, `exact_search` goes on in long
double.

    python -m experiments.benchmarks.schedules [--rounds N] [--output FILE]

The file gets a readable neighbour, FILE with the ending .md.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.benchmarks.exact_gradient import stationary, vanishing
from experiments.benchmarks.exact_search import search
from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.angles import FloatArray, differences
from pifs_sim.diffusion.design import chain_error, optimal_schedule
from pifs_sim.diffusion.design.directions import Directions, Objective, directions
from pifs_sim.diffusion.design.optimal import Solver, end_angles, gain_of, settle
from pifs_sim.diffusion.design.optimum import EXACT, Minimum, Problem, bounded_minimum, valley_minimum
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum

__all__ = ["end_of", "main"]

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


def end_of(spectrum: Directions, angles: FloatArray, found: Minimum, solver: Solver) -> dict[str, Any]:
    """How the search ended, and the proven gradient: columns of the table."""
    second = solver == "2m"
    if found.value <= np.log(EXACT * spectrum.weight.sum()):
        proven = spectrum.root.size < angles.size - 1 and vanishing(angles, spectrum, second=second) is not None
        return {"end": "zero" if proven else "not settled", "gradient": 0.0, "in floats": None, "excess": None}
    held, lengths = np.isfinite(found.pins), None
    if held.any():
        free = np.full(held.size, np.nan)
        closer = Problem(gain_of(solver), spectrum, end_angles(LOW, HIGH), free, 1e-3 * np.nanmin(found.pins))
        nearer = bounded_minimum(closer, np.log(differences(angles)), valley_minimum)[1]
        lengths = replace(closer, pins=nearer.pins).turns(nearer.theta)
        held = held | np.isfinite(nearer.pins)
    return _proven(spectrum, angles, lengths, held, solver)


def _proven(
    spectrum: Directions, angles: FloatArray, lengths: Any, held: npt.NDArray[np.bool_], solver: Solver
) -> dict[str, Any]:
    exact = stationary(angles, spectrum, second=solver == "2m", lengths=lengths, vanish=held)
    end = f"{held.sum()} vanish" if held.any() else "interior"
    settled = exact.gradient <= GOAL and exact.minimum is not False
    return {
        "end": end if settled else "not settled",
        "gradient": exact.gradient,
        "in floats": exact.rounded,
        "excess": exact.excess if settled else None,
    }


def beyond_floats(spectrum: Directions, angles: FloatArray, shortest: float) -> tuple[FloatArray, dict[str, Any]]:
    """The optimum of 2M that long double leads to from where floats end, rounded, and its columns of the table."""
    ends = end_angles(LOW, HIGH)
    lengths, held = search(differences(angles), spectrum, ends=ends, shortest=shortest)
    rounded = np.append(ends[0] + np.append(0.0, np.cumsum(lengths)[:-1]), ends[1]).astype(np.float64)
    if held.any():
        lengths, held = search(lengths, spectrum, ends=ends, shortest=1e-3 * shortest, vanish=held)
    return rounded, _proven(spectrum, rounded, lengths, held, "2m")


def _row(name: str, lam: FloatArray, solver: Solver, objective: Objective, steps: int) -> dict[str, Any]:
    ends = end_angles(LOW, HIGH)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the optimum for", RuntimeWarning)  # the gradient is a column
        spectrum = directions(lam, None, objective, ends[0])
        angles, found = settle(spectrum, steps, ends, solver)
    density = optimal_schedule(lam, steps, objective=objective, sigma_min=LOW, sigma_max=HIGH)
    rivals = {"density": density, **_rivals(steps)}
    claim = end_of(spectrum, angles, found, solver)
    if claim["end"] == "not settled" and solver == "2m":
        shortest = 1e-3 * min(float(rivals[start].increments.min()) for start in ("density", "log-linear"))
        angles, claim = beyond_floats(spectrum, angles, shortest)
    optimum = Schedule(angles)

    def error(schedule: Schedule, factor: float = 1.0) -> float:
        return chain_error(schedule, factor * lam, objective=objective, solver=solver)

    least = error(optimum)
    ratios = {label: error(rival) / least for label, rival in rivals.items()}
    row = {"spectrum": name, "solver": solver, "error": objective, "N": steps, "least": least}
    return row | claim | ratios | {"at 1.5 lam": error(optimum, 1.5) / error(density, 1.5)}


def _readable(rows: list[dict[str, Any]], facts: Mapping[str, Any]) -> str:
    head = list(rows[0])
    lines = [f"# {TITLE}", "", *(__doc__ or "").split("\n\n")[1].splitlines(), ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        shown = ["" if value is None else value for value in row.values()]
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in shown]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _facts(rows: list[dict[str, Any]], seconds: float, rounds: int) -> dict[str, Any]:
    ddim = [row for row in rows if row["solver"] == "ddim"]
    smooth = [row["density"] for row in ddim if row["spectrum"] != "two scales" and row["N"] >= 10]
    two = {(row["error"], row["N"]): row["density"] for row in ddim if row["spectrum"] == "two scales"}
    ended = [row for row in rows if row["end"] != "not settled"]
    steepest = {solver: max(row["gradient"] for row in ended if row["solver"] == solver) for solver in SOLVERS}
    missed = {solver: sum(row["solver"] == solver for row in rows if row not in ended) for solver in SOLVERS}
    ends = [row["end"] for row in rows if row["solver"] == "2m"]
    count = {end: sum(end in other for other in ends) for end in ("interior", "vanish", "zero", "not settled")}
    dear = max(row["excess"] for row in rows if row["end"] == "interior")
    met = "met" if max(smooth) <= 1.01 else "missed"
    return {
        "goal, density of DDIM within 1 % on the first four at N >= 10": f"worst {max(smooth):.5f}, {met}",
        "density on two scales, DDIM": ", ".join(f"{error} N={n}: {value:.4f}" for (error, n), value in two.items()),
        "goal, gradient <= 1e-8 of the objective, DDIM": f"at most {steepest['ddim']:.1e}, "
        f"{'missed' if missed['ddim'] else 'met'}",
        "goal, gradient <= 1e-8 of the objective, 2M": f"at most {steepest['2m']:.1e} where settled, "
        f"{'missed' if missed['2m'] else 'met'}: " + ", ".join(f"{n} {end}" for end, n in count.items()),
        "rounding of the angles, interior optima": f"costs at most {dear:.1e} of the objective",
        "goal, optimum for DDIM, N = 50, 12288 eigenvalues <= 5 s": f"{seconds:.2f} s, rounds {rounds}, "
        f"{'met' if seconds <= 5 else 'missed'}",
    }


def main() -> None:
    """Design, compare, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=3)
    choices = product(_spectra().items(), SOLVERS, ERRORS, STEPS)
    cases = [(name, lam, solver, error, steps) for (name, lam), solver, error, steps in choices]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(_row, *zip(*cases, strict=True)))
    many = np.geomspace(1e2, 1e-4, 12288)
    task = {"design": lambda: optimal_schedule(many, 50, method="optimise", sigma_min=LOW, sigma_max=HIGH)}
    facts = _facts(rows, medians(task, options.rounds)["design"], options.rounds)
    publish(rows, facts, TITLE, options.output)
    if options.output:
        Path(options.output).with_suffix(".md").write_text(_readable(rows, facts), encoding="utf-8")


if __name__ == "__main__":
    main()
