"""A spectrum as designs need it: variances, how many directions have each, the mean's share; small .npz files of it.

A file is a NumPy archive of arrays, never a pickle: version, eigenvalues, multiplicities, mean, count, shape, captured.
"""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.spectra.patches import PatchSpectrum
from pifs_sim.diffusion.spectra.shown import columns, line

__all__ = ["Spectrum", "load_spectrum", "save_spectrum", "spectrum_of"]

_VERSION = 1
_MOST_BYTES = 1 << 26  # of one array of a file, unpacked
_UNREADABLE = (
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)  # what zipfile and NumPy raise for archives that are damaged or meant to harm


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The law of vectors in R^d to second order, without its directions.

    Args:
        eigenvalues: (K,) variances, >= 0.
        multiplicities: (K,) integers >= 1: number of directions of each variance; their sum is d.
        mean: (K,) norm of the mean in each of those eigenspaces, >= 0.
        count: number of vectors, >= 1.
        shape: of a vector, such as (size, size, channels) or (d,); its product is d.
        captured: share of the total variance that was resolved, in (0, 1]. Below 1, one last entry holds the rest
            of the variance, spread evenly over the rest of the directions.

    Raises:
        ValueError: one of these rules is broken.
    """

    eigenvalues: FloatArray
    multiplicities: npt.NDArray[np.int64]
    mean: FloatArray
    count: int
    shape: tuple[int, ...]
    captured: float = 1.0

    def __post_init__(self) -> None:
        sizes = {name: np.asarray(getattr(self, name)) for name in ("eigenvalues", "multiplicities", "mean")}
        length = sizes["eigenvalues"].size
        for name, array in sizes.items():
            if array.ndim != 1 or array.size != length or not length:
                raise ValueError(f"`{name}` must have shape (K,), K >= 1, like the eigenvalues, got {array.shape}.")
            kinds = "iu" if name == "multiplicities" else "f"
            if array.dtype.kind not in kinds:
                rule = "integers" if kinds == "iu" else "real numbers"
                raise ValueError(f"`{name}` must hold {rule}, got {array.dtype}.")
            bad = array < 1 if kinds == "iu" else ~(np.isfinite(array) & (array >= 0))
            if bad.any():
                rule = "at least 1" if kinds == "iu" else "finite and non-negative"
                raise ValueError(f"`{name}` must be {rule}, got {array[bad][0].item()!r}.")
        if self.count < 1:
            raise ValueError(f"`count` must be at least 1, got {self.count!r}.")
        if min(self.shape, default=0) < 1 or math.prod(self.shape) != self.dim:
            raise ValueError(f"`shape` must have the product {self.dim}, the sum of multiplicities, got {self.shape}.")
        if not 0 < self.captured <= 1:
            raise ValueError(f"`captured` must lie in (0, 1], got {self.captured!r}.")

    def __repr__(self) -> str:
        return line("Spectrum", self)

    def _repr_html_(self) -> str:
        return columns(self, self.multiplicities)

    @property
    def dim(self) -> int:
        """Number d of directions."""
        return sum(self.multiplicities.tolist())


def spectrum_of(law: PatchSpectrum) -> Spectrum:
    """The spectrum of a law whose directions are known, each direction an entry."""
    mean = np.abs(law.eigenvectors.T @ law.mean)
    return Spectrum(law.eigenvalues, np.ones(mean.size, dtype=np.int64), mean, law.count, law.shape)


def save_spectrum(spectrum: Spectrum, path: str | os.PathLike[str]) -> None:
    """Write a spectrum to exactly this path; OSError if it cannot be written."""
    content = {field.name: np.asarray(getattr(spectrum, field.name)) for field in fields(spectrum)}
    with open(path, "wb") as file:  # a path would be given the ending .npz
        np.savez_compressed(file, version=np.asarray(_VERSION), **content)  # type: ignore[arg-type]


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file that have the names of a spectrum's fields."""
    wanted = ("version", *(field.name for field in fields(Spectrum)))
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in wanted:
            member = archive.getinfo(f"{name}.npy")
            if member.file_size > _MOST_BYTES:
                raise ValueError(f"its array {name} has {member.file_size} bytes, over {_MOST_BYTES}")
            with archive.open(member) as file:
                found[name] = np.lib.format.read_array(file, allow_pickle=False)
    return found


def load_spectrum(path: str | os.PathLike[str]) -> Spectrum:
    """The spectrum that `save_spectrum` wrote to `path`; nothing in the file is ever unpickled.

    Raises:
        ValueError: anything else than such a file, naming it.
        OSError: it cannot be opened.
    """
    try:
        found = _arrays(Path(path))
        if found["version"].shape or int(found["version"]) != _VERSION:
            raise ValueError(f"its version must be {_VERSION}, got {found['version']}")
        for name, kinds in {"count": "iu", "captured": "f", "shape": "iu"}.items():
            if found[name].dtype.kind not in kinds or found[name].ndim != (name == "shape"):
                raise ValueError(f"`{name}` has dtype {found[name].dtype} and shape {found[name].shape}")
        return Spectrum(
            found["eigenvalues"],
            found["multiplicities"],
            found["mean"],
            int(found["count"]),
            tuple(found["shape"].tolist()),
            float(found["captured"]),
        )
    except _UNREADABLE as error:
        reason = error.args[0] if isinstance(error, KeyError) else str(error)
        raise ValueError(f"'{path}' is not a readable spectrum file: {str(reason).rstrip('.')}.") from None
