"""What is kept of a training: averaged weights in half precision, how they came about, and how good they are.

The header of the safetensors file holds JSON: architecture, arguments, shape, predicts, condition, schedule, data, and
training (recipe, losses, versions, errors on held-out images beside the matched normal law's).
"""

from __future__ import annotations

import copy
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from experiments import named
from experiments.training_loop import Trained
from experiments.training_state import replace
from experiments.training_validation import Comparison, compare

__all__ = ["finish", "header", "rounded"]


def rounded(module: nn.Module) -> nn.Module:
    """The network that is read back: each weight the nearest number of half precision."""
    found = copy.deepcopy(module)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.copy_(parameter.to(torch.float16).to(parameter.dtype))
    return found


def header(trained: Trained, comparison: Comparison) -> dict[str, str]:
    """The header of the file."""
    recipe = trained.recipe
    training: dict[str, Any] = {
        "recipe": asdict(recipe),
        "losses": [round(loss, 6) for loss in trained.losses],
        "parameters": sum(parameter.numel() for parameter in trained.module.parameters()),
        "validation": comparison.as_numbers(),
        "processor seconds": round(trained.seconds),
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    return {
        "architecture": recipe.architecture,
        "arguments": json.dumps(trained.arguments),
        "shape": json.dumps(list(trained.data.shape)),
        "predicts": "noise",
        "condition": "angle",
        "schedule": json.dumps({"name": recipe.schedule, "steps": recipe.levels}),
        "data": trained.data.name,
        "training": json.dumps(training),
    }


def finish(trained: Trained, path: Path) -> tuple[Path, Comparison]:
    """Write the checkpoint of a finished training; its path, and the errors of the weights that it holds."""
    module = rounded(trained.module)
    comparison = compare(module, trained.data, named.schedule(trained.recipe.schedule, trained.recipe.levels))
    tensors = {name: tensor.to(torch.float16).contiguous() for name, tensor in module.state_dict().items()}
    replace(path, save(tensors, header(trained, comparison)))
    return path, comparison
