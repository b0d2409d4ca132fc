"""Attention's entropy and the coupling delta_t are anti-correlated along the chain (reported rank correlation: -1.000).

False in general. The exact denoiser of points attends to them, and its chains end at hard attention, without coupling:
on 12 normal points in 8 dimensions, with steps even in logSNR, the rank correlation is +0.61. It is -1.000 above the
release of the points, and on chains with few steps below it; see `coupling-needs-entropy`.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from theory.claim import Claim, Formula, Identity, Obligation
from theory.claims import coupling_needs_entropy

correlation = sp.Symbol(r"{\rho(H_{t}, \delta_{t})}", real=True)


def anticorrelated(_lost: Any, factor: Any, _patches: Any) -> tuple[tuple[int, int, int], Any]:
    """Along the whole chain; no bound."""
    return (-1, 0, 0), factor * sp.oo if isinstance(factor, sp.Expr) else factor + float("inf")


CLAIM = Claim(
    label="entropy-coupling",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised, with the reported rank correlation -1.000",
    statement="Along a chain the entropy of attention and the coupling δ_t are anti-correlated.",
    equation=sp.Lt(correlation, 0),
    formula=anticorrelated,
    assumptions="a chain whose denoiser is attention; means over x_t = c x_0 + s eps",
    scope="refuted for exact denoisers of points",
    uses=("coupling-needs-entropy",),
    witness={"above the release": {"kind": "pair", "seed": 0, "count": 2, "patches": 2}},
    corrected_by="coupling-needs-entropy",
    counterexamples={
        "twelve points": {"kind": "points", "seed": 1, "count": 12, "patches": 4},
        "twenty-four points": {"kind": "points", "seed": 1, "count": 24, "patches": 4},
        "eight patches": {"kind": "points", "seed": 1, "count": 12, "patches": 8},
    },
)

GIVEN: dict[str, Any] = coupling_needs_entropy.GIVEN
observe, holds = coupling_needs_entropy.observe, coupling_needs_entropy.holds


def prove(formula: Formula) -> Iterator[Obligation]:
    """The sign that is claimed."""
    signs, _ = formula(sp.Rational(1, 2), sp.Symbol("F", positive=True), 2)
    yield Identity("negative", sp.Integer(signs[0] + 1))
