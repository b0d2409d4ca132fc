"""The similarity dimension is the box-counting dimension of every set of similarities, overlapping or not.

False: it counts every word as a piece of its own, 3^n of them for three maps, and with exact overlaps there are fewer.
See `open-set-needed`.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from theory.claim import Claim, Formula, Identity, Obligation
from theory.claims import open_set_needed
from theory.claims.open_set_needed import N

CLAIM = Claim(
    label="moran-without-open-set",
    source="`moran-similarity` without its assumption",
    statement="The box-counting dimension of {x/3, (x+1)/3, (x+3)/3} is D = 1: its words of n letters give 3ⁿ pieces.",
    equation=sp.Eq(sp.Symbol("dim"), 1),
    formula=3**N,
    assumptions="similarities, 0 < r_i < 1",
    scope="refuted from two letters on",
    uses=("open-set-needed",),
    witness={"one letter": {"letters": 1, "scale": 1.0, "shift": 0.0}},
    corrected_by="open-set-needed",
    counterexamples={
        "two letters, 8 maps": {"letters": 2, "scale": 1.0, "shift": 0.0},
        "nine letters, 6765 maps": {"letters": 9, "scale": 1.0, "shift": 0.0},
    },
)

GIVEN: dict[str, Any] = open_set_needed.GIVEN
observe, holds = open_set_needed.observe, open_set_needed.holds


def prove(formula: Formula) -> Iterator[Obligation]:
    """One letter gives three maps."""
    yield Identity("one letter", formula.subs(N, 1) - 3)
