"""Exact chains Phi_1 o ... o Phi_T of normal components along common axes: all steps by one kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pifs_sim.diffusion.denoisers import Denoiser, ExactDenoiser
from pifs_sim.diffusion.measures.components import Components
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import check_finite
from pifs_sim.kernels.mixture_chain import Law, Steps, compute

__all__ = ["fused"]


def fused(
    schedule: Schedule,
    denoiser: Denoiser,
    x: Any,
    *,
    span: tuple[int, int] | None = None,
    at: Sequence[int] | None = None,
) -> Any | None:
    """The chain's points from x at phi_T, (B, d), as those of single steps to rounding; None where no kernel plays.

    Args:
        schedule: the angles.
        denoiser: any; a kernel plays for exact ones of mixtures whose components share their axes.
        x: (B, d).
        span: first and last angle of another part of the chain.
        at: the rows to return, (len(at), B, d), counted from the first angle; by default the output, (B, d).

    Raises:
        ValueError: x not finite.
    """
    law = getattr(denoiser.measure, "components", None) if isinstance(denoiser, ExactDenoiser) else None
    if not isinstance(law, Components) or not all(isinstance(array, np.ndarray) for array in (x, law.means)):
        return None
    if law.axes is not None and law.axes.ndim == 3:
        return None
    check_finite("x", x)
    low, high = span or (0, schedule.steps)
    steps = Steps(schedule.cos[low : high + 1], schedule.sin[low : high + 1], np.sin(schedule.increments[low:high]))
    weights, means, v = (values.astype(np.float64) for values in (law.weights, law.means, law.variances))
    v = v[:, None] if v.ndim == 1 else v
    if law.axes is None:
        return compute(Law(weights, means, v), steps, x, at=at)
    axes = law.axes.astype(np.float64)
    found = compute(Law(weights, means @ axes, v), steps, (x @ axes).astype(x.dtype), at=at)
    found = (found @ axes.T).astype(x.dtype)
    for row, t in enumerate(at or ()):
        if t == high - low:
            found[row] = x
    return found
