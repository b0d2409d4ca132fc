"""Posterior means of point clouds as each library's users write them: tasks that return x_hat, or Cov(x_0 | x) V.

All take logits from |x|^2 - 2 c <x, y> + c^2 |y|^2 by a matrix product, softmax, and another product with the points:
arrays of samples times points are made. JAX compiles it, also in blocks of samples that stay in cache.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["NAMES", "peers"]

NAMES = ("jax", "torch", "smalldiffusion")
_BLOCK = 40

Task = Callable[[], Any]


def _numpy(points: Any, prior: Any, angle: tuple[float, float], x: Any, V: Any) -> Task:
    c, s = (x.dtype.type(value) for value in angle)
    squares = c * c * (points * points).sum(axis=1)

    def run() -> Any:
        logits = x @ (2 * c * points).T
        logits -= (x * x).sum(axis=1)[:, None] + squares
        logits *= 1 / (2 * s * s)
        logits += prior
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        mean = logits @ points
        if V is None:
            return mean
        across = np.matmul(points, V) - np.matmul(mean[:, None, :], V)
        across *= logits[:, :, None]
        return np.matmul(points.T, across) - mean[:, :, None] * across.sum(axis=1)[:, None, :]

    return run


def _jax(points: Any, prior: Any, angle: tuple[float, float], x: Any, V: Any, *, blocks: bool) -> Task:
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_enable_x64", val=True)
    y, w, (c, s) = jnp.asarray(points), jnp.asarray(prior), (x.dtype.type(value) for value in angle)

    def means(x: Any, V: Any = None) -> Any:
        distances = (x * x).sum(axis=1)[:, None] - 2 * c * (x @ y.T) + c * c * (y * y).sum(axis=1)
        r = jax.nn.softmax(w - distances / (2 * s * s), axis=1)
        mean = r @ y
        if V is None:
            return mean
        across = r[:, :, None] * (jnp.matmul(y, V) - jnp.matmul(mean[:, None, :], V))
        return jnp.matmul(y.T, across) - mean[:, :, None] * across.sum(axis=1)[:, None, :]

    given = tuple(jnp.asarray(array) for array in (x, V) if array is not None)
    run = jax.jit(means)
    if blocks:
        given = tuple(array.reshape(-1, _BLOCK, *array.shape[1:]) for array in given)
        run = jax.jit(lambda *arrays: lax.map(lambda block: means(*block), arrays))
    shape = x.shape if V is None else V.shape
    return lambda: np.asarray(run(*given).block_until_ready()).reshape(shape)


def _torch(points: Any, prior: Any, angle: tuple[float, float], x: Any, V: Any) -> Task:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    y, w, z = (torch.tensor(array) for array in (points, prior, x))
    U = None if V is None else torch.tensor(V)
    c, s = angle

    def run() -> Any:
        with torch.inference_mode():
            distances = (z * z).sum(dim=1)[:, None] - 2 * c * (z @ y.T) + c * c * (y * y).sum(dim=1)
            r = torch.softmax(w - distances / (2 * s * s), dim=1)
            mean = r @ y
            if U is None:
                return mean.numpy()
            across = r[:, :, None] * (torch.matmul(y, U) - torch.matmul(mean[:, None, :], U))
            return (torch.matmul(y.T, across) - mean[:, :, None] * across.sum(dim=1)[:, None, :]).numpy()

    return run


def _smalldiffusion(points: Any, angle: tuple[float, float], x: Any) -> Task:
    """Its data have equal weights, and its x is ours over the cosine."""
    torch, library = importlib.import_module("torch"), importlib.import_module("smalldiffusion")
    torch.set_num_threads(1)
    c, s = angle
    model, z, sigma = (
        library.IdealDenoiser(torch.tensor(points)),
        torch.tensor(x / x.dtype.type(c)),
        torch.tensor(s / c),
    )

    def run() -> Any:
        with torch.inference_mode():
            return (z - sigma * model(z, sigma)).numpy()

    return run


def peers(points: Any, angle: tuple[float, float], x: Any, V: Any = None) -> dict[str, Task]:
    """Tasks by name, of the libraries that are installed, for points of equal weights and one cosine and sine."""
    prior = np.full(len(points), -np.log(len(points)), x.dtype)
    given = points, prior, angle, x, V
    found = {"NumPy": _numpy(*given)}
    if importlib.util.find_spec("jax"):
        found |= {"JAX": _jax(*given, blocks=False), "JAX, in blocks": _jax(*given, blocks=True)}
    if importlib.util.find_spec("torch"):
        found["torch"] = _torch(*given)
    if V is None and importlib.util.find_spec("smalldiffusion"):
        found["smalldiffusion"] = _smalldiffusion(points, angle, x)
    return found
