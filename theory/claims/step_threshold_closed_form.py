"""lam*_t = tan phi_t/tan((phi_s + phi_t)/2) = 1 + sin(Delta/2)/(cos phi_t sin mean) > 1, for phi_t < pi/2.

A first step from phi_s = 0 has lam*_1 = 1 + 1/cos phi_1 > 2, however short it is.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, close
from theory.claims import step_threshold
from theory.formulas import DELTA, MEAN_ANGLE, PHI_S, PHI_T, B, R, evaluate, steps_of

cs, ct, ss, st = sp.cos(PHI_S), sp.cos(PHI_T), sp.sin(PHI_S), sp.sin(PHI_T)
mean = sp.Symbol("φ̄_t")
threshold = (R - 1) / -B

CLAIM = Claim(
    label="step-threshold-closed-form",
    source="derived here",
    statement="The step threshold is λ*_t = tan φ_t / tan φ̄_t = 1 + sin(Δ_t/2) / (cos φ_t sin φ̄_t) > 1; a first step "
    "from φ_0 = 0 has λ*_1 = 1 + 1/cos φ_1 > 2.",
    equation=sp.Eq(sp.Symbol("lambda^*_t"), sp.tan(sp.Symbol("phi_t")) / sp.tan(mean)),
    formula=sp.tan(PHI_T) / sp.tan(MEAN_ANGLE),
    assumptions="0 <= phi_s < phi_t < pi/2",
    scope="Gaussian data, exact denoiser, every step with φ_t < π/2",
    uses=("step-threshold",),
    witness={
        "linear chain, every 200th step": {"schedule": schedules.linear(1000).subsample(range(0, 1001, 200))},
        "one step from 0": {"schedule": schedules.from_angles([0.0, 0.8])},
        "cosine chain": {"schedule": schedules.cosine(4)},
    },
    mutants={
        "over the tangent of the step's lower end": sp.tan(PHI_T) / sp.tan(PHI_S),
        "mean of the tangents": 2 * sp.tan(PHI_T) / (sp.tan(PHI_S) + sp.tan(PHI_T)),
        "sines in place of tangents": sp.sin(PHI_T) / sp.sin(MEAN_ANGLE),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(max_steps=3)}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The definition, the excess over 1 in half and in whole angles, and the first step."""
    yield Identity("lam* = (sqrt(v)/L* - v)/alpha_bar", formula - (st / threshold - st**2) / ct**2)
    yield Identity("excess", formula - 1 - sp.sin(DELTA / 2) / (ct * sp.sin(MEAN_ANGLE)))
    excess = sp.sin(DELTA) / (ct * (ss + st))
    yield Identity("excess in whole angles", formula - 1 - excess)
    yield Positive("excess > 0", excess, (PHI_S, PHI_T))
    yield Identity("first step from 0", formula.subs(PHI_S, 0) - 1 - 1 / ct)
    yield Positive("1/cos phi_1 > 1", 1 / ct - 1, (PHI_T,), from_zero=False)
    yield Implies("lam* > 1", (), formula > 1, (PHI_S, PHI_T))
    yield Implies("a first step from 0 has lam* > 2", (sp.Eq(ss, 0),), formula > 2, (PHI_S, PHI_T))


observe = step_threshold.observe


def holds(formula: Formula, schedule: Schedule) -> float:
    """Roots and geometry's lam* as in `step-threshold`, and geometry's lam* - 1."""
    expected = evaluate(formula - 1, steps_of(schedule))
    excess = close("lam* - 1", geometry.step_threshold_excess(schedule), expected, 1e-13)
    return max(excess, step_threshold.holds(formula, schedule))
