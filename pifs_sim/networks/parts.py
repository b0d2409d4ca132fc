"""What the networks here are made of: features of the angle, attention, pointwise layers, scales of input and output.

With x = cos(phi) x_0 + sin(phi) eps, data of standard deviation `spread` s and N = s^2 cos^2 + sin^2, a module is

    eps_hat(x, phi) = (sin phi / N) x + (s cos phi / sqrt N) F(x / sqrt N, phi),

so that F sees inputs and learns targets of unit variance, and eps_hat = x exactly at pi/2 (Karras et al. 2022,
arXiv:2206.00364, section 5, written for eps; s = 0 means eps_hat = F(x, phi)). The angle enters through Fourier
features of logSNR = -2 ln tan phi, attention goes through scaled_dot_product_attention, and everything is smooth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import nn
from torch.nn import functional

__all__ = ["AngleFeatures", "Attention", "Pointwise", "Preconditioned", "Tensor", "image_sides"]

Tensor: TypeAlias = torch.Tensor
_LARGEST = 14.0  # logSNR beyond it is as good as none and all
_FREQUENCIES = 8


class AngleFeatures(nn.Module):
    """The angle (B,) as a vector (B, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(2 * _FREQUENCIES + 1, width), nn.Linear(width, width)

    def forward(self, angle: Tensor) -> Tensor:
        """(B,) to (B, width), in the module's precision."""
        dtype = self.hidden.weight.dtype
        angle = angle.to(torch.float64)
        logsnr = 2 * (torch.log(torch.cos(angle).clamp(min=1e-9)) - torch.log(torch.sin(angle).clamp(min=1e-9)))
        place = (logsnr.clamp(-_LARGEST, _LARGEST) / _LARGEST)[:, None]
        turns = place * math.pi * 2.0 ** torch.arange(-1, _FREQUENCIES - 1, device=place.device) / 2
        features = torch.cat([place, torch.sin(turns), torch.cos(turns)], dim=1).to(dtype)
        return functional.silu(self.out(functional.silu(self.hidden(features))))


class Attention(nn.Module):
    """Self-attention among tokens (B, L, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.inward, self.outward = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, width) to the same."""
        batch, count, width = tokens.shape
        query, key, value = self.inward(tokens).reshape(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.outward(mixed.transpose(1, 2).reshape(batch, count, width))


class Pointwise(nn.Module):
    """Two layers at each token alone, with as many parameters as self-attention to a width."""

    def __init__(self, width: int, growth: int = 2) -> None:
        super().__init__()
        self.inward, self.outward = nn.Linear(width, growth * width), nn.Linear(growth * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., width) to the same."""
        return self.outward(functional.gelu(self.inward(tokens)))


class Preconditioned(nn.Module):
    """eps_hat from F, which a subclass gives as `estimate`."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self.spread = spread

    def estimate(self, x: Tensor, angle: Tensor) -> Tensor:
        """F(x, phi), for a network to fill in: NotImplementedError here."""
        raise NotImplementedError

    def forward(self, x: Tensor, angle: Tensor) -> Tensor:
        """eps_hat at images x (B, C, H, W) and angles (B,)."""
        if self.spread == 0:
            return self.estimate(x, angle)
        wide = angle.to(torch.float64)[:, None, None, None]
        cos, sin = torch.cos(wide), torch.sin(wide)
        size = (self.spread * cos) ** 2 + sin**2
        inward, skip = size**-0.5, sin / size
        scaled = self.estimate(x * inward.to(x.dtype), angle)
        return skip.to(x.dtype) * x + (self.spread * cos * inward).to(x.dtype) * scaled


def image_sides(shape: Sequence[int]) -> tuple[int, int, int]:
    """(H, W, C), or ValueError for anything else."""
    if len(shape) != 3 or not all(isinstance(side, int) and side >= 1 for side in shape):
        raise ValueError(f"`shape` must be (H, W, C) with positive integers, got {tuple(shape)!r:.80}.")
    return shape[0], shape[1], shape[2]
