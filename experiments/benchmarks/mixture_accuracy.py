"""Whole chains of mixtures against the reference: the error, and what the steps' roundings carried on allow.

A step t errs by at most e_t = 50 eps (1 + largest |logit|) sqrt(d) (size of what is added up); the chain by
sum_t |D(Phi_1 o .. o Phi_{t-1})| e_t, the tail norms taken at the reference's points. `needs the factor` is the part of
samples that err by more than sum_t e_t; as e_t is large where logits are, also by more than the plain rounding of the
steps, e_t of one eps and no logits. Norms are of dense products for d <= 64, beyond by power iteration: the steps'
Jacobians are symmetric, so that the transpose of a product is the same factors in the opposite order; never too large.

    python -m experiments.benchmarks.mixture_accuracy [--output FILE]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.benchmarks.machine import arguments, publish
from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.measures import Mixture
from pifs_sim.kernels import mixture_chain
from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["main", "step_bound", "tail_norms"]

DENSE = 64
ROUNDS = 6  # of power iteration
CASES = (  # samples, d, components, their variances, steps
    (2000, 2, 8, 0.05, 50),
    (2000, 2, 8, 1e-4, 50),
    (2000, 2, 8, 0.0, 50),
    (400, 16, 32, 1e-3, 50),
    (200, 64, 32, 0.05, 20),
    (200, 64, 32, 1e-4, 20),
    (60, 256, 16, 1e-3, 10),
)


def step_bound(law: Law, steps: Steps, x: Any, t: int) -> Any:
    """(B,) e_t at points x (B, d) of the angle t."""
    wide, (c, s) = x.astype(np.float64), (steps.cos[t], steps.sin[t])
    N = np.broadcast_to(law.variances * c**2 + s**2, law.means.shape)
    distances = [((wide - c * mu) ** 2 / own).sum(axis=1) for mu, own in zip(law.means, N, strict=True)]
    logits = np.log(law.weights) - 0.5 * (np.stack(distances, axis=1) + np.log(N).sum(axis=1))
    size = np.maximum(np.abs(wide).max(axis=1), np.abs(law.means).max())
    return 50 * np.finfo(x.dtype).eps * (1 + np.abs(logits).max(axis=1)) * np.sqrt(x.shape[1]) * size


def tail_norms(chain: Chain, path: Any, *, dense: int = DENSE) -> Any:
    """(T, B) of the points (T + 1, B, d) of a chain: entry t - 1 is |D(Phi_1 o .. o Phi_{t-1})| there."""
    T, (batch, d) = chain.length, path.shape[1:]
    steps = [chain.jacobian(path[t].astype(np.float64), T - t) for t in range(1, T)]
    norms = np.ones((T, batch))
    if d <= dense:
        product = np.broadcast_to(np.eye(d), (batch, d, d))
        for t, step in enumerate(steps, start=1):
            product = product @ step.dense()
            norms[t] = np.sqrt(np.linalg.eigvalsh(product.swapaxes(1, 2) @ product)[:, -1].clip(0))
        return norms
    start = np.random.default_rng(0).standard_normal((batch, d, 1))
    for t in range(1, T):
        v = start
        for _ in range(ROUNDS):
            v = v / np.linalg.norm(v, axis=1, keepdims=True).clip(1e-300)
            for step in reversed(steps[:t]):
                v = step @ v
            norms[t] = np.linalg.norm(v, axis=(1, 2))
            for step in steps[:t]:
                v = step @ v
    return norms


def _row(case: tuple[int, int, int, float, int], dtype: str) -> dict[str, Any]:
    batch, d, count, variance, T = case
    rng = np.random.default_rng(0)
    means, weights = rng.standard_normal((count, d)), rng.dirichlet(np.full(count, 5.0))
    angles = np.linspace(0, np.pi / 2, T + 1)
    cos = np.append(np.cos(angles[:-1]), 0.0)
    law, steps = Law(weights, means, np.full((1, 1), variance)), Steps(cos, np.sin(angles), np.sin(np.diff(angles)))
    chain = Chain(Schedule(angles), exact_denoiser(Mixture(weights, means, np.full(count, variance))))
    x = rng.standard_normal((batch, d)).astype(dtype)
    path = mixture_chain.compute(law, steps, x, at=range(T + 1), backend="reference")
    error = np.linalg.norm(mixture_chain.compute(law, steps, x).astype(np.float64) - path[0], axis=1)
    steps_of = np.stack([step_bound(law, steps, path[t], t) for t in range(1, T + 1)])
    norms = tail_norms(chain, path)
    allowed, plain = (norms * steps_of).sum(axis=0), steps_of.sum(axis=0)
    sizes = np.maximum(np.abs(path[1:]).max(axis=2), np.abs(means).max()).sum(axis=0, dtype=np.float64)
    rounding = np.finfo(dtype).eps * np.sqrt(d) * sizes
    return {
        "d": d,
        "K": count,
        "variance": variance,
        "T": T,
        "samples": batch,
        "dtype": dtype,
        "median error": float(np.median(error)),
        "largest error": float(error.max()),
        "largest tail norm": float(norms.max()),
        "largest error over bound": float((error / allowed).max()),
        "beyond the bound": float((error > allowed).mean()),
        "needs the factor": float((error > plain).mean()),
        "beyond plain rounding": float((error > rounding).mean()),
    }


def main() -> None:
    """Measure, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=1)
    rows = [_row(case, dtype) for case in CASES for dtype in ("float32", "float64")]
    total = sum(row["samples"] for row in rows)
    parts = ("beyond the bound", "needs the factor", "beyond plain rounding")
    facts = {f"all samples: {part}": sum(row[part] * row["samples"] for row in rows) / total for part in parts}
    publish(rows, facts, "Errors of whole chains of a mixture", options.output)


if __name__ == "__main__":
    main()
