"""The diagonal expansion function f_t(lam) = r_t - |b_t| sqrt(v_t)/N_t(lam) is the factor of a step on Gaussian data.

It increases strictly with lam from sqrt(v_s/v_t) at lam = 0 to r_t at infinity. (At phi_t = pi/2 the factor is
cos Delta_t for every lam: `expansion-is-projection`.)
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS, step_factors

f_t = sp.Function("f_t")(LAM)

CLAIM = Claim(
    label="diagonal-expansion",
    source="Dooms 2026, arXiv:2603.13069, section 5",
    statement="On Gaussian data a step multiplies every direction of variance λ by "
    "f_t(λ) = r_t − |b_t| √v_t / N_t(λ), strictly increasing in λ from √(v_s/v_t) at 0 to r_t at infinity.",
    equation=sp.Eq(f_t, sp.cos(PHI_S) / sp.cos(PHI_T) - sp.sin(DELTA) * sp.sin(PHI_T) / (sp.cos(PHI_T) * N(PHI_T))),
    formula=R + B * sp.sin(PHI_T) / N(PHI_T),
    assumptions="0 <= phi_s < phi_t < pi/2, lam > 0",
    scope="Gaussian data, exact denoiser, every step with φ_t < π/2",
    witness={
        "linear chain": {"schedule": schedules.linear(100), "lam": 3.0},
        "one step": {"schedule": schedules.from_angles([0.3, 0.8]), "lam": 40.0},
        "small variance": {"schedule": schedules.linear(50), "lam": 1e-4},
    },
    mutants={
        "cosine and sine swapped in N": R + B * sp.sin(PHI_T) / (LAM * sp.sin(PHI_T) ** 2 + sp.cos(PHI_T) ** 2),
        "v_t in place of its root": R + B * sp.sin(PHI_T) ** 2 / N(PHI_T),
        "N at phi_s": R + B * sp.sin(PHI_T) / N(PHI_S),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(stop=1.3), "lam": strategies.variances()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Derivative of the DDIM step with eps_hat = sin(phi_t) y/N; limits; slope."""
    y = sp.Symbol("y", positive=True)
    step = R * y + B * sp.sin(PHI_T) * y / N(PHI_T)
    yield Identity("derivative of the step", sp.diff(step, y) - formula)
    yield Identity("value at 0", formula.subs(LAM, 0) - sp.sin(PHI_S) / sp.sin(PHI_T))
    inverse = sp.Symbol("mu", positive=True)
    yield Identity("limit at infinity", sp.cancel(formula.subs(LAM, 1 / inverse)).subs(inverse, 0) - R)
    yield Positive("slope in lam", sp.diff(formula, LAM), (PHI_S, PHI_T))


def observe(schedule: Schedule, lam: float) -> tuple[Any, Any]:
    """Each step's factor on the chain itself, with its rounding scale."""
    return step_factors(schedule, lam)


def holds(formula: Formula, schedule: Schedule, lam: float) -> float:
    """Measured factors equal the formula to the rounding of a step."""
    factors, scale = observe(schedule, lam)
    return close("step factor", factors, evaluate(formula, steps_of(schedule, lam)), 32 * EPS, scale)
