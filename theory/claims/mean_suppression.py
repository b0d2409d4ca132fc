"""On average over the exact marginal the data expand less than the Gaussian with their mean and covariance.

J Phi_t is affine in Cov(x_0|x_t), whose mean is the error of the best estimate; the Gaussian's is that of the best
linear one, L(x) = mu + c Sigma (c^2 Sigma + s^2 I)^-1 (x - c mu). The two differ by the mean square of x_hat - L:

    J Phi_t of the Gaussian - E J Phi_t = (sin Delta cos phi_t/sin^3 phi_t) E (x_hat - L)(x_hat - L)^T  >=  0.

Hence E<v_k, [J Phi_t]_kk v_k> <= g <= f_t(lam_k), the second by <v, A v> <v, A^-1 v> >= 1, and E S_k >= 0; logarithms
and ln det are concave, and so are sums of the smallest log-eigenvalues. What of this fails elsewhere is kept in
`suppression-pointwise`, `suppression-along-the-chain`, `suppression-of-norms` and `suppression-of-the-spectrum`.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, N, evaluate, steps_of
from theory.marginals import Array, Law, drawn_law, normal_law, two_normals
from theory.suppression import Chains, Step

c, s = sp.cos(PHI_T), sp.sin(PHI_T)
gain = sp.sin(DELTA) * c / s**3
E_J, J_G = (sp.Symbol(f"{{{name}}}", commutative=False) for name in ("\\mathbb{E}\\,J\\Phi_t", "J\\Phi_t^G"))
E_xx = sp.Symbol("{\\mathbb{E}(\\hat{x}_0-L)(\\hat{x}_0-L)^T}", commutative=False)


class Statement(NamedTuple):
    """The coefficient of the gap as a formula, and what is said not to be negative, by name."""

    gap: sp.Expr
    margins: Callable[[Chains], dict[str, Array]]


HALF_PI = np.pi / 2
TWO = two_normals(0.6, [-2.5, 2.5], [0.3, 0.3])
TURNED = normal_law([1.0, -1.0], [[2.0, 0.9], [0.9, 1.0]])


def step_margins(step: Step) -> dict[str, Array]:
    """What one step has to spare, with x ~ p_t."""
    mean, eigenvalues = step.mean(step.jacobians), np.linalg.eigvalsh(step.jacobians)
    smallest = np.log(np.sort(step.expansion_of_all)).cumsum() - step.mean(np.log(eigenvalues).cumsum(axis=1))
    stretch = step.along(step.jacobians)
    return {
        "E J below the Gaussian's": np.asarray(np.linalg.eigvalsh(step.gaussian - mean)),
        "E S against the full Gaussian": step.along(step.gaussian) - step.mean(stretch),
        "g below f": step.expansion - step.along(step.gaussian),
        "E S": step.expansion - step.mean(stretch),
        "E ln below ln f": np.log(step.expansion) - step.mean(np.log(stretch)),
        "the j smallest logarithms, of all d ln det": smallest,
    }


def dimension(chains: Chains) -> Array:
    """d - d_eff, with the effective exponents sum_t E ln<v_k, J v_k>."""
    effective = sum(step.mean(np.log(step.along(step.jacobians))) for step in chains.steps)
    d_eff = kaplan_yorke_dimension(np.asarray(effective), chains.multiplicities)
    return np.array(chains.dimension_of_gaussian - d_eff)


def spare(formula: Formula, chains: Chains, tolerance: float) -> float:
    """Violation if a margin is negative; what the least of them lacks, 0 if nothing."""
    found = {name: float(np.min(margin)) for name, margin in formula.margins(chains).items()}
    least = min(found, key=found.__getitem__)
    if not found[least] >= -tolerance:
        raise Violation(f"{least}: {found[least]:.4g} < 0")
    return max(0.0, -found[least])


def margins(chains: Chains) -> dict[str, Array]:
    """Every step's, and that of the dimension."""
    found = {
        f"{name}, step {i + 1}": m for i, step in enumerate(chains.steps) for name, m in step_margins(step).items()
    }
    return found | {"d_eff below d": dimension(chains)}


CLAIM = Claim(
    label="mean-suppression",
    source="derived here; that S_k is positive is Dooms 2026, arXiv:2603.13069, section 4, as summarised",
    statement="For x ~ p_t, the Gaussian's JΦ_t less E JΦ_t is (sin Δ_t cos φ_t / sin³φ_t) E (x̂ − L)(x̂ − L)ᵀ ⪰ 0, L "
    "the Gaussian's estimate. So E⟨v_k, [JΦ_t]_kk v_k⟩ ≤ g ≤ f_t(λ_k), E S_k ≥ 0, the same for logarithms, ln det and "
    "sums of the j smallest log-eigenvalues, and d_eff ≤ d with Λ_k^eff = Σ_t E ln⟨v_k, [JΦ_t]_kk v_k⟩.",
    equation=(sp.Eq(J_G - E_J, gain * E_xx, evaluate=False), sp.Ge(sp.Symbol("d"), sp.Symbol("d_eff"))),
    formula=Statement(gain, margins),
    assumptions="finite covariance, the exact denoiser, x ~ p_t the exact marginal, 0 < phi_t <= pi/2",
    scope="every law, every step; the gap proved in one dimension and along a direction in two, the concave parts from "
    "analysis; measured on mixtures in one and two dimensions by quadrature",
    witness={
        "two sharp components": {"law": TWO, "schedule": schedules.uniform_angle(3), "size": 1},
        "a turned Gaussian: equality": {"law": TURNED, "schedule": schedules.cosine(2, max_beta=None), "size": 1},
        "three components, one patch": {"law": drawn_law(3, 2, 3), "schedule": schedules.linear(2), "size": 2},
    },
    mutants={
        "gap of the noise": Statement(sp.sin(DELTA) / (c * s), margins),
        "gap without the angle": Statement(gain / c, margins),
        "gap of the velocity": Statement(sp.sin(DELTA) * s / c, margins),
    },
    expects=Status.CHECKED,
    uses=("expansion-is-projection", "tweedie-jacobian"),
)


def wider(seed: int, dim: int, count: int, scale: float) -> Law:
    """A drawn law, its points scaled."""
    law = drawn_law(seed, dim, count)
    return Law(law.weights, scale * law.means, scale**2 * law.covariances)


GIVEN: dict[str, Any] = {
    "law": st.builds(
        wider,
        st.integers(0, 2**32 - 1),
        st.sampled_from([1, 1, 2]),
        st.sampled_from([2, 3]),
        st.sampled_from([1.0, 2.0]),
    ),
    "schedule": st.sampled_from([1e-3, 0.2, 0.7]).flatmap(lambda start: strategies.schedules(max_steps=2, start=start)),
    "size": st.just(1),
}

REGIONS: dict[str, Any] = {
    "d > 0": lambda **point: Chains(**point).dimension_of_gaussian > 0,
    "d < n": lambda **point: Chains(**point).dimension_of_gaussian < point["law"].dim,
    "the plane": lambda law, **_: law.dim > 1,
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """E Cov = lam + mu^2 - E x_hat^2, and E x_hat L = E x_0 L, as x_0 - x_hat is orthogonal to functions of x."""
    mu, second = sp.symbols("mu E", positive=True)  # E = E x_hat^2
    linear = LAM * c / N(PHI_T)  # slope of L
    weight = sp.sin(DELTA) * c / s**3  # of the covariance in J Phi_t: tweedie-jacobian
    floor, cross = sp.sin(PHI_S) / s, mu**2 + linear * c * LAM  # E x_0 L
    squares = second - 2 * cross + mu**2 + linear**2 * N(PHI_T)  # E (x_hat - L)^2
    gaussian = floor + sp.sin(DELTA) / s * linear
    observed = floor + weight * (LAM + mu**2 - second)
    yield Identity("the gap", gaussian - observed - formula.gap * squares)
    yield Positive("the gap's factor times sin^3", sp.sin(DELTA) * c, (PHI_S, PHI_T))
    a, b, e = sp.symbols("a b e", positive=True)  # c^2 Sigma + s^2 I = [[a, e], [e, b]]
    yield Identity("[A]_11 [A^-1]_11 - 1 = e^2/det A", a * b / (a * b - e**2) - 1 - e**2 / (a * b - e**2))
    yield NotProved("ln, ln det and sums of the least logarithms are concave", "convex analysis (a proof assistant)")


def observe(law: Law, schedule: Schedule, size: int) -> Chains:
    """The chain's Jacobians, x_hat - L, the Gaussian's chain, and points of p_t and of the chain itself."""
    return Chains(law, schedule, size)


def holds(formula: Formula, law: Law, schedule: Schedule, size: int) -> float:
    """The gap, then every margin, to the quadrature's 1e-6 of the Jacobian's size."""
    chains, errors = observe(law, schedule, size), []
    factors = evaluate(formula.gap, steps_of(schedule))
    for step, factor in zip(chains.steps, factors, strict=True):
        squares = step.mean(step.deviation[:, :, None] * step.deviation[:, None, :])
        with np.errstate(invalid="ignore"):  # a wrong factor may be infinite at pi/2, where the squares are 0
            expected = factor * squares
        found, scale = step.gaussian - step.mean(step.jacobians), np.linalg.norm(step.gaussian, 2)
        errors.append(close("the gap", found, expected, 1e-6, scale))
    spare(formula, chains, 1e-6)
    return max(errors)
