"""Posterior means of point clouds, and their covariances times vectors, against JAX, torch and NumPy, on one core.

Points are normal, samples lie half-way between two of them and a little noise off, so that several points count at the
small angle and many at the large one. A pair of a sample and a point counts 4 d + 10 operations for a mean, 10 of them
for the power, and (6 + 4 p) d + 20 for a mean and a covariance times p vectors; tiles of points that do not count are
not weighed, so that at the small angle the fraction of the multiply-adds that a core makes in registers may be larger
than what is done. Errors are those of the largest entry, against the definition in float64.

    OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.point_cloud [--rounds N] [--output FILE]
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from experiments.benchmarks.limits import blas, multiply_add_peak
from experiments.benchmarks.machine import arguments, medians, publish, versions
from experiments.benchmarks.mixture_chain import on_cores
from experiments.benchmarks.point_cloud_peers import NAMES, peers
from pifs_sim.kernels import point_cloud_covariance_apply, point_cloud_mean
from pifs_sim.kernels.point_cloud_mean import Cloud, Level

__all__ = ["main"]

SIZES = {"a": (4_000, 4_000, 2, 0), "b": (1_200, 4_000, 64, 0), "c": (480, 1_000, 3072, 0), "d": (120, 2_000, 64, 8)}
ANGLES = {"large": 1.2, "small": 0.02}
CHECKED = 20

Case = tuple[str, str, str, str]


def _problem(batch: int, count: int, d: int, p: int, dtype: Any, phi: float) -> tuple[Any, ...]:
    """Points, samples, and vectors or None."""
    rng = np.random.default_rng(0)
    points, pairs = rng.standard_normal((count, d)), rng.integers(0, count, (2, batch))
    middle = points[pairs].mean(axis=0)
    x = math.cos(phi) * middle + 0.3 * math.sin(phi) * rng.standard_normal((batch, d))
    V = rng.standard_normal((batch, d, p)) if p else None
    return tuple(None if array is None else array.astype(dtype) for array in (points, x, V))


def _task(points: Any, angle: tuple[float, float], x: Any, V: Any, **options: Any) -> Any:
    cloud = Cloud(points, np.full(len(points), 1 / len(points)))
    level = Level(*(np.array([value]) for value in angle))
    if V is None:
        return point_cloud_mean.compute(cloud, level, x, **options).mean
    return point_cloud_covariance_apply.compute(cloud, level, x, V, **options)


def _flops(batch: int, count: int, d: int, p: int) -> float:
    return batch * count * ((6.0 + 4 * p) * d + 20 if p else 4.0 * d + 10)


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    on_cores(1, lambda: None)()  # before any library starts threads
    peak = {name: multiply_add_peak(name) for name in ("float32", "float64")}
    tasks: dict[Case, Callable[[], Any]] = {}
    errors: dict[Case, float] = {}
    for size, shape in SIZES.items():
        for name, phi in ANGLES.items():
            for dtype in peak:
                points, x, V = _problem(*shape, dtype, phi)
                angle = math.cos(phi), math.sin(phi)
                few = (array[:CHECKED].astype(float) if array is not None else None for array in (x, V))
                exact = _task(points.astype(float), angle, *few, backend="reference")
                run = partial(_task, points, angle, x, V)
                found = {"pifs_sim": partial(run, threads=1), "pifs_sim, 2 threads": partial(run, threads=2)}
                for who, task in (found | peers(points, angle, x, V)).items():
                    key = size, name, dtype, who
                    tasks[key] = on_cores(2 if "2 threads" in who else 1, task)
                    errors[key] = float(np.abs(task()[:CHECKED] - exact).max())
    seconds = medians({"/".join(key): task for key, task in tasks.items()}, options.rounds)
    rows, ratios = [], []
    for key in tasks:
        size, angle_name, dtype, who = key
        own, taken = seconds["/".join((*key[:3], "pifs_sim"))], seconds["/".join(key)]
        flops = _flops(*SIZES[size]) / taken
        rows.append(
            {"case": size, "angle": angle_name, "dtype": dtype, "by": who, "seconds": taken}
            | {"GFLOP/s": flops / 1e9, "of peak": flops / peak[dtype], "pifs_sim is times as fast": taken / own}
            | {"largest error": errors[key]}
        )
        if who == "pifs_sim":
            others = {other[3]: seconds["/".join(other)] for other in tasks if other[:3] == key[:3]}
            best = min(time for name, time in others.items() if "pifs_sim" not in name)
            jax = f", {others['JAX'] / own:.3g} x JAX" if "JAX" in others else ""
            threads = own / others["pifs_sim, 2 threads"]
            ratios.append(f"{' '.join(key[:3])} {best / own:.3g} x the fastest peer{jax}, 2 threads {threads:.3g}")
    facts = {
        "cases": "; ".join(f"{name}: B={b}, K={k}, d={d}, p={p}" for name, (b, k, d, p) in SIZES.items()),
        "angles": ", ".join(f"{name} {phi}" for name, phi in ANGLES.items()),
        "ratios": "; ".join(ratios),
        "multiply-add peak, GFLOP/s": ", ".join(f"{name} {value / 1e9:.4g}" for name, value in peak.items()),
        "GPU": "not measured",
        "BLAS": blas(),
        "peers": versions(NAMES),
        "rounds": options.rounds,
    }
    publish(rows, facts, "Point clouds", options.output)


if __name__ == "__main__":
    main()
