"""The posterior covariance of the empirical law of points, applied to vectors, streamed.

With the law, the shares r_i of the points and x_hat of `point_cloud_mean`,

    Cov(x_0 | x) V = sum_i r_i (y_i - x_hat) <y_i - x_hat, V>,

two products with the points for every vector; J x_hat = (c/v) Cov(x_0 | x). The points are read twice, once for x_hat
and once more for this: differences from x_hat are made before anything is summed. No array of samples times points is
made.

Shapes: x (B, d), V (B, d, p) and points of one dtype, the rest as in `point_cloud_mean`; the result is (B, d, p). At
angle 0 the nearest points share as they do there: of one there is nothing to vary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.kernels.backends import Backend, chosen, module_of
from pifs_sim.kernels.point_cloud_mean import Cloud, Level, check, separated

__all__ = ["compute"]


def compute(
    cloud: Cloud,
    level: Level,
    x: Any,
    V: Any,
    *,
    threads: int | None = None,
    max_memory: float | None = None,
    backend: Backend | None = None,
) -> Any:
    """Cov(x_0 | x) V, (B, d, p).

    Args:
        cloud: the points.
        level: the angles.
        x: (B, d).
        V: (B, d, p).
        threads: as in `point_cloud_mean.compute`.
        max_memory: as there.
        backend: as there.

    Raises:
        ValueError: arrays of other shapes or dtypes, values out of range, or a backend that is unknown or cannot take
            the arrays.
        MemoryError: a result that does not fit into the GPU's memory.
    """
    backend = chosen(backend, x=x, V=V, **cloud._asdict(), **level._asdict())
    check(cloud, level, x, threads=threads, max_memory=max_memory)
    if V.ndim != 3 or V.shape[:2] != x.shape:
        raise ValueError(f"`V` must have shape ({x.shape[0]}, {x.shape[1]}, p) like `x`, got {V.shape}.")
    if V.dtype != x.dtype:
        raise ValueError(f"`x` and `V` must be of one dtype, got {x.dtype} and {V.dtype}.")
    if not np.isfinite(V).all():
        raise ValueError("`V` must be finite.")
    cloud, level, here = separated(cloud, level)
    if here.all():
        from pifs_sim.kernels.point_cloud_mean import nearest

        return nearest.Ties(cloud, x).spread(V)
    if here.any():
        found = np.empty_like(V)
        for where in (here, ~here):
            own = Level(level.cos[where], level.sin[where])
            found[where] = compute(
                cloud, own, x[where], V[where], threads=threads, max_memory=max_memory, backend=backend
            )
        return found
    return module_of(__name__, backend).compute(cloud, level, x, V, threads=threads, max_memory=max_memory)
