"""The global expansion threshold exceeds 1: every root of prod_t f_t(lam) = 1 is > 1.

f_t(1) = cos Delta_t < 1 and f_t increases with lam, so the product is below 1 on [0, 1]. To leading order in the
step lengths, lam** - 1 = sum_t Delta_t^2/(v_T - v_0).
For every T: theorems `moran_above_one` of theory/coq/Moran.v, and `moran_excess` of Excess.v, which says what "to
leading order" means: with e = lam** - 1, V = v_T - v_0, S = sum_t Delta_t^2 and no step longer than h,
(1 - h^2/12) S <= e (1 + e) V and e V (1 - h/(cos phi_0 + cos phi_T)) cos h <= (1 + e) S.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, B, N, R
from theory.instruments import EPS, chain_growth

sums, v0, vT = sp.symbols("S v_0 v_T", positive=True)  # S = sum of Delta^2
expansion = R + B * sp.sin(PHI_T) / N(PHI_T)

CLAIM = Claim(
    label="moran-above-one",
    source="derived here",
    statement="The global expansion threshold exceeds one, λ** > 1, and to leading order in the step lengths "
    "λ** − 1 = Σ Δ_t² / (v_T − v_0).",
    equation=sp.Eq(sp.Symbol("lambda__**") - 1, sums / (vT - v0), evaluate=False),
    formula=sums / (vT - v0),
    assumptions="a root exists",
    scope="Gaussian data, exact denoiser; the inequality for every chain, the order for chains of small steps",
    uses=("expansion-is-projection",),
    witness={
        "linear chain": {"schedule": schedules.linear(1000), "refined": 1},
        "uneven": {"schedule": schedules.from_angles([0.1, 0.2, 0.9, 1.0, 1.3]), "refined": 400},
        "uniform to pi/2": {"schedule": schedules.uniform_angle(4), "refined": 200},
    },
    mutants={
        "twice": 2 * sums / (vT - v0),
        "without the clean end": sums / (vT + v0),
        "angles in place of variances": sums,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(max_steps=6), "refined": st.just(200)}


def supposes(schedule: Schedule, refined: int) -> None:
    """A root exists."""
    if not np.isfinite(geometry.moran_threshold(schedule)):
        raise ValueError("`schedule` has no root of the Moran equation.")
    if refined < 1:
        raise ValueError(f"`refined` is {refined}, expected at least 1.")


def prove(formula: Formula) -> Iterator[Obligation]:
    """f_t(1) = cos Delta < 1 and f_t increasing; the leading order by expanding ln f at lam = 1 + e, Delta = h."""
    yield Identity("root of e (v_T - v_0)/2 - S/2", formula * (vT - v0) / 2 - sums / 2)
    h, e = sp.symbols("h e", positive=True)
    log = sp.log(expansion.subs({PHI_S: PHI_T - h, LAM: 1 + e}))  # = e h sin cos - h^2/2 + ..., and sum h sin cos
    slope = sp.diff(log, h).subs(h, 0).diff(e).subs(e, 0)  # = (v_T - v_0)/2 to leading order
    yield Identity("first order in h and e", slope - sp.sin(PHI_T) * sp.cos(PHI_T))
    yield Identity("second order in h", sp.diff(log.subs(e, 0), h, 2).subs(h, 0) + 1)
    yield Identity("f(1) = cos Delta", expansion.subs(LAM, 1) - sp.cos(DELTA))
    yield Positive("1 - f(1)^2 > 0", sp.sin(DELTA) ** 2, (PHI_S, PHI_T))
    yield Lemma("moran_above_one", "Moran.v")
    yield Lemma("moran_excess", "Excess.v")


def observe(schedule: Schedule, refined: int) -> tuple[Schedule, float]:
    """The schedule with each step cut into `refined` equal ones, and its root."""
    pieces = np.linspace(schedule.angles[:-1], schedule.angles[1:], refined, endpoint=False).T.ravel()
    fine = schedules.from_angles([*pieces, schedule.angles[-1]])
    return fine, geometry.moran_threshold(fine)


def holds(formula: Formula, schedule: Schedule, refined: int) -> float:
    """The root exceeds 1, the chain run at the root neither grows nor shrinks, and the excess is the formula's."""
    root = geometry.moran_threshold(schedule)
    if not root > 1:
        raise Violation(f"lam** = {root!r} is not above 1")
    if np.isfinite(root):
        close("growth of the chain at lam**", chain_growth(schedule, root), 1.0, 1e3 * EPS * schedule.steps)
    fine, root = observe(schedule, refined)
    v = fine.noise_variance
    excess = formula.subs({sums: float(np.sum(fine.increments**2)), vT: v[-1], v0: v[0]})
    return close("lam** - 1", root - 1, float(excess), 0.02)
