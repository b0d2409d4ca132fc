"""The state of a training between two steps, as safetensors: a file is replaced whole, and belongs to one recipe."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from experiments.training_recipes import Recipe

__all__ = ["read_state", "replace", "write_state"]

_MOMENTS = ("exp_avg", "exp_avg_sq")


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f"{path.name}.part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _tensors(module: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> Iterator[tuple[str, Any]]:
    for name, parameter in module.named_parameters():
        yield f"module.{name}", parameter.detach()
        for moment in _MOMENTS:
            yield f"{moment}.{name}", optimiser.state[parameter][moment]
    for name, parameter in average.named_parameters():
        yield f"average.{name}", parameter.detach()


def write_state(
    path: Path,
    recipe: Recipe,
    *,
    module: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    losses: list[float],
    seconds: float,
) -> None:
    """Save what the next step needs; the number of steps done is that of the losses."""
    header = {"recipe": recipe.as_json(), "losses": json.dumps(losses), "seconds": json.dumps(seconds)}
    tensors = {name: tensor.contiguous() for name, tensor in _tensors(module, average, optimiser)}
    replace(path, save(tensors, header))


def read_state(
    path: Path | None,
    recipe: Recipe,
    *,
    module: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> tuple[int, list[float], float]:
    """Fill weights and moments from a file; steps done, losses and seconds (0, [], 0 without a file).

    Raises:
        ValueError: the file is no state, or one of another recipe.
    """
    if path is None or not path.exists():
        return 0, [], 0.0
    try:
        with safe_open(path, framework="pt") as file:
            header, tensors = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"'{path}' cannot be read as the state of a training: {error}.") from None
    if "recipe" not in header or "losses" not in header:
        raise ValueError(f"'{path}' is not the state of a training.")
    then, now = json.loads(header["recipe"]), json.loads(recipe.as_json())
    other = [key for key in now if then.get(key) != now[key]]
    if other:
        key = other[0]
        raise ValueError(
            f"'{path}' is the state of another recipe: its `{key}` is {then.get(key)!r}, not {now[key]!r}; "
            "remove it or name another checkpoint."
        )
    losses = json.loads(header["losses"])
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(tensors[f"module.{name}"])
            optimiser.state[parameter] = {moment: tensors[f"{moment}.{name}"] for moment in _MOMENTS}
            optimiser.state[parameter]["step"] = torch.tensor(float(len(losses)))
        for name, parameter in average.named_parameters():
            parameter.copy_(tensors[f"average.{name}"])
    return len(losses), losses, float(header["seconds"])
