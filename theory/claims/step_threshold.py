"""f_t(lam) = 1 exactly at lam*_t = (sqrt(v_t)/L*_t - v_t)/alpha_bar_t, for phi_t < pi/2; below 1 before, above after.

With L*_t = (r_t - 1)/|b_t|: (f_t(lam) - 1) N_t(lam) = (r_t - 1) alpha_bar_t (lam - lam*_t).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, close
from theory.formulas import LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import step_thresholds

ct, st = sp.cos(PHI_T), sp.sin(PHI_T)
v_t, alpha_bar_t, L_t = sp.symbols("v_t ᾱ_t L^*_t", positive=True)
threshold = (R - 1) / -B
expansion = R + B * st / N(PHI_T)

CLAIM = Claim(
    label="step-threshold",
    source="Dooms 2026, arXiv:2603.13069, section 5",
    statement="A step leaves exactly the directions of variance λ*_t = (√v_t / L*_t − v_t) / ᾱ_t as long as they were: "
    "f_t(λ) = 1 iff λ = λ*_t, and f_t(λ) > 1 iff λ > λ*_t.",
    equation=sp.Eq(sp.Symbol("lambda^*_t"), (sp.sqrt(v_t) / L_t - v_t) / alpha_bar_t),
    formula=(st / threshold - st**2) / ct**2,
    assumptions="0 <= phi_s < phi_t < pi/2, lam > 0",
    scope="Gaussian data, exact denoiser, every step with φ_t < π/2",
    uses=("diagonal-expansion",),
    witness={
        "linear chain, every 200th step": {"schedule": schedules.linear(1000).subsample(range(0, 1001, 200))},
        "one step from 0": {"schedule": schedules.from_angles([0.0, 0.8])},
        "cosine chain": {"schedule": schedules.cosine(4)},
    },
    mutants={
        "without - v_t": st / threshold / ct**2,
        "v_t in place of its root": (st**2 / threshold - st**2) / ct**2,
        "deviation in place of variance": (st / threshold - st**2) / ct,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(max_steps=3)}


def supposes(schedule: Schedule) -> None:
    """No step from pi/2."""
    if schedule.cos[-1] == 0:
        raise ValueError("`schedule` ends at pi/2, expected phi_T < pi/2.")


def prove(formula: Formula) -> Iterator[Obligation]:
    """f - 1 is linear in lam over N, with a positive slope and its zero at the formula."""
    yield Identity(
        "(f - 1) N = (r - 1) alpha_bar (lam - lam*)", (expansion - 1) * N(PHI_T) - (R - 1) * ct**2 * (LAM - formula)
    )
    yield Identity("f(lam*) = 1", expansion.subs(LAM, formula) - 1)
    yield Positive("r > 1", R - 1, (PHI_S, PHI_T))
    yield Implies("f > 1 above lam*", (formula < LAM,), expansion > 1, (PHI_S, PHI_T))
    yield Implies("f < 1 below lam*", (formula > LAM,), expansion < 1, (PHI_S, PHI_T))


def observe(schedule: Schedule) -> tuple[Any, Any]:
    """The variance at which each step of the chain neither stretches nor shrinks, with its relative rounding error."""
    return step_thresholds(schedule)


def holds(formula: Formula, schedule: Schedule) -> float:
    """Measured roots equal the formula where rounding does not hide them, and geometry's; none, and inf, at pi/2."""
    roots, errors = observe(schedule)
    expected = evaluate(formula, steps_of(schedule))
    found = np.isfinite(roots)
    close("root of f_t - 1, in its rounding errors", roots[found], expected[found], 1.0, (errors * expected)[found])
    return close("geometry's lam*_t", geometry.step_threshold(schedule), expected, 1e-13)
