"""A network's error on held-out images beside that of the normal law fitted to the images for training.

At angles phi_t, t = T (i - 1/2)/levels, both estimate the same noise in the same images:
the mean over images of |eps_hat - eps|^2/d, and of the paired difference, whose standard error is s/sqrt(n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from experiments.datasets import Images
from experiments.training_loss import as_images, as_vectors
from pifs_sim.diffusion import Schedule, exact_denoiser

__all__ = ["Comparison", "compare", "errors", "gaussian_errors", "noise_levels"]

Array = npt.NDArray[np.float64]
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Comparison:
    """Errors of a network and of the matched normal law.

    Args:
        angles: (L,) noise levels.
        network: (L,) mean errors.
        gaussian: (L,).
        difference: mean of network - gaussian over all levels.
        error: its standard error, over the images.
    """

    angles: Array
    network: Array
    gaussian: Array
    difference: float
    error: float

    @property
    def better(self) -> bool:
        """Whether the network is better by more than two standard errors."""
        return self.difference < -2 * self.error

    def as_numbers(self) -> dict[str, Any]:
        """For a file's header."""
        lists = {name: [round(float(x), 6) for x in getattr(self, name)] for name in ("angles", "network", "gaussian")}
        return {
            **lists,
            "network mean": round(float(self.network.mean()), 6),
            "gaussian mean": round(float(self.gaussian.mean()), 6),
            "difference": round(self.difference, 6),
            "standard error": round(self.error, 6),
            "better": self.better,
        }

    def __str__(self) -> str:
        """A table."""
        lines = ["angle    network   matched Gaussian"]
        rows = zip(self.angles, self.network, self.gaussian, strict=True)
        lines += [f"{angle:.4f}   {ours:.5f}   {theirs:.5f}" for angle, ours, theirs in rows]
        lines.append(f"mean     {self.network.mean():.5f}   {self.gaussian.mean():.5f}")
        said = "better than" if self.better else "not better than"
        lines.append(f"{said} the matched Gaussian: difference {self.difference:.5f} +- {self.error:.5f}")
        return "\n".join(lines)


def noise_levels(schedule: Schedule, levels: int) -> list[int]:
    """Steps t in the middles of equal parts of 1 ... T."""
    return [1 + int(schedule.steps * (i + 0.5) / levels) for i in range(levels)]


def _noisy(data: Images, schedule: Schedule, *, levels: int, count: int | None, seed: int) -> Any:
    """(angle, images, noise) at each level, the same for everyone."""
    clean = data.validation[:count].astype(np.float64)
    for t in noise_levels(schedule, levels):
        noise = np.random.default_rng((seed, t)).standard_normal(clean.shape)
        yield float(schedule.angles[t]), schedule.cos[t] * clean + schedule.sin[t] * noise, noise


def errors(
    module: nn.Module,
    data: Images,
    schedule: Schedule,
    *,
    levels: int = 10,
    count: int | None = None,
    seed: int = 0,
) -> Array:
    """(L, n) |eps_hat - eps|^2/d of a network, in its precision, on the first `count` images for validation."""
    dtype, found = next(module.parameters()).dtype, []
    for angle, x, noise in _noisy(data, schedule, levels=levels, count=count, seed=seed):
        parts = []
        with torch.no_grad():
            for part in np.array_split(x, math.ceil(len(x) / _CHUNK)):
                angles = torch.full((len(part),), angle, dtype=torch.float64)
                parts.append(as_vectors(module(as_images(part, data.shape).to(dtype), angles)))
        found.append(np.mean((np.concatenate(parts) - noise) ** 2, axis=1))
    return np.stack(found)


def gaussian_errors(
    data: Images, schedule: Schedule, *, levels: int = 10, count: int | None = None, seed: int = 0
) -> Array:
    """(L, n) |eps_hat - eps|^2/d of the matched normal law's exact denoiser, on the same draws."""
    denoiser = exact_denoiser(data.matched())
    draws = _noisy(data, schedule, levels=levels, count=count, seed=seed)
    return np.stack([np.mean((denoiser.noise(x, angle) - noise) ** 2, axis=1) for angle, x, noise in draws])


def compare(module: nn.Module, data: Images, schedule: Schedule, *, levels: int = 10, seed: int = 0) -> Comparison:
    """A network beside the matched normal law, on all images for validation."""
    ours = errors(module, data, schedule, levels=levels, seed=seed)
    theirs = gaussian_errors(data, schedule, levels=levels, seed=seed)
    paired = (ours - theirs).mean(axis=0)
    angles = schedule.angles[noise_levels(schedule, levels)]
    spread = float(paired.std(ddof=1)) / math.sqrt(len(paired))
    return Comparison(angles, ours.mean(axis=1), theirs.mean(axis=1), float(paired.mean()), spread)
