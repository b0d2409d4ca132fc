"""Which layer of a module first gives a number that is not finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

__all__ = ["NotFinite", "at_step", "first_bad_layer"]


class NotFinite(ValueError):
    """A network, or a derivative of it, gave NaN or infinity."""


@contextmanager
def at_step(t: int, steps: int) -> Iterator[None]:
    """Name the step at which a network is not finite.

    Raises:
        NotFinite: what was raised within, with the step t of 1..steps.
    """
    try:
        yield
    except NotFinite as problem:
        raise NotFinite(f"at step {t} of {steps}, {problem}") from None


def _tensors(output: Any) -> Iterator[Any]:
    if isinstance(output, torch.Tensor):
        yield output
    elif isinstance(output, dict):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, (list, tuple)):
        for value in output:
            yield from _tensors(value)


def first_bad_layer(module: Any, call: Callable[[], Any]) -> str | None:
    """Name and class of the first submodule, in order of execution, whose output is not finite while `call` runs.

    A submodule ends before the one that holds it, so the innermost is named; "" is the module itself. None where
    `module` is no torch module, or all is finite.
    """
    if not isinstance(module, torch.nn.Module):
        return None
    found: list[str] = []

    def look(name: str, layer: Any, _: Any, output: Any) -> None:
        floats = (part for part in _tensors(output) if part.is_floating_point())
        if not found and not all(bool(torch.isfinite(part).all()) for part in floats):
            found.append(f"`{name}` ({type(layer).__name__})" if name else f"the module ({type(layer).__name__})")

    hooks = [layer.register_forward_hook(partial(look, name)) for name, layer in module.named_modules()]
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else None
