"""Box-counting dimension of point clouds, with what windows, grids, points and edges do to it.

D_0 = -lim ln N(e)/ln e, N(e) the boxes of side e that meet the set. Finite clouds at finite scales differ from the
limit in four ways, and the interval of an estimate holds what each of them may do:

- N(e) e^D of a set that is like itself oscillates in ln e. So a line is fitted to every window of scales.
- Grids count differently, and the luck of the least of them fades at finer scales. So lines are fitted to the least
  count and to the mean over the grids.
- Boxes that hold few points are missed. A face across an even measure of dimension D leaves a mass of order t^D in a
  box that it enters to the depth t, and all t are equally likely, so the boxes with a mass below p number p^{1/D}, and
  if n points find N_n(e) boxes, they miss some (N_n(e) - N_{n/2}(e))/(2^{1/D} - 1). Lines are fitted to the counts with
  and without those, D at least 2 there, as thin sets seldom carry even measures.
- Boxes at edges, and where parts of a set touch, are counted with the others: on average over grids a whole meets no
  more boxes than its parts together, so N(e) = A e^-D (1 + B e^w + ..) with B above 0, and the slope rises to D from
  below; slowly, as w is 1 for a square, but 0.07 for Levy's curve, whose edge has dimension 1.93. So

      ln N = a + D k - b sqrt(k),   k the octaves below the side of the cube,

  which rises more slowly than any power of e falls, is fitted to the mean over the grids with the missed boxes, and the
  interval reaches up to that D.

Of these fits the interval is the range, cut at d, the dimension of the space.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import check_count, reals
from pifs_sim.dynamics.scaling import Backend, DimensionEstimate, Floats, chosen, cloud_of, estimate, one_point, slopes
from pifs_sim.kernels import box_counting

__all__ = ["box_counting_dimension", "rising"]

_COARSEST, _POINTS = 3, 5  # the k, and the points a box, that admit a scale


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

    The value is low for sets with edges, as is every window: read the interval, which is wide where few scales are left
    to tell an edge from a dimension, as in space. On a grid that fits the set, at its own ratio, it is narrow.

    Args:
        points: (N, d), finite. Boxes that few points fall into are missed, so an uneven measure lowers the value.
        levels: the finest k, ratio^k below 2^53; by default the first with fewer than 5 points a box, unless boxes are
            128 spacings of floats wide (at the largest coordinate), or along an axis there are as many as the larger of
            2^{63/d} and N, before that.
        ratio: lengths of neighbouring scales, at least 2: a self-similar set is counted evenly at its own ratio.
        cube: lowest corner (d,) and side of a cube that holds the points, instead of the bounding cube: its grid fits
            the set, so that none is shifted, and no box is held to be entered by a mere sliver of the set and missed.
        offsets: number of shifted grids, >= 0; 0 for the fixed grid alone.
        rng: of the shifts, and of the half of the points, one of every two neighbours in their order; a generator of
            fixed seed by default. Neighbours that lie together, as on a finely sampled flow, hide unseen boxes.
        window: the least and the greatest admissible scale (lengths), instead of the rule.
        backend: of the kernel `box_counting`.

    Returns:
        The estimate, scales from coarse to fine; value 0 and interval (0, 0) if all points are equal to within 128
        spacings of floats.

    Raises:
        ValueError: points that are not (N, d), empty or not finite; bad options; fewer than three admissible scales.

    Source: Grassberger 1983, Phys. Lett. A 97, 224-226; Theiler 1990, J. Opt. Soc. Am. A 7, 1055-1073, on pitfalls.
    """
    x, low, side, resolution = cloud_of(points)
    n, d = x.shape
    check_count("offsets", offsets, 0, None)
    check_count("ratio", ratio, 2, 1024)
    if levels is not None:
        check_count("levels", levels, 0, math.floor((box_counting.MAX_LEVELS - 1) / math.log2(ratio)))
    if side <= resolution:
        return one_point(1, n)
    if cube is not None:
        low, side, offsets = _given_cube(cube, *box_counting.corners(x)), float(cube[1]), 0
    deepest = min(math.log2(side / resolution), max(63 // d, math.ceil(math.log2(n))), box_counting.MAX_LEVELS - 1)
    depth = math.floor(deepest / math.log2(ratio)) if levels is None else levels
    count = partial(box_counting.compute, ratio=ratio, backend=backend)
    grids = count(x, low[None, :], side, levels=depth)
    if levels is None:
        grids = grids[:, : np.count_nonzero(_POINTS * grids[0] <= n) + 1]
    m = grids.shape[1]
    missed = np.zeros(m)
    if cube is None:
        rng = np.random.default_rng(0) if rng is None else rng
        shifts = side * rng.uniform(0.0, 1.0 - 2.0**-6, (offsets, d))  # short of the side by more than rounding adds
        half = x[np.arange(0, n - 1, 2) + rng.integers(0, 2, n // 2)]
        if offsets:
            shifted = count(x, low - shifts, ratio * side, levels=m)[:, 1:]
            found, every = count(half, low - shifts[:1], ratio * side, levels=m)[0, 1:], shifted[0]
            grids = np.concatenate([grids, shifted])
        else:
            found, every = count(half, low[None, :], side, levels=m - 1)[0], grids[0]
        missed = (every - found) / every
    counts = grids.min(axis=0)
    k = np.arange(m, dtype=np.float64)
    filled = _POINTS * counts <= n
    coarsest = _COARSEST / math.log2(ratio)
    admissible = filled & (k >= (coarsest if np.count_nonzero(filled) > coarsest + 2 else coarsest - 1))
    scales, octaves = side * float(ratio) ** -k, k * math.log2(ratio)
    inside = chosen(scales, counts, admissible, window)
    fits = _fits(octaves[inside], grids[:, inside], missed[inside], d)
    return estimate(scales, counts, octaves, inside, fits, total=n)


def _fits(octaves: Floats, grids: npt.NDArray[np.int64], lost: Floats, d: int) -> list[float]:
    """What the slope may rise to, and slopes over windows, at most d; last, that of the least counts over all scales.

    Args:
        octaves: (m,) of the scales to fit.
        grids: (M, m) counts.
        lost: (m,) share of the boxes that half of the points miss.
        d: dimension of the space.
    """
    least, mean = grids.min(axis=0), grids.mean(axis=0)
    dimension = slopes(octaves, np.log2(least), share=1, shortest=2)[-1]
    whole = 1 + lost / (2 ** (1 / max(2.0, dimension)) - 1)
    covers = [mean * whole, least * whole, mean, least]
    lines = [slope for cover in covers for slope in slopes(octaves, np.log2(cover), share=3, shortest=2)]
    rise = max(rising(octaves, np.log2(covers[0])), dimension)
    return [*(min(slope, float(d)) for slope in (rise, *lines)), dimension]


def rising(k: Floats, y: Floats) -> float:
    """D of the least-squares fit y = a + D k - b sqrt(k), of three points at least."""
    return float(np.linalg.lstsq(np.stack([k, np.sqrt(k), np.ones_like(k)], axis=1), y)[0][0])


def _given_cube(cube: Any, low: Floats, high: Floats) -> Floats:
    """The corner (d,) of a cube that holds the points; ValueError otherwise."""
    pair = isinstance(cube, tuple) and len(cube) == 2
    corner = np.asarray(reals("cube", cube[0])[1], dtype=np.float64) if pair else np.empty(0)
    if corner.shape != low.shape or not (corner <= low).all() or not (high <= corner + cube[1]).all():
        raise ValueError(
            f"`cube` must be (corner, side) of a cube that holds the points, corner {low.shape}, got {cube!r}."
        )
    return corner
