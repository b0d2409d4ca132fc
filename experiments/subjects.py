"""Networks by what the command line calls them, each with images to measure it on and steps to measure it at.

NAME             a network of experiments/checkpoints; its data's held-out images; 50 of 1000 linear steps, say
dncnn-17N        a pretrained denoiser; held-out crops in [0, 1]; sigma from 0.005 to 0.1
a .safetensors   a checkpoint that `python -m experiments.training` wrote, as the first
a folder         of a diffusers model, with its scheduler; images of --images
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments import named
from experiments.terminal import unknown
from experiments.training_recipes import checkpoints
from pifs_sim.diffusion import Schedule, exchange, schedules
from pifs_sim.diffusion.spectra.images import entries, pictures

__all__ = ["Subject", "coarse", "names", "subject", "validation"]

Array = npt.NDArray[np.float64]

_CROPS, _SIDE = 1024, 32  # of --images, and of the data of a pretrained denoiser
_LEVELS = 0.005, 0.1  # sigma for it


@dataclass(frozen=True, eq=False)
class Subject:
    """A network and what to measure it on.

    Args:
        name: of the network.
        about: what it is, in words.
        denoiser: the network.
        data: (N, d), for the points and the Gaussian.
        schedule: T steps.
    """

    name: str
    about: str
    denoiser: Any
    data: Array
    schedule: Schedule


def names() -> list[str]:
    """The networks that can be named."""
    from pifs_sim.networks.dncnn import DNCNN_NAMES

    return sorted(path.stem for path in checkpoints().glob("*.safetensors")) + [f"dncnn-{name}" for name in DNCNN_NAMES]


def validation(name: str) -> dict[str, float]:
    """Loss of a network of `names` on all held-out images, the matched Gaussian's, and the difference with its error.

    `loss`, `gaussian_loss`: means of |eps_hat - eps|^2/d over ten angles of the chain it was trained on; `excess` their
    difference, `excess_stderr` its standard error over the images: what the training wrote in the checkpoint.
    """
    from pifs_sim import networks

    said = networks.header(checkpoints() / f"{name}.safetensors")["training"]["validation"]
    keys = {"loss": "network mean", "gaussian_loss": "gaussian mean"}
    keys |= {"excess": "difference", "excess_stderr": "standard error"}
    return {mine: float(said[its]) for mine, its in keys.items()}


def coarse(schedule: Schedule, steps: int) -> Schedule:
    """Every so many of its steps; ValueError for more than it has."""
    if steps > schedule.steps:
        raise ValueError(f"`steps` must be at most {schedule.steps}, got {steps}.")
    return schedule.subsample(np.round(np.linspace(0, schedule.steps, steps + 1)).astype(int))


def _named(name: str | None, steps: int) -> Schedule:
    if name is None or name in ("linear", "scaled_linear", "cosine"):
        return coarse(named.schedule(name or "linear", max(1000, steps)), steps)
    found: Schedule = named.schedule(name, steps)
    return found


def _crops(images: Path, shape: tuple[int, ...], low: float) -> Array:
    """Random crops of the images of a folder, (N, d), with values from `low` to 1."""
    H, W, C = shape
    rng, found = np.random.default_rng(0), []
    parts, count = entries(images)
    for entry in parts:
        for name, picture in pictures(entry, "images", None):
            pixels = picture.astype(np.float64) / np.iinfo(picture.dtype).max if picture.dtype.kind == "u" else picture
            if C == 1 and pixels.shape[2] == 3:
                pixels = pixels @ np.array([[0.299], [0.587], [0.114]])
            if pixels.shape[0] < H or pixels.shape[1] < W or pixels.shape[2] not in (1, C):
                raise ValueError(f"{name} must have at least {H} x {W} pixels of {C} channels, got {picture.shape}.")
            pixels = np.broadcast_to(pixels, (*pixels.shape[:2], C))
            for _ in range(-(-_CROPS // max(1, count))):
                top, left = (
                    int(rng.integers(length - part + 1)) for length, part in zip(pixels.shape, (H, W), strict=False)
                )
                found.append(pixels[top : top + H, left : left + W].ravel())
    return np.stack(found) * (1 - low) + low


def subject(what: str, *, steps: int, schedule: str | None = None, images: Path | None = None) -> Subject:
    """The network of that name, file or folder.

    Args:
        what: a name of `names`, a checkpoint, or a folder of diffusers.
        steps: T.
        schedule: a name that `named.schedule` takes; None for the network's own.
        images: a folder of images in place of its own data.

    Raises:
        BadInput: an unknown name.
        ValueError: a file that cannot be read as a network, data that do not fit, or no data.
        ImportError: packages that the network needs.
    """
    from experiments.datasets import images as data_of
    from pifs_sim import networks

    path = Path(what)
    if what.startswith("dncnn-"):
        if what not in names():
            raise unknown("network", what, names())
        denoiser = networks.dncnn(what.removeprefix("dncnn-"), (_SIDE, _SIDE))
        data = _crops(images, denoiser.shape, 0.0) if images else (data_of(f"grey{_SIDE}").validation + 1) / 2
        own = named.schedule(schedule, steps) if schedule else schedules.log_linear(steps, *_LEVELS)
        return Subject(what, f"DnCNN {what[6:]} of scico, grey {_SIDE} x {_SIDE}", denoiser, data, own)
    if path.is_dir():
        if images is None:
            raise ValueError("`images` must be given for a network of diffusers, whose data are not here.")
        denoiser = networks.from_diffusers_folder(path)
        own = _named(schedule, steps) if schedule else coarse(_training(path), steps)
        return Subject(path.name, f"diffusers model '{path.name}'", denoiser, _crops(images, denoiser.shape, -1.0), own)
    if not path.suffix and not path.exists():
        if what not in names():
            raise unknown("network", what, names())
        path = checkpoints() / f"{what}.safetensors"
    head, denoiser = networks.header(path), networks.load(path, chunk=256)
    if images is None and "data" not in head:
        raise ValueError(f"`images` must be given: '{path}' does not say what data it was trained on.")
    clean: Any = _crops(images, denoiser.shape, -1.0) if images else data_of(head["data"]).validation
    about = f"{head['architecture']} of {sum(p.numel() for p in denoiser.module.parameters())} parameters"
    return Subject(
        path.stem, f"{about} on {head.get('data', images)}", denoiser, np.asarray(clean), _named(schedule, steps)
    )


def _training(folder: Path) -> Schedule:
    """The chain that a model of diffusers was trained on, all its steps."""
    places = (folder, folder / "scheduler", folder.parent / "scheduler")
    place = next(place for place in places if (place / "scheduler_config.json").is_file())
    return exchange.from_diffusers(place / "scheduler_config.json")
