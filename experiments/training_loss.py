"""What a training minimises: weighted errors of the noise estimate, and the coupling of patches by one probe an image.

For a patch k drawn at random and signs z_k on it alone,

    E M sum_{j != k} |[J z_k]_j|^2 = sum_k sum_{j != k} |[J]_jk|_F^2,

with J the Jacobian of eps_hat and M the number of patches: the diagonal block is left out of each probe's response, so
that the estimate has no bias (claim `pifs-regulariser`, its form by columns). One jvp gives eps_hat and J z_k together.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from experiments.training_recipes import Recipe
from pifs_sim.diffusion import Schedule
from pifs_sim.dynamics import Patches

__all__ = ["Draw", "as_images", "as_vectors", "coupled", "draw", "loss", "weights"]

Tensor: TypeAlias = torch.Tensor
Module: TypeAlias = Callable[[Tensor, Tensor], Tensor]


class Draw(NamedTuple):
    """A batch: images under noise, the noise, and the angles."""

    x: Tensor  # (B, C, H, W)
    noise: Tensor  # (B, C, H, W)
    angle: Tensor  # (B,) float64
    tangent: Tensor  # (B,) sin/cos


def as_images(vectors: npt.NDArray[Any], shape: tuple[int, int, int]) -> Tensor:
    """(B, H W C) as (B, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(vectors)).reshape(-1, *shape).permute(0, 3, 1, 2)


def as_vectors(images: Tensor) -> npt.NDArray[Any]:
    """(B, C, H, W) as (B, H W C)."""
    found: npt.NDArray[Any] = images.detach().permute(0, 2, 3, 1).reshape(len(images), -1).numpy()
    return found


def draw(
    data: npt.NDArray[np.float32],
    schedule: Schedule,
    rng: np.random.Generator,
    *,
    shape: tuple[int, int, int],
    batch: int,
) -> Draw:
    """Images drawn with replacement, at steps t = 1 ... T stratified over the batch."""
    chosen = data[rng.integers(len(data), size=batch)]
    place = (rng.random() + np.arange(batch) / batch) % 1
    t = 1 + np.minimum((place * schedule.steps).astype(int), schedule.steps - 1)
    noise = rng.standard_normal(chosen.shape, dtype=np.float32)
    cos, sin = (values[t, None].astype(np.float32) for values in (schedule.cos, schedule.sin))
    return Draw(
        as_images(cos * chosen + sin * noise, shape),
        as_images(noise, shape),
        torch.from_numpy(schedule.angles[t]),
        torch.from_numpy(schedule.sigma[t].astype(np.float32)),
    )


def weights(tangent: Tensor, min_snr: float | None) -> Tensor:
    """min(SNR, gamma)/SNR = min(1, gamma tan^2 phi), or 1."""
    return torch.ones_like(tangent) if min_snr is None else (min_snr * tangent.square()).clamp(max=1.0)


def coupled(
    module: Module, x: Tensor, angle: Tensor, *, patches: Patches, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """(eps_hat, estimates (B,) of sum_{k, j != k} |[J eps_hat]_kj|_F^2, one probe each).

    Args:
        module: eps_hat of images (B, C, H, W) and angles (B,).
        x: (B, C, H, W).
        angle: (B,).
        patches: of images (H, W, C).
        rng: draws a patch and signs for each image.
    """
    shape = (x.shape[2], x.shape[3], x.shape[1])
    inside = np.zeros((patches.count, patches.dim), dtype=bool)
    np.put_along_axis(inside, patches.indices, True, axis=1)
    own = inside[rng.integers(patches.count, size=len(x))]
    signs = rng.integers(2, size=own.shape) * 2 - 1
    probe = as_images(np.where(own, signs, 0), shape).to(x.dtype)
    outside = as_images(~own, shape).to(x.dtype)
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no forward mode
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, where it first needs forward mode
        estimate, response = torch.func.jvp(lambda points: module(points, angle), (x,), (probe,))
    return estimate, patches.count * (outside * response).square().sum(dim=(1, 2, 3))


def loss(module: Module, given: Draw, recipe: Recipe, *, patches: Patches, rng: np.random.Generator) -> Tensor:
    """Mean over the batch of w |eps_hat - eps|^2/d + mu C/d."""
    if recipe.coupling:
        estimate, coupling = coupled(module, given.x, given.angle, patches=patches, rng=rng)
    else:
        estimate, coupling = module(given.x, given.angle), torch.zeros(len(given.x))
    errors = (estimate - given.noise).square().mean(dim=(1, 2, 3))
    return (weights(given.tangent, recipe.min_snr) * errors + recipe.coupling / patches.dim * coupling).mean()
