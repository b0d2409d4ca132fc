"""Covariance spectra of images and of latents in files, at any dimension: eigenvalues of C = X^T X/N, X (N, d) centred.

Up to 4096 dimensions the covariance is formed and diagonalised; above, its leading eigenvalues are found from two
passes (`randomised`), and what they leave is reported and spread evenly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.spectra.images import Image, Skip
from pifs_sim.diffusion.spectra.moments import Moments, resolved
from pifs_sim.diffusion.spectra.randomised import leading_spectrum
from pifs_sim.diffusion.spectra.safetensors import MappedTensor, read_safetensors
from pifs_sim.diffusion.spectra.spectrum import Spectrum
from pifs_sim.diffusion.spectra.tiling import Pool, Tiling, pool_images, positive

__all__ = ["MOST_EXACT", "image_spectrum", "latent_spectrum"]

MOST_EXACT = 4096  # dimensions whose covariance matrix is formed

_Pass = Callable[[Pool], Moments]
_PART = 1 << 24  # bytes of one piece of a file


class _TooLarge(Exception):
    """The dimension exceeds `MOST_EXACT`; raised before anything is read."""


def _identity(dim: int) -> None:
    if dim > MOST_EXACT:
        raise _TooLarge


def _spectrum(
    tiling: Tiling, fill: _Pass, rank: int, rng: np.random.Generator | None, argument: str = "images"
) -> Spectrum:
    pool = Pool(tiling, _identity, argument)
    try:
        moments = fill(pool)
    except _TooLarge:
        if rng is None:
            raise ValueError(f"`rng` must be given above {MOST_EXACT} dimensions, got None.") from None
    else:
        values, vectors = np.linalg.eigh(moments.scatter / moments.count)
        mean, ones = np.abs(vectors.T @ moments.mean)[::-1], np.ones(values.size, dtype=np.int64)
        return Spectrum(resolved(values[::-1], moments.count), ones, mean, moments.count, pool.shape)

    def one_pass(test: Callable[[int], FloatArray]) -> tuple[Moments, tuple[int, ...]]:
        sketch = Pool(tiling, test, argument)
        return fill(sketch), sketch.shape

    return leading_spectrum(one_pass, rank, rng)


def image_spectrum(
    images: Image | Iterable[Image],
    size: int,
    *,
    stride: int | None = None,
    grey: bool = False,
    rank: int = 512,
    rng: np.random.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
    skip: Skip | None = None,
) -> Spectrum:
    """The spectrum of all size x size patches of some images: `patch_spectrum` without eigenvectors, for any size.

    Above 4096 dimensions the images are read twice, the `rank` leading eigenvalues are found (each at most the true
    one), and the rest of the variance, `1 - captured`, is spread evenly over the rest of the directions.

    Args:
        images: as for `patch_spectrum`; above 4096 dimensions not an iterator, which can be read only once.
        size: side of a patch in pixels.
        stride: as for `patch_spectrum`.
        grey: as for `patch_spectrum`.
        rank: number of eigenvalues above 4096 dimensions.
        rng: of the random test matrix above 4096 dimensions.
        progress: as for `patch_spectrum`; it runs from the start in each pass.
        skip: as for `patch_spectrum`; each file is named once.

    Raises:
        ValueError: as for `patch_spectrum`; no `rng`, or an iterator, above 4096 dimensions.

    Source: Halko, Martinsson, Tropp 2011, doi:10.1137/090771806.
    """
    tiling, rank = Tiling.of(size, stride, grey), positive("rank", rank)
    told: set[str] = set()

    def tell(sentence: str) -> None:
        if skip is not None and sentence not in told:
            told.add(sentence)
            skip(sentence)

    def fill(pool: Pool) -> Moments:
        if pool.test is not _identity and isinstance(images, Iterator):
            raise ValueError(f"`images` must be readable twice above {MOST_EXACT} dimensions, got an iterator.")
        return pool_images(images, pool, progress=progress, skip=None if skip is None else tell)

    return _spectrum(tiling, fill, rank, rng)


def _tensors(file: Path) -> dict[str, MappedTensor]:
    if file.suffix == ".safetensors":
        return read_safetensors(file)
    if file.suffix != ".npy":
        raise ValueError(f"`files` must be .npy or .safetensors, got '{file}'.")
    with open(file, "rb"):  # NumPy's own error for a file that is not there names no rule
        pass
    try:
        data = np.lib.format.open_memmap(file, mode="r")
    except (EOFError, OverflowError, TypeError, ValueError, OSError) as error:
        raise ValueError(f"'{file}' is not a readable .npy file: {str(error).rstrip('.')}.") from None
    if data.dtype.kind != "f" or data.dtype.itemsize > 8 or not data.size:
        raise ValueError(f"'{file}' must hold float16, float32 or float64 numbers, got {data.dtype}, {data.shape}.")
    return {"": MappedTensor(data)}


def _listed(files: Any) -> list[Path]:
    """Files as given; a folder stands for its .npy and .safetensors files, sorted."""
    given = [files] if isinstance(files, str | os.PathLike) else list(files)
    listed: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            listed += sorted(file for file in path.iterdir() if file.suffix in (".npy", ".safetensors"))
        elif path.exists():
            listed.append(path)
        else:
            raise ValueError(f"`files` must name existing files or folders, got '{path}'.")
    if not listed:
        raise ValueError(f"`files` must name .npy or .safetensors files, got none in {files!r:.80}.")
    return listed


def _pieces(tensor: MappedTensor, name: str, size: int | None) -> Iterator[npt.NDArray[Any]]:
    """Pictures (H, W, C): latents (C, H, W) one by one, or (n, 1, d) many vectors at a time."""
    shape, axes = tensor.data.shape, tensor.data.ndim
    if axes not in ((3, 4) if size else (1, 2, 3, 4)):
        rule = "(C, H, W) or (N, C, H, W)" if size else "(d,), (N, d), (C, H, W) or (N, C, H, W)"
        raise ValueError(f"`files` must hold arrays of shape {rule}, got {shape} in {name}.")
    single = axes % 2 == 1
    whole = MappedTensor(tensor.data[None], tensor.bfloat) if single else tensor
    rows = max(1, _PART // max(1, 8 * int(np.prod(whole.data.shape[1:]))))
    for start in range(0, len(whole.data), rows):
        part = whole.floats(start, start + rows)
        if size is None:
            yield part.reshape(len(part), 1, -1)
        else:
            yield from np.moveaxis(part, 1, -1)


def latent_spectrum(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    size: int | None = None,
    *,
    stride: int | None = None,
    rank: int = 512,
    rng: np.random.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
    skip: Skip | None = None,
) -> Spectrum:
    """The spectrum of latents (or any vectors) in .npy and .safetensors files, streamed.

    By the number of axes an array holds: 1, one vector (d,); 2, vectors (N, d); 3, one latent (C, H, W); 4, latents
    (N, C, H, W), the layout of torch. Numbers are taken as they are (float16, bfloat16, float32, float64).

    Args:
        files: a file, a folder of them, or several; all arrays of a .safetensors file count.
        size: None: each vector or latent whole; otherwise size x size patches of latents, d = size * size * C.
        stride: of the patches, as for `patch_spectrum`.
        rank: as for `image_spectrum`.
        rng: as for `image_spectrum`.
        progress: called as progress(done, total) after each file, in each pass.
        skip: called with one sentence for each file that cannot be read or does not fit, which is then left out.

    Raises:
        ValueError: no files, an unreadable one, other dtypes or shapes; no `rng` above 4096 dimensions.

    Source: Halko, Martinsson, Tropp 2011, doi:10.1137/090771806.
    """
    listed, rank = _listed(files), positive("rank", rank)
    told: set[str] = set()

    def fill(pool: Pool) -> Moments:
        for i, file in enumerate(listed):
            try:
                tensors = {f"'{file}' {name}".strip(): tensor for name, tensor in _tensors(file).items()}
                for merge in (pool.check, pool.add):  # a file counts whole or not at all
                    for name, tensor in tensors.items():
                        for piece in _pieces(tensor, name, size):
                            merge(name, piece)
            except (OSError, ValueError) as error:
                if skip is None:
                    raise
                if str(error) not in told:
                    told.add(str(error))
                    skip(str(error))
            if progress:
                progress(i + 1, len(listed))
        return pool.moments(files)

    found = _spectrum(Tiling.of(1 if size is None else size, stride, False), fill, rank, rng, "files")
    if size is not None:
        return found
    return Spectrum(found.eigenvalues, found.multiplicities, found.mean, found.count, (found.dim,), found.captured)
