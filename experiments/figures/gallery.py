"""Pictures of the sets of the gallery: the density of a set's invariant measure, dark where it is great.

In the plane it is counted by the chaos game. Of a set in space the points nearest to the eye are seen, dark where they
lie behind their surroundings. A set on the line is drawn by its construction: row k has the images of an interval under
the words of k letters.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import maximum_filter, uniform_filter

from pifs_sim.fractals import IFS, log_density

__all__ = ["density", "png"]

Floats = npt.NDArray[np.float64]

_ROWS, _GAP = 7, 0.3  # steps of a construction, and the share of a row that stays white
_MARGIN = 0.03  # of the longest side, on either side
_VIEW = np.array([[2, -3, 2], [3, 2, 0], [-4, 6, 13]]) / np.sqrt([[17], [13], [221]])  # to the eye; across; up
_SHADES = 16
_DARK = (16, 52, 96)


def density(ifs: IFS, size: int = 320, *, points: int = 600_000) -> Floats:
    """Brightness (size, size) in [0, 1] of the measure of an IFS in d <= 3, rows from the top.

    Raises:
        ValueError: maps that do not contract, d > 3, no pixels or no points.
    """
    low, high = (np.asarray(corner) for corner in ifs.bounding_box())
    if ifs.dim == 1:
        return _construction(ifs, size, float(low[0]), float(high[0]))
    if ifs.dim == 2:
        first, last = _square(low, high)
        return log_density(ifs.histogram(points, bins=size, bounds=(first, last)).T[::-1])
    return _relief(ifs.attractor(points) @ _VIEW.T, size)


def png(shades: Floats) -> str:
    """A data URI of a PNG of so many shades between white and dark blue."""
    steps = np.linspace(0, 1, _SHADES)[:, None]
    image = Image.fromarray(np.round(shades * (_SHADES - 1)).astype(np.uint8), mode="P")
    image.putpalette(np.round(255 + steps * (np.array(_DARK) - 255)).astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", bits=4, optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _square(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Corners of a square around a rectangle, with a margin."""
    middle, half = (low + high) / 2, (0.5 + _MARGIN) * (high - low).max()
    return middle - half, middle + half


def _construction(ifs: IFS, size: int, low: float, high: float) -> Floats:
    """Row k: how many of the words of k letters have a pixel in their image of [low, high]."""
    first, last = _square(np.array([low]), np.array([high]))
    picture = np.zeros((size, size))
    edges: Any = np.linspace(0, size * (1 - _MARGIN), _ROWS + 1).astype(int)
    for k in range(_ROWS):
        ends = np.sort(ifs.deterministic(np.array([[low], [high]]), k).reshape(-1, 2), axis=1)
        places = np.clip(np.round((ends - first) * (size / (last - first))).astype(int), 0, size - 1)
        count = np.zeros(size + 1)
        np.add.at(count, places[:, 0], 1)
        np.add.at(count, np.maximum(places[:, 1], places[:, 0] + 1), -1)
        top = edges[k] + round(_GAP * (edges[k + 1] - edges[k]))
        picture[top : edges[k + 1]] = np.log1p(np.cumsum(count)[:-1])
    return picture / picture.max()


def _relief(points: Floats, size: int) -> Floats:
    """How far each pixel lies behind the mean of its surroundings; points (N, 3), the first coordinate to the eye."""
    first, last = _square(points[:, 1:].min(axis=0), points[:, 1:].max(axis=0))
    column, row = np.floor((points[:, 1:] - first) * (size / (last - first))).astype(int).T
    depth = (points[:, 0] - points[:, 0].min()) / np.ptp(points[:, 0])
    near = np.zeros(size * size)
    np.maximum.at(near, row * size + column, depth)
    near = maximum_filter(near.reshape(size, size)[::-1], 2)
    met = (near > 0).astype(float)
    around = uniform_filter(near, size // 20) / np.maximum(uniform_filter(met, size // 20), 1e-9)
    return met * np.clip(0.35 + 4 * (around - near) + 0.3 * (1 - near), 0.1, 1)
