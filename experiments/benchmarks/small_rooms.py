"""The smaller rooms beside their limits and NumPy's or SciPy's nearest: sweeps, QR, graded singular values, distances.

pifs_decode: a sweep over 512 x 512 pixels, four sources each, against the same gathers in NumPy; limit: the bytes that
it must move. orthonormal: Q and R of 2000 frames (64, 16) against LAPACK's batched QR; 4 d k^2 operations a frame, as
columns are orthogonalised twice. graded_singular_values: 500 matrices (16, 16), rows over e^{+-5} (beyond e^{+-700} the
peer, LAPACK's SVD, has no answer). squared_distances: 1000 points to 2000 centres in 64 dimensions, in differences,
against SciPy's; three operations a term.

    OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python -m experiments.benchmarks.small_rooms [--rounds N] [--output FILE]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import get_num_threads
from scipy.spatial.distance import cdist

from experiments.benchmarks.limits import blas, memory_bandwidth, multiply_add_peak
from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.kernels import graded_singular_values, orthonormal, pifs_decode, squared_distances

__all__ = ["main"]

Task = Callable[[], Any]


def _sweep(rng: np.random.Generator) -> tuple[dict[str, Task], float, str]:
    d = 512 * 512
    corner = rng.integers(0, 510, (2, d))
    sources = np.stack([(corner[0] + i) * 512 + corner[1] + j for i in (0, 1) for j in (0, 1)])
    x, (factors, offsets) = rng.random((1, d)), rng.random((2, d))
    tasks: dict[str, Task] = {
        "pifs_sim": lambda: pifs_decode.compute(x, sources, factors, offsets),
        "NumPy": lambda: (
            factors * (x[:, sources[0]] + x[:, sources[1]] + x[:, sources[2]] + x[:, sources[3]]) + offsets
        ),
    }
    return tasks, d * (4 * 8 + 4 * 8), "bytes"  # four indices; a number read, two factors, one written


def _frames(rng: np.random.Generator) -> tuple[dict[str, Task], float, str]:
    V = rng.standard_normal((2000, 64, 16))
    tasks: dict[str, Task] = {"pifs_sim": lambda: orthonormal.compute(V), "LAPACK": lambda: np.linalg.qr(V)}
    return tasks, 2000 * 4 * 64 * 16**2, "operations"


def _graded(rng: np.random.Generator) -> tuple[dict[str, Task], float, str]:
    s, U = np.sort(rng.uniform(-5, 5, (500, 16)))[:, ::-1].copy(), np.linalg.qr(rng.standard_normal((500, 16, 16)))[0]
    tasks: dict[str, Task] = {
        "pifs_sim": lambda: graded_singular_values.compute(s, U),
        "LAPACK": lambda: np.log(np.linalg.svd(np.exp(s)[:, :, None] * U, compute_uv=False)),
    }
    gap = np.abs(tasks["pifs_sim"]() - tasks["LAPACK"]()).max()
    if gap > 1e-9:
        raise SystemExit(f"the singular values differ by {gap:.3g}")
    return (
        tasks,
        500 * 6 * 120 * 3 * 4 * 16,
        "operations",
    )  # some six sweeps of 120 pairs, an inner product, two updates


def _distances(rng: np.random.Generator) -> tuple[dict[str, Task], float, str]:
    x, y = rng.standard_normal((1000, 64)), rng.standard_normal((2000, 64))
    moved = np.ones(1000), np.zeros(1000)
    tasks: dict[str, Task] = {
        "pifs_sim": lambda: squared_distances.compute(x, y, moved),
        "SciPy": lambda: cdist(x, y, "sqeuclidean"),
    }
    return tasks, 1000 * 2000 * 64 * 3, "operations"


ROOMS = {
    "pifs_decode": _sweep,
    "orthonormal": _frames,
    "graded_singular_values": _graded,
    "squared_distances": _distances,
}


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=9)
    rng = np.random.default_rng(0)
    limits = {"operations": multiply_add_peak("float64"), "bytes": memory_bandwidth()}
    made = {room: make(rng) for room, make in ROOMS.items()}
    tasks = {f"{room}: {who}": task for room, (found, _, _) in made.items() for who, task in found.items()}
    seconds = medians(tasks, options.rounds)
    rows = [
        {
            "room": room,
            "by": who,
            "milliseconds": 1e3 * seconds[f"{room}: {who}"],
            "pifs_sim is times as fast": seconds[f"{room}: {who}"] / seconds[f"{room}: pifs_sim"],
            "of the limit": work / limits[unit] / seconds[f"{room}: {who}"],
        }
        for room, (found, work, unit) in made.items()
        for who in found
    ]
    facts = {
        "multiply-add peak, GFLOP/s": limits["operations"] / 1e9,
        "memory bandwidth, GB/s": limits["bytes"] / 1e9,
        "threads of the kernels": get_num_threads(),
        "BLAS": blas(),
        "rounds": options.rounds,
    }
    publish(rows, facts, "The smaller rooms", options.output)


if __name__ == "__main__":
    main()
