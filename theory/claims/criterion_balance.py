"""Balance: equal Lyapunov contributions of the steps and equal information gains are two criteria, not one.

Along variance lam a step multiplies lengths by f_t and adds I_t = ln(N_s v_t/(N_t v_s))/2 nats on x_0 to x. With a
short step of length h at phi,

    ln f_t = (lam - 1) sin phi cos phi h/N + O(h^2),     I_t = lam cos phi h/(N sin phi) + O(h^2),

so that ln f_t/I_t -> (1 - 1/lam) v: a chain on which the one is equal gives the other in the proportion 1/v, which
diverges towards the data. The paper calls them equivalent: see `balance-is-information-gain`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import design, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, close
from theory.formulas import LAM, PHI_T, B, N, R, evaluate
from theory.formulas import PHI_S as S
from theory.instruments import step_factors

sine, cosine = sp.sin(PHI_T), sp.cos(PHI_T)
h = sp.Symbol("h", positive=True)

CLAIM = Claim(
    label="criterion-balance",
    source="Dooms 2026, arXiv:2603.13069, section 6, as summarised; decided here",
    statement="For short steps a step's Lyapunov contribution and its information gain are in the ratio (1 − 1/λ) v_t: "
    "equalising the one does not equalise the other.",
    equation=sp.Eq(sp.Limit(sp.log(sp.Symbol("f_t")) / sp.Symbol("I_t"), h, 0), (1 - 1 / LAM) * sp.Symbol("v_t")),
    formula=(1 - 1 / LAM) * sine**2,
    assumptions="0 < phi_t < pi/2, lam > 0, Delta_t -> 0",
    scope="Gaussian data, exact denoiser, every direction; measured with steps of 1e-4 of the distance to the ends",
    uses=("expansion-is-projection",),
    witness={
        "low noise": {"angle": 0.05, "lam": 4.0},
        "middle": {"angle": 0.8, "lam": 0.3},
        "high noise": {"angle": 1.5, "lam": 30.0},
        "neither grows": {"angle": 0.4, "lam": 1.0},
    },
    mutants={
        "equivalent, as reported": 1 - 1 / LAM,
        "deviation in place of variance": (1 - 1 / LAM) * sine,
        "variance of the data left out": sine**2,
        "signal in place of noise": (1 - 1 / LAM) * cosine**2,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"angle": st.floats(0.02, 1.55), "lam": strategies.variances(1e-2, 1e2)}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Both first orders in the step's length h; the ratio of the two."""
    length = (LAM - 1) * sine * cosine / N(PHI_T)
    gain = LAM * cosine / (N(PHI_T) * sine)
    yield Identity("ratio", formula * gain - length)
    log_f = sp.log((R + B * sine / N(PHI_T)).subs(S, PHI_T - h))
    yield Identity("first order of ln f_t", sp.diff(log_f, h).subs(h, 0) - length)
    yield Identity("ln f_t at h = 0", (R + B * sine / N(PHI_T)).subs(S, PHI_T) - 1)
    noisier = N(S) * sine**2 / (N(PHI_T) * sp.sin(S) ** 2)  # exp(2 I_t)
    yield Identity("first order of I_t", sp.diff(sp.log(noisier) / 2, S).subs(S, PHI_T) + gain)
    yield Identity("I_t at h = 0", noisier.subs(S, PHI_T) - 1)
    yield Positive("I_t > 0 to first order", gain, (PHI_T,), from_zero=False)


def observe(angle: float, lam: float) -> float:
    """A short step's measured logarithm by the library's information gain, extrapolated to no length."""
    ratios = []
    for reach in (1e-4, 2e-4):
        ends = angle + reach * min(angle, np.pi / 2 - angle) * np.array([-1.0, 1.0])
        step = schedules.from_angles(ends)
        factors, _ = step_factors(step, lam)
        ratios.append(float(np.log1p(factors[0, 0] - 1) / design.information_gain(step, lam)[0]))
    return 2 * ratios[0] - ratios[1]


def holds(formula: Formula, angle: float, lam: float) -> float:
    """The measured ratio is the formula, relative to (1 + 1/lam) v."""
    expected = evaluate(formula, {PHI_T: angle, LAM: lam})
    return close("ratio", observe(angle, lam), expected, 1e-6, (1 + 1 / lam) * np.sin(angle) ** 2)
