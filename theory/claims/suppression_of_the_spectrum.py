"""The chain's true Lyapunov spectrum is suppressed too: its Kaplan-Yorke dimension d_eff is at most the Gaussian's d.

False: singular values of a product are not products of Rayleigh quotients along fixed directions, nor are the chain's
points of p_t. On two crossed needles whose covariance is 0.8 I the Gaussian contracts everywhere, d = 0, while the
mean logarithms of the singular values give d_eff = 1.14 (200 uniform angles from 0.02; 1.08 for the 20 taken here).
With the exponents of `mean-suppression` it is true.
"""

from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension
from theory.claim import Claim
from theory.claims import mean_suppression
from theory.claims.mean_suppression import Statement, gain
from theory.marginals import Array, Law, normal_law, two_normals
from theory.suppression import Chains

NEEDLES = two_normals(0.5, np.zeros((2, 2)), [np.diag([1.59, 0.01]), np.diag([0.01, 1.59])])


def spectrum(chains: Chains) -> dict[str, Array]:
    """d - d_eff, from the mean logarithms of the singular values of the whole chain's Jacobian."""
    return {"d - d_eff": np.array(chains.dimension_of_gaussian - kaplan_yorke_dimension(chains.spectrum))}


CLAIM = Claim(
    label="suppression-of-the-spectrum",
    source="`mean-suppression` read for the chain's own Lyapunov spectrum",
    statement="The Kaplan–Yorke dimension of the chain's finite-time Lyapunov spectrum, the mean logarithms of the "
    "singular values of JΦ for x_T ~ p_T, is at most the Gaussian's d.",
    equation=sp.Le(sp.Symbol("d_eff"), sp.Symbol("d")),
    formula=Statement(gain, spectrum),
    assumptions="the exact denoiser, x_T ~ p_T",
    scope="refuted on two crossed needles in the plane",
    uses=("mean-suppression",),
    witness={"a Gaussian": {"law": normal_law([0.0, 0.0], np.eye(2)), "schedule": schedules.uniform_angle(3)}},
    corrected_by="mean-suppression",
    counterexamples={"two crossed needles": {"law": NEEDLES, "schedule": schedules.uniform_angle(20, 0.02)}},
)

GIVEN: dict[str, Any] = {key: mean_suppression.GIVEN[key] for key in ("law", "schedule")}
prove = mean_suppression.prove


def observe(law: Law, schedule: Schedule) -> Chains:
    """The chain, from 16 nodes an axis; averages over p_t by 4 about each needle, along and across."""
    return Chains(law, schedule, per_axis=16, gauss=4)


def holds(formula: Statement, law: Law, schedule: Schedule) -> float:
    """The margins to 1e-3, which these few nodes leave."""
    return mean_suppression.spare(formula, observe(law, schedule), 1e-3)
