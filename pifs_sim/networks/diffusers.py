"""UNet2DModel and DiTTransformer2DModel of diffusers, from a local folder.

Timestep t of N was trained at the angle phi_t of the scheduler's chain (`diffusion.exchange`); at an angle between two
the network is given the t in proportion between them, or the nearer one, and beyond the ends the end. `epsilon` is the
noise, `sample` the data and `v_prediction` the velocity cos eps - sin x_0. Nothing is downloaded, no pickle read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pifs_sim.diffusion.exchange.config import Config, ConfigSource, read_config
from pifs_sim.diffusion.exchange.levels import is_flow
from pifs_sim.diffusion.exchange.training import meant_angles
from pifs_sim.networks.denoiser import NetworkDenoiser
from pifs_sim.networks.loading import PathLike, check_precision, checked_path, listed

__all__ = ["Conditioned", "from_diffusers_folder", "timesteps"]

_CLASSES = ("UNet2DModel", "DiTTransformer2DModel")
_PLACES = (".", "unet", "transformer")
_PREDICTIONS = {"epsilon": "noise", "sample": "data", "v_prediction": "velocity"}


def timesteps(angles: Any, *, nearest: bool = False) -> Callable[[Any], Any]:
    """The map from angles to timesteps 0..N-1, given the increasing angles (N,) at which they were trained.

    Args:
        angles: (N,) radians.
        nearest: whole timesteps only; else in proportion between two.
    """
    grid = torch.tensor(angles, dtype=torch.float64)

    def condition(angle: Any) -> Any:
        known = grid.to(angle.device)
        above = torch.searchsorted(known, angle.contiguous()).clamp(1, len(known) - 1)
        low, high = known[above - 1], known[above]
        t = (above - 1 + (angle - low) / (high - low)).clamp(0, len(known) - 1)
        return t.round().to(torch.int64) if nearest else t

    return condition


class Conditioned(nn.Module):
    """A model of diffusers as m(x, t), at one class label; of more output channels than x has, the first are taken."""

    def __init__(self, model: Any, label: int | None) -> None:
        super().__init__()
        self.model, self.label = model, label

    def forward(self, x: Any, t: Any) -> Any:
        """Images (B, C, H, W) at timesteps (B,)."""
        labels = None if self.label is None else torch.full((x.shape[0],), self.label, device=x.device)
        return self.model(x, t, class_labels=labels, return_dict=False)[0][:, : x.shape[1]]


def _model_folder(path: PathLike) -> tuple[Path, dict[str, Any]]:
    """The folder of the weights and its configuration."""
    folder = checked_path(path, folder=True)
    place = next((folder / name for name in _PLACES if (folder / name / "config.json").is_file()), None)
    if place is None:
        raise ValueError(f"'{folder}' holds no config.json, nor do its folders unet and transformer.")
    try:
        config = json.loads((place / "config.json").read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"'{place / 'config.json'}' is not JSON.") from None
    name = config.get("_class_name") if isinstance(config, dict) else None
    if name not in _CLASSES:
        raise ValueError(f"'{place / 'config.json'}' must be that of {' or '.join(_CLASSES)}, got {name!r:.60}.")
    if not list(place.glob("*.safetensors")):
        others = sorted(file.name for file in place.iterdir() if file.suffix in (".bin", ".pt", ".ckpt"))
        also = f", only {others[0]}, a pickle, which can run code when it is read" if others else ""
        raise ValueError(f"'{place}' holds no .safetensors file{also}.")
    return place, config


def _scheduler(folder: Path, scheduler: ConfigSource | None) -> Config:
    if scheduler is None:
        places = (folder, folder / "scheduler", folder.parent / "scheduler")
        found = next((place for place in places if (place / "scheduler_config.json").is_file()), None)
        if found is None:
            raise ValueError(
                f"`scheduler` must be given, for '{folder}' has no scheduler_config.json beside it: "
                "the angles of its timesteps are not known."
            )
        scheduler = found
    config = read_config(scheduler)
    if config.cls.family == "edm" or is_flow(config):
        raise ValueError(f"`scheduler` must scale data and noise by cosine and sine, which {config.cls.name} does not.")
    return config


def _label(name: str, config: dict[str, Any], label: int | None) -> int | None:
    """The class label that the model is given: of a DiT by default the one that means none."""
    if name == "DiTTransformer2DModel":
        most = int(config.get("num_embeds_ada_norm", 1000))
        label = most if label is None else label
    elif config.get("num_class_embeds") is None and config.get("class_embed_type") is None:
        if label is not None:
            raise ValueError(f"`label` must be left out for a network without classes, got {label!r}.")
        return None
    else:
        most = (config.get("num_class_embeds") or 1) - 1
    if not isinstance(label, int) or not 0 <= label <= most:
        raise ValueError(f"`label` must be a class in 0..{most}, got {label!r}.")
    return label


def _size(config: dict[str, Any], shape: tuple[int, int] | None) -> tuple[int, int, int]:
    size = config.get("sample_size") if shape is None else tuple(shape)
    size = (size, size) if isinstance(size, int) else size
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(f"`shape` must be (H, W) where the network's config has no sample_size, got {shape!r}.")
    return int(size[0]), int(size[1]), int(config.get("in_channels", 3))


def _loaded(folder: Path, name: str, precision: Any) -> Any:
    try:
        import diffusers
    except ImportError:
        raise ImportError("from_diffusers_folder needs diffusers: pip install diffusers.") from None
    options = {"local_files_only": True, "use_safetensors": True, "low_cpu_mem_usage": False}
    try:
        model, report = getattr(diffusers, name).from_pretrained(str(folder), output_loading_info=True, **options)
    except (OSError, RuntimeError, ValueError, TypeError) as problem:
        raise ValueError(f"'{folder}' cannot be loaded as {name}: {' '.join(str(problem).split())[:300]}") from None
    for key, verb in (("missing_keys", "lacks"), ("unexpected_keys", "has unexpected")):
        if report[key]:
            raise ValueError(f"'{folder}' does not match its network: it {verb} {listed(list(report[key]))}.")
    return nn.Module.to(model, precision).requires_grad_(False)  # its own `to` warns of layers kept in float32


def from_diffusers_folder(
    path: PathLike,
    *,
    scheduler: ConfigSource | None = None,
    label: int | None = None,
    shape: tuple[int, int] | None = None,
    nearest: bool = False,
    dtype: str = "float32",
    measure: Any = None,
    chunk: int = 16,
) -> NetworkDenoiser:
    """A network that diffusers saved, as a denoiser; data are its own (images in [-1, 1], or latents).

    Args:
        path: a local folder with config.json and a .safetensors file, or a pipeline's folder that holds such a one.
        scheduler: a configuration or its path; by default the scheduler_config.json beside the network.
        label: the class that the network is told; by default a DiT is told of none.
        shape: (H, W), by default the config's sample_size.
        nearest: whole timesteps only; else between two in proportion.
        dtype: "float32" or "float64", in which it computes.
        measure: see `NetworkDenoiser`.
        chunk: see `NetworkDenoiser`.

    Raises:
        ValueError: no local folder, another class of network, no safetensors, tensors missing or unexpected, no known
            angles, or a prediction type or time embedding that is none of these.
        ImportError: no diffusers.
    """
    precision = check_precision(dtype)
    folder, config = _model_folder(path)
    if config.get("time_embedding_type", "positional") == "fourier":
        raise ValueError(f"'{folder}' takes sigmas, not timesteps: `time_embedding_type` fourier is not supported.")
    steps = _scheduler(folder, scheduler)
    kind = steps["prediction_type"] or "epsilon"
    if kind not in _PREDICTIONS:
        raise ValueError(f"`prediction_type` must be one of {', '.join(_PREDICTIONS)}, got {kind!r}.")
    size, chosen = _size(config, shape), _label(config["_class_name"], config, label)
    model = _loaded(folder, config["_class_name"], precision)
    whole = nearest or config.get("time_embedding_type") == "learned"
    return NetworkDenoiser(
        Conditioned(model, chosen),
        size,
        predicts=_PREDICTIONS[kind],  # type: ignore[arg-type]
        condition=timesteps(meant_angles(steps), nearest=whole),
        measure=measure,
        chunk=chunk,
    )
