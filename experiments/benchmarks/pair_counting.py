"""Correlation sums at 20 radii, against SciPy's k-d tree and whatever peers are installed: is own code worth having?

Goal: 2e4 points in a second, and at least 5 times as fast as cKDTree.count_neighbors, which is otherwise to be used.
Every peer counts the same pairs (SciPy's counts agree; its are ordered, and include a point with itself). nolds takes
a matrix of all distances, so it is timed, like the kernel, on 3000 points of one coordinate as well.
Beside them, in the same rounds, the arithmetic of all pairs in one vectorised loop without any comparison: the least
that a method without a tree can take.

    NUMBA_NUM_THREADS=1 python -m experiments.benchmarks.pair_counting [--rounds N] [--output FILE]
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numba import get_num_threads, njit
from scipy.spatial import cKDTree

from experiments.benchmarks.box_counting import henon_orbits
from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.kernels import pair_counting

__all__ = ["main"]

FEW, MANY, SMALL = 20_000, 100_000, 3000
RADII = 2.5 * 2.0 ** (-np.arange(4, 24)[::-1] / 2)


def _distances(x: Any, y: Any) -> float:
    total = 0.0
    for i in range(x.size):
        for j in range(i):
            a, b = x[i] - x[j], y[i] - y[j]
            total += a * a + b * b
    return total


def _scipy(points: Any) -> Any:
    tree = cKDTree(points)
    return (tree.count_neighbors(tree, np.nextafter(RADII, 0.0)) - len(points)) // 2


def _tsdynamics(points: Any) -> Any:
    from tsdynamics.analysis.dimensions import correlation_sum

    return correlation_sum(points, RADII, theiler=0)


def _nolds(points: Any) -> Any:
    import nolds  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return nolds.corr_dim(points[:, 0], 1, rvals=RADII, fit="poly")


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    few, many, small = henon_orbits(FEW), henon_orbits(MANY), henon_orbits(SMALL)
    if (pair_counting.compute(few, RADII) != _scipy(few)).any():
        raise SystemExit("the kernel and SciPy disagree")
    distances = njit(nogil=True, fastmath=True)(_distances)
    tasks: dict[str, Callable[[], Any]] = {
        f"kernel, {FEW} points": partial(pair_counting.compute, few, RADII),
        f"kernel, {FEW} points, theiler 100": partial(pair_counting.compute, few, RADII, theiler=100),
        f"kernel, {MANY} points": partial(pair_counting.compute, many, RADII),
        f"kernel, {SMALL} points of one coordinate": partial(pair_counting.compute, small[:, :1], RADII),
        f"scipy, {FEW} points": partial(_scipy, few),
        f"scipy, {MANY} points": partial(_scipy, many),
        f"arithmetic of all pairs, {FEW} points": lambda: distances(*few.T.copy()),
        f"arithmetic of all pairs, {MANY} points": lambda: distances(*many.T.copy()),
    }
    facts = {}
    for peer, task, points in (("tsdynamics", _tsdynamics, few), ("nolds", _nolds, small)):
        try:
            importlib.import_module(peer)
        except ImportError as error:
            facts[f"peer {peer}"] = f"left out: {error}"
        else:
            facts[f"peer {peer}"] = version(peer)
            tasks[f"{peer}, {len(points)} points"] = partial(task, points)
    seconds = medians(tasks, options.rounds)
    ours = {size: seconds[f"kernel, {size} points"] for size in (FEW, MANY)}
    ours[SMALL] = seconds[f"kernel, {SMALL} points of one coordinate"]
    rows = [
        {
            "task": name,
            "seconds": value,
            "in the kernel's": value / ours[next(n for n in ours if f" {n} " in f"{name} ")],
        }
        for name, value in seconds.items()
    ]
    ratio = min(seconds[f"scipy, {size} points"] / ours[size] for size in (FEW, MANY))
    met = "met" if ratio >= 5 and ours[FEW] <= 1 else "missed"
    goal = {"goal": f"1 s and >= 5 x SciPy: {ours[FEW]:.2f} s, {ratio:.1f} x, {met}"}
    about = {"threads of the kernel": get_num_threads(), "rounds": options.rounds}
    publish(
        rows, goal | facts | about, f"Correlation sums of the Henon attractor at {len(RADII)} radii", options.output
    )


if __name__ == "__main__":
    main()
