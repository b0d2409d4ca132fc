"""On Gaussian data f_t(lam) > 1 iff lam > lam*_t; in angles, iff (lam - 1) sin(phi_t + mean) > (lam + 1) sin(Delta/2).

mean = (phi_s + phi_t)/2. On a uniform schedule the steps that expand a direction are therefore a window, symmetric in
phi_t + mean about pi/2, where lam*_t is least. It is empty for lam <= 1, never holds a step from pi/2, and reaches the
clean end if lam > lam*_1: the reverse chain contracts, expands, and contracts again only for lam below that.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, LAM, MEAN_ANGLE, PHI_S, PHI_T, N, evaluate, steps_of
from theory.instruments import EPS, step_factors

projection = LAM * sp.cos(PHI_S) * sp.cos(PHI_T) + sp.sin(PHI_S) * sp.sin(PHI_T)  # f_t N_t, at pi/2 too
turned, half = sp.sin(PHI_T + MEAN_ANGLE), sp.sin(DELTA / 2)
phi_t, mean, Delta_t = sp.symbols("phi_t φ̄_t Delta_t")

CLAIM = Claim(
    label="crossover-window",
    source="Dooms 2026, arXiv:2603.13069, section 4 (expansion, crossover, contraction); the window derived here",
    statement="A direction of variance λ expands at the steps {t : λ > λ*_t} = {t : (λ − 1) sin(φ_t + φ̄_t) > "
    "(λ + 1) sin(Δ_t/2)}; on a uniform schedule a window symmetric in φ_t + φ̄_t about π/2.",
    equation=sp.Gt((LAM - 1) * sp.sin(phi_t + mean), (LAM + 1) * sp.sin(Delta_t / 2)),
    formula=(LAM - 1) * turned - (LAM + 1) * half,
    assumptions="0 <= phi_s < phi_t <= pi/2, lam > 0",
    scope="Gaussian data, exact denoiser, every step; the window: uniform schedules",
    uses=("expansion-is-projection", "step-threshold-closed-form"),
    witness={
        "cosine chain, a window": {"schedule": schedules.cosine(8), "lam": 1.5},
        "linear chain": {"schedule": schedules.linear(1000).subsample(range(0, 1001, 125)), "lam": 20.0},
        "uniform to pi/2": {"schedule": schedules.uniform_angle(8), "lam": 3.0},
        "never expanding": {"schedule": schedules.uniform_angle(3), "lam": 0.5},
    },
    mutants={
        "twice phi_t": (LAM - 1) * sp.sin(2 * PHI_T) - (LAM + 1) * half,
        "twice the mean angle": (LAM - 1) * sp.sin(2 * MEAN_ANGLE) - (LAM + 1) * half,
        "whole step": (LAM - 1) * turned - (LAM + 1) * sp.sin(DELTA),
        "deviation in place of variance": (sp.sqrt(LAM) - 1) * turned - (sp.sqrt(LAM) + 1) * half,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"schedule": strategies.schedules(max_steps=8), "lam": strategies.variances(1e-3, 1e3)}

REGIONS: dict[str, Any] = {
    "an expanding step": lambda schedule, lam: bool((lam > geometry.step_threshold(schedule)).any()),
    "a contracting step": lambda schedule, lam: bool((lam < geometry.step_threshold(schedule)).any()),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """(f - 1) N = sin(Delta/2) formula = sin(Delta/2) cos phi_t sin(mean) 2 (lam - lam*): one sign for all three."""
    yield Identity("(f - 1) N = sin(Delta/2) formula", projection - N(PHI_T) - half * formula)
    threshold = sp.tan(PHI_T) / sp.tan(MEAN_ANGLE)
    yield Identity("in lam*", formula - 2 * sp.cos(PHI_T) * sp.sin(MEAN_ANGLE) * (LAM - threshold))
    yield Positive("its factor, times cos(Delta/2)", sp.cos(PHI_T) * (sp.sin(PHI_S) + sp.sin(PHI_T)), (PHI_S, PHI_T))
    yield Identity("lam* least where sin(phi_t + mean) is largest", threshold - (turned + half) / (turned - half))
    yield Identity("at pi/2", formula.subs(PHI_T, sp.pi / 2) + 2 * half.subs(PHI_T, sp.pi / 2))


def observe(schedule: Schedule, lam: float) -> tuple[Any, Any]:
    """f_t(lam) - 1 on the chain itself and its rounding, (T,)."""
    factors, scale = step_factors(schedule, lam)
    return factors[:, 0] - 1, (32 * scale[:, 0] + 4) * EPS  # the 4: f_t - 1 itself, where f_t is small


def holds(formula: Formula, schedule: Schedule, lam: float) -> float:
    """The steps that expand are those of the formula and of lam*_t; the uniform schedule's are those nearest pi/2."""
    uniform = schedules.uniform_angle(schedule.steps, float(schedule.angles[0]), float(schedule.angles[-1]))
    errors = []
    for chain in (schedule, uniform):
        excess, rounding = observe(chain, lam)
        values = {**steps_of(chain), LAM: lam}
        expected = np.sin(chain.increments / 2) * evaluate(formula, values) / evaluate(N(PHI_T), values)
        errors.append(close("f_t - 1, in its rounding errors", excess, expected, 1.0, rounding))
        decided = np.abs(excess) > rounding
        if np.any(decided & ((excess > 0) != (lam > geometry.step_threshold(chain)))):
            raise Violation(f"f_t - 1 = {excess!r}, but lam*_t = {geometry.step_threshold(chain)!r}")
    from_middle = np.abs(uniform.angles[1:] + (uniform.angles[1:] + uniform.angles[:-1]) / 2 - np.pi / 2)
    inside, outside = from_middle[decided & (excess > 0)], from_middle[decided & (excess < 0)]
    if inside.size and outside.size and inside.max() > outside.min() + 8 * EPS:
        raise Violation(f"not a window about pi/2: expanding at {inside!r} from it, contracting at {outside!r}")
    return 32 * EPS * max(errors)
