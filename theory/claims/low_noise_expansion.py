"""kappa grows towards the clean end: at low noise every step expands within patches, whatever the data.

False for points: there the posterior is one of them, and the step contracts by sin phi_s/sin phi_t. For a density
kappa tends to r_t, which is above 1, but tends to 1 too as phi_t -> 0: see `two-regimes`.
"""

from typing import Any

import sympy as sp

from theory.claim import Claim
from theory.claims import two_regimes
from theory.formulas import R

CLAIM = Claim(
    label="low-noise-expansion",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised (low noise: κ grows)",
    statement="At low noise κ_t → r_t > 1 for every data law.",
    equation=sp.Gt(sp.Symbol("kappa_t"), 1),
    formula=sp.Tuple(two_regimes.own, two_regimes.coupling, R, R),
    assumptions="the exact denoiser, x ~ p_t",
    scope="refuted on points",
    uses=("two-regimes",),
    witness={"a density": {"count": 1, "ratio": 0.5, "seed": 1}},
    corrected_by="two-regimes",
    counterexamples={
        "four points": {"count": 1, "ratio": 0.5, "seed": 1},
        "four points, a short step": {"count": 2, "ratio": 0.95, "seed": 2},
    },
)

GIVEN: dict[str, Any] = two_regimes.GIVEN
prove, observe, holds = two_regimes.prove, two_regimes.observe, two_regimes.holds
