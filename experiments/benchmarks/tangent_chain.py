"""Sixteen tangent vectors along chains of 50 DDIM steps, d = 64, K = 32, against JAX's jvp and torch.func, on one core.

Goals, float32, vectors pushed without factorisation: at least 2 x JAX, at least 5 x torch.func. Both push the sixteen
vectors of all samples together, by vmap over a jvp of the step that `mixture_peers` times; JAX compiles the whole scan.
With QR after every step or every fourth, JAX calls its own. Operations: (p + 1) times those of a step without vectors.

    OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.tangent_chain [--rounds N] [--output FILE]
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from experiments.benchmarks.limits import blas, multiply_add_peak
from experiments.benchmarks.machine import arguments, medians, publish
from experiments.benchmarks.mixture_chain import on_cores, problem
from experiments.benchmarks.mixture_peers import coefficients, tables
from pifs_sim.kernels import tangent_chain
from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["main"]

BATCH, D, K, P, T = 600, 64, 32, 16, 50

Task = Callable[[], Any]


def _jax(law: Law, steps: Steps, x: Any, V: Any, interval: int) -> Task:
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_enable_x64", val=True)
    w, mu, v = (jnp.asarray(part, x.dtype) for part in (law.weights, law.means, law.variances[:, 0]))
    norms, prior = (mu * mu).sum(axis=1), jnp.log(w)

    def step(y: Any, row: Any) -> Any:
        inverse, alpha, gamma, c = coefficients(row, v)
        distances = (y * y).sum(axis=1)[:, None] - 2 * c * (y @ mu.T) + c * c * norms
        r = jax.nn.softmax(prior + 0.5 * D * jnp.log(inverse) - 0.5 * distances * inverse, axis=1)
        return (r @ alpha)[:, None] * y + (r * gamma) @ mu

    def push(state: Any, row: Any) -> Any:
        y, frames, logs = state
        image, linear = jax.linearize(partial(step, row=row), y)
        return image, jax.vmap(linear)(frames), logs

    def factorise(state: Any) -> Any:
        y, frames, logs = state
        Q, R = jnp.linalg.qr(jnp.moveaxis(frames, 0, -1))
        return y, jnp.moveaxis(Q, -1, 0), logs + jnp.log(jnp.abs(jnp.diagonal(R, axis1=1, axis2=2)))

    def turn(state: Any, rows: Any) -> Any:
        for i in range(max(1, interval)):
            state = push(state, [part[i] for part in rows])
        return (factorise(state) if interval else state), None

    rows = [part.reshape(-1, max(1, interval), *part.shape[1:]) for part in tables(steps, x.dtype)]
    start = (jnp.asarray(x), jnp.asarray(np.moveaxis(V, -1, 0)), jnp.zeros((len(x), P), x.dtype))
    chain = jax.jit(lambda state: lax.scan(turn, state, rows)[0])

    def run() -> Any:
        image, frames, _ = jax.block_until_ready(chain(start))
        return np.asarray(image), np.moveaxis(np.asarray(frames), 0, -1)

    return run


def _torch(law: Law, steps: Steps, x: Any, V: Any) -> Task:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    w, mu, v = (torch.tensor(np.asarray(part, x.dtype)) for part in (law.weights, law.means, law.variances[:, 0]))
    norms, prior = (mu * mu).sum(dim=1), torch.log(w)
    rows = [torch.tensor(part) for part in tables(steps, x.dtype)]
    points, frames = torch.tensor(x), torch.tensor(np.moveaxis(V, -1, 0).copy())

    def step(y: Any, row: Any) -> Any:
        inverse, alpha, gamma, c = coefficients(row, v)
        distances = (y * y).sum(dim=1)[:, None] - 2 * c * (y @ mu.T) + c * c * norms
        r = torch.softmax(prior + 0.5 * D * torch.log(inverse) - 0.5 * distances * inverse, dim=1)
        return (r @ alpha)[:, None] * y + (r * gamma) @ mu

    def run() -> Any:
        y, pushed = points, frames
        with torch.no_grad():
            for row in zip(*rows, strict=True):
                one = partial(torch.func.jvp, partial(step, row=row))
                images, pushed = torch.func.vmap(lambda u, one=one, y=y: one((y,), (u,)))(pushed)
                y = images[0]
        return y.numpy(), np.moveaxis(pushed.numpy(), 0, -1)

    return run


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    on_cores(1, lambda: None)()  # before any library starts threads
    peak = {name: multiply_add_peak(name) for name in ("float32", "float64")}
    tasks: dict[tuple[str, str], Task] = {}
    for dtype in peak:
        law, steps, x = problem(BATCH, D, K, dtype, T)
        V = np.random.default_rng(1).standard_normal((BATCH, D, P)).astype(dtype)
        run = partial(tangent_chain.compute, law, steps, x, V)
        for name, interval in (("", 0), (", QR every step", 1), (", QR every 5 steps", 5)):
            tasks[dtype, f"pifs_sim{name}"] = partial(run, interval=interval, threads=1)
            if importlib.util.find_spec("jax"):
                tasks[dtype, f"JAX{name}"] = _jax(law, steps, x, V, interval)
        if importlib.util.find_spec("torch"):
            tasks[dtype, "torch.func"] = _torch(law, steps, x, V)
    exact = tangent_chain.compute(*problem(BATCH, D, K, "float64", T), V, interval=0).V
    error = {}
    for (dtype, who), task in tasks.items():
        found = task()[1]
        if "QR" not in who:
            size = np.linalg.norm(exact, axis=(1, 2))
            error[dtype, who] = float(np.median(np.linalg.norm(found - exact, axis=(1, 2)) / size))
    seconds = medians({"/".join(key): task for key, task in tasks.items()}, options.rounds)
    flops = BATCH * T * (P + 1) * (4.0 * K * D + 8 * D + 10 * K)
    rows, verdicts = [], []
    for dtype, who in tasks:
        name, taken = who.partition(",")[2], seconds[f"{dtype}/{who}"]
        own = seconds[f"{dtype}/pifs_sim,{name}" if name else f"{dtype}/pifs_sim"]
        rows.append(
            {"dtype": dtype, "by": who, "seconds": taken, "us a sample and step": 1e6 * taken / BATCH / T}
            | {"GFLOP/s": flops / taken / 1e9, "of peak": flops / taken / peak[dtype]}
            | {"pifs_sim is times as fast": taken / own, "median error of vectors": error.get((dtype, who), "")}
        )
        goal = {"JAX": 2.0, "torch.func": 5.0}.get(who)
        if goal and dtype == "float32":
            verdicts.append(f"{taken / own:.3g} x {who} (goal {goal:g})" + ("" if taken / own >= goal else " MISSED"))
    facts = {
        "goals, float32": "; ".join(verdicts),
        "case": f"B={BATCH}, d={D}, K={K}, p={P}, T={T}",
        "multiply-add peak, GFLOP/s": ", ".join(f"{name} {value / 1e9:.4g}" for name, value in peak.items()),
        "BLAS": blas(),
        "rounds": options.rounds,
    }
    publish(rows, facts, "Tangent vectors along chains of a mixture", options.output)


if __name__ == "__main__":
    main()
