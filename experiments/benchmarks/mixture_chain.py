"""Chains of 50 DDIM steps of normal mixtures with variances of their own, against JAX, torch and NumPy, on one core.

The samplers of azula, smalldiffusion and diffusers, with the exact denoiser in torch, are timed where installed.

Goals, against JAX's compiled scan: in float32 (a) 100 000 samples, d = 2, K = 8: at least 8 x; (b) 10 000, 64, 32:
1.2 x; (c) 2 000, 3072, 64: 1 x; in float64 at least 1 x everywhere; two threads at least 1.7 times as fast as one; 55 %
of the multiply-adds that a core makes in registers, measured in the same run. A step counts 4 K d + 8 d + 10 K
operations a sample; in (a) most are powers of two, of some twenty operations each, which count as ten.

    OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.mixture_chain [--rounds N] [--output FILE]
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from experiments.benchmarks.limits import blas, multiply_add_peak
from experiments.benchmarks.machine import arguments, medians, publish, versions
from experiments.benchmarks.mixture_libraries import library_peers
from experiments.benchmarks.mixture_peers import peers
from pifs_sim.kernels import mixture_chain
from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["main", "on_cores", "problem"]

SIZES = {"a": (100_000, 2, 8), "b": (10_000, 64, 32), "c": (2_000, 3072, 64)}
T = 50
RUNS = {"a": 8, "b": 4, "c": 1}  # of pifs_sim in a row: a core that was idle takes milliseconds to come back
GOALS = {("a", "float32"): 8.0, ("b", "float32"): 1.2}


def problem(batch: int, d: int, count: int, dtype: Any, steps: int = T) -> tuple[Law, Steps, Any]:
    """A mixture with variances of its own, uniform angles from 0 to pi/2, and points."""
    rng = np.random.default_rng(0)
    variances = rng.uniform(0.05, 0.5, (count, 1))
    law = Law(rng.dirichlet(np.full(count, 5.0)), 2 * rng.standard_normal((count, d)), variances)
    angles = np.linspace(0, np.pi / 2, steps + 1)
    cos = np.append(np.cos(angles[:-1]), 0.0)
    return law, Steps(cos, np.sin(angles), np.sin(np.diff(angles))), rng.standard_normal((batch, d)).astype(dtype)


def on_cores(count: int, task: Callable[[], Any]) -> Callable[[], Any]:
    """The task with its threads on so many cores, where the system can."""

    def run() -> Any:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(_CORES)[-count:])
        return task()

    return run


_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _repeated(task: Callable[[], Any], runs: int) -> None:
    for _ in range(runs):
        task()


def _flops(batch: int, d: int, count: int) -> float:
    return batch * T * (4.0 * count * d + 8 * d + 10 * count)


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    on_cores(1, lambda: None)()  # before any library starts threads
    peak = {name: multiply_add_peak(name) for name in ("float32", "float64")}
    tasks: dict[tuple[str, str, str], Callable[[], Any]] = {}
    errors: dict[tuple[str, str, str], float] = {}
    for size, shape in SIZES.items():
        exact = mixture_chain.compute(*problem(*shape, "float64"))
        for dtype in peak:
            law, steps, x = problem(*shape, dtype)
            run = partial(mixture_chain.compute, law, steps, x)
            found = {"pifs_sim": partial(run, threads=1), "pifs_sim, 2 threads": partial(run, threads=2)}
            for who, task in (found | peers(law, steps, x) | library_peers(law, steps, x)).items():
                row = task if who not in found else partial(_repeated, task, RUNS[size])
                tasks[size, dtype, who] = on_cores(2 if "2 threads" in who else 1, row)
                errors[size, dtype, who] = float(np.median(np.abs(task() - exact).max(axis=1)))
    seconds = medians({"/".join(key): task for key, task in tasks.items()}, options.rounds)
    for size, dtype, who in tasks:
        seconds[f"{size}/{dtype}/{who}"] /= RUNS[size] if who.startswith("pifs_sim") else 1
    rows, verdicts = [], []
    for size, dtype, who in tasks:
        own, taken = seconds[f"{size}/{dtype}/pifs_sim"], seconds[f"{size}/{dtype}/{who}"]
        rate = SIZES[size][0] * T / taken
        flops = _flops(*SIZES[size]) / taken
        rows.append(
            {"case": size, "dtype": dtype, "by": who, "seconds": taken, "million sample-steps/s": rate / 1e6}
            | {"GFLOP/s": flops / 1e9, "of peak": flops / peak[dtype], "pifs_sim is times as fast": taken / own}
            | {"median error": errors[size, dtype, who]}
        )
        goal = {"JAX": GOALS.get((size, dtype), 1.0), "pifs_sim, 2 threads": 1.7}.get(who)
        ratio = own / taken if "threads" in who else taken / own
        if goal:
            verdicts.append(f"{size} {dtype} {who} {ratio:.3g} (goal {goal})" + ("" if ratio >= goal else " MISSED"))
    best = {
        f"{size} {dtype}": min(
            seconds["/".join(key)] for key in tasks if key[:2] == (size, dtype) and "pifs_sim" not in key[2]
        )
        / seconds[f"{size}/{dtype}/pifs_sim"]
        for size in SIZES
        for dtype in peak
    }
    facts = {
        "cases": "; ".join(f"{name}: B={b}, d={d}, K={k}" for name, (b, d, k) in SIZES.items()) + f"; T={T}",
        "goals": "; ".join(verdicts),
        "against the fastest form of any peer": "; ".join(f"{case} {ratio:.3g}" for case, ratio in best.items()),
        "multiply-add peak, GFLOP/s": ", ".join(f"{name} {value / 1e9:.4g}" for name, value in peak.items()),
        "BLAS": blas(),
        "peers": versions(("jax", "torch", "azula", "smalldiffusion", "diffusers")),
        "rounds": options.rounds,
    }
    publish(rows, facts, "Chains of a mixture", options.output)


if __name__ == "__main__":
    main()
