"""A system on recorded orbits, with the sizes that tolerances are made of, and how results are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics import System, lyapunov_spectrum
from pifs_sim.testing.derived import Along

__all__ = ["EPS", "ROUNDING", "SINGULAR", "ConformanceError", "Subject", "compare"]

Array = npt.NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 1e3  # units of rounding by which a sum may differ that is evaluated in another way
SINGULAR = 1e12  # condition from which a matrix may count as singular


class ConformanceError(AssertionError):
    """A system breaks one of its rules: which, where, by how much and what was allowed."""


def compare(rule: str, where: str, got: Any, expected: Any, allowed: Any, *, row: str = "orbit") -> None:
    """ConformanceError unless |got - expected| <= allowed in every entry; orbits lead, `allowed` is () or (B,)."""
    got, expected = np.asarray(got), np.asarray(expected)
    with np.errstate(invalid="ignore"):
        gap = np.where(got == expected, 0.0, np.abs(got - expected))
    allowed = np.broadcast_to(np.asarray(allowed).T, gap.T.shape).T
    wrong = ~(gap <= allowed)
    if wrong.any():
        worst = int(np.argmax(np.where(wrong, np.nan_to_num(gap, nan=np.inf), -1.0)))
        at = np.unravel_index(worst, gap.shape)
        raise ConformanceError(
            f"{rule}: off by {gap[at]:.3g} {where}, {row} {at[0]}, where {allowed[at]:.3g} is allowed."
        )


@dataclass(frozen=True)
class Subject:
    """Recorded orbits of a system.

    Attributes:
        system: on R^d.
        points: (N + 1, B, d).
        jacobians: (N, B, d, d).
        singular_values: (N, B, d) of the Jacobians.
        error: relative error of the Jacobians, at least that of rounding.
        seed: of the frames.
    """

    system: System
    points: Array
    jacobians: Array
    singular_values: Array
    error: float
    seed: int

    @property
    def steps(self) -> int:
        """N."""
        return len(self.points) - 1

    @property
    def norms(self) -> Array:
        """Of the Jacobians, (N, B)."""
        return self.singular_values[..., 0]

    @property
    def sizes(self) -> Array:
        """Of what is added up in a step, (N, B)."""
        before, after = np.abs(self.points[:-1]).max(axis=-1), np.abs(self.points[1:]).max(axis=-1)
        return before * (1 + self.norms) + after

    @property
    def conditions(self) -> Array:
        """Of the Jacobians, (N, B); inf where singular."""
        low = self.singular_values[..., -1]
        with np.errstate(over="ignore"):
            return np.where(low > 0, self.norms / np.where(low > 0, low, 1.0), np.inf)

    @property
    def unit(self) -> float:
        """What a product of d x d matrices may err by, relative to their norms."""
        return ROUNDING * self.system.dim * self.error

    def rounding(self, power: int = 1) -> Array:
        """Of growth over all steps, `power` steps between two QRs, (B,): a QR errs by the condition of its columns.

        inf where that may count as singular: such orbits are not compared.
        """
        with np.errstate(over="ignore"):
            grown = self.conditions.max(axis=0) ** power
        singular = grown >= SINGULAR
        return np.where(singular, np.inf, self.unit * self.steps * np.where(singular, 0.0, grown))

    def sums(self, system: System, points: Array, *, averaged: bool) -> Array:
        """Exponents times steps along points, (B, d), each orbit's in descending order.

        Averaged from one frame by QR after every step, or of the whole product.
        """
        steps = len(points) - 1
        along = Along(system, points, length=None if averaged else steps)
        rng = np.random.default_rng(self.seed)
        found = lyapunov_spectrum(along, points[0], steps, renormalise=1 if averaged else None, rng=rng)
        return -np.sort(-found.per_orbit, axis=1) * steps
