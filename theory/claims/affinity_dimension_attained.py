"""The box-counting dimension of every self-affine set is its affinity dimension.

False: maps whose images stack in one direction waste the other, as all cells of a carpet in one row do. It is so for
almost all offsets if all |A_i| < 1/2 (Falconer 1988; Solomyak 1998). See `affinity-dimension`.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from theory.claim import Claim, Formula, Identity, Obligation
from theory.claims import affinity_dimension
from theory.claims.affinity_dimension import box, s, singular_value_function

CLAIM = Claim(
    label="affinity-dimension-attained",
    source="`affinity-dimension` read as an equality",
    statement="The box-counting dimension of every self-affine set is its affinity dimension.",
    equation=sp.Eq(box, s),
    formula=(singular_value_function, lambda *_: True),
    assumptions="contracting affine maps",
    scope="refuted on carpets that leave rows empty",
    uses=("affinity-dimension",),
    witness={"every row": {"carpet": (2, ((0, 0), (2, 0), (3, 1))), "seed": 1}},
    corrected_by="affinity-dimension",
    counterexamples={
        "one row: ln 3/ln 4 below 1 + ln(3/2)/ln 4": {"carpet": (2, ((0, 0), (2, 0), (3, 0))), "seed": 2},
        "two of three rows": {"carpet": (3, ((0, 0), (3, 0), (4, 0), (5, 1), (8, 1))), "seed": 3},
    },
)

GIVEN: dict[str, Any] = affinity_dimension.GIVEN
observe, holds = affinity_dimension.observe, affinity_dimension.holds


def prove(formula: Formula) -> Iterator[Obligation]:
    """A square filled by its cells: s = 2."""
    m, n = sp.symbols("m n", positive=True)
    yield Identity("every cell", m * n * formula[0](sp.Integer(2), (1 / m, 1 / n)) - 1)
