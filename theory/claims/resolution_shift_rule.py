"""2 ln(64/d) is the best logSNR shift for pictures of d x d pixels, against 64 x 64.

False where a finer grid adds modes, as it does for every picture: on 1/k^2 spectra no shift at all is best in KL, and
half of the rule in W_2. See `resolution-shift`; true for a fixed set of modes, `fixed-mode-shift`.
"""

from typing import Any

import sympy as sp

from theory.claim import Claim
from theory.claims import resolution_shift
from theory.claims.resolution_shift import RULE

CLAIM = Claim(
    label="resolution-shift-rule",
    source="Hoogeboom, Heek, Salimans 2023, arXiv:2301.11093; Dooms 2026, arXiv:2603.13069, section 6, as summarised",
    statement="The best logSNR shift from 64 × 64 to d × d pixels is 2 ln(64/d), whatever the picture's spectrum.",
    equation=sp.Eq(sp.Symbol(r"{\Delta\,\mathrm{logSNR}}"), 2 * sp.log(64 / sp.Symbol("d"))),
    formula=RULE,  # 2 ln(64/d)
    assumptions="Gaussian data in an orthonormal basis of d x d modes, x_T ~ p_T, KL",
    scope="refuted on 1/k, 1/k² and 1/k³ spectra",
    uses=("resolution-shift",),
    witness={"a white spectrum of fixed size": {"power": 0.0, "pixels": 64}},
    corrected_by="resolution-shift",
    counterexamples={
        "p = 2": {"power": 2.0, "pixels": 512},
        "p = 1": {"power": 1.0, "pixels": 256},
        "p = 3": {"power": 3.0, "pixels": 256},
    },
)

GIVEN: dict[str, Any] = resolution_shift.GIVEN
prove, observe, holds = resolution_shift.prove, resolution_shift.observe, resolution_shift.holds
