"""The chain telescopes on Gaussian data: prod_t f_t(lam) = sqrt(N_0/N_T) prod_t cos(psi_t - psi_s).

psi = atan2(sin phi, sqrt(lam) cos phi), so cos psi = sqrt(lam) cos phi/sqrt(N) and sin psi = sin phi/sqrt(N). The first
factor is what the exact flow does; the product of cosines, c(lam), is DDIM's whole discretisation error.
For every T: theorem `telescoping` of theory/coq/Telescoping.v.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Status, close
from theory.formulas import DELTA, LAM, PHI_0, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS, chain_growth, growth_scale

root = sp.sqrt(LAM)


def cosine(scale: sp.Expr) -> sp.Expr:
    """cos(psi_t - psi_s) with psi = atan2(sin phi, scale * cos phi)."""
    dot = scale**2 * sp.cos(PHI_S) * sp.cos(PHI_T) + sp.sin(PHI_S) * sp.sin(PHI_T)
    return dot / sp.sqrt(N(PHI_S, scale**2)) / sp.sqrt(N(PHI_T, scale**2))


flow = sp.sqrt(N(PHI_0)) / sp.sqrt(N(PHI_T))
psi_s, psi_t, step = sp.symbols("psi_s psi_t t")
f_t = sp.Function("f_t")(LAM)

CLAIM = Claim(
    label="telescoping",
    source="derived here",
    statement="The factors of a chain telescope, ∏_t f_t(λ) = √(N_0/N_T) ∏_t cos(ψ_t − ψ_s) with "
    "ψ = atan2(sin φ, √λ cos φ): the product of cosines, c(λ), is DDIM's whole discretisation error.",
    equation=sp.Eq(
        sp.Product(f_t, (step, 1, sp.Symbol("T"))),
        sp.sqrt(sp.Symbol("N_0") / sp.Symbol("N_T")) * sp.Product(sp.cos(psi_t - psi_s), (step, 1, sp.Symbol("T"))),
        evaluate=False,
    ),
    formula=sp.Tuple(flow, cosine(root)),  # of the whole chain, phi_t its last angle; of one step
    assumptions="0 <= phi_0 < ... < phi_T <= pi/2, lam > 0",
    scope="Gaussian data, exact denoiser, every chain",
    uses=("expansion-is-projection",),
    witness={
        "linear chain": {"schedule": schedules.linear(100), "lam": 3.0},
        "to pi/2": {"schedule": schedules.uniform_angle(5), "lam": 0.2},
        "one step": {"schedule": schedules.from_angles([0.3, 0.8]), "lam": 40.0},
    },
    mutants={
        "angles phi in place of psi": sp.Tuple(flow, sp.cos(DELTA)),
        "variance in place of deviation in psi": sp.Tuple(flow, cosine(LAM)),
        "variances in place of deviations outside": sp.Tuple(flow**2, cosine(root)),
        "ends exchanged": sp.Tuple(1 / flow, cosine(root)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(), "lam": strategies.variances()}


def prove(formula: Formula) -> Iterator[Obligation]:
    """One step, the step of the induction, and the definition of psi; the induction."""
    whole, one = formula
    yield Identity("one step", R + B * sp.sin(PHI_T) / N(PHI_T) - whole.subs(PHI_0, PHI_S) * one)
    first = whole.subs(PHI_T, PHI_S)  # phi_0 .. phi_s
    yield Identity("induction step", first * whole.subs(PHI_0, PHI_S) - whole)
    angle = sp.atan2(sp.sin(PHI_T), root * sp.cos(PHI_T))
    yield Identity("cos psi", sp.cos(angle) - root * sp.cos(PHI_T) / sp.sqrt(N(PHI_T)))
    yield Identity("sin psi", sp.sin(angle) - sp.sin(PHI_T) / sp.sqrt(N(PHI_T)))
    yield Lemma("telescoping", "Telescoping.v")


def observe(schedule: Schedule, lam: float) -> tuple[Any, Any]:
    """The chain's factor, by running it, and the size that its rounding is relative to."""
    return chain_growth(schedule, lam), growth_scale(schedule, lam)


def holds(formula: Formula, schedule: Schedule, lam: float) -> float:
    """The chain's factor equals the formula to the rounding of its steps; so does the library's exponent."""
    growth, scale = observe(schedule, lam)
    whole, one = formula
    ends = {PHI_0: schedule.angles[0], PHI_T: schedule.angles[-1], LAM: lam}
    expected = evaluate(whole, ends) * evaluate(one, steps_of(schedule, lam)).prod()
    error = close("factor of the chain", growth, expected, 32 * EPS, scale)
    sizes = 1 + np.abs(geometry.log_expansion(schedule, lam)).sum()
    close("library", np.exp(geometry.lyapunov_exponent(schedule, lam)), expected, 8 * EPS * sizes)
    return error
