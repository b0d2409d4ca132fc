"""The definition, step by step, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels import orthonormal
from pifs_sim.kernels.mixture_chain.reference import shares
from pifs_sim.kernels.need import Need

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps
    from pifs_sim.kernels.tangent_chain import Tangents

__all__ = ["compute", "need", "push"]


def push(law: Law, steps: Steps, x: npt.NDArray[Any], V: npt.NDArray[Any], t: int) -> tuple[Any, Any]:
    """Phi_t(x) and J Phi_t(x) V, in float64."""
    r, alpha, gamma, N, (near, far) = shares(law, steps, x, t)
    e = (x[:, None, :] - near * law.means) - far * law.means
    pulls = -(e / N) @ V
    u = r[:, :, None] * (pulls - r[:, None, :] @ pulls)
    origin = law.means.mean(axis=0)
    moved = alpha * (x[:, None, :] - steps.cos[t] * origin) + gamma * (law.means - origin)
    pushed = (r @ alpha)[:, :, None] * V + moved.swapaxes(1, 2) @ u
    return (r @ alpha) * x + r @ (gamma * law.means), pushed


def need(law: Law, steps: Steps, _: npt.NDArray[Any], V: npt.NDArray[Any], *, interval: int, factors: bool) -> Need:
    """Bytes beside the arguments: what a step makes of points and frames, and factors."""
    (count, d), p = law.means.shape, V.shape[2]
    times = -(-len(steps.turn) // interval) if interval else 0
    return Need(64 * count * d, 8 * (4 * d * (count + p) + 6 * count * p + (1 + factors) * times * p * p))


def compute(
    law: Law,
    steps: Steps,
    x: npt.NDArray[Any],
    V: npt.NDArray[Any],
    *,
    interval: int,
    factors: bool,
    threads: int | None,  # noqa: ARG001
) -> Tangents:
    """See the door."""
    from pifs_sim.kernels.tangent_chain import Tangents

    T, p = len(steps.turn), V.shape[2]
    logs, found = np.zeros((len(x), p), x.dtype), []
    for done, t in enumerate(range(T, 0, -1), start=1):
        x, V = (part.astype(x.dtype) for part in push(law, steps, x.astype(np.float64), V.astype(np.float64), t))
        if interval and (done % interval == 0 or done == T):
            V, R = orthonormal.compute(V, backend="reference")
            with np.errstate(divide="ignore"):
                logs = logs + np.log(np.diagonal(R, axis1=1, axis2=2))
            found.append(R)
    kept = np.stack(found) if found else np.empty((0, len(x), p, p), x.dtype)
    return Tangents(x, V, logs, kept if factors else None)
