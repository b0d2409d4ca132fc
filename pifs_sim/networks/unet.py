"""A small convolutional U-Net, with self-attention or without.

Norms are over the channels of one place, so that places meet only in convolutions and attention. Without attention
there are pointwise layers of equally many parameters in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from pifs_sim.networks.parts import AngleFeatures, Attention, Pointwise, Preconditioned, Tensor, image_sides

__all__ = ["UNet"]


class _ChannelNorm(nn.Module):
    """Mean 0 and variance 1 over the channels of each place of (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2]).permute(0, 3, 1, 2)


class _Residual(nn.Module):
    """Two convolutions, the second scaled and shifted by the angle, beside a straight way."""

    def __init__(self, inward: int, outward: int, condition: int) -> None:
        super().__init__()
        self.norm = _ChannelNorm()
        self.first = nn.Conv2d(inward, outward, 3, padding=1)
        self.modulation = nn.Linear(condition, 2 * outward)
        self.second = nn.Conv2d(outward, outward, 3, padding=1)
        self.straight = nn.Conv2d(inward, outward, 1) if inward != outward else nn.Identity()
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulation(condition)[:, :, None, None].chunk(2, dim=1)
        hidden = self.first(functional.silu(self.norm(x)))
        hidden = self.second(functional.silu(self.norm(hidden) * (1 + scale) + shift))
        return self.straight(x) + hidden


class _Mixing(nn.Module):
    """Attention among all places of (B, C, H, W), or a layer at each place alone, beside a straight way."""

    def __init__(self, width: int, heads: int, *, attention: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.layer = Attention(width, heads) if attention else Pointwise(width)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        return x + self.layer(self.norm(tokens)).transpose(1, 2).reshape(x.shape)


class UNet(Preconditioned):
    """A convolutional U-Net, with self-attention at all resolutions but the full one, or without.

    Args:
        shape: (H, W, C) of images.
        widths: channels at full, half, quarter ... resolution.
        attention: self-attention; else pointwise layers of equally many parameters.
        heads: of attention; they divide every width but the first.
        condition: channels of the angle's vector.
        spread: standard deviation of the data, or 0 for eps_hat = F.

    Raises:
        ValueError: sizes that do not divide.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        widths: Sequence[int] = (24, 48),
        attention: bool = True,
        heads: int = 4,
        condition: int = 32,
        spread: float = 0.5,
    ) -> None:
        super().__init__(spread)
        height, breadth, channels = image_sides(shape)
        halvings = len(widths) - 1
        if halvings < 1 or height % 2**halvings or breadth % 2**halvings:
            raise ValueError(f"`widths` must halve {tuple(shape)} once or more often, got {len(widths)} of them.")
        if heads < 1 or any(width % heads for width in widths[1:]):
            raise ValueError(f"`heads` must divide all of {tuple(widths)} but the first, got {heads}.")
        self.attention, self.angle = attention, AngleFeatures(condition)
        pairs = list(pairwise(widths))
        self.inward = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.top = _Residual(widths[0], widths[0], condition)
        self.halve = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.down = nn.ModuleList(_Residual(b, b, condition) for _, b in pairs)
        self.mixing = nn.ModuleList(_Mixing(b, heads, attention=attention) for _, b in pairs)
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.up = nn.ModuleList(_Residual(2 * a, a, condition) for a, _ in pairs)
        self.norm = _ChannelNorm()
        self.outward = nn.Conv2d(widths[0], channels, 3, padding=1)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def estimate(self, x: Tensor, angle: Tensor) -> Tensor:
        """F(x, phi)."""
        condition = self.angle(angle)
        x = self.top(self.inward(x), condition)
        kept = []
        for halve, down, mixing in zip(self.halve, self.down, self.mixing, strict=True):
            kept.append(x)
            x = mixing(down(halve(x), condition))
        for grow, up in zip(reversed(self.grow), reversed(self.up), strict=True):
            wide = grow(x).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            x = up(torch.cat([wide, kept.pop()], dim=1), condition)
        return self.outward(functional.silu(self.norm(x)))
