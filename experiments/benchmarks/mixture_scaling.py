"""Seconds of a mixture's chain over samples N, steps T, coordinates d, components K and threads, on one or two cores.

Time should be linear in N (from 10^4) and in T within 1.2 x, and over K and d within 1.5 x of

    N T (K e + (4 K + c) d/(f P)),

e seconds for an exponential, P the multiply-add peak of the same run in operations per second, f the fraction of it,
and c = 40 operations for each coordinate of a sample (it is read, split, and written again: what ten components cost).
e and f are fitted, by the smallest largest logarithmic residual, to K >= 8; smaller K are shown beside it, unfitted. A
call also costs a third of a millisecond, and reading and writing the samples some steps' time, which the curves over N
(T = 50) and T (N = 20 000) hide; from 25 steps on, the second is 1.23 x for float32, d = 2, K = 8.

    OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.mixture_scaling [--rounds N] [--output FILE]
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import minimize

from experiments import figures
from experiments.benchmarks.limits import multiply_add_peak
from experiments.benchmarks.machine import arguments, publish
from experiments.benchmarks.mixture_chain import on_cores, problem
from pifs_sim.kernels import mixture_chain

__all__ = ["main"]

DTYPES = ("float32", "float64")
COORDINATES = (1, 2, 3, 4, 8, 16, 64, 256, 1024, 3072)
COMPONENTS = (1, 2, 4, 8, 16, 32, 64, 128)
FITTED = 8  # components from which on the model is fitted
SAMPLES, STEPS = (10_000, 20_000, 40_000, 80_000), (50, 100, 200, 400)
SHAPES = ((2, 8), (64, 32))  # of the curves over N, T and threads
COORDINATE = 40.0  # operations that one coordinate of a sample counts, beside 4 a component
_PASSES = 3
_GRID_STEPS, _GRID_WORK = 10, 1e7  # multiply-adds and exponentials of a point of the grid, about

Case = tuple[str, int, int, int, int, int]  # dtype, N, T, d, K, threads


def _grid(dtype: str) -> list[Case]:
    def samples(d: int, K: int) -> int:
        return int(np.clip(_GRID_WORK / ((4 * K + COORDINATE) * d / 10 + 10 * K), 64, 10_000))

    return [(dtype, samples(d, K), _GRID_STEPS, d, K, 1) for d in COORDINATES for K in COMPONENTS]


def _curves(dtype: str) -> dict[str, list[Case]]:
    """Cases by the size that varies."""
    return {
        "N": [(dtype, n, 50, d, K, 1) for d, K in SHAPES for n in SAMPLES],
        "T": [(dtype, 20_000, t, d, K, 1) for d, K in SHAPES for t in STEPS],
        "threads": [(dtype, 40_000, 50, d, K, threads) for d, K in SHAPES for threads in (1, 2)],
    }


def _task(case: Case) -> Any:
    dtype, n, t, d, K, threads = case
    return on_cores(threads, partial(mixture_chain.compute, *problem(n, d, K, dtype, t), threads=threads))


def _least(task: Any, rounds: int) -> float:
    """Least seconds of a task after a warm-up: what a curve is bent by is other work on the machine, never less."""
    task()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def fit(terms: Any, times: Any) -> Any:
    """Positive coefficients (2,) of terms (cases, 2) with the smallest largest |ln(model/time)|."""

    def worst(logs: Any) -> float:
        return float(np.abs(np.log(terms @ np.exp(logs) / times)).max())

    start = np.log(np.linalg.lstsq(terms / times[:, None], np.ones(len(times)), rcond=None)[0].clip(1e-12))
    best = min(
        (minimize(worst, start + shift, method="Nelder-Mead") for shift in ((0, 0), (1, -1), (-1, 1))),
        key=lambda found: found.fun,
    )
    return np.exp(best.x)


def _row(case: Case, varying: str, seconds: float, model: float | None = None) -> dict[str, Any]:
    names = ("dtype", "N", "T", "d", "K", "threads")
    return {"varying": varying} | dict(zip(names, case, strict=True)) | {"seconds": seconds, "model": model}


def _model(dtype: str, seconds: Mapping[Case, float], peak: float) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts of the grid over d and K beside the fitted model."""
    grid = _grid(dtype)
    size = np.array([case[1] * case[2] for case in grid])
    times = np.array([seconds[case] for case in grid])
    d, K = np.array([case[3:5] for case in grid], dtype=float).T
    terms = np.stack([K, (4 * K + COORDINATE) * d / peak], axis=1) * size[:, None]
    own = K >= FITTED
    e, inverse = fit(terms[own], times[own])
    model = terms @ (e, inverse)
    ratio = times / model
    return [_row(c, "d, K", t, float(m)) for c, t, m in zip(grid, times.tolist(), model, strict=True)], {
        f"{dtype}: an exponential, nanoseconds": 1e9 * e,
        f"{dtype}: multiply-adds, of their peak": 1 / inverse,
        f"{dtype}: time/model for K >= {FITTED}": f"{ratio[own].min():.3g} to {ratio[own].max():.3g} (goal 1.5)",
        f"{dtype}: time/model for smaller K": f"{ratio[~own].min():.3g} to {ratio[~own].max():.3g}",
    }


def _curve(dtype: str, varying: str, seconds: Mapping[Case, float]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts of the cases in which only N, only T, or only the threads vary."""
    rows, facts, cases = [], {}, _curves(dtype)[varying]
    for shape in SHAPES:
        chosen = [case for case in cases if case[3:5] == shape]
        found = np.array([seconds[case] for case in chosen])
        if varying == "threads":
            verdict = f"{found[0] / found[1]:.3g} x with two (goal 1.7)"
        else:
            spread = found / [case[1 if varying == "N" else 2] for case in chosen]
            verdict = f"time/{varying} within {spread.max() / spread.min():.3g} x (goal 1.2)"
        facts[f"{dtype}, d={shape[0]}, K={shape[1]}, {varying}"] = verdict
        rows += [_row(case, varying, seconds[case]) for case in chosen]
    return rows, facts


def main() -> None:
    """Time, fit, print, and write the results and the plot (.svg beside them) if asked to."""
    options = arguments(__doc__, rounds=3)
    on_cores(1, lambda: None)()
    peak = {name: multiply_add_peak(name) for name in DTYPES}
    cases = [case for dtype in DTYPES for case in (*_grid(dtype), *(c for row in _curves(dtype).values() for c in row))]
    seconds: dict[Case, float] = {}
    for _ in range(_PASSES):  # far apart in time, as other work on the machine comes in spells
        for case in dict.fromkeys(cases):  # one at a time: the points of all cases would fill the memory
            seconds[case] = min(seconds.get(case, np.inf), _least(_task(case), options.rounds))
    rows: list[dict[str, Any]] = []
    facts: dict[str, Any] = {}
    for dtype in DTYPES:
        for part in (_model(dtype, seconds, peak[dtype]), *(_curve(dtype, name, seconds) for name in _curves(dtype))):
            rows += part[0]
            facts |= part[1]
    facts["multiply-add peak, GFLOP/s"] = ", ".join(f"{name} {value / 1e9:.4g}" for name, value in peak.items())
    facts["rounds"] = options.rounds
    publish(rows, facts, "Scaling of mixtures' chains", options.output)
    if options.output:
        figures.save(figures.mixture_scaling(rows, FITTED), options.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
