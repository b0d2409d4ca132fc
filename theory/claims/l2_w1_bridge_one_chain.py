"""The bridge with Lipschitz constants and points of the same chain.

False: the two chains then part at points that the bound has not seen. On centred normal laws with lam^ < lam, two
steps multiply by f^_1 f^_2 and f_1 f_2, the bound is f^_1 (f_2 - f^_2) + f^_2 (f_1 - f^_1), and what is missing is
(f_1 - f^_1)(f_2 - f^_2) > 0: every such pair is a counterexample. See `l2-w1-bridge`.
"""

from collections.abc import Iterator
from typing import Any

import sympy as sp

from pifs_sim.diffusion import schedules
from theory.claim import Claim, Formula, Identity, Obligation, Positive
from theory.claims import l2_w1_bridge
from theory.claims.l2_w1_bridge import NARROW, PIECES, SHIFTED, WIDE, Laws, Pair, centred, one_chain

CLAIM = Claim(
    label="l2-w1-bridge-one-chain",
    source="Dooms 2026, arXiv:2603.13069, section 3, read with one chain",
    statement="W₂ of the outputs of two chains is at most Σ_t (∏_{u<t} Lip Φ̂_u) sin Δ_t (E‖v̂′ − v̂″‖²)^{1/2} with x "
    "along Φ̂ itself.",
    equation=sp.Le(sp.Symbol("W_2"), sp.Symbol(r"{\text{bound along the chain of the constants}}")),
    formula=one_chain,
    assumptions="two chains on one schedule from one law p_T",
    scope="refuted by every pair of centred normal laws, the constants being those of the smaller variance",
    uses=("l2-w1-bridge",),
    witness={"another mean": {"laws": Laws(SHIFTED, NARROW), "schedule": schedules.linear(4), "attained": False}},
    corrected_by="l2-w1-bridge",
    counterexamples={
        "two steps": {"laws": Laws(NARROW, WIDE), "schedule": schedules.uniform_angle(2, 0.0, 1.2), "attained": True},
        "nearly a point": {"laws": Laws(centred(1e-4), WIDE), "schedule": schedules.uniform_angle(5), "attained": True},
        "a piece widened": {
            "laws": Laws(NARROW, PIECES),
            "schedule": schedules.uniform_angle(4, 0.1),
            "attained": False,
        },
    },
)

GIVEN: dict[str, Any] = l2_w1_bridge.GIVEN
observe = l2_w1_bridge.observe
holds = l2_w1_bridge.holds


def prove(formula: Formula) -> Iterator[Obligation]:
    """Two steps, f_u against f_u - e_u."""
    f, g, e, h = sp.symbols("f_1 f_2 e_1 e_2", positive=True)
    pair = Pair([f, g], [e * (g + h), h], [e * g, h])
    yield Identity("what is missing", (f + e) * (g + h) - f * g - formula(pair) - e * h)
    yield Positive("it is positive", e * h)
