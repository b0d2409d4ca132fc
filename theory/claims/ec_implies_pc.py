"""A step that contracts in the Euclidean norm has kappa + delta < 1.

False even for symmetric positive semidefinite Jacobians, as those of exact denoisers are: every block is at most the
whole, but there are M of them in a row, and kappa and delta may come from different rows. See `ec-versus-pc`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Chain, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Gaussian
from theory.claim import Claim, Formula, Identity, Obligation
from theory.claims import ec_versus_pc
from theory.claims.ec_versus_pc import in_blocks
from theory.instruments import step_jacobian

norm, own, others = sp.symbols("‖J‖_2 kappa delta", positive=True)
LEADING = np.array([0.96, 0.28])  # unit vector along which the data varies
STEP = Chain(schedules.from_angles([0.1, 0.8]), exact_denoiser(Gaussian(np.zeros(2), 1.5 * np.outer(LEADING, LEADING))))

CLAIM = Claim(
    label="ec-implies-pc",
    source="the converse of what `ec-versus-pc` says of symmetric Jacobians",
    statement="A Jacobian with ‖J‖₂ < 1 has κ + δ < 1, as κ + δ ≤ ‖J‖₂.",
    equation=sp.Le(own + others, norm),
    formula=lambda norms, whole: (ec_versus_pc.schur(norms), whole),
    assumptions="a symmetric Jacobian",
    scope="refuted for two patches, positive semidefinite",
    uses=("ec-versus-pc",),
    witness={"no coupling": {"blocks": in_blocks(np.diag([0.5, 0.25]), 1)}},
    corrected_by="ec-versus-pc",
    counterexamples={
        "‖J‖₂ = 0.8536, κ + δ = 1": {"blocks": in_blocks([[0.25, 0.25], [0.25, 0.75]], 1)},
        "‖J‖₂ = 0.9818, κ + δ = 1.125": {"blocks": in_blocks([[0.375, 0.375], [0.375, 0.75]], 1)},
        "indefinite, ‖J‖₂ = 0.8839, κ + δ = 1.25": {"blocks": in_blocks([[0.625, 0.625], [0.625, -0.625]], 1)},
        "a step on Gaussian data": {"blocks": in_blocks(step_jacobian(STEP, 1), 1)},
    },
)

GIVEN: dict[str, Any] = ec_versus_pc.GIVEN
observe, holds = ec_versus_pc.observe, ec_versus_pc.holds


def prove(formula: Formula) -> Iterator[Obligation]:
    """Patches that are not coupled and stretch alike have kappa + delta = ||J||."""
    a = sp.Symbol("a", positive=True)
    yield Identity("no coupling", formula([[a, 0], [0, a]], a)[1] - a)
