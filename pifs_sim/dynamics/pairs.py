"""Correlation dimension of point clouds: D_2 = lim ln C(r)/ln r, C(r) the share of pairs of points closer than r."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.arrays import check_count, reals
from pifs_sim.dynamics.scaling import Backend, DimensionEstimate, chosen, cloud_of, estimate, one_point, slopes
from pifs_sim.kernels import pair_counting

__all__ = ["correlation_dimension"]

_EDGE, _PAIRS = 16, 100  # how many times shorter than the cloud a radius must be, and pairs that must be closer
_OCTAVES = 45  # between the cloud and the smallest default radius


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
    x, _, side, resolution = cloud_of(points)
    n = len(x)
    check_count("theiler", theiler, 0, None)
    pairs = (n - theiler) * (n - theiler - 1) // 2
    if n <= theiler + 1:
        raise ValueError(f"`points` must be more than theiler + 1 = {theiler + 1}, got {n}.")
    if side <= resolution:
        return one_point(pairs, pairs)
    if radii is None:
        span = min(math.log2(side / resolution), _OCTAVES)
        scales = side * 2.0 ** -(np.arange(2 * math.floor(span), 3, -1) / 2)
    else:
        scales = np.asarray(reals("radii", radii)[1], dtype=np.float64)
    counts = pair_counting.compute(x, scales, theiler=theiler, backend=backend)
    if radii is None:
        scales, counts = scales[counts > 0], counts[counts > 0]
    admissible = (scales <= side / _EDGE) & (counts >= _PAIRS)
    inside = chosen(scales, counts, admissible, window)
    octaves = np.log2(scales / scales[0])
    fits = slopes(octaves[inside], np.log2(counts[inside]), share=4, shortest=3)
    return estimate(scales, counts, octaves, inside, fits, total=pairs)
