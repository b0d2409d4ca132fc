"""On Gaussian data the Lyapunov exponent, per chain, of every direction of variance lam is Lambda(lam) = sum ln f_t.

The tangent maps of the steps share the eigenvectors of the covariance, so the singular values of the whole product
are the products of the steps' factors. Lambda(lam) > 0 iff lam > lam**.
For every T: theorem `lyapunov_gaussian` of theory/coq/MoranRoot.v.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, geometry, schedules
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics import lyapunov_spectrum
from pifs_sim.testing import strategies
from pifs_sim.testing.strategies import SpdMatrix
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS

cs, ct, ss, st = sp.cos(PHI_S), sp.cos(PHI_T), sp.sin(PHI_S), sp.sin(PHI_T)
f = (LAM * cs * ct + ss * st) / N(PHI_T)
turned = np.array([[0.8, -0.6], [0.6, 0.8]])
LAW = SpdMatrix(turned * np.array([4.0, 0.1]) @ turned.T, np.array([4.0, 0.1]), turned)
step = sp.Symbol("t")

CLAIM = Claim(
    label="lyapunov-gaussian",
    source="Dooms 2026, arXiv:2603.13069, section 5",
    statement="On Gaussian data the Lyapunov exponent of every direction of variance λ, per chain, is "
    "Λ(λ) = Σ_t ln f_t(λ), and Λ(λ) > 0 iff λ > λ**.",
    equation=sp.Eq(sp.Function("Lambda")(LAM), sp.Sum(sp.log(sp.Function("f_t")(LAM)), (step, 1, sp.Symbol("T")))),
    formula=sp.log(f),  # one step's term of the sum
    assumptions="0 <= phi_0 < ... < phi_T <= pi/2, lam > 0",
    scope="Gaussian data, any covariance, exact denoiser, every chain",
    uses=("expansion-is-projection", "moran"),
    witness={
        "linear chain": {"schedule": schedules.linear(60), "law": LAW},
        "to pi/2": {"schedule": schedules.uniform_angle(7), "law": LAW},
        "one step": {"schedule": schedules.from_angles([0.3, 0.8]), "law": LAW},
    },
    mutants={
        "growth of the variance": 2 * sp.log(f),
        "growth of large variances": sp.log(R) + sp.log(N(PHI_T)) - sp.log(N(PHI_S)),
        "excess in place of its logarithm": f - 1,
        "schedule alone": sp.log(sp.cos(DELTA)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(max_steps=8),
    "law": strategies.spd_matrices(3, least=1e-2, largest=1e2) | strategies.spd_matrices(3, least=2.0, largest=1e2),
}

REGIONS: dict[str, Any] = {
    "expanding": lambda schedule, law: law.eigenvalues.max() > geometry.moran_threshold(schedule),
    "contracting": lambda schedule, law: law.eigenvalues.min() < geometry.moran_threshold(schedule),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """A step is affine with derivative f along the direction; the chain rule adds logarithms; f increases with lam."""
    y, mu, inner, outer = sp.symbols("y mu f_1 f_2", positive=True)
    moved = R * y + B * st * (y - ct * mu) / N(PHI_T)
    yield Identity("exponential of a term", sp.exp(formula) - sp.diff(moved, y))
    yield Identity("chain rule for two steps", sp.log(inner * outer) - sp.log(inner) - sp.log(outer))
    yield Identity("slope", sp.diff(f, LAM) - st * ct * sp.sin(DELTA) / N(PHI_T) ** 2)
    yield Positive("slope > 0", st * ct * sp.sin(DELTA) / N(PHI_T) ** 2, (PHI_S, PHI_T))
    yield Lemma("lyapunov_gaussian", "MoranRoot.v")


def observe(schedule: Schedule, law: SpdMatrix) -> Any:
    """Finite-time exponents of the chain, per chain, descending."""
    chain = Chain(schedule, exact_denoiser(Gaussian(np.ones(law.eigenvalues.size), law.matrix)))
    start = np.zeros((1, chain.dim))
    return schedule.steps * lyapunov_spectrum(chain, start, schedule.steps, backend="reference").exponents


def holds(formula: Formula, schedule: Schedule, law: SpdMatrix) -> float:
    """The chain's exponents to the conditioning of the covariance; the library's; their sign."""
    lam = np.sort(law.eigenvalues)[::-1]
    terms = evaluate(formula, steps_of(schedule, lam))
    exponents = terms.sum(axis=0)
    # ln f(Sigma) moves by less than the relative rounding of the smallest variance, eps times the condition number
    rounding = 8 * EPS * schedule.steps * lam.size * float(lam[0] / lam[-1])
    error = close("exponents of the chain", observe(schedule, law), exponents, rounding, 1.0)
    sizes = 1e-3 * np.abs(terms).sum(axis=0) + 1
    close(
        "exponents of the library",
        geometry.lyapunov_exponent(schedule, lam),
        exponents,
        32 * EPS * schedule.steps,
        sizes,
    )
    above = lam > geometry.moran_threshold(schedule)
    if np.any((np.abs(exponents) > 1e-9) & ((exponents > 0) != above)):
        raise Violation(f"exponents {exponents} at variances {lam}, not positive exactly above lam**")
    return error
