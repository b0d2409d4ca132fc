"""Windows of a photograph as vectors: many patches side by side, in grey, values in [-1, 1].

`everywhere` takes windows at all positions: a stationary law, whose patches have nearly equal covariances. `views`
looks at the middle of the scene, reduced in size, from shifted positions, like aligned images of one kind of object:
its patches have unequal ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

__all__ = ["everywhere", "grey", "views"]

Array = npt.NDArray[np.float64]


def grey(path: Path) -> Array:
    """An image file's luminance in [-1, 1], (H, W).

    Raises:
        ValueError: a file that is not there or that Pillow cannot read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"), dtype=np.float64) / 127.5 - 1
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"'{path}' cannot be read as an image: {error}") from None


def _too_small(picture: Array, what: str) -> ValueError:
    return ValueError(f"a picture of {' x '.join(map(str, picture.shape))} pixels has no {what}.")


def _drawn(positions: int, most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return rng.permutation(positions)[:most]


def everywhere(picture: Array, side: int, *, most: int, rng: np.random.Generator) -> Array:
    """Windows of side x side pixels from positions drawn without replacement, (at most `most`, side^2), C order.

    Raises:
        ValueError: a picture smaller than two windows.
    """
    height, width = (max(0, length - side + 1) for length in picture.shape)
    if height * width < 2:
        raise _too_small(picture, f"windows of {side} x {side}")
    rows, columns = np.divmod(_drawn(height * width, most, rng), width)
    return sliding_window_view(picture, (side, side))[rows, columns].reshape(len(rows), -1)


def views(picture: Array, side: int, *, reach: int, most: int, rng: np.random.Generator) -> Array:
    """Shifted views of the middle of the scene, (at most `most`, side^2), C order.

    A view covers half of the picture's smaller side, or a little less: f x f of its pixels are averaged to one. Shifts
    are drawn without replacement from the f reach in each direction that lie about the middle.

    Raises:
        ValueError: a picture that is too small.
    """
    factor = min(picture.shape) // (2 * side)
    span, shifts = factor * side, factor * reach
    if factor < 1 or span + shifts > min(picture.shape) or shifts < 2:
        raise _too_small(picture, f"views of {side} x {side} shifted by up to {reach}")
    sums = np.pad(picture.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    rows_summed = sums[factor:] - sums[:-factor]
    box = (rows_summed[:, factor:] - rows_summed[:, :-factor]) / factor**2  # mean of factor x factor pixels from here
    top, left = ((length - span - shifts) // 2 for length in picture.shape)
    down, right = np.divmod(_drawn(shifts**2, most, rng), shifts)
    grid = factor * np.arange(side)
    found: Array = box[top + down[:, None, None] + grid[:, None], left + right[:, None, None] + grid]
    return found.reshape(len(down), -1)
