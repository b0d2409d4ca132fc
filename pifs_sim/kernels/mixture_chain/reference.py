"""The definition, step by step, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.need import Need

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["Shares", "compute", "need", "shares", "step"]


class Shares(NamedTuple):
    """What components have of points, in float64: r (B, K); alpha, gamma and N (K, d); near and far parts of cos."""

    r: npt.NDArray[Any]
    alpha: npt.NDArray[Any]
    gamma: npt.NDArray[Any]
    N: npt.NDArray[Any]
    parts: tuple[float, float]


def shares(law: Law, steps: Steps, x: npt.NDArray[Any], t: int) -> Shares:
    """At the angle t, for the step to t - 1."""
    weights, means, v = law
    c, s, c_next, s_next, turn = steps.cos[t], steps.sin[t], steps.cos[t - 1], steps.sin[t - 1], steps.turn[t - 1]
    N = np.broadcast_to(v * c**2 + s**2, means.shape)
    near, far = (1.0, -(s**2) / (1 + c)) if c > 0.5 else (c, 0.0)
    distances = [(((x - near * mu) - far * mu) ** 2 / own).sum(axis=1) for mu, own in zip(means, N, strict=True)]
    with np.errstate(divide="ignore"):
        logits = np.log(weights) - 0.5 * (np.stack(distances, axis=1) + np.log(N).sum(axis=1))
    r = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Shares(
        r / r.sum(axis=1, keepdims=True), (v * c * c_next + s * s_next) / N, turn * s / N, N, (float(near), float(far))
    )


def step(law: Law, steps: Steps, x: npt.NDArray[Any], t: int) -> npt.NDArray[Any]:
    """Phi_t(x), in float64."""
    r, alpha, gamma, _, _ = shares(law, steps, x, t)
    return (r @ alpha) * x + r @ (gamma * law.means)


def need(law: Law, steps: Steps, x: npt.NDArray[Any], *, rows: tuple[int, ...]) -> Need:
    """Bytes beside the arguments: points of all steps, and what a step makes of them."""
    count, d = law.means.shape
    points = x.dtype.itemsize * d * (len(rows) + len(steps.turn))
    return Need(64 * count * d, points + 8 * (6 * d + 6 * count))


def compute(law: Law, steps: Steps, x: npt.NDArray[Any], *, rows: tuple[int, ...], threads: int | None) -> Any:  # noqa: ARG001
    """See the door."""
    T = len(steps.turn)
    found = {T: x}
    for t in range(T, 0, -1):
        x = step(law, steps, x.astype(np.float64), t).astype(x.dtype)
        found[t - 1] = x
    return np.stack([found[t] for t in rows])
