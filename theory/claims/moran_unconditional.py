"""The discrete Moran equation prod_t f_t(lam**) = 1 has a unique root for every schedule, phi_T = pi/2 included.

False: the growth of large variances, cos phi_0/cos phi_T, is infinite only in the limit phi_T -> pi/2. At pi/2 the
last step multiplies every direction by sin phi_{T-1}, and short chains contract everything: see `moran`.
"""

import math
from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Violation
from theory.formulas import PHI_0, PHI_S, PHI_T, R, evaluate
from theory.instruments import chain_growth

steps = (sp.Symbol("t"), 1, sp.Symbol("T"))

CLAIM = Claim(
    label="moran-unconditional",
    source="Dooms 2026, arXiv:2603.13069, section 5, as summarised",
    statement="The discrete Moran equation ∏ f_t(λ**) = 1 has a unique root for every schedule, φ_T = π/2 included.",
    equation=sp.Eq(sp.Product(sp.Function("f_t")(sp.Symbol("lambda__**")), steps), 1),
    formula=sp.Tuple(sp.cos(PHI_0) / sp.cos(PHI_T), sp.oo),  # growth of large variances: phi_T < pi/2, phi_T = pi/2
    assumptions="0 <= phi_0 < ... < phi_T <= pi/2",
    scope="Gaussian data, exact denoiser; refuted at φ_T = π/2",
    uses=("moran",),
    witness={"linear chain": {"schedule": schedules.linear(100)}},
    corrected_by="moran",
    counterexamples={
        "one step": {"schedule": schedules.uniform_angle(1)},
        "two equal steps": {"schedule": schedules.uniform_angle(2)},
        "three steps from a positive angle": {"schedule": schedules.from_angles([0.1, 0.4, 0.75, math.pi / 2])},
    },
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Below pi/2 the limit of the product telescopes; at pi/2 it is not what the limit of that suggests."""
    yield Identity("limit below pi/2", formula[0] - sp.cos(PHI_0) / sp.cos(PHI_S) * R)


def observe(schedule: Schedule) -> bool:
    """Whether the chain stretches directions of variance 1e12."""
    return bool(chain_growth(schedule, 1e12)[0] > 1)


def holds(formula: Formula, schedule: Schedule) -> float:
    """Large variances are stretched, so that the product crosses 1, iff the formula's limit exceeds 1."""
    phi = schedule.angles
    ends = {PHI_0: phi[0], PHI_S: phi[-2], PHI_T: phi[-1]}
    root = bool(evaluate(formula[1 if schedule.cos[-1] == 0 else 0], ends) > 1)
    if observe(schedule) != root:
        raise Violation(f"expected {'a root' if root else 'no root'}, but the growth says otherwise")
    return 0.0
