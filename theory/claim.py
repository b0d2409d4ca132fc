"""A claim: a statement that can be decided, its formula, where it holds, and what would be a wrong formula.

A claim file holds, in this order, the statement in words, its symbols, CLAIM, GIVEN and

    prove(formula)           yields the obligations of a proof; the first is the statement's lhs - rhs
    observe(...)             measures the quantity on pifs_sim, which does not know the formula
    holds(formula, **point)  compares the two at a point; raises Violation, or returns the error
    supposes(**point)        optional: raises ValueError where a point violates the assumptions

The ledger, not the claim, decides obligations and computes the status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import sympy as sp

__all__ = [
    "Certified",
    "Claim",
    "Formula",
    "Identity",
    "Implies",
    "Lemma",
    "NotProved",
    "Obligation",
    "Positive",
    "Status",
    "Violation",
    "close",
]

Formula: TypeAlias = Any  # a SymPy expression, or a function


class Status(StrEnum):
    """What is known of a claim; computed from evidence, never typed."""

    PROVED = "PROVED"  # every obligation discharged, every ancestor proved
    CHECKED = "CHECKED"  # numerical and property evidence only
    CONDITIONAL = "CONDITIONAL"  # proved from a claim that is not
    REFUTED = "REFUTED"  # a counterexample meets the assumptions
    OPEN = "OPEN"  # vacuous, toothless, or a check that did not finish
    REPRODUCED = "REPRODUCED"  # a reported number, recomputed to the printed digits
    NOT_REPRODUCED = "NOT REPRODUCED"
    NEEDS_WEIGHTS = "NEEDS WEIGHTS"


class Violation(AssertionError):
    """The statement fails at a point that meets its assumptions."""


@dataclass(frozen=True)
class Identity:
    """Obligation, by name: a residual, a SymPy expression in angles and positive symbols, is identically zero."""

    name: str
    residual: sp.Expr


@dataclass(frozen=True)
class Positive:
    """Obligation, by name: an expression is positive for 0 <= angles[0] < angles[1] < ... < pi/2 and positive symbols.

    `angles` may occur only whole (not halved); empty if the expression has none. `from_zero=False` leaves out
    angles[0] = 0.
    """

    name: str
    expression: sp.Expr
    angles: tuple[sp.Symbol, ...] = ()
    from_zero: bool = True


@dataclass(frozen=True)
class Implies:
    """Obligation for z3: relations between rational functions of sines, cosines and reals imply another.

    `hypotheses` and `conclusion` are those relations; `name` is what a proof's steps call it.
    `angles`: 0 <= angles[0] < angles[1] < ... < pi/2, the last > 0 (and <= pi/2 with `to_half_pi`), whole or halved.
    Square roots are the non-negative ones; symbols that SymPy knows to be positive are.
    """

    name: str
    hypotheses: tuple[sp.Basic, ...]
    conclusion: sp.Basic
    angles: tuple[sp.Symbol, ...] = ()
    to_half_pi: bool = False


@dataclass(frozen=True)
class Certified:
    """Obligation for Arb, by name: function(arb, *balls) > 0 for all arguments in a box of pairs (low, high).

    `arb` is the type of the balls, for constants (arb.pi(), arb(0.5)). A box with equal ends is a point.
    """

    name: str
    function: Callable[..., Any]
    box: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Lemma:
    """Obligation for Coq: the theorem `name` of theory/coq/`file`."""

    name: str
    file: str


@dataclass(frozen=True)
class NotProved:
    """Obligation, by name, that needs what no engine here has: it keeps the claim from being PROVED."""

    name: str
    needs: str


Obligation = Identity | Positive | Implies | Certified | Lemma | NotProved


@dataclass(frozen=True)
class Claim:
    """What is claimed.

    Args:
        label: the file's name, with hyphens.
        source: who says so: paper and section, literature, or "derived here".
        statement: one or two plain sentences with the formula.
        equation: the statement as a SymPy relation (or several), for display.
        formula: the claimed value, a SymPy expression or a function; `holds` and `prove` are called with it.
        assumptions: what the statement supposes.
        scope: where it was established, honestly.
        uses: labels of the claims that the proof rests on.
        witness: named points that meet the assumptions: the claim is not vacuous.
        mutants: plausible wrong formulas, by description; the claim's own checks must reject each. None are needed of
            a statement believed false.
        expects: the author's belief, compared with the computed status; REFUTED where `corrected_by` is given.
        corrected_by: for a statement believed false, the label of the claim that is true instead.
        counterexamples: points at which a statement believed false fails.
    """

    label: str
    source: str
    statement: str
    equation: sp.Basic | tuple[sp.Basic, ...] | None
    formula: Formula
    assumptions: str
    scope: str
    witness: Mapping[str, Mapping[str, Any]]
    mutants: Mapping[str, Formula] = field(default_factory=dict)
    expects: Status = Status.REFUTED
    uses: tuple[str, ...] = ()
    corrected_by: str | None = None
    counterexamples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def close(
    name: str, observed: npt.ArrayLike, expected: npt.ArrayLike, tolerance: float, scale: npt.ArrayLike | None = None
) -> float:
    """Largest |observed - expected|/scale (scale: |expected| by default); Violation, naming `name`, above `tolerance`.

    Arrays of one shape, or that of `observed`. Equal infinities agree; NaN never does.
    """
    a, b = np.broadcast_arrays(np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64))
    with np.errstate(invalid="ignore"):
        difference = np.where(a == b, 0.0, np.abs(a - b))
        size = np.broadcast_to(np.abs(b) if scale is None else np.asarray(scale, dtype=np.float64), a.shape)
        error = np.where(difference == 0, 0.0, difference / np.where(size > 0, size, np.finfo(float).tiny))
    error = np.where(np.isnan(a) | np.isnan(b) | np.isnan(error), np.inf, error)
    worst = float(error.max(initial=0.0))
    if worst > tolerance:
        i = np.unravel_index(int(error.argmax()), error.shape)
        found, claimed = float(a[i]), float(b[i])
        raise Violation(
            f"{name}: observed {found!r}, the formula says {claimed!r}, error {worst:.3g} > {tolerance:.3g}"
        )
    return worst
