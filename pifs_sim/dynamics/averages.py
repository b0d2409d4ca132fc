"""Time averages with standard errors by batch means, over time and over orbits.

Batches have equal length; when 64 are full, neighbours are joined, so 32..64 batches of growing length are kept and
the correlation time is soon short against them. With y_bj the mean of batch j of orbit b, of n in all,
stderr^2 = s^2/n (1 + rho)/(1 - rho), s^2 their variance and rho >= 0 their correlation from one batch to the next; or
the variance of the orbits' means over their number, if that is larger. Orbits that are copies of one another count
once. (Batch means: Law, Carson 1979, Oper. Res. 27.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BatchMeans", "standard_error"]

Array = npt.NDArray[np.float64]

_FULL = 64


def standard_error(batches: Array) -> Array:
    """Standard error of the mean of batch means (J, B, ...), over both leading axes; nan from fewer than two numbers.

    0 where the mean is infinite: a dead direction has no error. Orbits whose means are nan are left out.
    """
    rest = batches.shape[2:]
    out = np.full(rest, np.nan)
    for index in np.ndindex(rest):
        y = batches[(slice(None), slice(None), *index)]
        total = float(y.sum())
        if np.isnan(total):
            y = y[:, ~np.isnan(y).any(axis=0)]
        if y.size < 2:
            continue
        if np.isinf(total):
            out[index] = 0.0
            continue
        deviation = y - y.mean()
        square = float(np.vdot(deviation, deviation))
        rho = float((deviation[1:] * deviation[:-1]).sum()) / square if square > 0 else 0.0
        rho = min(max(rho, 0.0), 0.9)
        pooled = square / (y.size - 1) / y.size * (1 + rho) / (1 - rho)
        between = y.mean(axis=0).var(ddof=1) / y.shape[1] if y.shape[1] > 1 else 0.0
        out[index] = max(pooled, between) ** 0.5
    return out


@dataclass
class BatchMeans:
    """Sums over batches of `length` steps, (J, B, k), and of the steps since the last full batch."""

    length: int
    sums: list[Array] = field(default_factory=list)
    rest: Array | None = None
    rest_steps: int = 0

    @property
    def room(self) -> int:
        """Steps until the batch in hand is full."""
        return self.length - self.rest_steps

    @property
    def steps(self) -> int:
        """Steps counted so far."""
        return len(self.sums) * self.length + self.rest_steps

    def add(self, growth: Array, steps: int) -> None:
        """Count the growth (B, k) of `steps` steps, at most `room`."""
        self.rest = growth if self.rest is None else self.rest + growth
        self.rest_steps += steps
        if self.rest_steps == self.length:
            self.sums.append(self.rest)
            self.rest, self.rest_steps = None, 0
            if len(self.sums) == _FULL:
                self.sums = [a + b for a, b in zip(self.sums[::2], self.sums[1::2], strict=True)]
                self.length *= 2

    def means(self) -> Array:
        """Means over each full batch, (J, B, k)."""
        shape = () if self.rest is None else self.rest.shape
        return np.array(self.sums) / self.length if self.sums else np.empty((0, *shape))

    def per_orbit(self) -> Array:
        """Means over all steps, (B, k)."""
        total: Any = sum(self.sums, start=0.0 if self.rest is None else self.rest)
        return np.asarray(total / self.steps)

    def history(self) -> tuple[npt.NDArray[np.int64], Array]:
        """Steps (H,), and the running means after them over the orbits that did not fail, (H, k)."""
        steps = self.length * np.arange(1, len(self.sums) + 1)
        if not self.sums:
            return steps, self.means()[:, 0]
        sums = np.array(self.sums)
        bad = np.isnan(sums).any(axis=(0, 2)) if np.isnan(sums.sum()) else np.zeros(sums.shape[1], dtype=bool)
        chosen = sums if bad.all() else sums[:, ~bad]
        return steps, np.cumsum(chosen.mean(axis=1), axis=0) / steps[:, None]

    def standard_error(self, weights: Array | None = None) -> Array:
        """Standard error of the mean over all steps and orbits, (k,), or of its combination with `weights` (k,)."""
        means = self.means()
        if means.size and len(np.unique(means[0, :, 0])) < means.shape[1]:  # are some orbits copies of others?
            series = np.moveaxis(means, 1, 0).reshape(means.shape[1], -1)
            means = means[:, np.sort(np.unique(series, axis=0, return_index=True)[1])]
        if weights is not None:
            felt = np.flatnonzero(weights)  # not 0 times the -inf of a dead direction
            means = means[..., felt] @ weights[felt]
        return standard_error(means) * (len(self.sums) * self.length / max(self.steps, 1)) ** 0.5
