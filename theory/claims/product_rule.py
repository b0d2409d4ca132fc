"""For a fine chain from 0 to pi/2, d is the Kaplan-Yorke dimension of {ln(lam_i)/2}, a function of the data alone.

So j is the largest index with lam_1 ... lam_j >= 1, variances in descending order: as the steps shrink c(lam) -> 1 and
every exponent tends to that of the exact flow, ln sqrt(N_0/N_T) = ln(lam)/2.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import geometry, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close
from theory.formulas import LAM, PHI_S, PHI_T, N, evaluate

f = (LAM * sp.cos(PHI_S) * sp.cos(PHI_T) + sp.sin(PHI_S) * sp.sin(PHI_T)) / N(PHI_T)
i, j = sp.symbols("i j", positive=True, integer=True)
STEPS = 1000

CLAIM = Claim(
    label="product-rule",
    source="derived here",
    statement="For a fine chain from 0 to π/2 the dimension d is the Kaplan–Yorke dimension of {½ ln λ_i}: its integer "
    "part is the largest j with λ_1 λ_2 ⋯ λ_j ≥ 1.",
    equation=(
        sp.Eq(sp.Function("Lambda")(LAM), sp.log(LAM) / 2),
        sp.Ge(sp.Product(sp.Indexed("lambda", i), (i, 1, j)), 1),
    ),
    formula=sp.log(LAM) / 2,
    assumptions="phi_0 = 0, phi_T = pi/2, lam > 0, largest step -> 0",
    scope="Gaussian data, exact denoiser, the limit of fine chains",
    uses=("telescoping", "lyapunov-gaussian", "kaplan-yorke"),
    witness={
        "power law": {"lam": np.array([8.0, 2.0, 0.9, 0.5, 0.3, 0.2, 0.1])},
        "all above one": {"lam": np.array([9.0, 3.0, 1.5])},
        "all below one": {"lam": np.array([0.9, 0.5])},
    },
    mutants={
        "growth of the variance": sp.log(LAM),
        "linear in the variance": (LAM - 1) / 2,
        "contraction in place of growth": -sp.log(LAM) / 2,
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {"lam": strategies.spectra(1, 6, 0.02, 50.0)}


def prove(formula: Formula) -> Iterator[Obligation]:
    """A step's exponent is d(ln N)/2 to first order in its length, so the sum tends to ln(N_0/N_T)/2."""
    yield Identity("ln sqrt(N_0/N_T)", formula - sp.log(N(sp.Integer(0))) / 2 + sp.log(N(sp.pi / 2)) / 2)
    first = sp.diff(sp.log(f), PHI_S).subs(PHI_S, PHI_T)
    yield Identity("first order in the step", first - sp.diff(sp.log(N(PHI_T)), PHI_T) / 2)
    yield Identity("no growth without a step", f.subs(PHI_S, PHI_T) - 1)
    yield NotProved("the limit of the sum", "a bound on the second order, uniform over the steps (a proof assistant)")


def observe(lam: Any) -> Any:
    """Exponents of equal-angle chains of STEPS and STEPS/2 steps, extrapolated: their error falls as 1/steps."""
    fine, coarse = (geometry.lyapunov_exponent(schedules.uniform_angle(T), lam) for T in (STEPS, STEPS // 2))
    return 2 * fine - coarse


def holds(formula: Formula, lam: Any) -> float:
    """Exponents to third order in the step; their dimension to that error over the slope; the index j."""
    lam = np.sort(lam)[::-1]
    measured, expected = observe(lam), evaluate(formula, {LAM: lam})
    # what is left is of order sum of (psi' h)^4, with psi' <= k = max(sqrt(lam), 1/sqrt(lam)) and integral pi/2
    left = 2 * (math.pi / (2 * STEPS) * np.sqrt(np.maximum(lam, 1 / lam))) ** 3
    error = close("exponents", measured, expected, float(left.max()), left / left.max())
    d = kaplan_yorke_dimension(measured)
    slope = max(min(abs(expected[min(int(d), lam.size - 1)]), abs(expected[0])), 1e-300)
    close("dimension", d, kaplan_yorke_dimension(expected), float(left.sum() / slope), 1.0)
    products = np.cumprod(lam)
    index = int(np.flatnonzero(np.concatenate([[1.0], products]) >= 1)[-1])
    if (np.abs(np.log(products)) > 2 * left.sum()).all() and index != math.floor(d):
        raise Violation(f"d = {d!r}, but the product rule gives j = {index}")
    return error
