"""J V and J^T U of a torch function f(x, angle) of samples, for vectors (p, B, d) at points (B, d).

Mapped over the vectors by `torch.func.vmap`, f is evaluated once for all of them; joined to the batch, p times. Double
backward, J V = d/du <J^T u, V>, needs no forward mode. Source: Christianson 1992, doi:10.1093/imanum/12.2.135.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

__all__ = ["differentiable", "doubled_push", "joined_pull", "joined_push", "mapped_pull", "mapped_push"]

Function = Callable[[Any, Any], Any]


class _ContiguousNorms(TorchFunctionMode):
    """Group norms of copies in C order: their forward mode fails on tangents that lie otherwise (torch 2.13)."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.group_norm:
            args = (args[0].clone(memory_format=torch.contiguous_format), *args[1:])
        return func(*args, **(kwargs or {}))


@contextmanager
def differentiable(module: Any) -> Iterator[None]:
    """Attention and group norms in the forms that have all derivatives."""
    layers = module.modules() if isinstance(module, torch.nn.Module) else ()
    norms = _ContiguousNorms() if any(isinstance(layer, torch.nn.GroupNorm) for layer in layers) else nullcontext()
    with sdpa_kernel(SDPBackend.MATH), norms:
        yield


def _together(x: Any, angle: Any, V: Any) -> tuple[Any, Any, Any]:
    """Points, angles and vectors with the vectors' axis in the batch."""
    p = V.shape[0]
    return x.repeat(p, 1), angle.repeat(p), V.reshape(-1, x.shape[1])


def mapped_push(f: Function, x: Any, angle: Any, V: Any) -> tuple[Any, Any]:
    """f and J V by forward mode, f evaluated once."""

    def one(v: Any) -> Any:
        return torch.func.jvp(lambda y: f(y, angle), (x,), (v,))

    with torch.no_grad():
        found: tuple[Any, Any] = torch.func.vmap(one, out_dims=(None, 0))(V)
    return found


def joined_push(f: Function, x: Any, angle: Any, V: Any) -> tuple[Any, Any]:
    """f and J V by forward mode, every vector with a sample of its own."""
    points, angles, vectors = _together(x, angle, V)
    with torch.no_grad():
        value, found = torch.func.jvp(lambda y: f(y, angles), (points,), (vectors,))
    return value[: x.shape[0]], found.reshape(V.shape)


def doubled_push(f: Function, x: Any, angle: Any, V: Any) -> tuple[Any, Any]:
    """f and J V by two backward passes."""
    points, angles, vectors = _together(x, angle, V)
    with torch.enable_grad():
        points.requires_grad_()
        value = f(points, angles)
        u = torch.zeros_like(value, requires_grad=True)
        found = torch.zeros_like(vectors)
        if value.requires_grad:
            (pulled,) = torch.autograd.grad(value, points, u, create_graph=True, materialize_grads=True)
            if pulled.requires_grad:
                (found,) = torch.autograd.grad(pulled, u, vectors, materialize_grads=True)
    return value.detach()[: x.shape[0]], found.reshape(V.shape)


def mapped_pull(f: Function, x: Any, angle: Any, U: Any) -> tuple[Any, Any]:
    """f and J^T U, f evaluated once."""
    with torch.no_grad():
        value, pull = torch.func.vjp(lambda y: f(y, angle), x)
        (found,) = torch.func.vmap(pull)(U)
    return value, found


def joined_pull(f: Function, x: Any, angle: Any, U: Any) -> tuple[Any, Any]:
    """f and J^T U, every vector with a sample of its own."""
    points, angles, vectors = _together(x, angle, U)
    with torch.enable_grad():
        points.requires_grad_()
        value = f(points, angles)
        found = torch.zeros_like(vectors)
        if value.requires_grad:
            (found,) = torch.autograd.grad(value, points, vectors, materialize_grads=True)
    return value.detach()[: x.shape[0]], found.reshape(U.shape)
