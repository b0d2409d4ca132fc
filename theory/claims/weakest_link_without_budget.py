"""Weakest link as a criterion by itself: equal steps maximise min_t L*_t for a given T and given ends.

False, and nothing else maximises it either: any longer first step does better, and L*_1 has no maximum before the
other steps vanish. With a largest step there is one: see `criterion-weakest-link`.
"""

from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from theory.claim import Claim, Formula, Violation
from theory.claims import criterion_weakest_link
from theory.claims.criterion_weakest_link import BUDGET
from theory.formulas import PHI_0, PHI_T, evaluate

STEPS = sp.Symbol("T", positive=True)
equal = (PHI_T - PHI_0) / STEPS

CLAIM = Claim(
    label="weakest-link-without-budget",
    source="Dooms 2026, arXiv:2603.13069, section 6, as summarised (maximise min L*_t), read without a constraint",
    statement="For given T and ends min_t L*_t has a maximum, at equal steps.",
    equation=sp.Le(sp.Symbol(r"{\min L^{*}_{t}}"), sp.Symbol(r"{L^{*}_{1}(\text{equal steps})}")),
    formula=sp.sin(PHI_0 + equal / 2) / sp.cos(equal / 2),
    assumptions="T >= 2, fixed ends",
    scope="refuted by every schedule whose first step is longer than the mean",
    uses=("criterion-weakest-link",),
    witness={"equal steps": {"schedule": schedules.uniform_angle(10, 0.0, 1.5)}},
    corrected_by="criterion-weakest-link",
    counterexamples={
        "a long first step": {"schedule": schedules.from_angles([0.0, 1.2, 1.3, 1.4])},
        "cosine with offset 0.008": {"schedule": schedules.cosine(1000)},
        "the shifted cosine": {"schedule": schedules.uniform_angle(10, 0.0, 1.5).shift(-3.0)},
    },
)

GIVEN: dict[str, Any] = {"schedule": criterion_weakest_link.GIVEN["schedule"]}
prove, observe = criterion_weakest_link.prove, criterion_weakest_link.observe


def holds(formula: Formula, schedule: Schedule) -> float:
    """No schedule measures above the formula (which may know the schedule's own longest step)."""
    phi = schedule.angles
    known = {PHI_0: phi[0], PHI_T: phi[-1], STEPS: schedule.steps, BUDGET: schedule.increments.max()}
    most = float(evaluate(formula, known))
    measured, rounding = observe(schedule)
    if measured.min() > most + 2 * rounding[0]:
        raise Violation(f"min L*_t = {measured.min()!r} exceeds {most!r}")
    return 0.0
