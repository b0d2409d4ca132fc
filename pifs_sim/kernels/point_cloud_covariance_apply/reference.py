"""The definition, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.point_cloud_mean.reference import shares

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Level

__all__ = ["compute"]


def compute(
    cloud: Cloud,
    level: Level,
    x: npt.NDArray[Any],
    V: npt.NDArray[Any],
    *,
    threads: int | None,  # noqa: ARG001
    max_memory: float | None,  # noqa: ARG001
) -> npt.NDArray[Any]:
    """See the door."""
    found, points = np.empty(V.shape), cloud.points.astype(np.float64)
    for b, r in enumerate(shares(cloud, level, x)[0]):
        away = points - r @ points
        found[b] = (away.T * r) @ (away @ V[b].astype(np.float64))
    return found.astype(V.dtype)
