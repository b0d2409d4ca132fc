"""L*_t = (r_t - 1)/|b_t| = sin((phi_s + phi_t)/2)/cos(Delta/2), in (0, 1) for phi_t < pi/2 and 1 at pi/2.

It increases with both ends: dL*/dphi_s = cos phi_t/(2 cos^2(Delta/2)), dL*/dphi_t = cos phi_s/(2 cos^2(Delta/2)).
Hence L*_t >= tan(phi_t/2), with equality iff phi_s = 0.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, close
from theory.formulas import DELTA, MEAN_ANGLE, PHI_S, PHI_T, B, R, evaluate, steps_of
from theory.instruments import EPS, contraction_thresholds

cs, ct, ss, st = sp.cos(PHI_S), sp.cos(PHI_T), sp.sin(PHI_S), sp.sin(PHI_T)
mean, Delta_t = sp.symbols("φ̄_t Delta_t")

CLAIM = Claim(
    label="threshold-closed-form",
    source="derived here",
    statement="The contraction threshold is L*_t = (r_t − 1)/|b_t| = sin φ̄_t / cos(Δ_t/2), increasing in φ_s and φ_t, "
    "in (0, 1) for φ_t < π/2 and 1 at π/2; L*_t ≥ tan(φ_t/2), with equality iff φ_s = 0.",
    equation=sp.Eq(sp.Symbol("L^*_t"), sp.sin(mean) / sp.cos(Delta_t / 2)),
    formula=sp.sin(MEAN_ANGLE) / sp.cos(DELTA / 2),
    assumptions="0 <= phi_s < phi_t <= pi/2",
    scope="every step; at φ_t = π/2 as the limit",
    witness={
        "linear chain": {"schedule": schedules.linear(20)},
        "cosine chain to pi/2": {"schedule": schedules.cosine(10, max_beta=None)},
        "one step from 0": {"schedule": schedules.from_angles([0.0, 0.8])},
    },
    mutants={
        "without the cosine": sp.sin(MEAN_ANGLE),
        "tangent of the mean angle": sp.tan(MEAN_ANGLE),
        "cosine of the whole step": sp.sin(MEAN_ANGLE) / sp.cos(DELTA),
        "its lower bound": sp.tan(PHI_T / 2),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The definition, the slopes and their signs, the two ends, and the bounds in whole angles."""
    yield Identity("L* = (r - 1)/|b|", formula - (R - 1) / -B)
    slope = 2 * sp.cos(DELTA / 2) ** 2
    yield Identity("slope in phi_s", sp.diff(formula, PHI_S) - ct / slope)
    yield Identity("slope in phi_t", sp.diff(formula, PHI_T) - cs / slope)
    yield Positive("cosines are positive, hence the slopes", cs * ct, (PHI_S, PHI_T))
    yield Identity("at pi/2", formula.subs(PHI_T, sp.pi / 2) - 1)
    yield Identity("from 0", formula.subs(PHI_S, 0) - sp.tan(PHI_T / 2))
    whole = (ss + st) / (1 + sp.cos(DELTA))
    yield Identity("whole angles", formula - whole)
    yield Positive("L* < 1", 1 - whole, (PHI_S, PHI_T))
    yield Positive("L* > tan(phi_t/2) for phi_s > 0", whole - st / (1 + ct), (PHI_S, PHI_T), from_zero=False)
    angles, bound = (PHI_S, PHI_T), sp.tan(PHI_T / 2)
    yield Implies("0 < L* < 1, and L* >= tan(phi_t/2)", (), sp.And(formula > 0, formula < 1, formula >= bound), angles)
    yield Implies("L* > tan(phi_t/2) unless phi_s = 0", (ss > 0,), formula > bound, angles)


def observe(schedule: Schedule) -> tuple[Any, Any]:
    """The noise slope at which each step neither stretches nor shrinks, and what its rounding is relative to."""
    return contraction_thresholds(schedule)


def holds(formula: Formula, schedule: Schedule) -> float:
    """Measured thresholds equal the formula to the rounding of a step; geometry's do to 1e-13, at pi/2 too."""
    measured, scale = observe(schedule)
    expected = evaluate(formula, steps_of(schedule))
    error = close("L*_t", measured, expected[: measured.size], 32 * EPS, scale)
    close("geometry's L*_t", geometry.contraction_threshold(schedule), expected, 1e-13)
    return error
