"""DDIM chains of an isotropic mixture as each library's users write them: a task that returns the output.

All take x (B, d) through the same steps: logits from |x|^2 - 2 c x.mu + c^2 |mu|^2 by a matrix product, softmax, and
sum_k r_k (alpha_k x + gamma_k mu_k) by another. JAX compiles the whole chain, a scan over the steps. Two more forms of
it are tuned by hand: blocks of samples that stay in cache, and, for few coordinates, distances from differences with
the coordinates in front, so that samples lie side by side.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["coefficients", "peers", "tables"]

_FORMS = ("JAX", "JAX, in blocks", "JAX, coordinates first")
_BLOCK = 500

Task = Callable[[], Any]


def coefficients(row: Any, v: Any) -> tuple[Any, Any, Any, Any]:
    """1/N, alpha, gamma of each component and the cosine; from cosines and sines, after and before, and the turn."""
    cos, sin, turn = row
    N = v * cos[1] ** 2 + sin[1] ** 2
    return 1 / N, (v * cos[1] * cos[0] + sin[1] * sin[0]) / N, turn * sin[1] / N, cos[1]


def _numpy(law: Any, steps: Any, x: Any) -> Task:
    w, mu, v = (np.asarray(part, x.dtype) for part in (law.weights, law.means, law.variances[:, 0]))
    norms, prior = (mu * mu).sum(axis=1), np.log(w)

    def run() -> Any:
        y = x
        for t in range(len(steps.turn), 0, -1):
            cos, sin = (np.asarray(part[t - 1 : t + 1], x.dtype) for part in (steps.cos, steps.sin))
            inverse, alpha, gamma, c = coefficients((cos, sin, x.dtype.type(steps.turn[t - 1])), v)
            logits = y @ (2 * c * mu).T
            logits -= (y * y).sum(axis=1)[:, None] + c * c * norms
            logits *= 0.5 * inverse
            logits += prior + 0.5 * x.shape[1] * np.log(inverse)
            logits -= logits.max(axis=1, keepdims=True)
            np.exp(logits, out=logits)
            logits /= logits.sum(axis=1, keepdims=True)
            y = (logits @ alpha)[:, None] * y + (logits * gamma) @ mu
        return y

    return run


def tables(steps: Any, dtype: Any) -> tuple[Any, ...]:
    """(cos, sin) before and after, and the turn, in the order of the steps."""
    c, s = steps.cos[::-1].astype(dtype), steps.sin[::-1].astype(dtype)
    return np.stack([c[1:], c[:-1]], axis=1), np.stack([s[1:], s[:-1]], axis=1), steps.turn[::-1].astype(dtype)


def _jax(law: Any, steps: Any, x: Any, form: str) -> Task:
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_enable_x64", val=True)
    w, mu, v = (jnp.asarray(part, x.dtype) for part in (law.weights, law.means, law.variances[:, 0]))
    norms, prior, d = (mu * mu).sum(axis=1), jnp.log(w), x.shape[1]

    def step(y: Any, row: Any) -> Any:
        inverse, alpha, gamma, c = coefficients(row, v)
        distances = (y * y).sum(axis=1)[:, None] - 2 * c * (y @ mu.T) + c * c * norms
        r = jax.nn.softmax(prior + 0.5 * d * jnp.log(inverse) - 0.5 * distances * inverse, axis=1)
        return (r @ alpha)[:, None] * y + (r * gamma) @ mu, None

    def turned(y: Any, row: Any) -> Any:
        inverse, alpha, gamma, c = coefficients(row, v)
        distances = sum((y[i][None, :] - c * mu[:, i : i + 1]) ** 2 for i in range(d))
        logits = (prior + 0.5 * d * jnp.log(inverse))[:, None] - 0.5 * distances * inverse[:, None]
        powers = jnp.exp(logits - logits.max(axis=0))
        return ((alpha @ powers) * y + (mu * gamma[:, None]).T @ powers) / powers.sum(axis=0), None

    rows, points = tables(steps, x.dtype), jnp.asarray(x)
    chain = jax.jit(lambda y: lax.scan(turned if "first" in form else step, y, rows)[0])
    if "first" in form:
        points = jnp.asarray(np.ascontiguousarray(x.T))
        return lambda: np.asarray(chain(points).block_until_ready()).T
    if "blocks" in form:
        blocked = jax.jit(lambda y: lax.map(chain, y.reshape(-1, _BLOCK, d)).reshape(y.shape))
        return lambda: np.asarray(blocked(points).block_until_ready())
    return lambda: np.asarray(chain(points).block_until_ready())


def _torch(law: Any, steps: Any, x: Any) -> Task:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # shares of far components would else take a hundred times as long
    w, mu, v = (torch.tensor(np.asarray(part, x.dtype)) for part in (law.weights, law.means, law.variances[:, 0]))
    norms, prior, d, points = (mu * mu).sum(dim=1), torch.log(w), x.shape[1], torch.tensor(x)
    rows = [torch.tensor(part) for part in tables(steps, x.dtype)]

    def run() -> Any:
        y = points
        with torch.inference_mode():
            for row in zip(*rows, strict=True):
                inverse, alpha, gamma, c = coefficients(row, v)
                distances = (y * y).sum(dim=1)[:, None] - 2 * c * (y @ mu.T) + c * c * norms
                r = torch.softmax(prior + 0.5 * d * torch.log(inverse) - 0.5 * distances * inverse, dim=1)
                y = (r @ alpha)[:, None] * y + (r * gamma) @ mu
        return y.numpy()

    return run


def peers(law: Any, steps: Any, x: Any) -> dict[str, Task]:
    """Tasks by name, of the libraries that are installed."""
    found = {"NumPy": _numpy(law, steps, x)}
    if importlib.util.find_spec("jax"):
        forms = _FORMS if x.shape[1] <= 8 else _FORMS[:2]
        found |= {form: _jax(law, steps, x, form) for form in forms}
    if importlib.util.find_spec("torch"):
        found["torch"] = _torch(law, steps, x)
    return found
