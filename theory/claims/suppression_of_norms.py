"""On average over p_t the logarithm of ||J Phi_t v_k|| is at most ln f_t(lam_k).

False: J Phi_t v_k leaves the direction v_k wherever the posterior couples it to others. So it does on a Gaussian with
covariance between patches, and on a law whose covariance is the identity. For <v_k, J Phi_t v_k> it is true: see
`mean-suppression`.
"""

from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import schedules
from theory.claim import Claim
from theory.claims import mean_suppression
from theory.claims.mean_suppression import Statement, gain
from theory.marginals import Array, normal_law, two_normals
from theory.suppression import Chains

CROSS = two_normals(0.5, np.zeros((2, 2)), [[[1.0, 0.99], [0.99, 1.0]], [[1.0, -0.99], [-0.99, 1.0]]])


def norms(chains: Chains) -> dict[str, Array]:
    """ln f_t(lam_k) - E ln||J Phi_t v_k||."""
    found = {}
    for i, step in enumerate(chains.steps):
        lengths = np.linalg.norm(step.jacobians @ step.directions.T, axis=1)
        found[f"ln f - E ln||J v||, step {i + 1}"] = np.log(step.expansion) - step.mean(np.log(lengths))
    return found


CLAIM = Claim(
    label="suppression-of-norms",
    source="`mean-suppression` read as a bound on lengths",
    statement="For x ~ p_t, E ln‖JΦ_t v_k‖ ≤ ln f_t(λ_k).",
    equation=sp.Le(sp.Symbol("{\\mathbb{E}\\ln\\|J\\Phi_t v_k\\|}"), sp.log(sp.Function("f_t")(sp.Symbol("lambda_k")))),
    formula=Statement(gain, norms),
    assumptions="the exact denoiser, x ~ p_t",
    scope="refuted on a Gaussian with cross-patch covariance, and where the covariance is the identity",
    uses=("mean-suppression",),
    witness={"a Gaussian": {"law": normal_law([0.0], [[2.0]]), "schedule": schedules.uniform_angle(2), "size": 1}},
    corrected_by="mean-suppression",
    counterexamples={
        "a Gaussian, correlation 0.9": {
            "law": normal_law([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]]),
            "schedule": schedules.from_angles([0.01, 1.4]),
            "size": 1,
        },
        "two crossed needles, covariance the identity": {
            "law": CROSS,
            "schedule": schedules.from_angles([0.01, 1.2]),
            "size": 2,
        },
    },
)

GIVEN: dict[str, Any] = mean_suppression.GIVEN
prove, observe, holds = mean_suppression.prove, mean_suppression.observe, mean_suppression.holds
