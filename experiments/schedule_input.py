"""What a command of `pifs-sim schedule` is given: schedules by name, class or file; spectra by list, file or images."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments import named
from experiments.terminal import BadInput, progress_bar, reading_input, unknown

__all__ = ["Data", "Given", "noting", "read_data", "read_schedule"]

LATENTS = (".npy", ".safetensors")
STEPS, MOST_STEPS = 50, 10_000
_MOST_BYTES = 8_000_000
_MOST_VARIANCE = 1e100  # products of two stay finite


@dataclass(frozen=True)
class Given:
    """A schedule, and the scheduler's configuration that it comes from, if it comes from one."""

    schedule: Any
    config: Any = None
    count: int | None = None  # steps asked for, which may be more than those that differ


@dataclass(frozen=True)
class Data:
    """A spectrum, what to call it, and a sentence for each file that was left out."""

    spectrum: Any
    source: str
    left_out: list[str] = field(default_factory=list)


@contextmanager
def noting(notes: list[str]) -> Iterator[None]:
    """Warnings become sentences of `notes`, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    notes += [text for text in dict.fromkeys(str(warning.message) for warning in caught) if text not in notes]


def _exported(path: Path) -> str | None:
    """The text of a file that `exchange.to_json` may have written; None for any other.

    Raises:
        BadInput: the file is of another export, which keeps too little of the schedule.
    """
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return None
    text = path.read_bytes()
    try:
        content = json.loads(text)
    except (RecursionError, ValueError):
        return None
    if isinstance(content, dict) and "_class_name" not in content:
        if "angles" in content:
            return text.decode("utf-8")
        if "sigmas" in content or "timesteps" in content:
            raise BadInput(f"'{path}' holds steps for a class; what can be read again is written by --export json.")
    return None


def read_schedule(text: str, steps: int | None, *, mu: float | None = None) -> Given:
    """The schedule of a name, a scheduler class, a scheduler_config.json, or a file of `schedule design`.

    Args:
        text: what was typed.
        steps: number of steps, 50 by default; a file of angles has its own.
        mu: dynamic shift of flow classes.

    Raises:
        BadInput: nothing of the kind, or steps that it cannot have.
    """
    from pifs_sim.diffusion import exchange
    from pifs_sim.diffusion.exchange.classes import CLASSES

    path, count = Path(text), STEPS if steps is None else steps
    if not 1 <= count <= MOST_STEPS:
        raise BadInput(f"--steps must lie in 1..{MOST_STEPS}, got {count}.")
    with reading_input():
        if path.exists():
            angles = _exported(path)
            if angles is not None:
                schedule = exchange.from_json(angles)
                if steps not in (None, schedule.steps):
                    raise BadInput(f"--steps must be {schedule.steps}, the number of '{text}', got {steps}.")
                return Given(schedule)
            return Given(exchange.from_diffusers(path, count, mu=mu), path, count)
        if text in CLASSES:
            config = {"_class_name": text}
            return Given(exchange.from_diffusers(config, count, mu=mu), config, count)
    if path.suffix == ".json" or len(path.parts) > 1:
        raise BadInput(f"'{text}': no such file or directory.")
    if text.replace("-", "_") not in named.SCHEDULES:
        raise unknown("schedule", text, (*named.SCHEDULES, *CLASSES))
    return Given(named.schedule(text, count))


def _numbers(text: str) -> Any:
    from pifs_sim.diffusion.spectra import Spectrum

    try:
        values = np.array([float(part) for part in text.split(",")])
    except ValueError:
        raise BadInput(
            "--spectrum must name a spectrum file, images or latents, or list variances separated by commas, "
            f"got {text!r:.80}."
        ) from None
    if not (values >= 0).all():
        raise BadInput(f"--spectrum must list finite variances >= 0, got {text!r:.80}.")
    values = np.sort(values)[::-1]
    ones = np.ones(values.size, dtype=np.int64)
    return Spectrum(values, ones, np.zeros(values.size), 1, (values.size,))


def _bounded(data: Data) -> Data:
    largest = float(data.spectrum.eigenvalues.max())
    if largest > _MOST_VARIANCE:
        raise BadInput(f"--spectrum must hold variances of at most {_MOST_VARIANCE:g}, got {largest:g}.")
    return data


def _measured(path: Path, size: int | None, **options: Any) -> Data:
    """The spectrum of images or latents; images in patches of 8 pixels, latents whole, unless `size` is given."""
    from pifs_sim.diffusion.spectra import image_spectrum, latent_spectrum

    folder = path.is_dir() and any(file.suffix in LATENTS for file in path.iterdir())
    latents, left_out = folder or path.suffix in LATENTS, list[str]()
    rng = np.random.default_rng(options.pop("seed", 0))
    skip = left_out.append if path.is_dir() else None
    with progress_bar("files") as tick:
        if latents:
            options.pop("grey", None)
            found = latent_spectrum(path, size, rng=rng, progress=tick, skip=skip, **options)
        else:
            found = image_spectrum(path, 8 if size is None else size, rng=rng, progress=tick, skip=skip, **options)
    shape = "×".join(map(str, found.shape))
    return Data(found, f"{path.name or path}, {found.count} {'latents' if latents else 'patches'} of {shape}", left_out)


def read_data(spectrum: str | None, images: Path | None = None, size: int | None = None, **options: Any) -> Data:
    """The spectrum that was asked for; by default that of the 8×8×3 patches of matplotlib's photograph.

    Args:
        spectrum: a spectrum file (.npz), an image, a file of latents, a folder of either, or variances by commas.
        images: an image or a folder.
        size: side of a patch.
        options: stride, grey, rank and seed.

    Raises:
        BadInput: both given, or one that cannot be read.
    """
    from pifs_sim.diffusion.spectra import default_photograph, load_spectrum

    if spectrum is not None and images is not None:
        raise BadInput("--spectrum and --images must not be given together.")
    with reading_input():
        if images is not None:
            return _measured(images, size, **options)
        if spectrum is None:
            return _measured(default_photograph(), size, **options)
        path = Path(spectrum)
        if path.exists() and spectrum and path.suffix != ".npz":
            return _measured(path, size, **options)
        if size is not None:
            raise BadInput(f"--size must come with images or latents, got {size} with '{spectrum}'.")
        if path.suffix != ".npz":
            return _bounded(Data(_numbers(spectrum), "variances as given"))
        if not path.exists():
            raise BadInput(f"'{spectrum}': no such file or directory.")
        return _bounded(Data(load_spectrum(path), path.name))
