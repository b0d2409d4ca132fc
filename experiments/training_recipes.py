"""How the small networks are trained: a recipe says all, and those of the networks that are committed are here.

A network estimates the noise in x = cos(phi) x_0 + sin(phi) eps. It minimises the mean over phi_1 ... phi_T of a
schedule of w |eps_hat - eps|^2/d + mu C/d: w = 1, or min(SNR, gamma)/SNR with SNR = 1/tan^2 phi (Hang et al. 2023,
arXiv:2303.09556), and C the coupling of patches, sum_{k, j != k} |[J eps_hat]_kj|_F^2. A running average of the weights
is what is kept.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments import named

__all__ = ["RECIPES", "Recipe", "checkpoints"]

_DIT8 = {"patch": 2, "width": 40, "depth": 3, "condition": 36}
_DIT16 = {"patch": 4, "width": 52, "depth": 3}


@dataclass(frozen=True)
class Recipe:
    """What a training is, entirely.

    Args:
        data: a name that `datasets.images` takes.
        architecture: a name that `architectures.build` takes.
        arguments: of that architecture; `spread` is the data's own where it is not given.
        schedule: a name that `named.schedule` takes.
        levels: T, steps of that schedule.
        steps: of the optimiser (AdamW without decay of weights).
        batch: images in a step, at angles phi_t spread evenly over the schedule.
        rate: the largest learning rate, reached after a twentieth of the steps; then a cosine to 0.
        average: decay of the weights' running average.
        min_snr: gamma of the weights, or None for none.
        coupling: mu.
        patch: side of the patches of C.
        seed: of the first weights and of all draws.

    Raises:
        ValueError: a number out of its range.
    """

    data: str = "digits"
    architecture: str = "unet"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    schedule: str = "cosine"
    levels: int = 1000
    steps: int = 2500
    batch: int = 32
    rate: float = 2e-3
    average: float = 0.998
    min_snr: float | None = None
    coupling: float = 0.0
    patch: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("levels", 1), ("steps", 1), ("batch", 1), ("patch", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"`{name}` must be an integer of at least {least}, got {value!r}.")
        for name, holds, rule in (
            ("rate", 0 < self.rate < math.inf, "positive"),
            ("average", 0 <= self.average < 1, "in [0, 1)"),
            ("min_snr", self.min_snr is None or 0 < self.min_snr < math.inf, "positive"),
            ("coupling", 0 <= self.coupling < math.inf, "non-negative"),
        ):
            if not holds:
                raise ValueError(f"`{name}` must be {rule}, got {getattr(self, name)!r}.")
        named.schedule(self.schedule, self.levels)

    def as_json(self) -> str:
        """Canonical JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def _recipe(data: str, architecture: str, arguments: Mapping[str, Any], **others: Any) -> Recipe:
    return Recipe(data, architecture, arguments, **others)


RECIPES: Mapping[str, Recipe] = {
    "digits-dit": _recipe("digits", "dit", _DIT8, steps=4000, rate=5e-3),
    "digits-unet": _recipe("digits", "unet", {"widths": [24, 48], "attention": True}),
    "digits-conv": _recipe("digits", "unet", {"widths": [24, 48], "attention": False}),
    "grey16-dit": _recipe("grey16", "dit", _DIT16, steps=5000, rate=5e-3),
    "grey16-unet": _recipe("grey16", "unet", {"widths": [16, 32, 48], "attention": True}),
    "grey16-conv": _recipe("grey16", "unet", {"widths": [16, 32, 48], "attention": False}),
    "rgb32-unet": _recipe("rgb32", "unet", {"widths": [16, 24, 48], "attention": True}, steps=800),
}


def checkpoints() -> Path:
    """The folder of the networks that are committed."""
    return Path(__file__).parent / "checkpoints"
