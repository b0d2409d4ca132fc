"""The discrete Moran equation prod_t f_t(lam**) = 1 has exactly one root if phi_T < pi/2.

Every factor increases with lam and the product is below 1 at lam = 1, so its limit for large variances decides: it is
cos phi_0/cos phi_T > 1 if phi_T < pi/2, and cos phi_0 tan phi_{T-1} at phi_T = pi/2, where the last step multiplies
every direction by sin phi_{T-1}. There a root exists iff that limit exceeds 1; otherwise (as for T = 1) lam** := inf.
For every T: theorem `moran` of theory/coq/MoranRoot.v, by the intermediate value theorem in 1/lam.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, LAM, PHI_0, PHI_S, PHI_T, N, R, evaluate
from theory.instruments import EPS, chain_growth

cs, ct, ss, st, c0 = sp.cos(PHI_S), sp.cos(PHI_T), sp.sin(PHI_S), sp.sin(PHI_T), sp.cos(PHI_0)
f = (LAM * cs * ct + ss * st) / N(PHI_T)
weight = sp.Symbol("w", positive=True)
steps = (sp.Symbol("t"), 1, sp.Symbol("T"))
LARGE = 1e60  # a variance whose growth is the limit's to rounding

CLAIM = Claim(
    label="moran",
    source="Dooms 2026, arXiv:2603.13069, section 5; the condition is derived here",
    statement="∏ f_t(λ**) = 1 has exactly one root if φ_T < π/2, where the growth of large variances is "
    "cos φ_0 / cos φ_T > 1; at φ_T = π/2 it is cos φ_0 tan φ_{T−1}, and a root exists iff that exceeds 1.",
    equation=(
        sp.Eq(sp.Product(sp.Function("f_t")(sp.Symbol("lambda__**")), steps), 1),
        sp.Gt(c0 * sp.tan(sp.Symbol("phi_T-1")), 1),
    ),
    formula=sp.Tuple(c0 / ct, c0 * ss / cs),  # phi_t the last angle, phi_s the one before
    assumptions="0 <= phi_0 < ... < phi_T <= pi/2",
    scope="Gaussian data, exact denoiser, every chain",
    uses=("expansion-is-projection",),
    witness={
        "linear chain": {"schedule": schedules.linear(100)},
        "one step": {"schedule": schedules.from_angles([0.3, 0.8])},
        "one step to pi/2, no root": {"schedule": schedules.uniform_angle(1)},
        "two equal steps to pi/2, no root": {"schedule": schedules.uniform_angle(2)},
        "three equal steps to pi/2": {"schedule": schedules.uniform_angle(3)},
    },
    mutants={
        "last step left out": sp.Tuple(c0 / ct, c0 / cs),
        "first angle left out": sp.Tuple(1 / ct, ss / cs),
        "cotangent": sp.Tuple(c0 / ct, c0 * cs / ss),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules()}

REGIONS: dict[str, Any] = {
    "a root": lambda schedule: bool(np.isfinite(geometry.moran_threshold(schedule))),
    "no root": lambda schedule: not np.isfinite(geometry.moran_threshold(schedule)),
    "from pi/2": lambda schedule: schedule.cos[-1] == 0,
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The limit of the product, step by step; f(1) < 1 and f increasing leave one crossing at most."""
    below, at = formula
    last = f.subs(PHI_T, sp.pi / 2)  # = sin phi_s for every lam
    yield Identity("limit of the product", below - c0 / cs * R + weight * (at - c0 / cs * last))
    inverse = sp.Symbol("mu", positive=True)
    yield Identity("f at infinity", sp.cancel(f.subs(LAM, 1 / inverse)).subs(inverse, 0) - R)
    yield Identity("f(1) = cos Delta", f.subs(LAM, 1) - sp.cos(DELTA))
    yield Identity("slope", sp.diff(f, LAM) - st * ct * sp.sin(DELTA) / N(PHI_T) ** 2)
    yield Positive("slope > 0", st * ct * sp.sin(DELTA) / N(PHI_T) ** 2, (PHI_S, PHI_T))
    yield Lemma("moran", "MoranRoot.v")


def observe(schedule: Schedule) -> Any:
    """The chain's growth along variances from 1e-6 upward, each 100 times the last."""
    return chain_growth(schedule, np.geomspace(1e-6, LARGE, 34))


def holds(formula: Formula, schedule: Schedule) -> float:
    """The growth tends to the formula's limit and crosses 1 once iff that exceeds 1; at lam** it is 1."""
    growth, phi = observe(schedule), schedule.angles
    ends = {PHI_0: phi[0], PHI_S: phi[-2], PHI_T: phi[-1]}
    limit = float(evaluate(formula[1 if schedule.cos[-1] == 0 else 0], ends))
    error = close("growth of large variances", growth[-1], limit, 64 * EPS * schedule.steps)
    root, crossings = geometry.moran_threshold(schedule), int(np.count_nonzero(np.diff(growth > 1)))
    if abs(limit - 1) > 1e-9 and (crossings, np.isfinite(root)) != ((1, True) if limit > 1 else (0, False)):
        raise Violation(f"the growth crosses 1 {crossings} times and lam** = {root!r}, but its limit is {limit!r}")
    if np.isfinite(root):
        close("growth at lam**", chain_growth(schedule, root), 1.0, 1e3 * EPS * schedule.steps)
    return error
