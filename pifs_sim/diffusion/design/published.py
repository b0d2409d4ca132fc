"""Published tables of noise levels.

Align Your Steps (Sabour, Fidler, Kreis 2024, arXiv:2404.14507) optimised ten-step schedules of three models on their
own training data; the tables list sigma from the noisy to the clean end, without the final 0.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.schedules import from_sigma

__all__ = ["ALIGN_YOUR_STEPS", "AlignedModel", "align_your_steps"]

AlignedModel: TypeAlias = Literal["sd15", "sdxl", "svd"]

ALIGN_YOUR_STEPS: dict[str, tuple[float, ...]] = {
    "sd15": (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029),
    "sdxl": (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029),
    "svd": (700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002),
}

_NAMES = {"sd15": "Stable Diffusion 1.5", "sdxl": "SDXL", "svd": "Stable Video Diffusion"}


def align_your_steps(model: AlignedModel) -> Schedule:
    """The published Align Your Steps schedule of ten steps of a model, sigma to the printed digits.

    Args:
        model: "sd15" (Stable Diffusion 1.5), "sdxl" or "svd" (Stable Video Diffusion).

    Raises:
        ValueError: an unknown model.

    Source: Sabour, Fidler, Kreis 2024, arXiv:2404.14507, and its project page.
    """
    if model not in ALIGN_YOUR_STEPS:
        raise ValueError(f"`model` must be one of {', '.join(map(repr, ALIGN_YOUR_STEPS))}, got {model!r}.")
    return from_sigma(ALIGN_YOUR_STEPS[model][::-1], f"Align Your Steps, {_NAMES[model]}")
