"""N+ + (sum over lam_k > lam** of n_k Lambda_k)/|Lambda_{k*}| is always the Kaplan-Yorke dimension.

False: it extends the slope of the leading contracting group k* beyond that group's n_{k*} directions. Where the
expanding exponents sum to more than n_{k*} |Lambda_{k*}| it overshoots, can exceed n, and is not monotone: it grows
without bound as a variance nears lam** from below, and comes back above it. See `kaplan-yorke`, which carries the
condition.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from theory.claim import Claim, Formula, Identity, Obligation, close
from theory.claims import kaplan_yorke
from theory.instruments import EPS

expanding, gain, leading = sp.symbols("N__+ P Lambda_k*", real=True)

CLAIM = Claim(
    label="kaplan-yorke-closed-form",
    source="Dooms 2026, arXiv:2603.13069, section 5, as summarised",
    statement="The Kaplan–Yorke dimension of Gaussian data is N⁺ + Σ_{λ_k>λ**} n_k Λ_k / |Λ_{k*}|, k* the largest "
    "variance with Λ < 0, whatever the spectrum.",
    equation=sp.Eq(sp.Symbol("d"), expanding + gain / sp.Abs(leading)),
    formula=kaplan_yorke.closed_form,
    assumptions="a spectrum of real exponents or -inf, with multiplicities",
    scope="Gaussian data, exact denoiser; refuted where the expanding exponents outweigh the leading contracting group",
    uses=("kaplan-yorke",),
    witness={"within the condition": {"schedule": schedules.linear(200), "groups": [(2.0, 1), (0.1, 2)]}},
    corrected_by="kaplan-yorke",
    counterexamples={
        "a larger d than directions": {"schedule": schedules.linear(200), "groups": [(50.0, 1), (0.5, 1), (0.01, 1)]},
        "two expanding groups": {
            "schedule": schedules.linear(200),
            "groups": [(50.0, 1), (20.0, 1), (0.1, 1), (1e-3, 3)],
        },
        "a variance just below lam**": {
            "schedule": schedules.uniform_angle(100),
            "groups": [(9.0, 2), (0.99, 1), (0.01, 2)],
        },
    },
)

GIVEN: dict[str, Any] = kaplan_yorke.GIVEN


def prove(formula: Formula) -> Iterator[Obligation]:
    """One expanding direction and one contracting that outweighs it."""
    a, b = sp.symbols("a b", positive=True)
    yield Identity("within the condition", formula((a, -a - b), (1, 1)) - 1 - a / (a + b))


def observe(schedule: Schedule, groups: list[tuple[float, int]]) -> float:
    """The dimension at which volumes are kept by the chain's tangent product."""
    groups = sorted(groups, reverse=True)
    return kaplan_yorke.observe(schedule, np.repeat([value for value, _ in groups], [count for _, count in groups]))


def holds(formula: Formula, schedule: Schedule, groups: list[tuple[float, int]]) -> float:
    """The measured dimension is the formula's, to a rounding of each step over the least exponent."""
    groups = sorted(groups, reverse=True)
    exponents = [float(geometry.lyapunov_exponent(schedule, value)) for value, _ in groups]
    counts = [count for _, count in groups]
    rounding = 32 * EPS * schedule.steps * sum(counts) / min(abs(exponent) for exponent in exponents)
    return close("dimension", observe(schedule, groups), float(formula(exponents, counts)), rounding, 1.0)
