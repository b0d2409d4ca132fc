"""A small diffusion transformer: squares of an image as tokens, which meet in attention alone.

A block adds gate * layer(norm(tokens) (1 + scale) + shift) for attention and for a layer at each token alone; scale,
shift and gate are linear in the angle's features, 0 before training (Peebles, Xie 2023, arXiv:2212.09748).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from pifs_sim.networks.parts import AngleFeatures, Attention, Pointwise, Preconditioned, Tensor, image_sides

__all__ = ["DiT"]


def _places(rows: int, columns: int, width: int) -> Tensor:
    """Where the tokens are, (rows columns, width): waves of 2 places to twice the side."""
    found = []
    for axis, side in enumerate((rows, columns)):
        turns = math.pi * float(max(side, 2)) ** -torch.linspace(0, 1, math.ceil(width / 4))
        place = (torch.arange(side)[:, None] * turns).reshape((-1, 1, len(turns)) if axis == 0 else (1, -1, len(turns)))
        found += [part.expand(rows, columns, len(turns)) for part in (torch.sin(place), torch.cos(place))]
    return torch.stack(found, dim=3).reshape(rows * columns, -1)[:, :width].clone()


class _TransformerBlock(nn.Module):
    """Attention and a pointwise layer, each scaled, shifted and gated by the angle; the identity at first."""

    def __init__(self, width: int, heads: int, condition: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.mixing, self.pointwise = Attention(width, heads), Pointwise(width, 4)
        self.modulation = nn.Linear(condition, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        found = self.modulation(condition)[:, None].chunk(6, dim=2)
        for norm, layer, part in ((self.norms[0], self.mixing, found[:3]), (self.norms[1], self.pointwise, found[3:])):
            scale, shift, gate = part
            tokens = tokens + gate * layer(norm(tokens) * (1 + scale) + shift)
        return tokens


class DiT(Preconditioned):
    """A diffusion transformer with zero-initialised adaptive norms (Peebles, Xie 2023, arXiv:2212.09748).

    Args:
        shape: (H, W, C) of images.
        patch: side of the squares that become tokens.
        width: channels of a token.
        depth: number of blocks.
        heads: of attention; they divide `width`.
        condition: channels of the angle's vector.
        spread: standard deviation of the data, or 0 for eps_hat = F.

    Raises:
        ValueError: sizes that do not divide.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        patch: int = 2,
        width: int = 64,
        depth: int = 3,
        heads: int = 4,
        condition: int = 32,
        spread: float = 0.5,
    ) -> None:
        super().__init__(spread)
        self.height, self.breadth, self.channels, self.patch = *image_sides(shape), patch
        if patch < 1 or self.height % patch or self.breadth % patch:
            raise ValueError(f"`patch` must divide height and width of {tuple(shape)}, got {patch}.")
        if heads < 1 or width % heads:
            raise ValueError(f"`heads` must divide `width` {width}, got {heads}.")
        self.place = nn.Parameter(_places(self.height // patch, self.breadth // patch, width))
        self.angle = AngleFeatures(condition)
        self.inward = nn.Linear(patch**2 * self.channels, width)
        self.blocks = nn.ModuleList(_TransformerBlock(width, heads, condition) for _ in range(depth))
        self.norm, self.modulation = nn.LayerNorm(width, elementwise_affine=False), nn.Linear(condition, 2 * width)
        self.outward = nn.Linear(width, patch**2 * self.channels)
        for layer in (self.modulation, self.outward):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def estimate(self, x: Tensor, angle: Tensor) -> Tensor:
        """F(x, phi)."""
        p, rows, columns = self.patch, self.height // self.patch, self.breadth // self.patch
        cut = x.reshape(-1, self.channels, rows, p, columns, p).permute(0, 2, 4, 1, 3, 5)
        tokens = self.inward(cut.reshape(-1, rows * columns, self.channels * p * p)) + self.place
        condition = self.angle(angle)
        for block in self.blocks:
            tokens = block(tokens, condition)
        scale, shift = self.modulation(condition)[:, None].chunk(2, dim=2)
        cut = self.outward(self.norm(tokens) * (1 + scale) + shift)
        cut = cut.reshape(-1, rows, columns, self.channels, p, p).permute(0, 3, 1, 4, 2, 5)
        return cut.reshape(-1, self.channels, self.height, self.breadth)
