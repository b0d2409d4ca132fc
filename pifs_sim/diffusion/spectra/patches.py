"""Covariance spectra of image patches, streamed from arrays, image files and folders in constant memory.

Patches x_1, ..., x_n in R^d have the empirical law with mean m = sum x_i/n and covariance S/n,
S = sum (x_i - m)(x_i - m)^T.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.spectra.images import Image, Skip
from pifs_sim.diffusion.spectra.moments import resolved
from pifs_sim.diffusion.spectra.shown import columns, line
from pifs_sim.diffusion.spectra.tiling import Pool, Tiling, pool_images

__all__ = ["PatchSpectrum", "default_photograph", "patch_spectrum"]

_PHOTOGRAPH = "grace_hopper.jpg"


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

    def __repr__(self) -> str:
        return line("PatchSpectrum", self)

    def _repr_html_(self) -> str:
        return columns(self, np.ones(len(self.eigenvalues), dtype=np.int64))


def patch_spectrum(
    images: Image | Iterable[Image],
    size: int,
    *,
    stride: int | None = None,
    grey: bool = False,
    progress: Callable[[int, int], None] | None = None,
    skip: Skip | None = None,
) -> PatchSpectrum:
    """Mean, covariance and spectrum of all size x size patches of some images.

    Each patch is a vector of d = size * size * channels entries in C order. The covariance is divided by the number
    n of patches (population, not n - 1): it is the exact covariance of the empirical law. All sums are in float64,
    over chunks of at most 8192 patches or 32 MB, so that memory does not grow with the number of images. It is d x d;
    `image_spectrum` needs no such matrix above 4096 dimensions.

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
        skip: called with one sentence for each file that cannot be read or does not fit (smaller than a patch, other
            channels than the first, not finite), which is then left out. By default such a file is an error.

    Raises:
        ValueError: `size` or `stride` not an integer >= 1; no images; an entry that is no image, is not finite, is
            smaller than a patch or differs in its number of channels.

    Source: merging of chunks by Chan, Golub, LeVeque 1983, doi:10.1080/00031305.1983.10483115.
    """
    pool = Pool(Tiling.of(size, stride, grey), lambda _: None)
    moments = pool_images(images, pool, progress=progress, skip=skip)
    covariance = moments.scatter / moments.count
    values, vectors = np.linalg.eigh(covariance)
    return PatchSpectrum(
        resolved(values[::-1], moments.count), vectors[:, ::-1], moments.mean, covariance, moments.count, pool.shape
    )


def default_photograph() -> Path:
    """Path of the photograph that matplotlib ships: Grace Hopper, 600 x 512 pixels, RGB, public domain.

    Raises:
        FileNotFoundError: matplotlib was installed without its sample data.
    """
    package = find_spec("matplotlib")  # where it lies costs nothing; importing it takes 0.2 s
    if package is not None and package.origin is not None:
        near = Path(package.origin).parent / "mpl-data" / "sample_data" / _PHOTOGRAPH
        if near.is_file():
            return near
    from matplotlib.cbook import get_sample_data

    path = Path(get_sample_data(_PHOTOGRAPH, asfileobj=False))
    if not path.is_file():
        raise FileNotFoundError(f"matplotlib's sample data is not installed, expected its photograph at '{path}'.")
    return path
