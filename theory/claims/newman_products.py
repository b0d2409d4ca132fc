"""Products of independent d x d matrices of N(0, 1) entries have exponents (ln 2 + psi((d - i + 1)/2))/2.

A Gaussian matrix is as likely as its product with any rotation, so at every step R_ii^2 is chi-squared with d - i + 1
degrees of freedom, independent of the past, and lambda_i = E ln R_ii.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.dynamics import Cocycle, LyapunovSpectrum, lyapunov_spectrum
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation
from theory.formulas import evaluate

D, INDEX = sp.symbols("d i", positive=True)
STEPS, ORBITS = 80, 100

CLAIM = Claim(
    label="newman-products",
    source="Newman 1986, Commun. Math. Phys. 103, 121-126",
    statement="Products of independent d×d matrices with independent N(0, 1) entries have the Lyapunov exponents "
    "λ_i = ½[ln 2 + ψ((d − i + 1)/2)].",
    equation=sp.Eq(sp.Indexed("lambda", INDEX), (sp.log(2) + sp.Function("psi")((D - INDEX + 1) / 2)) / 2),
    formula=(sp.log(2) + sp.digamma((D - INDEX + 1) / 2)) / 2,
    assumptions="entries independent, N(0, 1)",
    scope="every d; measured for d <= 4",
    witness={"numbers": {"dim": 1, "seed": 1}, "the plane": {"dim": 2, "seed": 2}, "four": {"dim": 4, "seed": 3}},
    mutants={
        "without the half": sp.log(2) + sp.digamma((D - INDEX + 1) / 2),
        "degrees of freedom ascending": (sp.log(2) + sp.digamma(INDEX / 2)) / 2,
        "logarithm of the mean": sp.log(D - INDEX + 1) / 2,
        "one degree more": (sp.log(2) + sp.digamma((D - INDEX + 2) / 2)) / 2,
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {"dim": st.integers(1, 4), "seed": st.integers(0, 2)}


def prove(formula: Formula) -> Iterator[Obligation]:
    """E ln R^2 of a chi-squared variable, from its moments E R^{2s} = 2^s Gamma(m/2 + s)/Gamma(m/2)."""
    s, m = sp.symbols("s m", positive=True)
    moments = 2**s * sp.gamma(m / 2 + s) / sp.gamma(m / 2)
    freedom = formula.subs(INDEX, D - m + 1)
    yield Identity("E ln R^2 = 2 lambda", 2 * freedom - sp.diff(moments, s).subs(s, 0))
    yield NotProved("R_ii^2 is chi-squared and independent of the past", "rotation invariance (a proof assistant)")


@cache
def observe(dim: int, seed: int) -> LyapunovSpectrum:
    """The spectrum of many short products, with standard errors."""
    cocycle = Cocycle.random(lambda rng, shape: rng.standard_normal((*shape, dim, dim)), dim=dim, seed=seed)
    return lyapunov_spectrum(cocycle, np.zeros((ORBITS, dim)), STEPS, transient=20, backend="reference")


def holds(formula: Formula, dim: int, seed: int) -> float:
    """Within five standard errors; returns the largest difference."""
    found = observe(dim, seed)
    claimed = np.array([float(evaluate(formula, {D: dim, INDEX: i})) for i in range(1, dim + 1)])
    deviation = np.abs(found.exponents - claimed) / found.stderr
    if not (deviation < 5).all():
        raise Violation(f"d = {dim}: exponents {found.exponents}, claimed {claimed}, {deviation} standard errors away")
    return float(np.abs(found.exponents - claimed).max())
