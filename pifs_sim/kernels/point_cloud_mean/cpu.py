"""Numba: tiles of samples, shared out to threads, against all points, some of which are prepared at a time.

What a sample gets depends neither on its neighbours nor on threads: a tile of points is left out only where all its
powers are 0 for all samples beside each other.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pifs_sim.kernels import tiles
from pifs_sim.kernels.point_cloud_mean.packing import Array, Frame, frame, levels, packed
from pifs_sim.kernels.point_cloud_mean.stream import run_means
from pifs_sim.kernels.sharing import share

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Estimate, Level

__all__ = ["Sums", "compute", "summed"]


class Sums(NamedTuple):
    """What all points add up to, in float64.

    Attributes:
        frame: of the points.
        known: (A, 4), see `levels`.
        tops: (B,) the largest logits in units of 1/H, less what all points share.
        shared: (B,) what they share.
        totals: (B,) the sums of powers.
        weighed: (B, d) the powers times the points.
    """

    frame: Frame
    known: Array
    tops: Array
    shared: Array
    totals: Array
    weighed: Array


def summed(cloud: Cloud, level: Level, x: Array, *, threads: int | None, max_memory: float | None) -> Sums:
    """For contiguous points and x."""
    zero = np.zeros(len(x))
    found = Sums(frame(cloud.points), levels(level), zero - np.inf, zero, zero.copy(), np.zeros(x.shape))
    block = tiles.samples(x.dtype.itemsize)
    for points in packed(cloud, found.frame.origin, max_memory):
        arrays = points, found.known, found.frame, x, *found[2:], block
        share(partial(run_means, *arrays), len(x), block, threads)
    return found


def compute(cloud: Cloud, level: Level, x: Array, *, threads: int | None, max_memory: float | None) -> Estimate:
    """See the door."""
    from pifs_sim.kernels.point_cloud_mean import Estimate

    cloud, x = cloud._replace(points=np.ascontiguousarray(cloud.points)), np.ascontiguousarray(x)
    found = summed(cloud, level, x, threads=threads, max_memory=max_memory)
    bits = (found.tops - found.shared) * found.known[:, 3] + np.log2(found.totals * cloud.weights.max())
    logs = bits * math.log(2)
    return Estimate((found.weighed / found.totals[:, None]).astype(x.dtype), logs)
