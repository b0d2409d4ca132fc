"""The training of a network by a recipe: each step draws from a generator of its own, so that it can be interrupted.

The draws of step n come from (seed, n) and the first weights from the seed; what is kept between steps is the
weights, their running average and the two moments of AdamW, saved as safetensors with the recipe beside them.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from experiments import named
from experiments.datasets import Images, images
from experiments.training_loss import draw, loss
from experiments.training_recipes import Recipe
from experiments.training_state import read_state, write_state
from pifs_sim.dynamics import Patches
from pifs_sim.networks.architectures import build

__all__ = ["Trained", "first", "operations", "rate", "train"]

_WARM = 0.05


@dataclass(frozen=True, eq=False)
class Trained:
    """A network after some steps.

    Args:
        recipe: how it was made.
        arguments: of the architecture, with all that the data determined.
        module: with averaged weights.
        data: what it was trained on.
        steps: done.
        losses: mean of the loss over each twentieth of the steps done.
        seconds: of processor time.
    """

    recipe: Recipe
    arguments: dict[str, Any]
    module: nn.Module
    data: Images
    steps: int
    losses: list[float]
    seconds: float


def rate(recipe: Recipe, step: int) -> float:
    """The learning rate of step 0, 1, ..."""
    warm = max(1, round(_WARM * recipe.steps))
    if step < warm:
        return recipe.rate * (step + 1) / warm
    return recipe.rate * (1 + math.cos(math.pi * (step - warm) / max(1, recipe.steps - warm))) / 2


def first(recipe: Recipe, data: Images) -> tuple[nn.Module, dict[str, Any]]:
    """The network before training, and the arguments that it was built with; torch's own generator is left alone."""
    arguments = {"spread": round(data.spread, 4), **recipe.arguments}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return build(recipe.architecture, data.shape, **arguments), arguments


def train(
    recipe: Recipe,
    *,
    data: Images | None = None,
    state: Path | None = None,
    every: int = 250,
    stop: int | None = None,
    progress: Callable[[int, float], None] | None = None,
    watch: Callable[[int, nn.Module], None] | None = None,
) -> Trained:
    """Train by a recipe, from the state in a file if there is one.

    Args:
        recipe: what to do.
        data: images in place of those that the recipe names.
        state: a file to begin from, if it exists, and to save the state to.
        every: steps from one saved state to the next.
        stop: the last step of this call; all by default.
        progress: told the steps done and the last loss.
        watch: told the steps done and the network, with the weights of that step, not their average; before the first
            step too.

    Raises:
        ValueError: a state of another recipe, or a loss that is not finite.
    """
    data = images(recipe.data) if data is None else data
    module, arguments = first(recipe, data)
    average = copy.deepcopy(module).requires_grad_(False)
    optimiser = torch.optim.AdamW(module.parameters(), lr=recipe.rate, betas=(0.9, 0.99), weight_decay=0.0)
    done, losses, seconds = read_state(state, recipe, module=module, average=average, optimiser=optimiser)
    schedule, patches = named.schedule(recipe.schedule, recipe.levels), Patches(data.shape, recipe.patch)
    last, began = recipe.steps if stop is None else min(stop, recipe.steps), time.process_time()
    if watch and not done:
        watch(0, module)
    for step in range(done, last):
        rng = np.random.default_rng((recipe.seed, step))
        given = draw(data.training, schedule, rng, shape=data.shape, batch=recipe.batch)
        value = loss(module, given, recipe, patches=patches, rng=rng)
        losses.append(value.item())
        if not math.isfinite(losses[-1]):
            raise ValueError(f"the loss is not finite at step {step + 1}: a smaller `rate` than {recipe.rate:g} helps.")
        _move(module, average, optimiser, value, recipe=recipe, step=step)
        if state is not None and ((step + 1) % every == 0 or step + 1 == last):
            spent = seconds + time.process_time() - began
            write_state(
                state, recipe, module=module, average=average, optimiser=optimiser, losses=losses, seconds=spent
            )
        if progress:
            progress(step + 1, losses[-1])
        if watch:
            watch(step + 1, module)
    seconds += time.process_time() - began
    parts = [float(np.mean(part)) for part in np.array_split(losses, min(20, len(losses)))] if losses else []
    return Trained(recipe, arguments, average.eval(), data, len(losses), parts, seconds)


def operations(recipe: Recipe, data: Images) -> float:
    """Floating-point operations of matrix products in one step of training, by image, in millions."""
    module, _ = first(recipe, data)
    rng = np.random.default_rng(recipe.seed)
    given = draw(data.training, named.schedule(recipe.schedule, recipe.levels), rng, shape=data.shape, batch=2)
    with FlopCounterMode(display=False) as counter:
        value = loss(module, given, recipe, patches=Patches(data.shape, recipe.patch), rng=rng)
        value.backward()
    return float(counter.get_total_flops()) / 2e6


def _move(
    module: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    value: torch.Tensor,
    *,
    recipe: Recipe,
    step: int,
) -> None:
    """One step of the optimiser and of the running average; the gradient's norm is at most 1."""
    for group in optimiser.param_groups:
        group["lr"] = rate(recipe, step)
    optimiser.zero_grad(set_to_none=True)
    value.backward()
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimiser.step()
    decay = min(recipe.average, (1 + step) / (10 + step))
    with torch.no_grad():
        for kept, now in zip(average.parameters(), module.parameters(), strict=True):
            kept.lerp_(now, 1 - decay)
