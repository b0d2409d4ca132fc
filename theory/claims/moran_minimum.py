"""Over the schedules of T >= 2 steps from 0 to pi/2, min lam** = sec(pi/2T)^{2T} > e^{pi^2/4T}.

It is attained by sigma_i = sqrt(lam**) tan(i pi/2T), equal steps of psi at lam = lam**: T = 2: 4; T = 3: 2.37037;
T = 10: 1.281154. Equal angles come within 2e-9 of it at T = 1000, and have no root at T = 2. (T = 1 has no root.)
For every T: theorem `moran_minimum` of theory/coq/MoranMinimum.v, from the largest product of T cosines.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Certified, Claim, Formula, Identity, Lemma, Obligation, Positive, Status, Violation, close
from theory.formulas import LAM, PHI_S, PHI_T, evaluate
from theory.instruments import EPS, chain_growth

T = sp.Symbol("T", positive=True, integer=True)
PRINTED = {2: "4.00000", 3: "2.37037", 10: "1.281154"}

CLAIM = Claim(
    label="moran-minimum",
    source="derived here",
    statement="Over all schedules of T ≥ 2 steps from 0 to π/2 the least global expansion threshold is "
    "λ** = sec(π/2T)^{2T} > e^{π²/4T}, attained by σ_i = √λ** tan(iπ/2T).",
    equation=sp.Eq(sp.Symbol("lambda__**_min"), sp.sec(sp.pi / (2 * T)) ** (2 * T)),
    formula=sp.cos(sp.pi / (2 * T)) ** (-2 * T),
    assumptions="phi_0 = 0, phi_T = pi/2, T >= 2",
    scope="Gaussian data, exact denoiser, every chain from 0 to π/2",
    uses=("telescoping", "moran"),
    witness={
        "two equal steps, no root": {"schedule": schedules.uniform_angle(2)},
        "two steps": {"schedule": schedules.from_sigma([0.0, 1.5, math.inf])},
        "three steps": {"schedule": schedules.uniform_angle(3)},
        "ten steps": {"schedule": schedules.uniform_angle(10)},
        "a thousand equal steps": {"schedule": schedules.uniform_angle(1000)},
    },
    mutants={
        "deviation in place of variance": sp.cos(sp.pi / (2 * T)) ** (-T),
        "one step more": sp.cos(sp.pi / (2 * T + 2)) ** (-2 * T - 2),
        "the bound for its limit": sp.exp(sp.pi**2 / (4 * T)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(min_steps=2, max_steps=10, start=0.0, stop=math.pi / 2)}


def least_root(arb: Any, steps: int) -> Any:
    """sec(pi/2T)^{2T} as a ball."""
    return (arb.pi() / (2 * steps)).cos() ** (-2 * steps)


def supposes(schedule: Schedule) -> None:
    """From 0 to pi/2 in two steps or more."""
    ends = schedule.angles[[0, -1]]
    if schedule.steps < 2 or tuple(ends) != (0.0, math.pi / 2):
        raise ValueError(
            f"`schedule` has {schedule.steps} steps from {ends[0]} to {ends[1]}, expected T >= 2, 0 to pi/2."
        )


def prove(formula: Formula) -> Iterator[Obligation]:
    """With equal steps of psi the growth is sqrt(lam) cos(pi/2T)^T; equalising two neighbouring steps raises it."""
    yield Identity("(sqrt(lam) cos(pi/2T)^T)^2 = 1", formula * sp.cos(sp.pi / (2 * T)) ** (2 * T) - 1)
    even, split = sp.cos((PHI_S + PHI_T) / 2) ** 2, sp.cos(PHI_S) * sp.cos(PHI_T)
    yield Identity("two steps a, b", even - split - sp.sin((PHI_T - PHI_S) / 2) ** 2)
    psi = sp.Symbol("phi_psi", positive=True)
    sigma = sp.sqrt(LAM) * sp.tan(psi)  # so that u = cos(phi) (sqrt(lam), sigma) is along (cos psi, sin psi)
    yield Identity("direction of u", sp.sqrt(LAM) * sp.sin(psi) - sigma * sp.cos(psi))
    gap = -2 * sp.log(sp.cos(psi)) - psi**2  # > 0, so sec(x)^{2T} > e^{T x^2}: it and its slope start from 0
    yield Identity("slope of the bound", sp.diff(gap, psi) - 2 * (sp.tan(psi) - psi))
    yield Identity("curvature of the bound", sp.diff(gap, psi, 2) - 2 * sp.tan(psi) ** 2)
    yield Positive("curvature > 0", sp.tan(psi) ** 2, (psi,), from_zero=False)
    for steps, printed in PRINTED.items():
        share, half = Fraction(printed), Fraction(1, 2 * 10 ** len(printed.partition(".")[2]))
        for side, bound in ((1, share - half), (-1, share + half)):

            def gap(arb: Any, n: int = steps, x: Fraction = bound, sign: int = side) -> Any:
                return sign * (least_root(arb, n) - arb(x.numerator) / x.denominator)

            yield Certified(f"T = {steps}: {'above' if side > 0 else 'below'} {float(bound)!r}", gap)
    yield Lemma("moran_minimum", "MoranMinimum.v")


@cache
def observe(steps: int) -> float:
    """The least lam** that minimisation over ln(sigma) finds, from sigma = 2 tan(i pi/2T)."""
    first = np.log(2 * np.tan(np.arange(1, steps) * math.pi / (2 * steps)))

    def threshold(log_sigma: Any) -> float:
        if not (np.diff(log_sigma) > 0).all():
            return math.inf
        return geometry.moran_threshold(schedules.from_sigma([0.0, *np.exp(log_sigma), math.inf]))

    return float(minimize(threshold, first, method="BFGS").fun)


def holds(formula: Formula, schedule: Schedule) -> float:
    """The stated schedule has the stated root, at which its chain keeps size; no schedule does better."""
    steps = schedule.steps
    least = float(evaluate(formula, {T: steps}))
    spread = math.sqrt(least) * np.tan(np.arange(steps) * (math.pi / (2 * steps)))
    best = schedules.from_sigma([*spread, math.inf])
    error = close("growth of the stated schedule at the stated root", chain_growth(best, least), 1.0, 32 * EPS * steps)
    close("root of the stated schedule", geometry.moran_threshold(best), least, 32 * EPS * steps)
    if steps <= 6:
        close("least root by minimisation", observe(steps), least, 1e-8)
    if steps in PRINTED:
        close("printed value", least, float(PRINTED[steps]), 5e-7 if steps == 10 else 3e-6)
    root = geometry.moran_threshold(schedule)
    if not (root >= least * (1 - 32 * EPS * steps) and least > math.exp(math.pi**2 / (4 * steps))):
        raise Violation(f"lam** = {root!r} of {schedule!r} is below {least!r}, or that is below e^(pi^2/4T)")
    if steps == 1000:
        close("equal angles", root, least, 2e-9)
    return error
