"""A noise schedule is its angles 0 <= phi_0 < ... < phi_T <= pi/2.

alpha_bar = cos^2 phi, noise variance v = sin^2 phi, sigma = tan phi, logSNR = -2 ln tan phi. The reverse
step from t to s = t - 1 turns by Delta_t = phi_t - phi_s and is x -> r_t x + b_t eps(x, t) with
r_t = cos phi_s / cos phi_t and b_t = -sin Delta_t / cos phi_t (DDIM: Song, Meng, Ermon 2020, arXiv:2010.02502).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import HALF_PI, FloatArray, cos_sin, differences
from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.display import number, table

__all__ = ["Schedule", "increasing", "sequence_of_reals"]

_SHOWN = 11  # angles in a notebook


def sequence_of_reals(name: str, values: npt.ArrayLike, least: int = 2) -> FloatArray:
    """Return `values` as a new float64 vector, or raise ValueError naming `name` and the first bad entry."""
    array: FloatArray = np.array(reals(name, values)[1], dtype=np.float64)
    if array.ndim != 1 or array.size < least:
        raise ValueError(f"`{name}` must be one-dimensional with at least {least} entries, got shape {array.shape}.")
    if np.isnan(array).any():
        raise ValueError(f"`{name}` must not contain NaN, got {name}[{int(np.isnan(array).argmax())}]=nan.")
    return array


def increasing(name: str, array: npt.NDArray[Any]) -> None:
    """Raise ValueError, naming `name` and the first entry that is no larger than the one before it, if there is one."""
    falls = np.flatnonzero(array[1:] <= array[:-1])
    if falls.size:
        i = int(falls[0])
        raise ValueError(
            f"`{name}` must increase strictly from the clean to the noisy end, "
            f"got {name}[{i + 1}]={float(array[i + 1])!r} after {name}[{i}]={float(array[i])!r}."
        )


def _frozen(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """A noise schedule, represented by its angles alone.

    Args:
        angles: (T+1,) phi_0 < ... < phi_T in [0, pi/2], radians; the float nearest pi/2 means pi/2 itself.
        name: shown in tables and figures.

    Raises:
        ValueError: fewer than two angles, NaN, outside [0, pi/2], or not strictly increasing.

    Every derived quantity is that of the exact float angles to a few roundings. A quantity that was
    converted *to* an angle carries the rounding of that angle, |d phi| <= 1.2e-16, and no more: relative
    errors 2|d phi| tan phi in alpha_bar, 2|d phi|/tan phi in v and |d phi|(tan phi + 1/tan phi) in sigma
    (|d phi| <= phi * 1.2e-16 for small phi), so 1.2e-12 in sigma at 1e4; absolute 2|d phi|(tan phi + 1/tan phi)
    in logSNR.

    >>> schedule = Schedule([0.1, 0.8, 1.5])
    >>> schedule.steps, schedule.increments.round(3).tolist()
    (2, [0.7, 0.7])
    >>> schedule.shift(2.0).logsnr.round(3).tolist()
    [6.598, 1.942, -3.293]
    """

    angles: FloatArray
    name: str = "custom"

    def __post_init__(self) -> None:
        phi = sequence_of_reals("angles", self.angles)
        outside = np.flatnonzero((phi < 0) | (phi > HALF_PI))
        if outside.size:
            i = int(outside[0])
            raise ValueError(f"`angles` must lie in [0, pi/2], got angles[{i}]={float(phi[i])!r}.")
        increasing("angles", phi)
        object.__setattr__(self, "angles", _frozen(phi + 0.0))  # + 0.0 turns -0.0 into 0.0

    def __reduce__(self) -> tuple[type[Schedule], tuple[FloatArray, str]]:
        return Schedule, (self.angles, self.name)  # a copy is checked and immutable too

    def __eq__(self, other: object) -> bool:
        """Schedules are equal when their angles are; the name does not count."""
        return isinstance(other, Schedule) and np.array_equal(self.angles, other.angles)

    def __hash__(self) -> int:
        return hash(self.angles.tobytes())

    def __repr__(self) -> str:
        low, high = (number(float(end), 2) for end in self.sigma[[0, -1]])
        return f"Schedule({self.name}, T={self.steps}, σ {low}…{high})"

    def _repr_html_(self) -> str:
        rows = [
            (str(t), *(number(float(values[t])) for values in (self.angles, self.sigma, self.alpha_bar, self.logsnr)))
            for t in np.unique(np.linspace(0, self.steps, min(_SHOWN, self.steps + 1)).round().astype(int))[::-1]
        ]
        return table(f"Schedule {self.name}, {self.steps} steps", ("t", "φ", "σ", "ᾱ", "logSNR"), rows)

    @property
    def steps(self) -> int:
        """Number of reverse steps T."""
        return self.angles.size - 1

    @cached_property
    def cos(self) -> FloatArray:
        """(T+1,) signal scale sqrt(alpha_bar) = cos phi, exactly 0 at pi/2."""
        return _frozen(cos_sin(self.angles)[0])

    @cached_property
    def sin(self) -> FloatArray:
        """(T+1,) noise scale sqrt(v) = sin phi."""
        return _frozen(cos_sin(self.angles)[1])

    @property
    def alpha_bar(self) -> FloatArray:
        """(T+1,) cos^2 phi."""
        return self.cos**2

    @property
    def noise_variance(self) -> FloatArray:
        """(T+1,) v = sin^2 phi."""
        return self.sin**2

    @property
    def sigma(self) -> FloatArray:
        """(T+1,) tan phi, inf at pi/2."""
        return np.where(self.cos == 0.0, np.inf, np.tan(self.angles))

    @property
    def logsnr(self) -> FloatArray:
        """(T+1,) -2 ln tan phi, inf at 0 and -inf at pi/2."""
        with np.errstate(divide="ignore"):
            return -2.0 * np.log(self.sigma)

    @cached_property
    def increments(self) -> FloatArray:
        """(T,) Delta_t = phi_t - phi_{t-1}, entry t-1 for step t."""
        return _frozen(differences(self.angles))

    @property
    def r(self) -> FloatArray:
        """(T,) r_t = cos phi_s / cos phi_t, inf at phi_t = pi/2."""
        with np.errstate(divide="ignore"):
            return self.cos[:-1] / self.cos[1:]

    @property
    def b(self) -> FloatArray:
        """(T,) b_t = -sin Delta_t / cos phi_t, -inf at phi_t = pi/2."""
        with np.errstate(divide="ignore"):
            return -np.sin(self.increments) / self.cos[1:]

    def subsample(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> Schedule:
        """Keep the angles at strictly increasing `indices` (0..T); ValueError for any other indices."""
        try:
            index = np.asarray(indices)
        except ValueError:  # rows of different lengths
            index = np.empty(0)
        if index.ndim != 1 or index.size < 2 or not np.issubdtype(index.dtype, np.integer):
            raise ValueError(f"`indices` must be a sequence of at least two integers, got {indices!r:.80}.")
        if index.min() < 0 or index.max() > self.steps:
            raise ValueError(
                f"`indices` must lie in 0..{self.steps}, got values from {int(index.min())} to {int(index.max())}."
            )
        increasing("indices", index)
        return Schedule(self.angles[index], f"{self.name}, {index.size - 1} of {self.steps} steps")

    def shift(self, logsnr: float) -> Schedule:
        """Add `logsnr` to every logSNR: tan phi -> exp(-logsnr/2) tan phi; 0 and pi/2 stay where they are.

        Raises:
            ValueError: `logsnr` not finite, or so large that angles coincide.
        """
        if not (isinstance(logsnr, Real) and math.isfinite(logsnr) and abs(logsnr) <= 1400):
            raise ValueError(f"`logsnr` must be finite and at most 1400 in size, got {logsnr!r}.")
        shifted = np.arctan2(self.sin * math.exp(-logsnr / 2), self.cos)
        if (np.diff(shifted) <= 0).any():
            raise ValueError(f"`logsnr` must leave the angles apart, got {logsnr!r}, which makes some coincide.")
        return Schedule(shifted, f"{self.name}, logSNR {logsnr:+.4g}")
