"""Lyapunov spectra against NumPy and whatever peers are installed, in one run, one core.

Goals: Henon, 1e6 steps of one orbit, at least 30 x pynamicalsys; 1e4 steps of 1000 orbits, at least 20 x vectorised
NumPy and 100 x lyapax; a logistic lattice of 64 sites, 1e4 steps, whole spectrum, at least 8 x the best peer, with an
error of at most 1e-9 against renormalisation at every step; faster than every peer everywhere.

Limits, measured in the same rounds: for one orbit the map alone, whose operations wait for each other; for many the map
and one tangent vector without any bookkeeping; for the lattice its operations at the speed of a matrix product.

    NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.lyapunov [--rounds N] [--output FILE]
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numba import njit

from experiments.benchmarks.machine import arguments, medians, publish
from experiments.benchmarks.peers import lattice_jacobian, peer_task
from pifs_sim.dynamics import Map, lyapunov_spectrum

__all__ = ["lattice", "main"]

A, B, R, EPS, SITES = 1.4, 0.3, 4.0, 0.3, 64
SIZES = {"henon, one orbit": (1_000_000, 1), "henon, 1000 orbits": (10_000, 1000), "lattice of 64": (10_000, 1)}
PEERS = ("pynamicalsys", "lyapax", "tsdynamics", "chaotax")
SHARES = {"chaotax": 100}  # timed over this share of the steps, and scaled
GOALS = {"henon, one orbit": {"pynamicalsys": 30}, "henon, 1000 orbits": {"numpy": 20, "lyapax": 100}}


def _henon(x: Any, n: int) -> Any:  # noqa: ARG001
    return 1.0 - A * x[0] * x[0] + x[1], B * x[0]


def _henon_jacobian(x: Any, n: int) -> Any:  # noqa: ARG001
    return (-2.0 * A * x[0], 1.0), (B, 0.0)


def _lattice(x: Any, n: int, out: Any) -> None:  # noqa: ARG001
    d = x.shape[0]
    first = R * x[0] * (1.0 - x[0])
    before, here = R * x[d - 1] * (1.0 - x[d - 1]), first
    for i in range(d):
        after = R * x[i + 1] * (1.0 - x[i + 1]) if i + 1 < d else first
        out[i] = (1.0 - EPS) * here + 0.5 * EPS * (before + after)
        before, here = here, after


def _lattice_tangent(x: Any, n: int, V: Any, out: Any) -> None:  # noqa: ARG001
    d, p = V.shape
    for i in range(d):
        left, right = (i - 1) % d, (i + 1) % d
        a = 0.5 * EPS * R * (1.0 - 2.0 * x[left])
        b = (1.0 - EPS) * R * (1.0 - 2.0 * x[i])
        c = 0.5 * EPS * R * (1.0 - 2.0 * x[right])
        for j in range(p):
            out[i, j] = a * V[left, j] + b * V[i, j] + c * V[right, j]


def _numpy_henon(x0: Any, steps: int, every: int) -> Any:
    """Both exponents of a batch: two vectors, Gram-Schmidt every so many steps."""
    x, y = x0.T.copy()
    a, b, c, d = (np.full_like(x, value) for value in (1.0, 0.0, 0.0, 1.0))  # columns (a, b) and (c, d)
    first, second = np.zeros_like(x), np.zeros_like(x)
    for n in range(steps):
        slope = -2.0 * A * x
        a, b, c, d = slope * a + b, B * a, slope * c + d, B * c
        x, y = 1.0 - A * x * x + y, B * x
        if n % every == every - 1:
            length = np.sqrt(a * a + b * b)
            a, b = a / length, b / length
            overlap = a * c + b * d
            c, d = c - overlap * a, d - overlap * b
            other = np.sqrt(c * c + d * d)
            c, d = c / other, d / other
            first += np.log(length)
            second += np.log(other)
    return np.array([first.mean(), second.mean()]) / steps


def _numpy_lattice(x0: Any, steps: int, every: int) -> Any:
    """The whole spectrum: dense products, LAPACK's QR every so many steps."""
    x, Q, total = x0[0].copy(), np.eye(SITES), np.zeros(SITES)
    for n in range(steps):
        Q = lattice_jacobian(x, R, EPS) @ Q
        f = R * x * (1 - x)
        x = (1 - EPS) * f + EPS / 2 * (np.roll(f, 1) + np.roll(f, -1))
        if n % every == every - 1:
            Q, triangle = np.linalg.qr(Q)
            total += np.log(np.abs(np.diag(triangle)))
    return total / steps


@njit
def _map_alone(x: float, y: float, steps: int) -> float:
    for _ in range(steps):
        x, y = 1.0 - A * x * x + y, B * x
    return x


@njit(error_model="numpy", fastmath={"contract"})
def _bare(x: Any, y: Any, v: Any, w: Any, steps: int) -> None:
    for _ in range(steps):
        for i in range(x.size):
            slope = -2.0 * A * x[i]
            v[i], w[i] = 0.9 * (slope * v[i] + w[i]), 0.9 * B * v[i]
            x[i], y[i] = 1.0 - A * x[i] * x[i] + y[i], B * x[i]


def lattice(sites: int) -> Any:
    """The diffusive logistic lattice as a compiled map."""
    return Map.compiled(_lattice, dim=sites, tangent=_lattice_tangent)


def _starts(name: str) -> Any:
    rng = np.random.default_rng(0)
    return rng.uniform(0.2, 0.8, (1, SITES)) if "lattice" in name else rng.uniform(-0.1, 0.1, (SIZES[name][1], 2))


def _exponents(system: Any, x0: Any, steps: int) -> Any:
    return lyapunov_spectrum(system, x0, steps).exponents


def _tasks() -> dict[tuple[str, str], Callable[[], Any]]:
    henon, sites = Map.compiled(_henon, _henon_jacobian, dim=2), lattice(SITES)
    found: dict[tuple[str, str], Callable[[], Any]] = {}
    for name, (steps, _) in SIZES.items():
        system, x0 = (sites if "lattice" in name else henon), _starts(name)
        found[name, "pifs_sim"] = partial(_exponents, system, x0, steps)
        if name != "henon, one orbit":  # there it would loop over a million steps of one number
            numpy_task = _numpy_lattice if "lattice" in name else _numpy_henon
            found[name, "numpy"] = partial(numpy_task, x0, steps, 1)
            found[name, "numpy, QR every 4"] = partial(numpy_task, x0, steps, 4)
        for peer in PEERS:
            if importlib.util.find_spec(peer):
                found[name, peer] = peer_task(peer, name, steps // SHARES.get(peer, 1), x0)
        if importlib.util.find_spec("lyapax"):
            found[name, "lyapax, QR every 4"] = peer_task("lyapax, QR every 4", name, steps, x0)
    many = _starts("henon, 1000 orbits").T.copy()
    block = np.random.default_rng(1).standard_normal((512, 512))
    found["henon, one orbit", "limit"] = lambda: _map_alone(0.1, 0.1, SIZES["henon, one orbit"][0])
    found["henon, 1000 orbits", "limit"] = lambda: _bare(*many.copy(), *np.ones((2, 1000)), 10_000)
    found["lattice of 64", "limit"] = lambda: block @ block
    return found


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=3)
    tasks = _tasks()
    values = {key: task() for key, task in tasks.items()}  # compiles, and lets the results be compared
    seconds = medians({f"{name}: {who}": task for (name, who), task in tasks.items()}, options.rounds)
    x0, sites = _starts("lattice of 64"), lattice(SITES)
    chosen = lyapunov_spectrum(sites, x0, 10_000)
    every = lyapunov_spectrum(sites, x0, 10_000, renormalise=1).exponents
    flops = 10_000 * (6 * SITES**2 + 4 * SITES**3 / (2 * chosen.interval))
    seconds["lattice of 64: limit"] *= flops / (2 * 512**3)
    for name, who in tasks:
        seconds[f"{name}: {who}"] *= SHARES.get(who, 1)
    tuned = seconds.get("lattice of 64: lyapax, QR every 4", np.nan)
    rows, verdicts = [], []
    for name, who in tasks:
        own, taken = seconds[f"{name}: pifs_sim"], seconds[f"{name}: {who}"]
        steps, orbits = SIZES[name]
        leading = "" if who == "limit" else float(np.asarray(values[name, who]).ravel()[0])
        rows.append(
            {"task": name, "by": who, "seconds": taken, "ns per step and orbit": 1e9 * taken / steps / orbits}
            | {"in pifs_sim": taken / own, "leading exponent": leading}
        )
        if who not in ("pifs_sim", "limit"):
            goal = GOALS.get(name, {}).get(who.split(",")[0], 1)
            verdicts.append(
                f"{name} {taken / own:.3g} x {who} (goal {goal})" + ("" if taken / own >= goal else " MISSED")
            )
    best = min(
        (seconds[f"lattice of 64: {peer}"] for peer in PEERS if ("lattice of 64", peer) in tasks), default=np.nan
    )
    ratio = best / seconds["lattice of 64: pifs_sim"]
    facts = {
        "goals": "; ".join(verdicts),
        "lattice against the best peer as it comes (goal 8)": float(ratio),
        "lattice against lyapax told to QR every 4 steps (goal 8)": float(tuned / seconds["lattice of 64: pifs_sim"]),
        "lattice error against renormalisation at every step (goal 1e-9)": float(
            np.abs(chosen.exponents - every).max()
        ),
        "lattice renormalisation interval": chosen.interval,
        "peers": ", ".join(f"{peer} {version(peer)}" for peer in PEERS if importlib.util.find_spec(peer)) or "none",
        "scaled from a share of the steps": ", ".join(f"{peer} 1/{share}" for peer, share in SHARES.items()),
        "rounds": options.rounds,
    }
    publish(rows, facts, "Lyapunov spectra", options.output)


if __name__ == "__main__":
    main()
