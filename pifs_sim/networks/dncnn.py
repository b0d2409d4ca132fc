"""The pretrained DnCNN denoisers that ship with scico, read from its wheel and run without jax.

A DnCNN of depth D takes a grey image y = x_0 + sigma n with x_0 in [0, 1] and gives y - r(y): r is a convolution and
ReLU, D - 2 times convolution, batch norm and ReLU, and a convolution, all 3 x 3 on the torus, without biases. Variants
L, M and H were trained at sigma = 0.06, 0.10 and 0.20; N at any sigma <= 0.2, which it sees as a second channel.
As a denoiser of x_t = cos(phi) x_0 + sin(phi) eps it sees x_t/cos(phi), where sigma = tan(phi), and predicts data.
Sources: Zhang et al. 2017, arXiv:1608.03981; scico, Balke et al. 2022, doi:10.21105/joss.04722 (BSD licence).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pifs_sim.networks.denoiser import NetworkDenoiser
from pifs_sim.networks.loading import check_precision

__all__ = ["DNCNN_NAMES", "DnCNN", "dncnn"]

DNCNN_NAMES = ("6L", "6M", "6H", "6N", "17L", "17M", "17H", "17N")

_ARRAY = 1  # the extension type of arrays in flax's msgpack
_EPSILON = 1e-5  # of the batch norms


class DnCNN(nn.Module):
    """A DnCNN on images (B, 1, H, W), each batch norm merged into the convolution before it.

    Args:
        weights: of each layer, (filters, channels, 3, 3).
        biases: of each layer, (filters,), or None.
        sees_sigma: whether a second channel holds sigma.
    """

    def __init__(self, weights: list[Any], biases: list[Any], *, sees_sigma: bool) -> None:
        super().__init__()
        self.sees_sigma, layers = sees_sigma, []
        for weight, bias in zip(weights, biases, strict=True):
            out, channels = weight.shape[:2]
            layer = nn.Conv2d(channels, out, 3, padding=1, padding_mode="circular", bias=bias is not None)
            layer.weight = nn.Parameter(torch.tensor(weight), requires_grad=False)
            if bias is not None:
                layer.bias = nn.Parameter(torch.tensor(bias), requires_grad=False)
            layers.append(layer)
        self.layers = nn.ModuleList(layers)

    def denoised(self, image: Any, sigma: Any) -> Any:
        """The estimate of x_0 from images (B, 1, H, W) with noise of standard deviation sigma (B,)."""
        y = image
        if self.sees_sigma:
            y = torch.cat([image, sigma[:, None, None, None].expand_as(image)], dim=1)
        for layer in self.layers[:-1]:
            y = functional.relu(layer(y))
        return image - self.layers[-1](y)[:, :1]

    def forward(self, x: Any, angle: Any) -> Any:
        """The estimate of x_0 from x_t (B, 1, H, W) at angles (B,)."""
        return self.denoised(x / torch.cos(angle)[:, None, None, None], torch.tan(angle))


def _array(code: int, data: bytes) -> Any:
    import msgpack

    if code != _ARRAY:
        raise ValueError(f"an extension of type {code}")
    shape, dtype, values = msgpack.unpackb(data, raw=False, strict_map_key=False)
    return np.frombuffer(values, dtype=np.dtype(dtype)).reshape(shape)


def _file(name: str) -> Path:
    spec = importlib.util.find_spec("scico")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("dncnn needs the files of scico: pip install --no-deps scico.")
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "flax" / f"dncnn{name}.mpk"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        import msgpack
    except ImportError:
        raise ImportError("dncnn needs msgpack: pip install msgpack.") from None
    try:
        return dict(msgpack.unpackb(path.read_bytes(), ext_hook=_array, raw=False))
    except OSError as problem:
        raise ValueError(f"'{path}' cannot be read: {problem.strerror}; scico 0.0.7 has it.") from None
    except (ValueError, TypeError, msgpack.UnpackException) as problem:
        raise ValueError(f"'{path}' is not a readable msgpack file: {problem}.") from None


def _layers(content: Mapping[str, Any], depth: int) -> tuple[list[Any], list[Any]]:
    """Weights (filters, channels, 3, 3) and biases in float64, batch norms merged."""
    parameters, statistics = content["params"], content["batch_stats"]
    weights, biases = [parameters["conv_start"]["kernel"]], [None]
    for k in range(depth - 2):
        block, norm = parameters[f"ConvBNBlock_{k}"], statistics[f"ConvBNBlock_{k}"]["BatchNorm_0"]
        scale, bias, mean, variance = (
            part.astype(np.float64)
            for part in (*(block["BatchNorm_0"][name] for name in ("scale", "bias")), norm["mean"], norm["var"])
        )
        gain = scale / np.sqrt(variance + _EPSILON)
        weights.append(block["Conv_0"]["kernel"] * gain)
        biases.append(bias - gain * mean)
    weights.append(parameters["conv_end"]["kernel"])
    biases.append(None)
    return [weight.astype(np.float64).transpose(3, 2, 0, 1) for weight in weights], biases


def dncnn(
    name: str, shape: tuple[int, int], *, dtype: str = "float32", measure: Any = None, chunk: int = 16
) -> NetworkDenoiser:
    """A pretrained DnCNN as a denoiser of grey images in [0, 1]; trustworthy where tan(phi) is near its noise level.

    Args:
        name: "6L", "6M", "6H", "6N", "17L", "17M", "17H" or "17N": depth and noise level.
        shape: (H, W) of the images, any.
        dtype: "float32" or "float64", in which it computes.
        measure: see `NetworkDenoiser`.
        chunk: see `NetworkDenoiser`.

    Raises:
        ValueError: another name, shape or dtype, or a file that does not hold such a network.
        ImportError: no scico (its files are enough), or no msgpack.
    """
    if name not in DNCNN_NAMES:
        raise ValueError(f"`name` must be one of {', '.join(DNCNN_NAMES)}, got {name!r}.")
    if len(tuple(shape)) != 2:
        raise ValueError(f"`shape` must be (H, W), got {tuple(shape)}.")
    precision, path = check_precision(dtype), _file(name)
    content = _read(path)
    try:
        weights, biases = _layers(content, int(name[:-1]))
    except KeyError as problem:
        raise ValueError(f"'{path}' does not match a DnCNN of depth {name[:-1]}: it lacks {problem}.") from None
    module = DnCNN(weights, biases, sees_sigma=name.endswith("N")).to(precision)
    return NetworkDenoiser(module, (*shape, 1), predicts="data", measure=measure, chunk=chunk)
