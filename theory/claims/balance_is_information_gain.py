"""Equal Lyapunov contributions of the steps are, equivalently, equal information gains.

False: their ratio is (1 - 1/lam) v_t, which varies along every chain. See `criterion-balance`.
"""

from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, close
from theory.claims import criterion_balance
from theory.formulas import LAM, PHI_T, evaluate

CLAIM = Claim(
    label="balance-is-information-gain",
    source="Dooms 2026, arXiv:2603.13069, section 6, as summarised",
    statement="The balance of Lyapunov contributions is equivalent to that of information gains: the two are "
    "proportional along the chain.",
    equation=sp.Eq(sp.log(sp.Symbol("f_t")) / sp.Symbol("I_t"), sp.Symbol("constant")),
    formula=1 - 1 / LAM,  # up to a constant of the chain
    assumptions="0 < phi_t < pi/2, lam > 0, short steps",
    scope="refuted for every variance but 1, at any two noise levels",
    uses=("criterion-balance",),
    witness={"one angle": {"angles": (0.5,), "lam": 4.0}},
    corrected_by="criterion-balance",
    counterexamples={
        "two angles": {"angles": (0.3, 1.2), "lam": 4.0},
        "contracting": {"angles": (0.1, 0.2, 1.5), "lam": 0.1},
        "near each other": {"angles": (0.8, 0.85), "lam": 50.0},
    },
)

GIVEN: dict[str, Any] = {
    "angles": st.tuples(st.floats(0.02, 0.7), st.floats(0.8, 1.55)),
    "lam": strategies.variances(2.0, 1e2),
}
prove, observe = criterion_balance.prove, criterion_balance.observe


def holds(formula: Formula, angles: tuple[float, ...], lam: float) -> float:
    """Contribution by gain by formula is the same at all angles."""
    measured = np.array([observe(angle, lam) for angle in angles])
    shape = measured / evaluate(formula, {PHI_T: np.array(angles), LAM: lam})
    return close("ratio along the chain", shape, shape[0], 1e-5)
