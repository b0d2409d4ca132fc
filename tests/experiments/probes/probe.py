"""Do runs that go wrong leave the others as they are?

Falsifier: a record that differs from that of the same run on its own.
"""

import os
import signal
import time

import numpy as np

from experiments.study import Verdict

NAME = "probe"
VERSION = 1
CLAIMS = ()
GRIDS = {
    "smoke": {"mode": ["well"], "n": [1, 2, 3], "scale": [1, 2.5]},
    "paper": {"mode": ["well"], "n": list(range(45)), "scale": [1.0, 2.0]},
}
TOLERANCE = 0.0


def run(*, mode: str, n: int, scale: float, rng: np.random.Generator):
    if mode == "raise":
        raise RuntimeError(f"no {n}")
    if mode == "hang":
        time.sleep(1000)
    if mode == "memory":
        np.ones(2**28)
    if mode == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "slow":
        time.sleep(0.02)
    value = float("nan") if mode == "nan" else scale * float(rng.standard_normal())
    return [{"i": i, "value": value + i, "word": f"n{n}", "even": i % 2 == 0} for i in range(n % 3 + 1)]


def verdict(rows):
    return Verdict("confirmed", f"{len(rows)} rows.", {"rows": float(len(rows))})


def plot(rows):
    from matplotlib.figure import Figure  # here: a worker does not draw

    figure = Figure()
    figure.subplots().plot([row["value"] for row in rows])
    return figure
