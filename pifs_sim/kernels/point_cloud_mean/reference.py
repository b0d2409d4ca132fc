"""The definition, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.squared_distances import reference as distances

if TYPE_CHECKING:
    from pifs_sim.kernels.point_cloud_mean import Cloud, Estimate, Level

__all__ = ["compute", "shares"]


def shares(cloud: Cloud, level: Level, x: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """r, (B, K), and the logarithms of the sums, (B,), at angles that are not 0.

    Logits are compared in units of 1/(2 v), so that none is infinite at the least angle.
    """
    from pifs_sim.kernels.point_cloud_mean import moved

    twice = 2 * level.sin**2
    near, far = (np.broadcast_to(part, len(x)) for part in moved(level))
    squares = distances.compute(x.astype(np.float64), cloud.points, near, far, None)
    lead = np.log(cloud.weights) * twice[:, None] - squares
    top = lead.max(axis=1)
    powers = np.exp((lead - top[:, None]) / twice[:, None])
    total = powers.sum(axis=1)
    return powers / total[:, None], top / twice + np.log(total)


def compute(
    cloud: Cloud,
    level: Level,
    x: npt.NDArray[Any],
    *,
    threads: int | None,  # noqa: ARG001
    max_memory: float | None,  # noqa: ARG001
) -> Estimate:
    """See the door."""
    from pifs_sim.kernels.point_cloud_mean import Estimate

    r, logs = shares(cloud, level, x)
    return Estimate((r @ cloud.points.astype(np.float64)).astype(x.dtype), logs)
