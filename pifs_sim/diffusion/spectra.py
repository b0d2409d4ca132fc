"""Covariance spectra of image patches, streamed from arrays, image files and folders in constant memory.

Patches x_1, ..., x_n in R^d have the empirical law with mean m = sum x_i / n and covariance
S / n, S = sum (x_i - m)(x_i - m)^T. Chunks A and B of patches are merged by

    m = m_A + (n_B / n) delta,   S = S_A + S_B + (n_A n_B / n) delta delta^T,   delta = m_B - m_A

(Chan, Golub, LeVeque 1983, doi:10.1080/00031305.1983.10483115). Patches are measured from the mean of the first
chunk, so that an offset common to all of them costs no digits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from pifs_sim.diffusion.angles import FloatArray

__all__ = ["PatchSpectrum", "default_photograph", "patch_spectrum"]

Image: TypeAlias = npt.NDArray[Any] | str | os.PathLike[str]

_PATCHES = 1 << 13  # most patches of one chunk,
_BYTES = 1 << 25  # unless they need more memory than this
_HALF_RANGE = {"u1": 127.5, "u2": 32767.5}  # by kind and bytes of the dtype, in either byte order
_LUMINANCE = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, eq=False)
class PatchSpectrum:
    """The empirical law of the patches of some images, to second order; covariance = V diag(eigenvalues) V^T.

    Args:
        eigenvalues: (d,) of the covariance, descending, >= 0; each to about d * 1e-16 of the largest.
        eigenvectors: (d, d) orthogonal V, column k for eigenvalue k.
        mean: (d,) mean patch.
        covariance: (d, d), divided by `count`: the exact covariance of the empirical law.
        count: number of patches.
        shape: (size, size, channels) of a patch; x.reshape(shape) of a vector (d,) is an image.
    """

    eigenvalues: FloatArray
    eigenvectors: FloatArray
    mean: FloatArray
    covariance: FloatArray
    count: int
    shape: tuple[int, int, int]


class _Moments:
    """Count, mean and scatter of the patches that have passed through one buffer."""

    def __init__(self, dim: int) -> None:
        self.buffer = np.empty((max(1, min(_PATCHES, _BYTES // (8 * dim))), dim))
        self.filled = self.count = 0
        self.origin = np.zeros(dim)
        self.mean = np.zeros(dim)  # from the origin
        self.scatter = np.zeros((dim, dim))

    def room(self, patches: int) -> FloatArray:
        """Rows (patches, d) of the buffer for the caller to write to."""
        if self.filled + patches > len(self.buffer):
            self.flush()
        self.filled += patches
        return self.buffer[self.filled - patches : self.filled]

    def flush(self) -> None:
        """Merge what the buffer holds."""
        block, n = self.buffer[: self.filled], self.filled
        with np.errstate(over="ignore", invalid="ignore"):  # the end result is checked instead
            if not self.count:
                self.origin = block.mean(axis=0)
            block -= self.origin
            mean = block.mean(axis=0)
            block -= mean
            delta, total = mean - self.mean, self.count + n
            self.scatter += block.T @ block
            self.scatter += np.outer(delta, delta) * (self.count * n / total)
            self.mean += delta * (n / total)
        self.count, self.filled = total, 0


def _positive(name: str, value: Any) -> int:
    try:
        number = index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` must be an integer >= 1, got {value!r:.80}.")
    return number


def _files(path: Path) -> list[Path]:
    """The file itself, or the image files of a folder."""
    if not path.is_dir():
        if not path.exists():
            raise ValueError(f"`images` must name an existing file or folder, got '{path}'.")
        return [path]
    from PIL import Image

    known = {suffix for suffix, format_name in Image.registered_extensions().items() if format_name in Image.OPEN}
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in known and file.is_file())
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


def _entries(images: Any) -> tuple[Iterable[Any], int]:
    """Arrays and paths, one after the other, and how many, 0 where that is not known."""
    if isinstance(images, str | os.PathLike):
        images = _files(Path(images))
    elif isinstance(images, np.ndarray):
        images = images if images.ndim == 4 else images[None]
    elif not isinstance(images, Iterable) or isinstance(images, bytes):
        raise ValueError(f"`images` must be an array, a path, or an iterable of those, got {images!r:.80}.")
    return images, len(images) if isinstance(images, Sized) else 0


def _pictures(entry: Any, name: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The images of one entry, each (H, W, C), with what to call them in an error."""
    if isinstance(entry, str | os.PathLike):
        for file in _files(Path(entry)):
            yield f"'{file}'", np.atleast_3d(_read(file))
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


def _channels(name: str, picture: npt.NDArray[Any], size: int, grey: bool) -> int:
    """Channels of the patches of one image, once it is known to be one."""
    height, width, channels = picture.shape
    if picture.dtype.str[1:] not in _HALF_RANGE and picture.dtype.kind != "f":
        raise ValueError(f"`images` must be uint8, uint16 or floating, got {picture.dtype} in {name}.")
    if min(height, width) < size or not channels:
        raise ValueError(f"`images` must be at least one patch ({size} x {size}) large, got {picture.shape} in {name}.")
    if grey and channels not in (1, 3):
        raise ValueError(f"`images` must have 1 or 3 channels to be made grey, got {channels} in {name}.")
    return 1 if grey else channels


def _tiles(picture: npt.NDArray[Any], size: int, step: int, most: int) -> Iterator[npt.NDArray[Any]]:
    """Views (R, K, size, size, C) with R * K <= `most`, which together hold every patch of the image once."""
    height, width, channels = picture.shape
    down, right, deep = picture.strides
    R, K = (height - size) // step + 1, (width - size) // step + 1
    windows = as_strided(picture, (R, K, size, size, channels), (down * step, right * step, down, right, deep))
    columns = min(K, most)  # sliding_window_view says the same in ten times the time, which small images notice
    rows = most // columns
    for y in range(0, R, rows):
        for x in range(0, K, columns):
            yield windows[y : y + rows, x : x + columns]


def _write(target: FloatArray, windows: npt.NDArray[Any]) -> None:
    """Write windows (R, K, size, size, C) as rows of `target`, C order, grey if that has room for one channel."""
    out = target.reshape(*windows.shape[:-1], -1)
    if out.shape == windows.shape:
        out[...] = windows
    else:
        out[...] = 0.0
        for channel, weight in enumerate(_LUMINANCE):
            out[..., 0] += weight * windows[..., channel]
    if windows.dtype.kind == "u":
        target /= _HALF_RANGE[windows.dtype.str[1:]]
        target -= 1.0


def patch_spectrum(
    images: Image | Iterable[Image],
    size: int,
    *,
    stride: int | None = None,
    grey: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> PatchSpectrum:
    """Mean, covariance and spectrum of all size x size patches of some images.

    Each patch is a vector of d = size * size * channels entries in C order. The covariance is divided by the number
    n of patches (population, not n - 1): it is the exact covariance of the empirical law. All sums are in float64,
    over chunks of at most 8192 patches or 32 MB, so that memory does not grow with the number of images.

    Values: uint8 and 8-bit files become x/127.5 - 1, uint16 and 16-bit grey files x/32767.5 - 1, both in [-1, 1], the
    range on which diffusion models are trained; floats are taken as they are.
    Files: the first frame, pixels as stored (no EXIF rotation), as RGB in 8 bits, alpha dropped; a grey file has one
    channel. A folder stands for its image files, by the extensions that Pillow knows, sorted by name; subfolders are
    not searched.

    Args:
        images: an image (H, W) or (H, W, C), a stack (N, H, W, C), the path of an image file or of a folder, or any
            iterable of those, read once. Three axes always mean one image: write stack[..., None] for a grey stack.
        size: side of a patch in pixels.
        stride: pixels from one patch to the next, both ways. By default `size`: patches tile the image from its top
            left corner, and a margin narrower than a patch is left out. 1 takes every position.
        grey: replace RGB by the luminance 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), not rounded to 8 bits.
        progress: called as progress(done, total) after each image of a stack or folder or entry of an iterable, with
            total 0 where it is not known.

    Raises:
        ValueError: `size` or `stride` not an integer >= 1; no images; an entry that is no image, is not finite, is
            smaller than a patch or differs in its number of channels.

    Source: merging of chunks by Chan, Golub, LeVeque 1983, doi:10.1080/00031305.1983.10483115.
    """
    size = _positive("size", size)
    step = size if stride is None else _positive("stride", stride)
    entries, total = _entries(images)
    moments, channels = None, 0
    for i, entry in enumerate(entries):
        for name, picture in _pictures(entry, f"image {i}"):
            found = _channels(name, picture, size, grey)
            if moments is None:
                moments, channels = _Moments(size * size * found), found
            if found != channels:
                raise ValueError(
                    f"`images` must all have {channels} channels like the first, got {found} in {name}; "
                    "grey=True makes them all grey."
                )
            for windows in _tiles(picture, size, step, len(moments.buffer)):
                if windows.dtype.kind == "f" and not np.isfinite(windows).all():
                    raise ValueError(f"`images` must be finite, got NaN or inf in {name}.")
                _write(moments.room(windows.shape[0] * windows.shape[1]), windows)
        if progress:
            progress(i + 1, total)
    if moments is None:
        raise ValueError(f"`images` must hold at least one image, got {images!r:.80}.")
    return _spectrum(moments, (size, size, channels))


def _spectrum(moments: _Moments, shape: tuple[int, int, int]) -> PatchSpectrum:
    moments.flush()
    covariance = moments.scatter / moments.count
    if not np.isfinite(covariance).all():
        raise ValueError("`images` must hold values whose squares have a sum within float64, got larger ones.")
    values, vectors = np.linalg.eigh(covariance)
    mean = moments.origin + moments.mean
    return PatchSpectrum(np.maximum(values[::-1], 0.0), vectors[:, ::-1], mean, covariance, moments.count, shape)


def default_photograph() -> Path:
    """Path of the photograph that matplotlib ships: Grace Hopper, 600 x 512 pixels, RGB, public domain.

    Raises:
        FileNotFoundError: matplotlib was installed without its sample data.
    """
    from matplotlib.cbook import get_sample_data

    path = Path(get_sample_data("grace_hopper.jpg", asfileobj=False))
    if not path.is_file():
        raise FileNotFoundError(f"matplotlib's sample data is not installed, expected its photograph at '{path}'.")
    return path
