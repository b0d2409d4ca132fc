"""A step stretches v_k by the Gaussian's expansion less the suppression: exactly, at every point, for any data law.

S_k(x) = |b_t| <v_k, [J(eps_hat - eps_ref)]_kk v_k> and J Phi_t = r_t I + b_t J eps_hat give
<v_k, [J Phi_t]_kk v_k> = (r_t + b_t <v_k, [J eps_ref]_kk v_k>) - S_k. The patchwise Gaussian's noise estimate has the
slope sqrt(v_t)/N_t(lam_k) along v_k, which makes the bracket f_t(lam_k). With A = alpha_bar_t Sigma + v_t I that of
N(mu, Sigma) has sqrt(v_t) <v_k, A^-1 v_k>:

    g_kt = r_t - |b_t| sqrt(v_t) <v_k, A^-1 v_k> <= f_t(lam_k),        <v_k, A v_k> = N_t(lam_k),

since <u, A^-1 u> - 1/<u, A u> = ||A^(-1/2) u - A^(1/2) u/<u, A u>||^2 for unit u: 0 iff A v_k is a multiple of v_k,
that is, Sigma_jk v_k = 0 for every j != k.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, marginals, rayleigh_quotients, schedules, suppression
from pifs_sim.diffusion.suppression import leading_directions, reference_law
from pifs_sim.dynamics import Patches
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, Violation, close
from theory.formulas import PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS
from theory.marginals import Array, Law, drawn_law, normal_law

INVERSE = sp.Symbol("q", positive=True)  # <v_k, A^-1 v_k>
s = sp.sin(PHI_T)
quotient = sp.Symbol(r"{⟨v_{k}, [J\Phi_{t}]_{kk} v_{k}⟩}")
f_t, g_k, S_k, S_full = sp.symbols("f_t g_k S_k S_k^full")
PATCHES = Patches(4, 2)
COUPLED = np.diag([2.0, 0.5, 1.9, 1.5]) + 1.7 * (np.eye(4)[:, ::-1] * [1, 0, 0, 1])

CLAIM = Claim(
    label="suppression-identity",
    source="Dooms 2026, arXiv:2603.13069, section 4; the form for the full Gaussian derived here",
    statement="⟨v_k, [JΦ_t]_kk v_k⟩ = f_t(λ_k) − S_k, where S_k = |b_t| ⟨v_k, [∇Δε_t]_kk v_k⟩ against the patchwise "
    "Gaussian. Against N(μ, Σ) it is g_k − S_k, g_k = r_t − |b_t| √v_t ⟨v_k, [(ᾱ_t Σ + v_t I)⁻¹]_kk v_k⟩ ≤ f_t(λ_k), "
    "equal iff Σ_jk v_k = 0 for j ≠ k.",
    equation=(sp.Eq(quotient, f_t - S_k), sp.Eq(quotient, g_k - S_full), sp.Le(g_k, f_t)),
    formula=sp.Tuple(R + B * s / N(PHI_T), R + B * s * INVERSE),
    assumptions="0 <= phi_s < phi_t < pi/2, finite covariance, v_k the leading eigenvector of Sigma_kk",
    scope="every law, every point, every step with φ_t < π/2; measured on mixtures in two patches of two",
    uses=("jacobian-form", "diagonal-expansion"),
    witness={
        "three components": {"count": 3, "schedule": schedules.from_angles([0.1, 0.6, 1.2]), "seed": 1},
        "coupled Gaussian": {"count": 0, "schedule": schedules.linear(2), "seed": 2},
        "one step from 0": {"count": 2, "schedule": schedules.from_angles([0.0, 0.8]), "seed": 3},
    },
    mutants={
        "v_t in place of its root": sp.Tuple(R + B * s**2 / N(PHI_T), R + B * s**2 * INVERSE),
        "deviation in place of variance": sp.Tuple(R + B * s / sp.sqrt(N(PHI_T)), R + B * s * sp.sqrt(INVERSE)),
        "f_t against either reference": sp.Tuple(R + B * s / N(PHI_T), R + B * s / N(PHI_T)),
        "with the other sign of b": sp.Tuple(R - B * s / N(PHI_T), R - B * s * INVERSE),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "count": st.integers(1, 3),
    "schedule": st.sampled_from([0.7, 1.3, 1.57]).flatmap(
        lambda stop: strategies.schedules(max_steps=2, start=0.01, stop=stop)
    ),
    "seed": st.integers(0, 2**32 - 1),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Both identities from r + b J eps_hat, and g <= f from the square of a vector; p = <u, A u>, q = <u, A^-1 u>."""
    patchwise, full = formula
    own, weight, p, x = sp.symbols("e w p x", positive=True)  # e = <v, J eps_hat v>
    of_patchwise, of_full = s / N(PHI_T), s * INVERSE  # <v, J eps_ref v>
    quotient_ = R + B * own
    yield Identity(
        "both identities",
        quotient_ - (patchwise + B * (own - of_patchwise)) + weight * (quotient_ - (full + B * (own - of_full))),
    )
    yield Identity("f - g = |b| s (q - 1/p)", (patchwise - full) - (-B) * s * (INVERSE - 1 / N(PHI_T)))
    yield Identity("q - 1/p is a squared length", INVERSE - 1 / p - (INVERSE - 2 * x + x**2 * p).subs(x, 1 / p))
    yield Positive("|b| s cos phi_t", sp.sin(PHI_T) * sp.sin(PHI_T - PHI_S), (PHI_S, PHI_T))


@cache
def drawn(count: int, seed: int) -> Law:
    """A mixture of `count` components; of none, the Gaussian of stratified crossover."""
    return drawn_law(seed, 4, count) if count else normal_law(np.zeros(4), COUPLED)


@cache
def observe(count: int, schedule: Schedule, seed: int) -> tuple[dict[str, Array], dict[str, Array], Array, Array]:
    """|b| <v_k, J(eps_hat - eps_ref) v_k> and the library's S, for both references; <v_k, J Phi_t v_k>; lam_k.

    (T, B, M) at points of p_t, moved away by twice as much again; lam_k (M,).
    """
    law, rng = drawn(count, seed), np.random.default_rng(seed)
    chain = Chain(schedule, law.denoiser)
    x = marginals(chain, 2, rng) + 2 * rng.standard_normal((schedule.steps, 2, 4))
    leading = leading_directions(law.covariance, PATCHES)

    def slopes(denoiser: Any) -> Array:
        each = [denoiser.noise_jacobian(x[i], float(schedule.angles[i + 1])) for i in range(schedule.steps)]
        return np.array([np.sum(leading.directions * (J @ leading.directions), axis=1) for J in each])

    own, size = slopes(chain.denoiser), np.abs(schedule.b)[:, None, None]
    direct, library = {}, {}
    for name in ("patchwise", "full"):
        direct[name] = size * (own - slopes(exact_denoiser(reference_law(chain, PATCHES, name))))
        library[name] = suppression(chain, x, PATCHES, reference=name)
    return direct, library, rayleigh_quotients(chain, x, leading.directions), leading.values


def holds(formula: Formula, count: int, schedule: Schedule, seed: int) -> float:
    """Both identities at points in and off the law's reach, the library's S, and g <= f."""
    direct, library, quotients, lam = observe(count, schedule, seed)
    law = drawn(count, seed)
    directions = leading_directions(law.covariance, PATCHES).directions
    c, s_ = schedule.cos[1:, None, None], schedule.sin[1:, None, None]
    inverse = np.linalg.inv(c**2 * law.covariance + s_**2 * np.eye(4))
    values = steps_of(schedule, lam) | {INVERSE: np.einsum("ik,tij,jk->tk", directions, inverse, directions)}
    patchwise, full = (np.asarray(evaluate(part, values)) for part in formula)
    if np.any(full > patchwise + 64 * EPS * schedule.r[:, None]):
        raise Violation(f"g = {full!r} exceeds f = {patchwise!r}")
    # a Jacobian of the noise is at most 1/s and a covariance over s^3: both round to its size
    each = 1 + schedule.cos[1:] / schedule.sin[1:]
    scale = (schedule.r + np.abs(schedule.b) / schedule.sin[1:] * each)[:, None, None]
    errors = []
    for name, expected in (("patchwise", patchwise), ("full", full)):
        errors.append(close(f"{name}: the quotient", quotients + direct[name], expected[:, None], 1e-12, scale))
        close(f"{name}: the library's S", library[name], direct[name], 1e-12, scale)
    return max(errors)
