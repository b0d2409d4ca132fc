"""kappa + delta < 1 makes a step contract in the Euclidean norm, whatever its Jacobian.

False for three patches and more: rows that all listen to one patch have small sums, but its column does not. A learned
denoiser has such Jacobians, an exact one does not. See `ec-versus-pc`, which asks for symmetry (or two patches).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from theory.claim import Claim, Formula, Identity, Obligation
from theory.claims import ec_versus_pc
from theory.claims.ec_versus_pc import in_blocks
from theory.claims.patch_contraction import row_sum

norm, J = sp.symbols("‖J‖_2 J", positive=True)
LISTENING = np.array([[0, 0, 0.75], [0, 0, 0.75], [0, 0, 0]])  # kappa + delta = 0.75, norm 0.75 sqrt 2

CLAIM = Claim(
    label="pc-implies-ec-without-symmetry",
    source="Dooms 2026, arXiv:2603.13069, section 3, as summarised: two conditions for contraction",
    statement="A Jacobian with κ + δ < 1 has ‖J‖₂ < 1, as ‖J‖₂ ≤ ϱ(J), symmetric or not.",
    equation=sp.Le(norm, sp.Function("varrho")(J)),
    formula=lambda norms, whole: (row_sum(norms), len(norms) * whole),
    assumptions="M patches of equal size",
    scope="refuted for three patches",
    uses=("ec-versus-pc",),
    witness={"symmetric": {"blocks": in_blocks([[0.5, 0.25], [0.25, 0.5]], 1)}},
    corrected_by="ec-versus-pc",
    counterexamples={
        "two patches that copy a third": {"blocks": in_blocks(LISTENING, 1)},
        "two patches of 2 that turn a third": {
            "blocks": in_blocks(np.kron(LISTENING, np.array([[0.0, -1.0], [1.0, 0.0]])), 2)
        },
    },
)

GIVEN: dict[str, Any] = ec_versus_pc.GIVEN
observe, holds = ec_versus_pc.observe, ec_versus_pc.holds


def prove(formula: Formula) -> Iterator[Obligation]:
    """One patch: its norm is the row sum."""
    a = sp.Symbol("a", positive=True)
    yield Identity("one patch", formula([[a]], a)[0] - a)
