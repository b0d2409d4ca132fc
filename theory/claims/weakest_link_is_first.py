"""The weakest link of a chain is its first step: min_t L*_t = L*_1, which is tan(phi_1/2) when phi_0 = 0.

L*_t increases with t: L*_{t+1} - L*_t = cos phi_t sin((phi_{t+1} - phi_s)/2)/(cos(Delta_t/2) cos(Delta_{t+1}/2)) > 0.
For every T: theorem `weakest_link_is_first` of theory/coq/WeakestLink.v.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Lemma, Obligation, Positive, Status, Violation, close
from theory.formulas import PHI_0, PHI_1, PHI_S, PHI_T, evaluate
from theory.instruments import EPS, contraction_thresholds

phi_0, phi_1 = sp.symbols("phi_0 phi_1")
PHI_2 = sp.Symbol("phi_2", positive=True)


def _threshold(phi_s: sp.Expr, phi_t: sp.Expr) -> sp.Expr:
    return sp.sin((phi_s + phi_t) / 2) / sp.cos((phi_t - phi_s) / 2)


CLAIM = Claim(
    label="weakest-link-is-first",
    source="derived here",
    statement="L*_t increases with t, so its least value along a chain is that of the step nearest the data, "
    "min_t L*_t = L*_1 = sin((φ_0 + φ_1)/2) / cos((φ_1 − φ_0)/2), which is tan(φ_1/2) when φ_0 = 0.",
    equation=sp.Eq(sp.Symbol("min L^*_t"), sp.sin((phi_0 + phi_1) / 2) / sp.cos((phi_1 - phi_0) / 2)),
    formula=_threshold(PHI_0, PHI_1),
    assumptions="0 <= phi_0 < phi_1 < ... < phi_T <= pi/2",
    scope="every schedule",
    uses=("threshold-closed-form",),
    witness={
        "linear chain": {"schedule": schedules.linear(20)},
        "cosine chain to pi/2": {"schedule": schedules.cosine(10, max_beta=None)},
        "Karras, from phi_0 > 0": {"schedule": schedules.karras(10, 0.02, 80.0)},
        "one step": {"schedule": schedules.from_angles([0.3, 0.8])},
    },
    mutants={
        "last step": _threshold(PHI_S, PHI_T),
        "clean end left out": sp.tan(PHI_1 / 2),
        "mean angle of the first step": sp.sin((PHI_0 + PHI_1) / 2),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """L*_1 is the formula; L*_2 - L*_1 is a product of positive factors, and so for any two neighbouring steps."""
    yield Identity("L*_1 = (r_1 - 1)/|b_1|", formula - (sp.cos(PHI_0) - sp.cos(PHI_1)) / sp.sin(PHI_1 - PHI_0))
    yield Identity("from 0", formula.subs(PHI_0, 0) - sp.tan(PHI_1 / 2))
    cosines = sp.cos((PHI_1 - PHI_0) / 2) * sp.cos((PHI_2 - PHI_1) / 2)
    rise = sp.cos(PHI_1) * sp.sin((PHI_2 - PHI_0) / 2) / cosines
    yield Identity("L*_2 - L*_1", _threshold(PHI_1, PHI_2) - formula - rise)
    positive = sp.cos(PHI_1) * sp.sin(PHI_2 - PHI_0)  # times 2 cos((phi_2 - phi_0)/2)
    yield Positive("L*_2 > L*_1", positive, (PHI_0, PHI_1, PHI_2))
    definition = (sp.cos(PHI_0) - sp.cos(PHI_1)) / sp.sin(PHI_1 - PHI_0)
    least = sp.And(formula < _threshold(PHI_1, PHI_2), sp.Eq(formula, definition))
    yield Implies("L*_1 < L*_2, at pi/2 too", (), least, (PHI_0, PHI_1, PHI_2), to_half_pi=True)
    yield Lemma("weakest_link_is_first", "WeakestLink.v")


def observe(schedule: Schedule) -> tuple[Any, Any]:
    """Every step's threshold measured on the chain, (T,) without a step from pi/2, and its rounding."""
    thresholds, scale = contraction_thresholds(schedule)
    return thresholds, 32 * EPS * scale


def holds(formula: Formula, schedule: Schedule) -> float:
    """The first step's measured threshold is the formula, no other is below it, and geometry's increase with t."""
    phi = schedule.angles
    least = float(evaluate(formula, {PHI_0: phi[0], PHI_1: phi[1], PHI_S: phi[-2], PHI_T: phi[-1]}))
    measured, rounding = observe(schedule)
    error = close("L*_1, in its rounding errors", measured[:1], least, 1.0, rounding[:1])
    if np.any(measured + rounding < least):
        raise Violation(f"L*_t = {measured!r}, below {least!r}")
    exact = geometry.contraction_threshold(schedule)
    close("geometry's least L*_t", exact.min(), least, 1e-13)
    if np.any(np.diff(exact) <= -1e-13 * exact[1:]):
        raise Violation(f"L*_t does not increase with t: {exact!r}")
    return 32 * EPS * error
