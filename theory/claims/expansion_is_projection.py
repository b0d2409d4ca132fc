"""f_t(lam) is a projection coefficient: with u_t = (sqrt(lam) cos phi_t, sin phi_t), f_t = <u_s, u_t>/<u_t, u_t>.

Hence f_t(1) = cos Delta_t, f_t(0) = sin phi_s/sin phi_t, and df/dlam = sin phi_t cos phi_t sin Delta_t/N_t^2 > 0.
The projection is well defined at phi_t = pi/2 too, where it is cos Delta_t for every lam.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS, step_factors

cs, ct, ss, st = sp.cos(PHI_S), sp.cos(PHI_T), sp.sin(PHI_S), sp.sin(PHI_T)

CLAIM = Claim(
    label="expansion-is-projection",
    source="derived here",
    statement="The diagonal expansion function is the coefficient of the orthogonal projection of u_s on u_t, "
    "u = (√λ cos φ, sin φ): f_t(λ) = ⟨u_s, u_t⟩ / ⟨u_t, u_t⟩.",
    equation=sp.Eq(sp.Function("f_t")(LAM), (LAM * cs * ct + ss * st) / (LAM * ct**2 + st**2)),
    formula=(LAM * cs * ct + ss * st) / (LAM * ct**2 + st**2),
    assumptions="0 <= phi_s < phi_t <= pi/2, lam > 0",
    scope="Gaussian data, exact denoiser, every step",
    uses=("diagonal-expansion",),
    witness={
        "linear chain": {"schedule": schedules.linear(100), "lam": 3.0},
        "to pi/2": {"schedule": schedules.uniform_angle(5), "lam": 0.2},
        "one step": {"schedule": schedules.from_angles([0.3, 0.8]), "lam": 40.0},
    },
    mutants={
        "projection the other way, on u_s": (LAM * cs * ct + ss * st) / (LAM * cs**2 + ss**2),
        "variance in place of deviation": (LAM**2 * cs * ct + ss * st) / (LAM**2 * ct**2 + st**2),
        "cosine of the angle between u_s and u_t": (LAM * cs * ct + ss * st)
        / sp.sqrt((LAM * ct**2 + st**2) * (LAM * cs**2 + ss**2)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(), "lam": strategies.variances()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The projection is r - |b| sin(phi_t)/N, and its values and slope are as stated."""
    yield Identity("f = r - |b| sin phi_t/N", formula - (R + B * st / N(PHI_T)))
    yield Identity("f(1) = cos Delta", formula.subs(LAM, 1) - sp.cos(DELTA))
    slope = st * ct * sp.sin(DELTA) / N(PHI_T) ** 2
    yield Identity("slope", sp.diff(formula, LAM) - slope)
    yield Positive("slope > 0", slope, (PHI_S, PHI_T))


def observe(schedule: Schedule, lam: float) -> tuple[Any, Any]:
    """Each step's factor on the chain itself, with its rounding scale."""
    return step_factors(schedule, lam)


def holds(formula: Formula, schedule: Schedule, lam: float) -> float:
    """Measured factors equal the formula to the rounding of a step."""
    factors, scale = observe(schedule, lam)
    return close("step factor", factors, evaluate(formula, steps_of(schedule, lam)), 32 * EPS, scale)
