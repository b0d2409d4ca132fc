"""For data of one variance lam the error-minimising schedule is uniform in psi: sigma_i = sqrt(lam) tan psi_i.

The number of steps and the end points are fixed and the chain starts from the exact marginal; KL and W_2 have the same
minimiser, since both fall as c = prod cos(psi_t - psi_s) grows. For lam = 1 from 0 to pi/2 it is the cosine schedule
without offset and clipping, and in general that schedule with every logSNR shifted by -ln lam.
For every T: theorems `optimal_schedule_one_scale` of theory/coq/Minimum.v and `uniform_schedule_exists` of
MoranMinimum.v.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st
from scipy.optimize import minimize

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Positive, Status, Violation, close
from theory.formulas import LAM, PHI_S, PHI_T, evaluate
from theory.instruments import EPS, chain_growth

psi = sp.Symbol("phi_psi", positive=True)
root = sp.sqrt(LAM)

CLAIM = Claim(
    label="optimal-schedule-one-scale",
    source="derived here; known as the Gaussian theorem of Align Your Steps, arXiv:2404.14507, and the tangent law of "
    "arXiv:2601.13602",
    statement="From the exact marginal and with fixed end points, the T-step schedule of least error for data of one "
    "variance λ is uniform in ψ: σ_i = √λ tan ψ_i; from 0 to π/2 it is the cosine schedule without offset and "
    "clipping, its logSNR shifted by −ln λ.",
    equation=sp.Eq(sp.Symbol("sigma_i"), root * sp.tan(sp.Symbol("psi_i"))),
    formula=root * sp.tan(psi),  # sigma at psi
    assumptions="one variance lam > 0, fixed phi_0 < phi_T and T, x_T ~ p_T",
    scope="isotropic Gaussian data, exact denoiser, exact marginal at φ_T, every T",
    uses=("telescoping", "chain-law"),
    witness={
        "cosine schedule": {"steps": 3, "start": 0.0, "stop": math.pi / 2, "lam": 1.0},
        "small variance": {"steps": 4, "start": 0.0, "stop": math.pi / 2, "lam": 0.25},
        "from a positive angle": {"steps": 3, "start": 0.02, "stop": 1.5, "lam": 9.0},
    },
    mutants={
        "variance in place of deviation": LAM * sp.tan(psi),
        "shifted the other way": sp.tan(psi) / root,
        "not shifted": sp.tan(psi),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "steps": st.integers(2, 3),
    "start": st.sampled_from([0.0]) | st.floats(0.01, 0.4),
    "stop": st.sampled_from([math.pi / 2, 1.2]) | st.floats(0.7, 1.57),
    "lam": strategies.variances(0.04, 25.0),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Sigma is where u has the direction psi; equalising two neighbouring steps raises c; both errors fall with c."""
    yield Identity("direction of u", root * sp.sin(psi) - formula * sp.cos(psi))
    even, split = sp.cos((PHI_S + PHI_T) / 2) ** 2, sp.cos(PHI_S) * sp.cos(PHI_T)
    yield Identity("product of cosines", split - (sp.cos(PHI_S + PHI_T) + sp.cos(PHI_T - PHI_S)) / 2)
    yield Identity("two steps a, b", even - split - sp.sin((PHI_T - PHI_S) / 2) ** 2)
    c = sp.cos(psi)
    slope = sp.diff((LAM**2 - 1 - 2 * sp.log(LAM)) / 2, LAM).subs(LAM, c)
    yield Identity("slope of KL in c", slope + sp.sin(psi) ** 2 / c)
    yield Positive("minus that slope > 0", sp.sin(psi) ** 2 / c, (psi,), from_zero=False)
    yield Identity("the shift by -ln lam", sp.exp(sp.log(LAM) / 2) * sp.tan(psi) - root * sp.tan(psi))
    yield Lemma("optimal_schedule_one_scale", "Minimum.v")
    yield Lemma("uniform_schedule_exists", "MoranMinimum.v")


@cache
def observe(steps: int, start: float, stop: float, lam: float) -> tuple[Schedule, float]:
    """The schedule of largest growth along lam, by minimisation over the interior angles; its growth."""

    def schedule(logits: Any) -> Schedule:
        ends = np.cumsum(np.exp(np.concatenate([[0.0], logits])))
        return schedules.from_angles([start, *(start + (stop - start) * ends[:-1] / ends[-1]), stop])

    def loss(logits: Any) -> float:
        return -float(geometry.lyapunov_exponent(schedule(logits), lam))

    found = minimize(loss, np.zeros(steps - 1), method="BFGS", jac="3-point", options={"gtol": 1e-7})
    return schedule(found.x), math.exp(-found.fun)


def holds(formula: Formula, steps: int, start: float, stop: float, lam: float) -> float:
    """The stated schedule grows most, has the least KL and W_2, and is the cosine schedule, shifted."""
    turns = [stop if phi == math.pi / 2 else math.atan2(math.tan(phi), math.sqrt(lam)) for phi in (start, stop)]
    sigma = evaluate(formula, {psi: np.linspace(turns[0], turns[1], steps + 1)[1:-1], LAM: lam})
    if not (math.tan(start) < sigma[0] and sigma[-1] < (math.inf if stop == math.pi / 2 else math.tan(stop))):
        raise Violation(f"sigma = {sigma} is not between the end points {start!r}, {stop!r}")
    best = schedules.from_angles([start, *np.arctan(sigma), stop])
    found, growth = observe(steps, start, stop, lam)
    error = close("largest growth", growth, chain_growth(best, lam), 1e-10)
    for metric in ("kl", "w2"):
        least = geometry.gaussian_error(best, lam, metric=metric)
        if geometry.gaussian_error(found, lam, metric=metric) < least * (1 - 1e-9):
            raise Violation(f"another schedule has a smaller {metric} than {least!r}")
    shifted = schedules.uniform_angle(steps, *turns).shift(-math.log(lam))
    close("shifted schedule", best.angles, shifted.angles, 16 * EPS, 1.0)
    if lam == 1 and (start, stop) == (0.0, math.pi / 2):
        close("cosine schedule", best.angles, schedules.cosine(steps, 0.0, max_beta=None).angles, 16 * EPS, 1.0)
    return error
