"""MM: the margin m_k of a patch increases strictly with its leading variance lam_k, at every step with phi_t < pi/2.

False for every Gaussian of independent patches with unequal lam_k, whose margins decrease, and for every Gaussian once
alpha_bar_t is small. Coupling between patches can make it true on a chain that stops earlier: see
`stratified-crossover`.
"""

from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from theory.claim import Claim, Formula
from theory.claims import stratified_crossover
from theory.claims.stratified_crossover import COUPLED, INDEPENDENT, ordered
from theory.formulas import LAM
from theory.marginals import Array

first, second = sp.symbols("m_j m_k")

CLAIM = Claim(
    label="margin-monotonicity",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised (stratified crossover)",
    statement="k ↦ m_k = E S_k − (f_t(λ_k) − 1) is strictly increasing in λ_k at every t with φ_t < π/2.",
    equation=sp.Implies(sp.Lt(*sp.symbols("λ_j λ_k")), sp.Lt(first, second)),
    formula=LAM,  # what the margins are ordered by
    assumptions="the exact denoiser, x ~ p_t, unequal lam_k",
    scope="refuted on independent Gaussian patches, and on coupled ones at high noise",
    uses=("stratified-crossover",),
    witness={"coupled": {"schedule": schedules.uniform_angle(8, 0.0, 1.2), "covariance": COUPLED}},
    corrected_by="stratified-crossover",
    counterexamples={
        "independent patches": {"schedule": schedules.linear(5), "covariance": INDEPENDENT},
        "independent patches with inner covariance": {
            "schedule": schedules.uniform_angle(3, 0.1, 1.0),
            "covariance": np.kron(np.diag([1.0, 3.0]), np.array([[1.0, 0.6], [0.6, 1.0]])),
        },
        "coupled, at high noise": {"schedule": schedules.uniform_angle(10, 0.0, 1.5), "covariance": COUPLED},
    },
)

GIVEN: dict[str, Any] = stratified_crossover.GIVEN
prove, observe = stratified_crossover.prove, stratified_crossover.observe


def holds(formula: Formula, schedule: Schedule, covariance: Array) -> float:
    """The margins have the formula's order at every step."""
    ordered(formula, schedule, covariance)
    return 0.0
