"""Weakest link: the largest min_t L*_t of a chain whose steps turn by at most B is that of a first step of length B.

min_t L*_t = L*_1 grows with phi_1, so without a budget it has no maximum: the supremum, the threshold of one single
step, is approached as all other steps shrink into the noisy end. With Delta_t <= B (T B > phi_T - phi_0) the most is

    L*_1 = (sin phi_0 + sin(phi_0 + B))/(1 + cos B) = sin(phi_0 + B/2)/cos(B/2),

and the other steps are free within the budget: the criterion says nothing of them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, design, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation, close
from theory.formulas import PHI_0, PHI_S, PHI_T, evaluate
from theory.instruments import EPS, contraction_thresholds

BUDGET = sp.Symbol("phi_B", positive=True)
most = sp.sin(PHI_0 + BUDGET / 2) / sp.cos(BUDGET / 2)
late = {"schedule": schedules.karras(10, 0.02, 80.0), "room": 0.0}

CLAIM = Claim(
    label="criterion-weakest-link",
    source="Dooms 2026, arXiv:2603.13069, section 6; the budget is derived here",
    statement="Among schedules with the same ends and steps Δ_t ≤ B, min_t L*_t is largest where the first step has "
    "the length B: sin(φ_0 + B/2)/cos(B/2), which is tan(B/2) when φ_0 = 0. Without a budget there is no maximum.",
    equation=sp.Eq(
        sp.Symbol("max min L^*_t"), sp.sin(sp.Symbol("phi_0") + sp.Symbol("B") / 2) / sp.cos(sp.Symbol("B") / 2)
    ),
    formula=most,
    assumptions="T >= 2, fixed ends, (phi_T - phi_0)/T <= B < phi_T - phi_0",
    scope="every schedule; proved for the first step, checked for every T",
    uses=("weakest-link-is-first",),
    witness={
        "linear chain": {"schedule": schedules.linear(20), "room": 0.0},
        "cosine chain to pi/2": {"schedule": schedules.cosine(10, max_beta=None), "room": 0.5},
        "Karras, from phi_0 > 0": late,
        "log-linear": {"schedule": schedules.log_linear(6, 0.05, 20.0), "room": 0.2},
        "uneven": {"schedule": schedules.from_angles([0.3, 0.5, 0.9, 1.4]), "room": 0.7},
    },
    mutants={
        "the clean end left out": sp.tan(BUDGET / 2),
        "the mean angle's sine": sp.sin(PHI_0 + BUDGET / 2),
        "half the first angle": sp.tan((PHI_0 + BUDGET) / 2),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(min_steps=2), "room": st.floats(0, 0.9)}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The threshold of a first step of length B, and that a threshold grows with its step's end."""
    end = PHI_0 + BUDGET
    yield Identity("L*_1 = (r_1 - 1)/|b_1|", formula - (sp.cos(PHI_0) - sp.cos(end)) / sp.sin(BUDGET))
    threshold = sp.sin((PHI_S + PHI_T) / 2) / sp.cos((PHI_T - PHI_S) / 2)
    slope = sp.cos(PHI_S) / (2 * sp.cos((PHI_T - PHI_S) / 2) ** 2)
    yield Identity("slope of L*_1 in phi_1", sp.diff(threshold, PHI_T) - slope)
    yield Positive("it is positive", sp.cos(PHI_S) / (1 + sp.cos(PHI_T - PHI_S)), (PHI_S, PHI_T))
    yield NotProved("the least of T thresholds, every T", "induction over T (a proof assistant)")


def best(schedule: Schedule, budget: float) -> Schedule:
    """A schedule with the same ends and number of steps whose first step has the length `budget`, the others equal."""
    phi = schedule.angles
    rest = np.linspace(phi[0] + budget, phi[-1], schedule.steps)
    return schedules.from_angles([phi[0], *rest[:-1], phi[-1]])


def observe(schedule: Schedule) -> tuple[Any, Any]:
    """Every step's threshold measured on the chain (without a step from pi/2), and its rounding."""
    thresholds, scale = contraction_thresholds(schedule)
    return thresholds, 32 * EPS * scale


def holds(formula: Formula, schedule: Schedule, room: float) -> float:
    """The schedule stays below the formula, one with a first step of length B reaches it, and the library says so."""
    phi, longest = schedule.angles, float(schedule.increments.max())
    budget = longest + room * (float(schedule.increments.sum()) - longest)
    most = float(evaluate(formula, {PHI_0: phi[0], BUDGET: budget}))
    measured, rounding = observe(schedule)
    if measured.min() > most + rounding[0]:
        raise Violation(f"min L*_t = {measured.min()!r} exceeds {most!r}")
    winner, rounding = observe(best(schedule, budget))
    step = 4 * EPS * phi[-1]  # rounding of phi_1
    error = close("L*_1 of the best", winner.min(), most, 1.0, rounding[0] + step)
    close("library", design.weakest_link(schedule, budget).best, most, 1e-13)
    return 32 * EPS * error
