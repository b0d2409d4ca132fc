"""The networks that are trained here, by name: they estimate the noise in images (B, C, H, W) at angles (B,).

`dit` is a transformer, `unet` a convolutional U-Net with attention or without; see `parts` for what they share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from pifs_sim.networks.transformer import DiT
from pifs_sim.networks.unet import UNet

__all__ = ["ARCHITECTURES", "DiT", "UNet", "build", "parameter_count"]

ARCHITECTURES: Mapping[str, type[DiT] | type[UNet]] = {"dit": DiT, "unet": UNet}


def build(name: str, shape: Sequence[int], **arguments: Any) -> nn.Module:
    """The network of that name for images of shape (H, W, C); its first weights come from torch's own generator.

    Raises:
        ValueError: an unknown name or argument, or sizes that do not divide.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"`name` must be one of {', '.join(ARCHITECTURES)}, got {name!r}.")
    try:
        return ARCHITECTURES[name](tuple(shape), **arguments)
    except TypeError as error:
        raise ValueError(f"`arguments` do not fit {name}: {str(error).split('() ')[-1]}.") from None


def parameter_count(module: nn.Module) -> int:
    """Number of trained numbers."""
    return sum(parameter.numel() for parameter in module.parameters())
