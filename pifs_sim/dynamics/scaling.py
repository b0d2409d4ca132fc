"""Dimensions of point clouds as slopes of ln count against ln scale: what box counts and pair counts share.

    D = d ln N/d ln(1/side)

The slope depends on the scales that it is fitted to far more than on noise, and residuals of neighbouring scales are
not independent: the standard error of the fit is no error of the dimension. So each estimate comes with an interval,
which holds the fits over all admissible windows of scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.display import one_line
from pifs_sim.kernels import box_counting

__all__ = ["Backend", "Cloud", "DimensionEstimate", "Floats", "chosen", "cloud_of", "estimate", "one_point", "slopes"]

Floats = npt.NDArray[np.float64]
Backend = Literal["reference", "cpu"] | None


@dataclass(frozen=True, eq=False)
class DimensionEstimate:
    """A slope of ln count against ln scale, with what it was read from.

    Attributes:
        value: the least-squares slope over all admissible scales.
        interval: holds the fits over all admissible windows, that is runs of admissible scales that span at least an
            octave and a given share of them; of box counting also what grids, unseen boxes and edges may do. It is no
            confidence interval: a bias that no window, grid or half of the points shows is not in it.
        window: the least and the greatest admissible scale, lengths.
        scales: (m,) sides of boxes from coarse to fine, or ascending radii; lengths.
        counts: (m,) occupied boxes, or pairs closer than the radius.
        local_slopes: (m - 1,) slopes between neighbouring scales; nan where a count is 0.
        total: points, or admitted pairs of them; the correlation sum is counts/total.
    """

    value: float
    interval: tuple[float, float]
    window: tuple[float, float]
    scales: Floats
    counts: npt.NDArray[np.int64]
    local_slopes: Floats
    total: int

    __repr__ = one_line


class Cloud(NamedTuple):
    """Points (N, d), their lowest corner and largest extent, and 128 spacings of floats at their largest coordinate."""

    points: npt.NDArray[Any]
    low: Floats
    side: float
    resolution: float


def cloud_of(points: Any) -> Cloud:
    """The points with their extents; ValueError unless they are (N, d), finite, and of sizes 1e-100..1e100."""
    _, x = reals("points", points)
    if not isinstance(x, np.ndarray):
        raise ValueError(f"`points` must be a NumPy array, got {type(x).__name__}.")
    if x.ndim != 2 or x.size == 0:
        raise ValueError(f"`points` must have shape (N, d) and not be empty, got {x.shape}.")
    x = np.asarray(x, dtype=x.dtype.newbyteorder("="))
    low, high = box_counting.corners(x)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError(f"`points` must be finite, got coordinates from {low.min()!r} to {high.max()!r}.")
    size = float(max(np.abs(low).max(), np.abs(high).max()))
    if not (size == 0 or 1e-100 < size < 1e100):
        raise ValueError(f"`points` must have coordinates of size 1e-100..1e100, got {size!r}.")
    return Cloud(x, low, float((high - low).max()), 128 * float(np.finfo(x.dtype).eps) * size)


def one_point(count: int, total: int) -> DimensionEstimate:
    """Points that are one: at the scale 0, one box or every pair."""
    return DimensionEstimate(0.0, (0.0, 0.0), (0.0, 0.0), np.zeros(1), np.array([count]), np.zeros(0), total)


def chosen(
    scales: Floats, counts: npt.NDArray[np.int64], admissible: npt.NDArray[np.bool_], window: tuple[float, float] | None
) -> npt.NDArray[np.intp]:
    """Indices of the scales to fit: the admissible ones, or those in the window; ValueError for less than three."""
    if window is not None:
        least, greatest = window
        if not 0 <= least < greatest:
            raise ValueError(f"`window` must be two ascending lengths, got {window!r}.")
        admissible = (least <= scales) & (scales <= greatest)
    inside = np.flatnonzero(admissible & (counts > 0))
    if len(inside) < 3:
        raise ValueError(f"a dimension needs 3 admissible scales, got {len(inside)}: take more points or a `window`.")
    return inside


def slopes(x: Floats, y: Floats, *, share: int, shortest: int) -> list[float]:
    """Least-squares slopes over the runs of at least 1/share of the scales and `shortest`; the last one over all."""
    m = len(x)
    run = max(shortest, -(-m // share))
    return [_slope(x[i : i + size], y[i : i + size]) for size in range(run, m + 1) for i in range(m - size + 1)]


def estimate(
    scales: Floats, counts: npt.NDArray[np.int64], x: Floats, inside: Any, fits: list[float], *, total: int
) -> DimensionEstimate:
    """The estimate with the value fits[-1] and the range of the fits; x (m,) is log2 of the scales, or minus it."""
    y = np.full(len(counts), np.nan)
    np.log2(counts, out=y, where=counts > 0)
    least, greatest = sorted((float(scales[inside[0]]), float(scales[inside[-1]])))
    interval = min(fits), max(fits)
    return DimensionEstimate(fits[-1], interval, (least, greatest), scales, counts, np.diff(y) / np.diff(x), total)


def _slope(x: Floats, y: Floats) -> float:
    """Of the least-squares line; exactly 0 for a constant y."""
    centred = x - x.mean()
    return float(centred @ (y - y[0]) / (centred @ centred))
