"""What was measured of a network along a chain, step by step, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import (
    Monotonicity,
    PatchContraction,
    RankCorrelation,
    Schedule,
    Window,
    geometry,
    margin_monotonicity,
    rank_correlation,
    release_windows,
    releases,
)
from pifs_sim.dynamics import LyapunovSpectrum, Patches
from pifs_sim.networks.deviation import Slope, deviation_slope

__all__ = ["Measurement"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measurement:
    """Of B points x_t = cos(phi_t) x_0 + sin(phi_t) eps at every step of a chain; entry t-1 for step t.

    `lower` is below the truth, up to rounding; `upper`, kappa, delta, norm, row sum and margin each, is above it with
    probability `confidence`, at every point.

    Args:
        schedule: T steps.
        patches: M patches.
        lam: (M,) leading variances of the patches of the data.
        value: norms of the blocks, of the rows and of the whole: kappa, delta, row sum, norm, margin, violations.
        lower: the same from below.
        upper: the same from above.
        quotients: (T, B, M) <v_k, [J Phi_t]_kk v_k>.
        entropy: (T, B, L) mean entropy of each attention layer's maps, nats; L = 0 without attention.
        deviation: (T, B) |eps_net - eps_Gauss|, Gauss being N(mean, covariance) of the data.
        error: (T, B) |eps_net - eps|^2/d.
        gaussian_error: (T, B) |eps_Gauss - eps|^2/d.
        method: how the coupling was measured, "exact", "lanczos" or "frobenius".
        pairs: (T,) pairs of products that kappa took.
        columns: (T,) vectors that were multiplied by a Jacobian, in all.
        confidence: of `upper`.
        lyapunov: the leading finite-time exponents of the whole chain; None if not asked for.
    """

    schedule: Schedule
    patches: Patches
    lam: Array
    value: PatchContraction
    lower: PatchContraction
    upper: PatchContraction
    quotients: Array
    entropy: Array
    deviation: Array
    error: Array
    gaussian_error: Array
    method: str
    pairs: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    confidence: float
    lyapunov: LyapunovSpectrum | None

    @property
    def expansion(self) -> Array:
        """(T, M) f_t(lam_k)."""
        return geometry.diagonal_expansion(self.schedule, self.lam)

    @property
    def suppression(self) -> Array:
        """(T, B, M) S_kt against the patchwise Gaussian, f_t(lam_k) less the quotients."""
        return self.expansion[:, None, :] - self.quotients

    @property
    def margins(self) -> Array:
        """(T, M) m_kt = 1 - mean of the quotients."""
        return 1 - self.quotients.mean(axis=1)

    @property
    def windows(self) -> tuple[tuple[Window, ...], ...]:
        """For each patch the runs of steps at which it expands in the mean, the noisiest first."""
        return release_windows(self.margins)

    @property
    def release(self) -> npt.NDArray[np.int64]:
        """(M,) the step at which each patch is released, 0 if none."""
        return releases(self.margins)

    @property
    def monotonicity(self) -> Monotonicity | None:
        """Whether margins increase with variance, at the steps below pi/2; None without those or with one patch."""
        below = self.schedule.cos[1:] > 0
        return margin_monotonicity(self.quotients[below], self.lam) if self.lam.size > 1 and below.any() else None

    @property
    def correlations(self) -> dict[str, RankCorrelation]:
        """Spearman's of lam_k with the means over points of ||[J Phi_t]_kk||, S_kt and m_kt, (T,) each."""
        if self.lam.size < 2:
            return {}
        against = {"kappa": self.value.own.mean(axis=1), "suppression": self.suppression.mean(axis=1)}
        return {name: rank_correlation(self.lam, rows) for name, rows in {**against, "margin": self.margins}.items()}

    @property
    def entropy_and_coupling(self) -> RankCorrelation | None:
        """Spearman's of mean entropy and mean delta along the chain; None without attention or with one step."""
        if not self.entropy.shape[2] or self.schedule.steps < 2:
            return None
        return rank_correlation(self.entropy.mean(axis=(1, 2)), self.value.delta.mean(axis=1))

    def deviation_slope(self, steps: Sequence[int], *, confidence: float | None = None) -> Slope:
        """Slope of the logarithm of the mean deviation against ln cos phi_t over some steps, 1..T.

        Raises:
            ValueError: steps outside 1..T or fewer than two, or a step at pi/2.
        """
        rows = np.asarray(steps, dtype=np.int64)
        if rows.ndim != 1 or not ((rows >= 1) & (rows <= self.schedule.steps)).all():
            raise ValueError(f"`steps` must list integers in 1..{self.schedule.steps}, got {steps!r:.80}.")
        level: Any = self.confidence if confidence is None else confidence
        return deviation_slope(self.deviation[rows - 1], self.schedule.cos[rows], confidence=level)
