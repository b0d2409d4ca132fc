"""The chaos game to a histogram of 1024 x 1024 boxes, against vectorised NumPy, on one thread.

Goal: at least 15 times as fast as NumPy with its own generator, at its best number of orbits: as plainly written, with
a matrix and a vector for every point, and tuned, coordinate by coordinate with the maps in columns.
Limit, measured in the same rounds: every point is one increment at an address that has nothing to do with the last
one's, in a table of 4 MB (32-bit counts; 8 MB for 64-bit ones), which the second cache does not hold. The addresses
come from a linear congruence, in fewer operations than a point takes; a set that meets few boxes may be faster.

    NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.chaos_game [--rounds N] [--output FILE]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import get_num_threads, njit

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.fractals import IFS, gallery

__all__ = ["main"]

BINS, POINTS, FEW, INCREMENTS = 1024, 64_000_000, 1 << 20, 4_000_000
ORBITS = (1 << 12, 1 << 14, 1 << 16)  # of NumPy, all timed


def _scatter(counts: Any, increments: int) -> None:
    """Increments at random places."""
    state, last = np.uint64(88172645463325252), np.uint64(counts.size - 1)
    for _ in range(increments):
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        counts[(state >> np.uint64(40)) & last] += 1


def _vectorised(ifs: IFS, orbits: int) -> Any:
    """The same game, all orbits at each step at once, by NumPy's generator."""
    rng, low = np.random.default_rng(0), ifs.bounding_box()[0]
    scale = BINS / (ifs.bounding_box()[1] - low)
    edges = np.cumsum(ifs.probabilities)[:-1]
    table = np.concatenate([ifs.matrices, ifs.offsets[:, :, None]], axis=2).reshape(len(ifs), 6).T.copy()
    x, y = np.tile(ifs.fixed_points[0][:, None], orbits)
    counts = np.zeros(BINS * BINS, np.int64)
    for _ in range(FEW // orbits):
        a, b, e, c, d, f = table[:, np.searchsorted(edges, rng.random(orbits), side="right")]
        x, y = a * x + b * y + e, c * x + d * y + f
        cells = ((x - low[0]) * scale[0]).astype(np.int64) * BINS + ((y - low[1]) * scale[1]).astype(np.int64)
        np.add.at(counts, cells, 1)
    return counts


def _written_plainly(ifs: IFS, orbits: int) -> Any:
    """The same in matrices and vectors, as one would write it down."""
    rng, low = np.random.default_rng(0), ifs.bounding_box()[0]
    scale = BINS / (ifs.bounding_box()[1] - low)
    x = np.tile(ifs.fixed_points[0], (orbits, 1))
    counts = np.zeros((BINS, BINS), np.int64)
    for _ in range(FEW // orbits):
        i = rng.choice(len(ifs), orbits, p=ifs.probabilities)
        x = np.einsum("nij,nj->ni", ifs.matrices[i], x) + ifs.offsets[i]
        cells = ((x - low) * scale).astype(np.int64)
        np.add.at(counts, (cells[:, 0], cells[:, 1]), 1)
    return counts


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=7)
    square = IFS(np.tile(np.eye(2) / 2, (4, 1, 1)), [[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]])
    sets = {name: gallery.get(name).ifs for name in ("barnsley_fern", "sierpinski", "carpet")} | {"square": square}
    small, wide = np.zeros(BINS * BINS, np.uint32), np.zeros(BINS * BINS, np.int64)
    scatter = njit(nogil=True)(_scatter)
    tasks: dict[str, Callable[[], Any]] = {
        "limit: increments at random, 4 MB": partial(scatter, small, INCREMENTS),
        "limit: increments at random, 8 MB": partial(scatter, wide, INCREMENTS),
    }
    points = dict.fromkeys(tasks, INCREMENTS)
    for name, ifs in sets.items():
        low, high = ifs.bounding_box()
        tasks[f"{name}: histogram"] = partial(ifs.histogram, POINTS, bins=BINS)
        tasks[f"{name}: histogram, points checked"] = partial(
            ifs.histogram, POINTS, bins=BINS, bounds=(low + (high - low) / 1e3, high)
        )
        points |= dict.fromkeys(list(tasks)[-2:], POINTS)
        for orbits in ORBITS:
            tasks[f"{name}: NumPy, {orbits} orbits"] = partial(_vectorised, ifs, orbits)
            tasks[f"{name}: plain NumPy, {orbits} orbits"] = partial(_written_plainly, ifs, orbits)
            points |= dict.fromkeys(list(tasks)[-2:], FEW)
    fern = sets["barnsley_fern"]
    tasks["barnsley_fern: reference backend"] = partial(fern.histogram, FEW, bins=BINS, backend="reference")
    tasks["barnsley_fern: attractor, points"] = partial(fern.attractor, FEW)
    points |= dict.fromkeys(list(tasks)[-2:], FEW)
    seconds = medians(tasks, options.rounds)
    cost = {name: seconds[name] / points[name] for name in tasks}
    best = {name: min(cost[f"{name}: NumPy, {orbits} orbits"] for orbits in ORBITS) for name in sets}
    plain = {name: min(cost[f"{name}: plain NumPy, {orbits} orbits"] for orbits in ORBITS) for name in sets}
    limit = cost["limit: increments at random, 4 MB"]
    rows = [
        {
            "task": name,
            "points": points[name],
            "ns a point": 1e9 * value,
            "million points/s": 1e-6 / value,
            "times NumPy": best[name.split(":")[0]] / value if not name.startswith("limit") else "",
            "in the limit's": value / limit,
        }
        for name, value in cost.items()
    ]
    ratios = [{name: least[name] / cost[f"{name}: histogram"] for name in sets} for least in (plain, best)]
    tuned, written = (", ".join(f"{name} {ratio:.1f}" for name, ratio in each.items()) for each in ratios[::-1])
    facts = {
        "goal, >= 15 x plain NumPy": f"{written}: {'met' if min(ratios[0].values()) >= 15 else 'not met'}",
        "goal, >= 15 x NumPy by coordinates": f"{tuned}: {'met' if min(ratios[1].values()) >= 15 else 'not met'}",
        "threads of the kernel": get_num_threads(),
        "rounds": options.rounds,
    }
    publish(rows, facts, f"Chaos game to {BINS} x {BINS} boxes", options.output)


if __name__ == "__main__":
    main()
