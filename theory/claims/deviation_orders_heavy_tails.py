"""The orders alpha_bar^(n/2) hold for every law of finite variance.

False: Student's t with nu = 3.5, matched in mean and variance, symmetric, ought to give alpha_bar^2. By quadrature its
local order is 0.96 at alpha_bar = 0.03, 0.90 at 1e-6 and falls to nu/4 = 0.875: outliers, on which eps_hat is off by
1, have the probability alpha_bar^(nu/2). See `deviation-orders`.
"""

from typing import Any

import sympy as sp

from theory.claim import Claim
from theory.claims import deviation_orders
from theory.claims.deviation_orders import SYMMETRIC, alpha_bar, deviation, dk, n
from theory.deviation import student

CLAIM = Claim(
    label="deviation-orders-heavy-tails",
    source="`deviation-orders` without its assumption",
    statement="For every law of finite variance ε̂ less that of a reference Gaussian is of the order ᾱ^{n/2} as ᾱ → 0, "
    "n the first order at which the cumulants differ.",
    equation=sp.Eq(sp.Limit(sp.log(deviation) / sp.log(alpha_bar), alpha_bar, 0), n / 2, evaluate=False),
    formula=sp.Tuple(n / 2, dk / sp.sqrt(sp.factorial(n - 1))),
    assumptions="finite variance",
    scope="refuted by Student's t with 3.5 and with 5 degrees of freedom",
    uses=("deviation-orders",),
    witness={"fourth cumulant": {"law": SYMMETRIC, "matched": 2}},
    corrected_by="deviation-orders",
    counterexamples={
        "Student's t, 3.5 degrees": {"law": student(3.5), "matched": 2, "tail": 3.5},
        "Student's t, 5 degrees": {"law": student(5.0), "matched": 2, "tail": 5.0},
    },
)

GIVEN: dict[str, Any] = deviation_orders.GIVEN
prove, observe, holds = deviation_orders.prove, deviation_orders.observe, deviation_orders.holds
