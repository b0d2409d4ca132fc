"""The mean suppression E S_k is not negative along the chain's own points either.

False: the chain of a few long steps leaves p_t. From pi/2 its second step starts between two clusters, where the data
expand most: E S = -0.50 at three angles. For x ~ p_t it is true: see `mean-suppression`.
"""

from typing import Any

import sympy as sp

from pifs_sim.diffusion import schedules
from theory.claim import Claim
from theory.claims import mean_suppression
from theory.claims.mean_suppression import TWO, Statement, gain
from theory.marginals import Array, normal_law, two_normals
from theory.suppression import Chains


def along_the_chain(chains: Chains) -> dict[str, Array]:
    """E S_k at the chain's own points from x_T ~ p_T."""
    steps = enumerate(chains.own_steps)
    return {f"E S, step {i + 1}": step.expansion - step.mean(step.along(step.jacobians)) for i, step in steps}


CLAIM = Claim(
    label="suppression-along-the-chain",
    source="`mean-suppression` read along the chain's own points",
    statement="E S_{k,t}(x_t) ≥ 0 at the points x_t that the chain itself reaches from x_T ~ p_T.",
    equation=sp.Ge(sp.Symbol("{\\mathbb{E}\\,S_k}"), 0),
    formula=Statement(gain, along_the_chain),
    assumptions="the exact denoiser, x_T ~ p_T",
    scope="refuted after one long step",
    uses=("mean-suppression",),
    witness={"a Gaussian": {"law": normal_law([0.0], [[2.0]]), "schedule": schedules.uniform_angle(2), "size": 1}},
    corrected_by="mean-suppression",
    counterexamples={
        "two clusters, three angles": {
            "law": TWO,
            "schedule": schedules.from_angles([0.05, 0.42, mean_suppression.HALF_PI]),
            "size": 1,
        },
        "closer clusters, four steps": {
            "law": two_normals(0.5, [-2.0, 2.0], [0.1, 0.1]),
            "schedule": schedules.uniform_angle(4, 0.1),
            "size": 1,
        },
    },
)

GIVEN: dict[str, Any] = mean_suppression.GIVEN
prove, observe, holds = mean_suppression.prove, mean_suppression.observe, mean_suppression.holds
