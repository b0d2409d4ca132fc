"""A torch module as a vector field on R^d, in NumPy: its value f(x), J V and J^T U, with J = df/dx per sample.

J V is forward mode (`torch.func.jvp`), J^T U reverse mode (`torch.func.vjp`), both over many vectors at once by
`torch.func.vmap`, so that f itself is evaluated once for all. Fused attention has no forward mode: derivatives take the
plain one. Where a layer still lacks forward mode, J V is the derivative of u -> J^T u (double backward); where
it cannot be mapped over vectors, the vectors join the batch. Which of these it is, a trial at construction decides.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from pifs_sim.dynamics.arrays import check_count
from pifs_sim.networks.derivatives import (
    differentiable,
    doubled_push,
    joined_pull,
    joined_push,
    mapped_pull,
    mapped_push,
)
from pifs_sim.networks.finiteness import NotFinite, first_bad_layer

__all__ = ["TorchField"]

Derivative = Callable[[Callable[[Any, Any], Any], Any, Any, Any], tuple[Any, Any]]

_KINDS = {torch.float32: np.float32, torch.float64: np.float64}


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """The module in evaluation mode, and afterwards as it was."""
    layers = module.modules() if isinstance(module, torch.nn.Module) else ()
    training = [layer for layer in layers if layer.training]
    for layer in training:
        layer.training = False
    try:
        yield
    finally:
        for layer in training:
            layer.training = True


def _home(module: Any) -> tuple[Any, Any]:
    """Precision and device of a module's numbers; float64 on the CPU if it has none."""
    if isinstance(module, torch.nn.Module):
        for group in (module.parameters(), module.buffers()):
            for tensor in group:
                if tensor.is_floating_point():
                    if tensor.dtype not in _KINDS:
                        raise ValueError(
                            f"`module` must hold float32 or float64 numbers, got {tensor.dtype}: call module.float()."
                        )
                    return tensor.dtype, tensor.device
    return torch.float64, torch.device("cpu")


def _runs(count: int, width: int) -> Iterator[slice]:
    return (slice(start, min(start + width, count)) for start in range(0, count, width))


class TorchField:
    """m(x, c) as a function of points x (B, d) and angles (B,), with its derivatives.

    Args:
        module: m(x: (B, C, H, W) or (B, d), c: (B, ...)) -> of the shape of x; used in evaluation mode.
        shape: (H, W, C), whose points are flattened in C order, or (d,).
        condition: angles (B,), a float64 tensor -> c; None: the angles themselves, in the module's precision.
        chunk: samples (times vectors) that the module sees at once.

    Attributes:
        forward_mode: whether J V is forward mode; else double backward.
        vectorised: whether both map many vectors over one evaluation; else the vectors join the batch.

    Raises:
        ValueError: another shape, precision or chunk, or a module that does not map the shape to itself.
    """

    def __init__(
        self,
        module: Any,
        shape: tuple[int, ...],
        *,
        condition: Callable[[Any], Any] | None = None,
        chunk: int = 64,
    ) -> None:
        """Check what can be checked, and try which derivatives the module has."""
        if not callable(module):
            raise ValueError(f"`module` must be a torch module or another callable, got {type(module).__name__}.")
        shape = tuple(shape)
        if len(shape) not in (1, 3) or not all(isinstance(n, int) and n > 0 for n in shape):
            raise ValueError(f"`shape` must be (H, W, C) or (d,) in positive integers, got {shape}.")
        check_count("chunk", chunk, 1, None)
        self.module, self.shape, self.condition, self.chunk = module, shape, condition, int(chunk)
        self.dim = math.prod(shape)
        self.dtype, self.device = _home(module)
        self._push, self._pull = self._tried()
        self.forward_mode = self._push is not doubled_push
        self.vectorised = self._push is mapped_push and self._pull is mapped_pull

    def _tried(self) -> tuple[Derivative, Derivative]:
        """The first J V and J^T U that work at a point."""
        rng = np.random.default_rng(0)
        x, angle = self._tensor(rng.standard_normal((1, self.dim))), self._angles([math.pi / 4])
        vectors = self._tensor(rng.standard_normal((2, 1, self.dim)))
        with _evaluating(self.module), differentiable(self.module):
            try:
                with torch.no_grad():
                    found = self._output(x, angle)
            except (RuntimeError, ValueError, IndexError, TypeError) as problem:
                seen, why = tuple(self._image(x).shape), " ".join(str(problem).split())[:300]
                raise ValueError(
                    f"`module` does not take inputs of shape {seen}, which `shape` {self.shape} means: {why}"
                ) from None
            shape = tuple(self._image(x).shape)
            if not isinstance(found, torch.Tensor) or tuple(found.shape) != shape:
                got = f"shape {tuple(found.shape)}" if isinstance(found, torch.Tensor) else type(found).__name__
                raise ValueError(f"`module` must return a tensor of the shape of its input, {shape}, got {got}.")
            pushes, pulls = (mapped_push, joined_push), (mapped_pull,)
            push = next((rule for rule in pushes if self._works(rule, x, angle, vectors)), doubled_push)
            pull = next((rule for rule in pulls if self._works(rule, x, angle, vectors)), joined_pull)
        return push, pull

    def _works(self, rule: Derivative, *arguments: Any) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, when it first loads forward mode
            warnings.filterwarnings("error", message=".*performance drop")  # vmap would loop: the batch is faster
            try:
                rule(self._call, *arguments)
            except (RuntimeError, UserWarning):
                return False
        return True

    @property
    def precision(self) -> Any:
        """NumPy's name for the module's precision."""
        return _KINDS[self.dtype]

    def _tensor(self, values: Any) -> Any:
        return torch.tensor(values, dtype=self.dtype, device=self.device)

    def _angles(self, values: Any) -> Any:
        return torch.tensor(values, dtype=torch.float64, device=self.device)

    def _image(self, x: Any) -> Any:
        return x if len(self.shape) == 1 else x.reshape(x.shape[0], *self.shape).permute(0, 3, 1, 2)

    def _output(self, x: Any, angle: Any) -> Any:
        """What the module gives, at tensors (B, d) and float64 (B,)."""
        return self.module(self._image(x), angle.to(self.dtype) if self.condition is None else self.condition(angle))

    def _call(self, x: Any, angle: Any) -> Any:
        """f, (B, d)."""
        out = self._output(x, angle)
        return (out if len(self.shape) == 1 else out.permute(0, 2, 3, 1)).reshape(x.shape)

    def value(self, x: Any, angle: Any) -> Any:
        """f(x), (B, d), in the precision of x.

        Raises:
            ValueError: values that are not finite, naming the angle and the first layer that gives one.
        """
        out = np.empty_like(x)
        with _evaluating(self.module), torch.no_grad():
            for rows in _runs(x.shape[0], self.chunk):
                points, angles = self._tensor(x[rows]), self._angles(angle[rows])
                out[rows] = self._call(points, angles).cpu().numpy()
                self._check_value(out[rows], points, angles)
        return out

    def _check_value(self, found: Any, points: Any, angles: Any) -> None:
        bad = ~np.isfinite(found).all(axis=1)
        if not bad.any():
            return
        first = int(bad.argmax())
        points, angles = points[first : first + 1], angles[first : first + 1]
        layer = first_bad_layer(self.module, lambda: self._call(points, angles))
        where = "" if layer is None else f"; the first layer that does is {layer}"
        raise NotFinite(f"`module` gives NaN or infinity at angle {float(angles[0]):.6g}{where}.")

    def push(self, x: Any, angle: Any, V: Any) -> tuple[Any, Any]:
        """f(x), (B, d), and J V, (B, d, p), in the precisions of x and V."""
        return self._in_chunks(self._push, (x, angle, V), name="J V")

    def pull(self, x: Any, angle: Any, U: Any) -> tuple[Any, Any]:
        """f(x), (B, d), and J^T U, (B, d, p), in the precisions of x and U."""
        return self._in_chunks(self._pull, (x, angle, U), name="J^T U")

    def _in_chunks(self, derivative: Any, arguments: tuple[Any, Any, Any], *, name: str) -> tuple[Any, Any]:
        x, angle, V = arguments
        if V.shape[2] == 0:
            return self.value(x, angle), np.empty_like(V)
        value, out = np.empty_like(x), np.empty(V.shape, V.dtype)
        with _evaluating(self.module), differentiable(self.module):
            for rows in _runs(x.shape[0], self.chunk):
                points, angles = self._tensor(x[rows]), self._angles(angle[rows])
                for columns in _runs(V.shape[2], max(1, self.chunk // points.shape[0])):
                    vectors = self._tensor(V[rows, :, columns]).permute(2, 0, 1)
                    f, found = derivative(self._call, points, angles, vectors)
                    out[rows, :, columns] = found.permute(1, 2, 0).cpu().numpy()
                value[rows] = f.cpu().numpy()
                self._check_value(value[rows], points, angles)
                bad = ~np.isfinite(out[rows]).all(axis=(1, 2))
                if bad.any():
                    raise NotFinite(f"{name} of `module` is not finite at angle {float(angles[bad.argmax()]):.6g}.")
        return value, out
