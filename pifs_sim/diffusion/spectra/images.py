"""Images one after the other, from arrays, image files and folders, each (H, W, C) with what to call it in an error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Image", "Pictures", "Skip", "entries", "pictures"]

Image: TypeAlias = npt.NDArray[Any] | str | os.PathLike[str]
Pictures: TypeAlias = Iterator[tuple[str, npt.NDArray[Any]]]
Skip: TypeAlias = Callable[[str], None]


def _files(path: Path) -> list[Path]:
    """The file itself, or the image files of a folder."""
    if not path.is_dir():
        if not path.exists():
            raise ValueError(f"`images` must name an existing file or folder, got '{path}'.")
        return [path]
    from PIL import Image

    known = {suffix for suffix, format_name in Image.registered_extensions().items() if format_name in Image.OPEN}
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in known and file.is_file())
    except OSError as error:
        raise ValueError(f"`images` must name a readable folder, got '{path}' ({error.strerror}).") from None
    if not files:
        raise ValueError(f"`images` must name a folder that holds image files itself, got '{path}' without any.")
    return files


def _read(file: Path) -> npt.NDArray[Any]:
    """Pixels of a file: (H, W, 3) RGB, or (H, W) if it is grey."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            if image.mode == "I" and image.format in ("PNG", "PPM"):  # 16 bits in 32
                return np.asarray(image).astype(np.uint16)
            if image.mode == "F" or image.mode.startswith("I;16"):
                return np.asarray(image)
            if image.mode in ("1", "L", "LA", "La"):
                return np.asarray(image.convert("L"))
            if image.mode in ("P", "PA"):
                return np.asarray(image.convert("RGBA").convert("RGB"))  # Pillow warns of dropping alpha in one step
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"`images` must hold images that Pillow can read, got '{file}': {error}") from None


def entries(images: Any) -> tuple[Iterable[Any], int]:
    """Arrays and paths, one after the other, and how many, 0 where that is not known; ValueError for none."""
    if isinstance(images, str | os.PathLike):
        images = _files(Path(images))
    elif isinstance(images, np.ndarray):
        images = images if images.ndim == 4 else images[None]
    elif not isinstance(images, Iterable) or isinstance(images, bytes):
        raise ValueError(f"`images` must be an array, a path, or an iterable of those, got {images!r:.80}.")
    return images, len(images) if isinstance(images, Sized) else 0


def pictures(entry: Any, name: str, skip: Skip | None) -> Pictures:
    """The images of one entry; a file that cannot be read is told to `skip`, or, without it, a ValueError."""
    if isinstance(entry, str | os.PathLike):
        for file in _files(Path(entry)):
            try:
                picture = np.atleast_3d(_read(file))
            except ValueError as error:
                if skip is None:
                    raise
                skip(str(error))
                continue
            yield f"'{file}'", picture
    elif isinstance(entry, np.ndarray) and entry.ndim == 4:
        for i, picture in enumerate(entry):
            yield f"{name}[{i}]", picture
    elif isinstance(entry, np.ndarray):
        if entry.ndim not in (2, 3):
            raise ValueError(
                f"`images` must have shape (H, W), (H, W, C) or (N, H, W, C), got {entry.shape} in {name}."
            )
        yield name, np.atleast_3d(entry)
    else:
        raise ValueError(f"`images` must hold NumPy arrays or paths, got {entry!r:.80} in {name}.")
