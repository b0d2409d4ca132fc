"""Box-counting and correlation dimensions of point clouds: slopes of ln count against ln scale.

D_0 = -lim ln N(e)/ln e, N(e) the boxes of side e that meet the set; D_2 = lim ln C(r)/ln r, C(r) the share of pairs of
points closer than r. The slope depends on the scales that it is fitted to far more than on noise, and residuals of
neighbouring scales are not independent: the standard error of the fit is no error of the dimension. So each estimate
comes with an interval, the range of the fits over all admissible windows of scales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import check_count, reals
from pifs_sim.kernels import box_counting, pair_counting

__all__ = ["DimensionEstimate", "box_counting_dimension", "correlation_dimension"]

Floats = npt.NDArray[np.float64]
Backend = Literal["reference", "cpu"] | None

_COARSEST, _POINTS = 3, 5  # the k, and the points a box, that admit a scale
_EDGE, _PAIRS = 16, 100  # how many times shorter than the cloud a radius must be, and pairs that must be closer
_OCTAVES = 45  # between the cloud and the smallest default radius


@dataclass(frozen=True, eq=False)
class DimensionEstimate:
    """A slope of ln count against ln scale, with what it was read from.

    Attributes:
        value: the least-squares slope over all admissible scales.
        interval: the range of the fits over all admissible windows, that is runs of admissible scales that span at
            least an octave and a given share of them. It shows what the choice of window does to the value; it is no
            confidence interval, and a bias common to all windows is not in it.
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


def box_counting_dimension(
    points: Any,
    *,
    levels: int | None = None,
    ratio: int = 2,
    cube: tuple[npt.ArrayLike, float] | None = None,
    offsets: int = 4,
    rng: np.random.Generator | None = None,
    window: tuple[float, float] | None = None,
    backend: Backend = None,
) -> DimensionEstimate:
    """Box-counting dimension of a point cloud, from nested grids.

    The scales are ratio^-k of the side of the bounding cube, k = 0..levels. The first grid begins at the lowest corner,
    and a point on the far face belongs to the last box, so that sets that fit the grid are counted exactly; `offsets`
    more grids are shifted at random, each by one vector for all its scales. The count at a scale is the least over the
    grids: every grid covers the set, and N(e) is the least cover. (The mean over grids is smoother, and better for
    d = 1, but counts boxes along the boundary, which takes 0.1 off the dimension of a square of 1e5 points.)

    A scale is admissible if it cuts the cube into at least 8 boxes along an axis (4 where that leaves fewer than three
    scales) and if there are at least 5 points a box: one in which so many are expected is missed with probability e^-5.
    Windows hold at least a third of the admissible scales, and two.

    Args:
        points: (N, d), finite. Boxes that few points fall into are missed, so an uneven measure lowers the value.
        levels: the finest k, ratio^k below 2^53; by default the first with fewer than 5 points a box, unless boxes are
            128 spacings of floats wide (at the largest coordinate), or along an axis there are as many as the larger of
            2^{63/d} and N, before that.
        ratio: lengths of neighbouring scales, at least 2: a self-similar set is counted evenly at its own ratio.
        cube: lowest corner (d,) and side of a cube that holds the points, instead of the bounding cube: its grid fits
            the set, so that none is shifted.
        offsets: number of shifted grids, >= 0; 0 for the fixed grid alone.
        rng: of the shifts; a generator of fixed seed by default.
        window: the least and the greatest admissible scale (lengths), instead of the rule.
        backend: of the kernel `box_counting`.

    Returns:
        The estimate, scales from coarse to fine; value 0 and interval (0, 0) if all points are equal to within 128
        spacings of floats.

    Raises:
        ValueError: points that are not (N, d), empty or not finite; bad options; fewer than three admissible scales.

    Source: Grassberger 1983, Phys. Lett. A 97, 224-226; Theiler 1990, J. Opt. Soc. Am. A 7, 1055-1073, on pitfalls.
    """
    x, low, side, resolution = _cloud(points)
    n, d = x.shape
    check_count("offsets", offsets, 0, None)
    check_count("ratio", ratio, 2, 1024)
    if levels is not None:
        check_count("levels", levels, 0, math.floor((box_counting.MAX_LEVELS - 1) / math.log2(ratio)))
    if side <= resolution:
        return _single(1, n)
    if cube is not None:
        low, side, offsets = _given_cube(cube, *box_counting.corners(x)), float(cube[1]), 0
    deepest = min(math.log2(side / resolution), max(63 // d, math.ceil(math.log2(n))), box_counting.MAX_LEVELS - 1)
    depth = math.floor(deepest / math.log2(ratio)) if levels is None else levels
    counts = box_counting.compute(x, low[None, :], side, levels=depth, ratio=ratio, backend=backend)[0]
    if levels is None:
        counts = counts[: np.count_nonzero(_POINTS * counts <= n) + 1]
    if offsets:
        rng = np.random.default_rng(0) if rng is None else rng
        shifts = side * rng.uniform(0.0, 1.0 - 2.0**-6, (offsets, d))  # short of the side by more than rounding adds
        wide = ratio * side
        shifted = box_counting.compute(x, low - shifts, wide, levels=len(counts), ratio=ratio, backend=backend)
        counts = np.minimum(counts, shifted[:, 1:].min(axis=0))
    k = np.arange(len(counts), dtype=np.float64)
    filled = _POINTS * counts <= n
    coarsest = _COARSEST / math.log2(ratio)
    admissible = filled & (k >= (coarsest if np.count_nonzero(filled) > coarsest + 2 else coarsest - 1))
    scales = side * float(ratio) ** -k
    return _estimate(scales, counts, admissible, window=window, share=3, shortest=2, sign=-1, total=n)


def correlation_dimension(
    points: Any,
    *,
    radii: npt.ArrayLike | None = None,
    theiler: int = 0,
    window: tuple[float, float] | None = None,
    backend: Backend = None,
) -> DimensionEstimate:
    """Correlation dimension of a point cloud or an orbit, from numbers of close pairs.

    C(r) is the share of the pairs i, j with |i - j| > theiler whose Euclidean distance is less than r. A radius is
    admissible if it is at most a sixteenth of the largest extent of the cloud and at least 100 pairs are closer.
    Windows hold at least a quarter of the admissible radii, and three.

    Expect the value to be low by the edge of the cloud: a ball that reaches beyond it holds fewer points, a relative
    loss of C(r) of order r over the extent (about -0.02 for a square or a cube of 2e4 points). C(r) of a lacunary set
    oscillates in ln r for ever, that of Cantor's with the period ln 3, so a few octaves may be off by 0.03. From N
    points no value above 2 log10 N can come (Eckmann, Ruelle 1992, Physica D 56, 185-187). Neighbours in time are
    neighbours on the orbit, and lower the value of a finely sampled flow: exclude them by `theiler`.

    Args:
        points: (N, d), finite, in the order of time if `theiler` is not 0.
        radii: (R,) positive and ascending lengths; by default half octaves from a quarter of the largest extent
            down, as far as there are pairs.
        theiler: pairs at most so far apart in time are left out, >= 0; 0 leaves out only a point with itself.
        window: the least and the greatest admissible radius (lengths), instead of the rule.
        backend: of the kernel `pair_counting`.

    Returns:
        The estimate, scales in the order of the radii; value 0 and interval (0, 0) if all points are equal to within
        128 spacings of floats.

    Raises:
        ValueError: points that are not (N, d), empty or not finite; bad radii; `theiler` negative or so large that no
            pair is left; fewer than three admissible radii.

    Source: Grassberger, Procaccia 1983, Physica D 9, 189-208; Theiler 1986, Phys. Rev. A 34, 2427-2432.
    """
    x, _, side, resolution = _cloud(points)
    n = len(x)
    check_count("theiler", theiler, 0, None)
    pairs = (n - theiler) * (n - theiler - 1) // 2
    if n <= theiler + 1:
        raise ValueError(f"`points` must be more than theiler + 1 = {theiler + 1}, got {n}.")
    if side <= resolution:
        return _single(pairs, pairs)
    if radii is None:
        octaves = min(math.log2(side / resolution), _OCTAVES)
        scales = side * 2.0 ** -(np.arange(2 * math.floor(octaves), 3, -1) / 2)
    else:
        scales = np.asarray(reals("radii", radii)[1], dtype=np.float64)
    counts = pair_counting.compute(x, scales, theiler=theiler, backend=backend)
    if radii is None:
        scales, counts = scales[counts > 0], counts[counts > 0]
    admissible = (scales <= side / _EDGE) & (counts >= _PAIRS)
    return _estimate(scales, counts, admissible, window=window, share=4, shortest=3, sign=1, total=pairs)


def _cloud(points: Any) -> tuple[Any, Floats, float, float]:
    """Points (N, d), their lowest corner and largest extent, and 128 spacings of floats at their largest coordinate."""
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
    return x, low, float((high - low).max()), 128 * float(np.finfo(x.dtype).eps) * size


def _given_cube(cube: Any, low: Floats, high: Floats) -> Floats:
    """The corner (d,) of a cube that holds the points; ValueError otherwise."""
    pair = isinstance(cube, tuple) and len(cube) == 2
    corner = np.asarray(reals("cube", cube[0])[1], dtype=np.float64) if pair else np.empty(0)
    if corner.shape != low.shape or not (corner <= low).all() or not (high <= corner + cube[1]).all():
        raise ValueError(
            f"`cube` must be (corner, side) of a cube that holds the points, corner {low.shape}, got {cube!r}."
        )
    return corner


def _single(count: int, total: int) -> DimensionEstimate:
    """Points that are one: at the scale 0, one box or every pair."""
    return DimensionEstimate(0.0, (0.0, 0.0), (0.0, 0.0), np.zeros(1), np.array([count]), np.zeros(0), total)


def _estimate(
    scales: Floats,
    counts: npt.NDArray[np.int64],
    admissible: npt.NDArray[np.bool_],
    *,
    window: tuple[float, float] | None,
    share: int,
    shortest: int,
    sign: int,
    total: int,
) -> DimensionEstimate:
    """Fit sign * slope over all admissible scales and over their runs of at least 1/share of them and `shortest`."""
    if window is not None:
        least, greatest = window
        if not 0 <= least < greatest:
            raise ValueError(f"`window` must be two ascending lengths, got {window!r}.")
        admissible = (least <= scales) & (scales <= greatest)
    inside = np.flatnonzero(admissible & (counts > 0))
    m = len(inside)
    if m < 3:
        raise ValueError(f"a dimension needs 3 admissible scales, got {m}: take more points, or give a `window`.")
    x, y = np.log2(scales / scales[0]), np.full(len(counts), np.nan)
    np.log2(counts, out=y, where=counts > 0)
    run = max(shortest, -(-m // share))
    fits = [
        sign * _slope(x[inside[i : i + size]], y[inside[i : i + size]])
        for size in range(run, m + 1)
        for i in range(m - size + 1)
    ]
    ends = sorted((float(scales[inside[0]]), float(scales[inside[-1]])))
    slopes = sign * np.diff(y) / np.diff(x)
    return DimensionEstimate(fits[-1], (min(fits), max(fits)), (ends[0], ends[1]), scales, counts, slopes, total)


def _slope(x: Floats, y: Floats) -> float:
    """Of the least-squares line; exactly 0 for a constant y."""
    centred = x - x.mean()
    return float(centred @ (y - y[0]) / (centred @ centred))
