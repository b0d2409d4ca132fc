"""Occupied boxes of a million points in the plane at 13 dyadic scales, against NumPy and whatever peers are installed.

Goal: at least 20 times as fast as the different rows that numpy.unique finds, on one thread.
Limits, measured in the same rounds: the points must be read once (16 MB), a bit set for each at an address that has
nothing to do with the last one's (here 2 MB of bits, which the second cache does not hold), and the map read once.
Each is timed by itself, and they are added up, though a processor may overlap them.

    NUMBA_NUM_THREADS=1 python -m experiments.benchmarks.box_counting [--rounds N] [--output FILE]
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numba import get_num_threads, njit

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.dynamics import box_counting_dimension
from pifs_sim.kernels import box_counting

__all__ = ["henon_orbits", "main"]

POINTS, LEVELS = 1_000_000, 12


def henon_orbits(points: int) -> Any:
    """(points, 2) on the Henon attractor: a thousand orbits, after a hundred steps each."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.1, 0.1, (2, 1000))
    cloud = np.empty((points // 1000, 1000, 2))
    for n in range(-100, len(cloud)):
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
        cloud[max(n, 0)] = np.stack([x, y], axis=1)
    return cloud.reshape(-1, 2)


def _scatter(bitmap: Any, points: int) -> None:
    """Set bits at random; the generator takes about as long as finding a box does."""
    state = np.uint64(88172645463325252)
    for _ in range(points):
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        bitmap[(state >> np.uint64(40)) % np.uint64(bitmap.size)] |= np.uint64(1) << (state >> np.uint64(58))


def _boxes(points: Any, low: Any, side: float) -> Any:
    return np.minimum((points - low) * (2.0**LEVELS / side), 2.0**LEVELS - 1).astype(np.int64)


def _rows(points: Any, low: Any, side: float) -> list[int]:
    boxes = _boxes(points, low, side)
    return [len(np.unique(boxes >> (LEVELS - k), axis=0)) for k in range(LEVELS + 1)]


def _numbers(points: Any, low: Any, side: float) -> list[int]:
    x, y = _boxes(points, low, side).T
    return [len(np.unique((x >> (LEVELS - k) << LEVELS) + (y >> (LEVELS - k)))) for k in range(LEVELS + 1)]


def _kernel(points: Any, low: Any, side: float) -> list[int]:
    return box_counting.compute(points, low[None], side, levels=LEVELS)[0].tolist()


def _tsdynamics(points: Any, low: Any, side: float) -> Any:  # noqa: ARG001
    from tsdynamics.analysis.dimensions import generalized_dimension

    return generalized_dimension(points, 0.0, scales=side * 2.0 ** -np.arange(LEVELS, -1, -1))


def _boxcounting(points: Any, low: Any, side: float) -> Any:
    from boxcounting.boxcounting import boxCount  # type: ignore[import-not-found, import-untyped, unused-ignore]

    picture = np.zeros((2**LEVELS, 2**LEVELS), dtype=bool)
    x, y = _boxes(points, low, side).T
    picture[x, y] = True
    return boxCount(picture).calculateBoxCount()


PEERS = {"tsdynamics": (_tsdynamics, "five grids"), "boxcounting": (_boxcounting, "one grid, from an image")}


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    clouds = {"henon": henon_orbits(POINTS), "uniform": np.random.default_rng(1).random((POINTS, 2))}
    fast: dict[str, Callable[[], Any]] = {}
    slow: dict[str, Callable[[], Any]] = {}
    facts = {}
    for name, points in clouds.items():
        low = points.min(axis=0)
        given = points, low, float((points.max(axis=0) - low).max())
        if _kernel(*given) != _numbers(*given):
            raise SystemExit(f"the kernel and NumPy disagree on {name}")
        fast[f"{name}: kernel, one grid"] = partial(_kernel, *given)
        fast[f"{name}: box_counting_dimension, five grids"] = partial(box_counting_dimension, points, levels=LEVELS)
        slow[f"{name}: numpy.unique of rows"] = partial(_rows, *given)
        slow[f"{name}: numpy.unique of numbers"] = partial(_numbers, *given)
        for peer, (task, grids) in PEERS.items():
            try:
                importlib.import_module(peer)
            except ImportError as error:
                facts[f"peer {peer}"] = f"left out: {error}"
            else:
                facts[f"peer {peer}"] = version(peer)
                slow[f"{name}: {peer}, {grids}"] = partial(task, *given)
    bitmap, scatter = np.zeros(4**LEVELS // 64, np.uint64), njit(nogil=True)(_scatter)
    fast["limit: read the points"] = lambda: clouds["uniform"].sum()
    fast["limit: set bits at random"] = lambda: scatter(bitmap, POINTS)
    fast["limit: read the map"] = lambda: np.bitwise_count(bitmap).sum()
    seconds = medians(fast, 4 * options.rounds) | medians(slow, options.rounds)
    limit = sum(value for name, value in seconds.items() if name.startswith("limit"))
    rows = []
    for name, value in seconds.items():
        row: dict[str, Any] = {"task": name, "milliseconds": 1e3 * value, "in the kernel's": "", "in the limits": ""}
        if not name.startswith("limit"):
            row["in the kernel's"] = value / seconds[f"{name.split(':')[0]}: kernel, one grid"]
        if "kernel" in name:
            row["in the limits"] = value / limit
        rows.append(row)
    ratio = min(seconds[f"{name}: numpy.unique of rows"] / seconds[f"{name}: kernel, one grid"] for name in clouds)
    goal = {"goal": f">= 20 x numpy.unique of rows: {ratio:.0f}, {'met' if ratio >= 20 else 'missed'}"}
    about = {
        "threads of the kernel": get_num_threads(),
        "rounds": f"{4 * options.rounds}, NumPy and peers {options.rounds}",
    }
    publish(rows, goal | facts | about, f"{POINTS} points at {LEVELS + 1} scales", options.output)


if __name__ == "__main__":
    main()
