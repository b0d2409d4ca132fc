"""L*_t is the relativistic sum of half-angle tangents: L*_t = (u + w)/(1 + u w), u = tan(phi_s/2), w = tan(phi_t/2).

Equivalently L*_t = tanh((gamma_s + gamma_t)/2) with gamma = artanh(sin phi), for phi_t < pi/2.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Status, close
from theory.claims import threshold_closed_form
from theory.formulas import DELTA, MEAN_ANGLE, PHI_S, PHI_T, B, R, evaluate, steps_of

u, w = sp.tan(PHI_S / 2), sp.tan(PHI_T / 2)
phi_s, phi_t, gamma_s, gamma_t, L_t = sp.symbols("phi_s phi_t gamma_s gamma_t L^*_t")
RAPIDITIES = sp.tanh((sp.atanh(sp.sin(PHI_S)) + sp.atanh(sp.sin(PHI_T))) / 2)

CLAIM = Claim(
    label="threshold-adds-hyperbolically",
    source="derived here",
    statement="The contraction threshold adds like velocities: L*_t = (u + w)/(1 + uw) with u = tan(φ_s/2), "
    "w = tan(φ_t/2); that is L*_t = tanh((γ_s + γ_t)/2) with γ = artanh sin φ.",
    equation=(
        sp.Eq(L_t, (sp.tan(phi_s / 2) + sp.tan(phi_t / 2)) / (1 + sp.tan(phi_s / 2) * sp.tan(phi_t / 2))),
        sp.Eq(L_t, sp.tanh((gamma_s + gamma_t) / 2)),
    ),
    formula=(u + w) / (1 + u * w),
    assumptions="0 <= phi_s < phi_t <= pi/2 (the form in gamma: phi_t < pi/2)",
    scope="every step; the form in γ for φ_t < π/2",
    uses=("threshold-closed-form",),
    witness={
        "linear chain": {"schedule": schedules.linear(20)},
        "cosine chain to pi/2": {"schedule": schedules.cosine(10, max_beta=None)},
        "one step from 0": {"schedule": schedules.from_angles([0.0, 0.8])},
    },
    mutants={
        "plain sum": u + w,
        "sum of angles": (u + w) / (1 - u * w),
        "tangents of the whole angles": (sp.tan(PHI_S) + sp.tan(PHI_T)) / (1 + sp.tan(PHI_S) * sp.tan(PHI_T)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The definition, the closed form, and tanh of a sum: tanh(gamma/2) = tan(phi/2) because tanh gamma = sin phi."""
    yield Identity("L* = (r - 1)/|b|", formula - (R - 1) / -B)
    yield Identity("L* = sin(mean)/cos(Delta/2)", formula - sp.sin(MEAN_ANGLE) / sp.cos(DELTA / 2))
    halves = sp.symbols("gamma_s gamma_t")  # gamma/2
    half_angles = {sp.tanh(halves[0]): u, sp.tanh(halves[1]): w}
    yield Identity("tanh gamma = sin phi", sp.expand_trig(sp.tanh(2 * halves[1])).subs(half_angles) - sp.sin(PHI_T))
    yield Identity("tanh of the sum", sp.expand_trig(sp.tanh(sum(halves))).subs(half_angles) - formula)


observe = threshold_closed_form.observe


def holds(formula: Formula, schedule: Schedule) -> float:
    """Measured thresholds and geometry's as in `threshold-closed-form`, and the form in gamma to 1e-13."""
    error = threshold_closed_form.holds(formula, schedule)
    expected, rapidities = (evaluate(form, steps_of(schedule)) for form in (formula, RAPIDITIES))
    inside = schedule.cos[1:] > 0
    close("tanh((gamma_s + gamma_t)/2)", rapidities[inside], expected[inside], 1e-13)
    return error
