"""Jacobians of exact denoisers by their structure, against dense matrices and the least that products take.

Goals, at d = 3072 in one run: all eigenvalues of the Jacobian of a step on a mixture of K = 64 isotropic components,
the posterior included, at least 500 times as fast as LAPACK's on the dense matrix (formed beforehand); the posterior
covariance of a cloud of 10^4 points times 16 vectors within 3 times the two matrix products that it consists of, which
are timed in the same rounds; memory linear in K d: at most 4 arrays as large as the points at the peak.

    OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python -m experiments.benchmarks.denoisers [--rounds N] [--output FILE]
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import get_num_threads

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion import Chain, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Mixture, PointCloud

__all__ = ["main"]

DIM, COMPONENTS, POINTS, VECTORS = 3072, 64, 10_000, 16
ANGLE = math.pi / 3


def _chain(rng: np.random.Generator) -> tuple[Chain, Any]:
    """One step on a mixture, and a point at which many components count."""
    means = rng.standard_normal((COMPONENTS, DIM)) / math.sqrt(DIM)
    law = Mixture(np.full(COMPONENTS, 1 / COMPONENTS), means, rng.uniform(0.0099, 0.0101, COMPONENTS))
    chain = Chain(schedules.from_angles([ANGLE / 2, ANGLE]), exact_denoiser(law))
    return chain, math.cos(ANGLE) * law.sample(1, rng) + math.sin(ANGLE) * rng.standard_normal((1, DIM))


def _peak(task: Callable[[], Any]) -> int:
    """The most bytes that a task holds beyond what was there."""
    tracemalloc.start()
    task()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    rng = np.random.default_rng(0)
    chain, x = _chain(rng)
    matrix = chain.jacobian(x, 0).dense()[0]
    error = np.abs(chain.jacobian(x, 0).spectrum()[0] - np.linalg.eigvalsh(matrix)[::-1]).max()
    if error > 1e-12 * np.abs(matrix).max():
        raise SystemExit(f"the spectra differ by {error:.3g}")
    points = rng.standard_normal((POINTS, DIM)) / math.sqrt(DIM)
    denoiser = exact_denoiser(PointCloud(points))
    y = math.cos(ANGLE) * points[:1] + math.sin(ANGLE) * rng.standard_normal((1, DIM))
    V = rng.standard_normal((DIM, VECTORS))
    covariance = denoiser.posterior_covariance(y, ANGLE)
    seconds = medians(
        {
            "spectrum by structure, posterior included": lambda: chain.jacobian(x, 0).spectrum(),
            "spectrum of the dense matrix": lambda: np.linalg.eigvalsh(matrix),
            "covariance times vectors": lambda: covariance @ V,
            "covariance times vectors, posterior included": lambda: denoiser.posterior_covariance(y, ANGLE) @ V,
            "the two matrix products alone": lambda: points.T @ (points @ V),
        },
        options.rounds,
    )
    faster = seconds["spectrum of the dense matrix"] / seconds["spectrum by structure, posterior included"]
    slower, whole = (
        seconds[f"covariance times vectors{rest}"] / seconds["the two matrix products alone"]
        for rest in ("", ", posterior included")
    )
    arrays = _peak(lambda: denoiser.posterior_covariance(y, ANGLE) @ V) / points.nbytes
    spread = _peak(lambda: chain.jacobian(x, 0).spectrum()) / (8 * COMPONENTS * DIM)
    goals = {
        "goal of the spectrum": f">= 500 x dense: {faster:.0f} x, {_verdict(faster >= 500)}",
        "goal of the covariance": f"<= 3 x its products: {slower:.2f} x, {_verdict(slower <= 3)} "
        f"({whole:.2f} x with the posterior)",
        "goal of the memory": f"<= 4 arrays (K, d) at the peak: {arrays:.2f} for the cloud's products, {spread:.2f} "
        f"for the mixture's spectrum, {_verdict(max(arrays, spread) <= 4)}",
        "largest difference of the spectra": float(error),
        "largest posterior weights": ", ".join(
            f"{float(d.posterior(z, ANGLE).weights.max()):.3f}" for d, z in ((chain.denoiser, x), (denoiser, y))
        ),
        "threads of the kernels": get_num_threads(),
        "rounds": options.rounds,
    }
    rows = [{"task": name, "seconds": value} for name, value in seconds.items()]
    title = f"Exact denoisers at d = {DIM}: K = {COMPONENTS} isotropic components, {POINTS} points, {VECTORS} vectors"
    publish(rows, goals, title, options.output)


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


if __name__ == "__main__":
    main()
