"""The geometry of a schedule at T = 1000 and 10^4 variances, against one NumPy exp over an array of that size.

Goal: contraction threshold, diagonal expansion and Moran threshold together in at most 3 exp.
Limits, measured in the same rounds: every result of shape (1000, 10^4) must be written once, to fresh memory; every
entry of f takes one division, every entry of ln f one log1p too (both timed on a block in cache, log1p at arguments
drawn from those that ln f needs, since its time depends on them).

    python -m experiments.benchmarks.geometry [--rounds N] [--output FILE]
"""

from __future__ import annotations

import numpy as np

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion import geometry, schedules

__all__ = ["main"]

STEPS, VARIANCES, BLOCK = 1000, 10_000, 1 << 12
TITLE = f"Geometry of schedules.linear({STEPS}) at {VARIANCES} variances from 1e-6 to 1e6"


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=9)
    schedule, lam = schedules.linear(STEPS), np.geomspace(1e-6, 1e6, VARIANCES)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (STEPS, VARIANCES))
    needed = np.expm1(np.abs(geometry.log_expansion(schedule, rng.choice(lam, 64)))).ravel()
    out, block = np.empty_like(x), rng.choice(needed, BLOCK)
    into, blocks = np.empty_like(block), range(x.size // BLOCK)

    def three() -> None:
        geometry.contraction_threshold(schedule)
        geometry.diagonal_expansion(schedule, lam)
        geometry.moran_threshold(schedule)

    seconds = medians(
        {
            "numpy.exp(x)": lambda: np.exp(x),
            "numpy.exp(x, out=y)": lambda: np.exp(x, out=out),
            "limit: write to fresh memory": lambda: np.full_like(x, 1.0),
            "limit: divide in cache": lambda: [np.divide(block, 3.0, out=into) for _ in blocks],
            "limit: log1p in cache": lambda: [np.log1p(block, out=into) for _ in blocks],
            "contraction_threshold": lambda: geometry.contraction_threshold(schedule),
            "diagonal_expansion": lambda: geometry.diagonal_expansion(schedule, lam),
            "moran_threshold": lambda: geometry.moran_threshold(schedule),
            "the three quantities": three,
            "log_expansion": lambda: geometry.log_expansion(schedule, lam),
            "lyapunov_exponent": lambda: geometry.lyapunov_exponent(schedule, lam),
        },
        options.rounds,
    )
    write, divide, log1p = (
        seconds[f"limit: {name}"] for name in ("write to fresh memory", "divide in cache", "log1p in cache")
    )
    limits = {
        "diagonal_expansion": write + divide,
        "the three quantities": write + divide,
        "log_expansion": write + divide + log1p,
        "lyapunov_exponent": divide + log1p,
    }
    exp = seconds["numpy.exp(x)"]
    rows = [
        {
            "task": name,
            "milliseconds": 1e3 * value,
            "in exp": value / exp,
            "in exp, out=": value / seconds["numpy.exp(x, out=y)"],
            "in its limit": value / limits[name] if name in limits else "",
        }
        for name, value in seconds.items()
    ]
    ratio = seconds["the three quantities"] / exp
    facts = {
        "goal": f"the three quantities <= 3 exp: {ratio:.2f}, {'met' if ratio <= 3 else 'missed'}",
        "gigabytes per second written to fresh memory": x.nbytes / write / 1e9,
        "rounds": options.rounds,
    }
    publish(rows, facts, TITLE, options.output)


if __name__ == "__main__":
    main()
