"""Release of patches along a chain: margins, windows of expansion, and whether margins are ordered by variance.

The margin of patch k at step t is m_kt = 1 - E <v_k, [J Phi_t]_kk v_k> = E S_kt - (f_t(lam_k) - 1), with S against the
patchwise Gaussian: negative where the step expands v_k in the mean. A patch is released at the largest t at which its
margin is negative; the steps at which it is need not be a half-line. Margin monotonicity (MM) says that k -> m_kt
increases strictly with lam_k at every t with phi_t < pi/2. Source: Dooms 2026, arXiv:2603.13069, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.ranks import RankCorrelation, rank_correlation
from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.display import one_line

__all__ = ["Monotonicity", "Window", "margin_monotonicity", "release_windows", "releases"]

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_ROUNDING = 16 * np.finfo(np.float64).eps  # of a difference of two quotients of size 1


class Window(NamedTuple):
    """Steps first..last, 1 <= first <= last <= T, both included."""

    first: int
    last: int


def _numbers(name: str, values: npt.ArrayLike, ndim: int) -> Array:
    array = np.asarray(reals(name, values)[1], dtype=np.float64)
    if array.ndim != ndim or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"`{name}` must be finite numbers on {ndim} axes, not empty, got shape {array.shape}.")
    return array


def release_windows(margins: npt.ArrayLike) -> tuple[tuple[Window, ...], ...]:
    """The maximal runs of steps at which each patch's margin is negative, the noisiest first.

    Args:
        margins: (T, M) m_kt, entry t-1 for step t.

    Raises:
        ValueError: another shape, or entries that are not finite.
    """
    expanding = _numbers("margins", margins, 2) < 0
    edges = np.diff(np.pad(expanding, ((1, 1), (0, 0))).astype(int), axis=0)
    found = []
    for column in edges.T:
        starts, stops = np.flatnonzero(column == 1) + 1, np.flatnonzero(column == -1)
        found.append(tuple(Window(int(a), int(b)) for a, b in zip(starts[::-1], stops[::-1], strict=True)))
    return tuple(found)


def releases(margins: npt.ArrayLike) -> Counts:
    """The step at which each patch is released, (M,): the largest t with a negative margin, 0 if there is none."""
    return np.array([windows[0].last if windows else 0 for windows in release_windows(margins)])


@dataclass(frozen=True, eq=False)
class Monotonicity:
    """Whether margins increase with variance, step by step; entry t-1 for step t.

    Args:
        margins: (T, M) m_kt.
        stderr: (T, M) their standard errors; 0 from one point.
        increasing: (T,) pairs of patches with lam_i < lam_j whose margins have that order, beyond doubt.
        reversed: (T,) pairs whose margins have the other order, beyond doubt.
        pairs: pairs with lam_i < lam_j; those neither increasing nor reversed are undecided.
        correlation: Spearman's of lam and the margins at each step, with p-values; nan where all margins are equal.
    """

    margins: Array
    stderr: Array
    increasing: Counts
    reversed: Counts
    pairs: int
    correlation: RankCorrelation

    __repr__ = one_line

    @property
    def holds(self) -> npt.NDArray[np.bool_]:
        """(T,) whether every pair increases beyond doubt: MM at that step."""
        return self.increasing == self.pairs

    @property
    def fails(self) -> npt.NDArray[np.bool_]:
        """(T,) whether some pair is reversed beyond doubt."""
        return self.reversed > 0


def margin_monotonicity(quotients: npt.ArrayLike, lam: npt.ArrayLike, *, sigmas: float = 5.0) -> Monotonicity:
    """Test of (MM) on the effective Rayleigh quotients of an ensemble.

    A pair's order is beyond doubt where its margins differ by more than `sigmas` standard errors of their difference
    (paired: both are measured at the same points), and by more than rounding. The step from pi/2 treats all patches
    alike, up to rounding: leave its row out of account.

    Args:
        quotients: (T, B, M) <v_k, [J Phi_t]_kk v_k>; of a Gaussian, which has the same at every x, one point will do.
        lam: (M,) the leading variances lam_k, at least 2.
        sigmas: see above.

    Raises:
        ValueError: shapes that do not fit, entries not finite, or a negative `sigmas`.
    """
    q, values = _numbers("quotients", quotients, 3), _numbers("lam", lam, 1)
    if values.size != q.shape[2] or values.size < 2:
        raise ValueError(f"`lam` must have shape ({q.shape[2]},) like `quotients`, 2 or more, got {values.shape}.")
    if not sigmas >= 0:
        raise ValueError(f"`sigmas` must be at least 0, got {sigmas!r}.")
    order = np.argsort(values, kind="stable")
    q, values = q[:, :, order], values[order]
    margins = np.mean(1 - q, axis=1)
    deviation = q - np.mean(q, axis=1, keepdims=True)
    covariance = np.einsum("tbi,tbj->tij", deviation, deviation) / max(1, q.shape[1] - 1) / q.shape[1]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    lower, upper = np.nonzero(values[:, None] < values[None, :])
    difference = margins[:, upper] - margins[:, lower]
    spread = variance[:, upper] + variance[:, lower] - 2 * covariance[:, upper, lower]
    doubt = sigmas * np.sqrt(np.maximum(spread, 0.0)) + _ROUNDING
    back = np.argsort(order, kind="stable")
    return Monotonicity(
        margins=margins[:, back],
        stderr=np.sqrt(variance)[:, back],
        increasing=np.sum(difference > doubt, axis=1),
        reversed=np.sum(difference < -doubt, axis=1),
        pairs=len(lower),
        correlation=rank_correlation(values, margins),
    )
