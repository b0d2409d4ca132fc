"""When margins increase with variance on Gaussian data: only through coupling, and not at high noise.

m_k = 1 - <v_k, [J Phi_t]_kk v_k> = E S_k - (f_t(lam_k) - 1), the same at every x. With A = alpha_bar_t Sigma + v_t I

    m_k = 1 - r_t + |b_t| sqrt(v_t) <v_k, A^-1 v_k>.

Independent patches: <v_k, A^-1 v_k> = 1/N_t(lam_k), so m_k = 1 - f_t(lam_k) decreases in lam_k at every step. Any
Gaussian: A^-1 = I/v - alpha_bar Sigma/v^2 + alpha_bar^2 Sigma^2 A^-1/v^2, so it decreases too once alpha_bar is small.
In between coupling can turn the order: with Sigma = diag(2, .5, 1.9, 1.5), Sigma_14 = 1.7 and patches of 2, m increases
with lam iff tan^2 phi_t < 27.4. MM asks for that at every step: see `margin-monotonicity`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import (
    Chain,
    Schedule,
    exact_denoiser,
    leading_directions,
    margin_monotonicity,
    rayleigh_quotients,
    schedules,
)
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics import Patches
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, Violation, close
from theory.formulas import LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS
from theory.marginals import Array

INVERSE = sp.Symbol("q", positive=True)  # <v_k, A^-1 v_k>
c, s = sp.cos(PHI_T), sp.sin(PHI_T)
margin, r_t, b_t, v_t, alpha_bar = sp.symbols("m_k r_t b_t v_t ᾱ_t")
quadratic = sp.Symbol(r"{⟨v_{k}, [(\bar{\alpha}_{t}\Sigma + v_{t}I)^{-1}]_{kk} v_{k}⟩}")
PATCHES = Patches(4, 2)
INDEPENDENT = np.diag([2.0, 0.5, 1.9, 1.5])
COUPLED = INDEPENDENT + 1.7 * (np.eye(4)[:, ::-1] * [1, 0, 0, 1])
LAST = float(np.arctan(np.sqrt(27.4)))

CLAIM = Claim(
    label="stratified-crossover",
    source="Dooms 2026, arXiv:2603.13069, section 4; decided for Gaussian data here",
    statement="On Gaussian data the margin of patch k is 1 − r_t + |b_t| √v_t ⟨v_k, [(ᾱ_tΣ + v_tI)⁻¹]_kk v_k⟩. It "
    "decreases in λ_k at every step if patches are independent, and for every Σ once ᾱ_t is small; it can increase in "
    "λ_k in between: for Σ = diag(2, .5, 1.9, 1.5), Σ_14 = 1.7, patches of 2, iff tan²φ_t < 27.4.",
    equation=sp.Eq(margin, 1 - r_t + sp.Abs(b_t) * sp.sqrt(v_t) * quadratic),
    formula=1 - R - B * s * INVERSE,
    assumptions="Gaussian data, the exact denoiser, 0 <= phi_s < phi_t < pi/2",
    scope="every Gaussian, every step with φ_t < π/2",
    uses=("suppression-identity", "diagonal-expansion"),
    witness={
        "independent": {
            "schedule": schedules.uniform_angle(3, 0.0, 1.5),
            "covariance": INDEPENDENT,
            "increases": False,
        },
        "coupled, a chain that stops early": {
            "schedule": schedules.uniform_angle(6, 0.0, 1.2),
            "covariance": COUPLED,
            "increases": True,
        },
        "coupled, just below the bound": {
            "schedule": schedules.from_angles([0.5, LAST - 1e-9]),
            "covariance": COUPLED,
            "increases": True,
        },
        "coupled, just above it": {
            "schedule": schedules.from_angles([0.5, LAST + 1e-9]),
            "covariance": COUPLED,
            "increases": False,
        },
    },
    mutants={
        "v_t in place of its root": 1 - R - B * s**2 * INVERSE,
        "as if patches were independent": 1 - R - B * s / N(PHI_T),
        "with the other sign": 1 - R + B * s * INVERSE,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(max_steps=2, stop=1.5),
    "covariance": strategies.spd_matrices(4, least=0.05, largest=20).map(lambda law: law.matrix),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """m = E S - (f - 1); its slope for independent patches; A^-1 for small alpha_bar; the coupled example."""
    f, g = R + B * s / N(PHI_T), R + B * s * INVERSE
    yield Identity("m = (f - g) - (f - 1)", formula - ((f - g) - (f - 1)))
    slope = sp.diff(f, LAM)
    yield Identity("slope of f", slope - s * c * sp.sin(PHI_T - PHI_S) / N(PHI_T) ** 2)
    yield Positive("slope of f > 0: independent patches", s * c * sp.sin(PHI_T - PHI_S) / N(PHI_T) ** 2, (PHI_S, PHI_T))
    v, a, sigma = sp.symbols("v a sigma", positive=True)  # an eigenvalue of Sigma: both sides are functions of Sigma
    series = 1 / v - a * sigma / v**2 + a**2 * sigma**2 / (v**2 * (a * sigma + v))
    yield Identity("small alpha_bar", 1 / (a * sigma + v) - series)
    x = sp.Symbol("x", positive=True)  # tan^2 phi_t; q_k over 1/cos^2 phi_t
    first, second, fourth, third = (sp.Rational(n, 10) for n in (20, 5, 15, 19))
    A = sp.Matrix([[first + x, sp.Rational(17, 10)], [sp.Rational(17, 10), fourth + x]])
    larger, smaller = A.inv()[0, 0], 1 / (third + x)
    lead = (sp.Rational(274, 10) - x) / 10
    yield Identity("coupled: the larger variance's lead", (larger - smaller) * A.det() * (third + x) - lead)
    determinant = sp.expand(A.det())
    yield Positive("its denominator", determinant * (third + x))
    yield Identity("lam = 2 leads its patch", sp.Max(first, second) - first)


def observe(schedule: Schedule, covariance: Array) -> tuple[Array, Array]:
    """<v_k, [J Phi_t]_kk v_k> at two points, (T, 2, M), and lam_k."""
    chain = Chain(schedule, exact_denoiser(Gaussian(np.zeros(4), covariance)))
    leading = leading_directions(covariance, PATCHES)
    x = np.random.default_rng(0).standard_normal((schedule.steps, 2, 4))
    return rayleigh_quotients(chain, x, leading.directions), leading.values


def margins(formula: Formula, schedule: Schedule, covariance: Array) -> Array:
    """The formula at every step and patch, (T, M)."""
    lam, directions = leading_directions(covariance, PATCHES)
    cos, sin = schedule.cos[1:, None, None], schedule.sin[1:, None, None]
    inverse = np.linalg.inv(cos**2 * covariance + sin**2 * np.eye(4))
    return evaluate(
        formula, steps_of(schedule, lam) | {INVERSE: np.einsum("ik,tij,jk->tk", directions, inverse, directions)}
    )


def ordered(formula: Formula, schedule: Schedule, covariance: Array) -> None:
    """Violation unless the margins' order is the formula's wherever rounding does not hide it."""
    quotients, lam = observe(schedule, covariance)
    measured, claimed = 1 - quotients[:, 0], margins(formula, schedule, covariance)
    apart = measured[:, 0] - measured[:, 1]
    clear = np.abs(apart) > 1e-12 * schedule.r
    if np.any(clear & (np.sign(apart) != np.sign(claimed[:, 0] - claimed[:, 1]))):
        raise Violation(f"margins {measured.tolist()} for variances {lam.tolist()}: not in the order of the claim")


def noisy_end(covariance: Array, lam: Array) -> Schedule:
    """A step at so small an alpha_bar that the first order decides: its next is |Sigma|^2 alpha_bar/(difference)."""
    size = float(np.linalg.norm(covariance, 2))
    cos = min(0.05, 0.3 * float(np.sqrt(abs(lam[0] - lam[1]))) / (1 + size))
    return Schedule(np.array([0.5, np.arccos(cos)]))


def holds(formula: Formula, schedule: Schedule, covariance: Array, increases: bool | None = None) -> float:
    """Margins and their order; at high noise, and for independent patches, they decrease in lam."""
    quotients, lam = observe(schedule, covariance)
    scale = (schedule.r + np.abs(schedule.b) / schedule.sin[1:])[:, None]
    error = close("margins", 1 - quotients[:, 0], margins(formula, schedule, covariance), 1e3 * EPS, scale)
    ordered(formula, schedule, covariance)
    blocks = covariance.copy()
    blocks[:2, 2:] = blocks[2:, :2] = 0
    late = noisy_end(covariance, lam)
    for name, chain, law in (("independent", schedule, blocks), ("at high noise", late, covariance)):
        found = margin_monotonicity(observe(chain, law)[0], lam)
        if abs(lam[0] - lam[1]) > 1e-6 * lam.max() and np.any(found.increasing):
            raise Violation(f"{name}: margins {found.margins.tolist()} increase with {lam.tolist()}")
    if increases is not None and not np.all(margin_monotonicity(quotients, lam).holds == increases):
        raise Violation(
            f"expected margins that {'increase' if increases else 'do not increase'} with lam at every step"
        )
    return error
