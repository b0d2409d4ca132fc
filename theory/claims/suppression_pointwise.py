"""The suppression S_k is positive at every point.

False: half-way between two clusters the data expand more than any Gaussian of their variance. On average over p_t S_k
is not negative: see `mean-suppression`.
"""

from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import schedules
from theory.claim import Claim
from theory.claims import mean_suppression
from theory.claims.mean_suppression import Statement, gain
from theory.marginals import Array, Law, normal_law, two_normals
from theory.suppression import Chains

CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
FOUR = Law(np.full(4, 0.25), CORNERS, np.broadcast_to(0.2 * np.eye(2), (4, 2, 2)))


def pointwise(chains: Chains) -> dict[str, Array]:
    """S_k at every point."""
    return {f"S, step {i + 1}": step.expansion - step.along(step.jacobians) for i, step in enumerate(chains.steps)}


CLAIM = Claim(
    label="suppression-pointwise",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised: S_k ≥ 0",
    statement="S_k(x) = |b_t| ⟨v_k, [∇Δε_t]_kk v_k⟩ ≥ 0 at every point x.",
    equation=sp.Ge(sp.Function("S")(sp.Symbol("x")), 0),
    formula=Statement(gain, pointwise),
    assumptions="the exact denoiser",
    scope="refuted half-way between two clusters, where the posterior is widest",
    uses=("mean-suppression",),
    witness={"a Gaussian": {"law": normal_law([0.0], [[2.0]]), "schedule": schedules.uniform_angle(2), "size": 1}},
    corrected_by="mean-suppression",
    counterexamples={
        "two clusters": {
            "law": two_normals(0.5, [-1.0, 1.0], [0.1, 0.1]),
            "schedule": schedules.from_angles([0.2, 0.5]),
            "size": 1,
        },
        "independent clusters, two patches": {
            "law": FOUR,
            "schedule": schedules.from_angles([0.3, 0.8]),
            "size": 1,
        },
    },
)

GIVEN: dict[str, Any] = mean_suppression.GIVEN
prove, observe, holds = mean_suppression.prove, mean_suppression.observe, mean_suppression.holds
