"""Seconds a step of a lattice of d = 4096 sites, against a d k + b d k^2/m: k exponents, a QR every m steps.

Two terms more are fitted, which rule at small k: c d for the map itself, and e d k/m for copying and normalising the
vectors at a QR. The residual of the first two terms alone is given as well.

Limits, measured in the same run: a by the memory that the tangent map moves (it reads and writes d k floats), b by the
4 d k^2 operations of a QR at the speed of a matrix product.

    NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.lyapunov_scaling [--output FILE]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from experiments import figures
from experiments.benchmarks.lyapunov import lattice
from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.dynamics.frames import random_frame
from pifs_sim.kernels import orbits

__all__ = ["main"]

SITES, STEPS = 4096, 32
EXPONENTS, INTERVALS = (1, 2, 4, 8, 16, 32, 64), (1, 4, 16)


def main() -> None:
    """Time, fit, print, and write the results and the plot (.svg beside them) if asked to."""
    options = arguments(__doc__, rounds=5)
    system, rng = lattice(SITES), np.random.default_rng(0)
    x = rng.uniform(0.2, 0.8, (1, SITES))
    cases = [(k, m) for m in INTERVALS for k in EXPONENTS]
    frames = {k: random_frame(x, k, rng) for k in EXPONENTS}
    block, large = rng.standard_normal((512, 512)), np.ones((SITES, max(EXPONENTS)))

    def run(k: int, m: int) -> object:
        return orbits.compute(system.rule, x, frames[k], first=0, steps=STEPS, interval=m)

    tasks: dict[str, Callable[[], object]] = {f"{k} {m}": partial(run, k, m) for k, m in cases}
    tasks |= {"product": partial(np.matmul, block, block), "copy": large.copy}
    seconds = medians(tasks, options.rounds)
    times = np.array([seconds[f"{k} {m}"] / STEPS for k, m in cases])
    terms = np.array([(SITES * k, SITES * k * k / m, SITES, SITES * k / m) for k, m in cases], dtype=float)

    def fitted(chosen: npt.NDArray[np.bool_], count: int) -> tuple[npt.NDArray[np.float64], float]:
        """Coefficients of the first terms by relative least squares, and the largest relative residual."""
        t, columns = times[chosen], terms[chosen, :count]
        found = nnls(columns / t[:, None], np.ones(len(t)))[0]
        return found, float(np.abs(t / (columns @ found) - 1).max())

    every, wide = np.ones(len(cases), dtype=bool), np.array([k >= 16 for k, _ in cases])
    (a, b, c, e), residual = fitted(every, 4)
    fit = terms @ (a, b, c, e)
    rows = [
        {
            "exponents": k,
            "interval": m,
            "microseconds per step": 1e6 * t,
            "fit": 1e6 * f,
            "relative residual": t / f - 1,
        }
        for (k, m), t, f in zip(cases, times, fit, strict=True)
    ]
    facts = {
        "a, nanoseconds": 1e9 * a,
        "a in its limit (copying as many floats)": a / (seconds["copy"] / large.size),
        "b, nanoseconds": 1e9 * b,
        "b in its limit (4 operations at the speed of a matrix product)": b / (4 * seconds["product"] / (2 * 512**3)),
        "c, nanoseconds": 1e9 * c,
        "e, nanoseconds": 1e9 * e,
        "largest relative residual": residual,
        "of a d k + b d k^2/m alone, k >= 16": fitted(wide, 2)[1],
        "rounds": options.rounds,
    }
    title = f"Lattice of {SITES} sites: a d k + b d k²/m + c d + e d k/m"
    publish(rows, facts, title, options.output)
    if options.output:
        figures.save(figures.scaling(rows, title), options.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
