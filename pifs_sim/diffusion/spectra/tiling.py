"""Pictures cut into patches and poured into moments: every patch is a vector of size * size * channels entries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.spectra.images import Skip, entries, pictures
from pifs_sim.diffusion.spectra.moments import Moments

__all__ = ["Pool", "Tiling", "pool_images", "positive"]

_HALF_RANGE = {"u1": 127.5, "u2": 32767.5}  # by kind and bytes of the dtype, in either byte order
_LUMINANCE = np.array([0.299, 0.587, 0.114])


def positive(name: str, value: Any) -> int:
    """`value` as an integer; ValueError unless it is one >= 1."""
    try:
        number = index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` must be an integer >= 1, got {value!r:.80}.")
    return number


@dataclass(frozen=True)
class Tiling:
    """Side of a patch, pixels from one to the next, and whether colours become grey."""

    size: int
    stride: int
    grey: bool = False

    @classmethod
    def of(cls, size: Any, stride: Any, grey: bool) -> Tiling:
        """The tiling of checked numbers; patches touch where `stride` is None."""
        side = positive("size", size)
        return cls(side, side if stride is None else positive("stride", stride), grey)

    def tiles(self, picture: npt.NDArray[Any], most: int) -> Iterator[npt.NDArray[Any]]:
        """Views (R, K, size, size, C) with R * K <= `most`, which together hold every patch of the image once."""
        size, step = self.size, self.stride
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


class Pool:
    """Moments of the patches of pictures that come one after the other, all with the channels of the first.

    `test` gives the test matrix, or None, for the dimension d, which only the first picture tells; `argument` is what
    errors are said of.
    """

    def __init__(self, tiling: Tiling, test: Callable[[int], FloatArray | None], argument: str = "images") -> None:
        self.tiling, self.test, self.argument = tiling, test, argument
        self._moments: Moments | None = None
        self.channels = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(size, size, channels) of a patch."""
        return self.tiling.size, self.tiling.size, self.channels

    def _channels(self, name: str, picture: npt.NDArray[Any]) -> int:
        """Channels of the patches of one image, once it is known to be one."""
        height, width, channels = picture.shape
        size, what = self.tiling.size, self.argument
        if picture.dtype.str[1:] not in _HALF_RANGE and picture.dtype.kind != "f":
            raise ValueError(f"`{what}` must be uint8, uint16 or floating, got {picture.dtype} in {name}.")
        if min(height, width) < size or not channels:
            raise ValueError(
                f"`{what}` must be at least one patch ({size} x {size}) large, got {picture.shape} in {name}."
            )
        if self.tiling.grey and channels not in (1, 3):
            raise ValueError(f"`{what}` must have 1 or 3 channels to be made grey, got {channels} in {name}.")
        return 1 if self.tiling.grey else channels

    def check(self, name: str, picture: npt.NDArray[Any]) -> int:
        """Channels of a picture that fits those merged before it; ValueError for one that does not."""
        found = self._channels(name, picture)
        if self._moments is not None and found != self.channels:
            hint = "; grey=True makes them all grey" if self.argument == "images" else ""
            raise ValueError(
                f"`{self.argument}` must all have {self.channels} channels like the first, got {found} in {name}{hint}."
            )
        if picture.dtype.kind == "f" and not np.isfinite(picture).all():
            raise ValueError(f"`{self.argument}` must be finite, got NaN or inf in {name}.")
        return found

    def add(self, name: str, picture: npt.NDArray[Any]) -> None:
        """Merge all patches of one picture, or none of them and a ValueError."""
        found = self.check(name, picture)
        if self._moments is None:
            dim = self.tiling.size**2 * found
            self._moments, self.channels = Moments(dim, self.test(dim)), found
        for windows in self.tiling.tiles(picture, len(self._moments.buffer)):
            _write(self._moments.room(windows.shape[0] * windows.shape[1]), windows)

    def moments(self, source: Any) -> Moments:
        """What was merged; ValueError if that is nothing, or too large to be squared."""
        if self._moments is None:
            raise ValueError(f"`{self.argument}` must hold at least one image, got {source!r:.80}.")
        self._moments.flush()
        if not np.isfinite(self._moments.scatter).all():
            raise ValueError(
                f"`{self.argument}` must hold values whose squares have a sum within float64, got larger ones."
            )
        return self._moments


def pool_images(
    images: Any, pool: Pool, *, progress: Callable[[int, int], None] | None = None, skip: Skip | None = None
) -> Moments:
    """Moments of all patches of `images`; files that cannot be used are told to `skip`, if there is one."""
    listed, total = entries(images)
    for i, entry in enumerate(listed):
        for name, picture in pictures(entry, f"image {i}", skip):
            try:
                pool.add(name, picture)
            except ValueError as error:
                if skip is None or not isinstance(entry, str | os.PathLike):
                    raise
                skip(str(error))
        if progress:
            progress(i + 1, total)
    return pool.moments(images)
