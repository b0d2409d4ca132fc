"""eps_hat is that of any reference Gaussian to O(sqrt(alpha_bar)) in L^2(p_t), for any data of finite variance.

E<eps_hat, eps_hat'> = E<eps, eps_hat'>, as eps - eps_hat is orthogonal to functions of x. Along an axis on which the
data have variance lam, the reference lam' (N' = c^2 lam' + s^2), and the means differ by d, this leaves

    E|eps_hat - eps_hat'|^2 = alpha_bar (alpha_bar lam'^2 + v (lam + d^2))/N'^2 - E|eps - eps_hat|^2,

added over the axes of the reference; the last term is what the bound gives away. It is loose: with equal means the
order is 1 or more (`deviation-orders`). The reported slope of 0.95 against ln sqrt(alpha_bar) is that of unequal
means, 1.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, Violation, close
from theory.deviation import deviations, student
from theory.formulas import LAM, PHI_T, evaluate
from theory.marginals import Array, Law, drawn_law, normal_law, two_normals

c, s = sp.cos(PHI_T), sp.sin(PHI_T)
own, off = sp.symbols("lambda__' d", positive=True)
marginal = own * c**2 + s**2
bound = c**2 * (c**2 * own**2 + s**2 * (LAM + off**2)) / marginal**2
alpha_bar, deviation = sp.symbols("\\bar{\\alpha}_t {\\|\\Delta\\varepsilon_t\\|}", positive=True)

CLAIM = Claim(
    label="score-deviation-order",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised; the constant is derived here",
    statement="‖Δε_t‖ = O(√ᾱ_t) in L²(p_t), for any data of finite variance and any reference Gaussian N(μ', diag λ'): "
    "E‖Δε_t‖² ≤ ᾱ_t Σ (ᾱ_t λ'² + v_t (λ + (μ − μ')²))/N_t(λ')², with the difference E‖ε − ε̂‖².",
    equation=sp.Eq(deviation, sp.O(sp.sqrt(alpha_bar)), evaluate=False),
    formula=bound,
    assumptions="finite variance, x ~ p_t, 0 < phi_t <= pi/2",
    scope="every law, in the axes of the reference; measured on mixtures in one and two dimensions and on Student's t, "
    "ν = 3.5",
    witness={
        "other mean": {
            "law": two_normals(0.6, [-2.5, 2.5], [0.3, 0.3]),
            "angle": 1.5,
            "offset": 0.7,
            "scale": 1.0,
        },
        "a Gaussian, patch by patch": {
            "law": normal_law([1.0, 0.0], [[2.0, 0.9], [0.9, 1.0]]),
            "angle": 0.4,
            "offset": 0.0,
            "scale": 1.0,
        },
        "Student's t": {"law": student(3.5), "angle": 1.4, "offset": 0.3, "scale": 1.0, "tailed": True},
    },
    mutants={
        "order 1": bound * c**2,
        "equal means": bound.subs(off, 0),
        "the reference's variance only": bound.subs(LAM, own),
        "N' not squared": bound * marginal,
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.sampled_from([1, 1, 2]), st.sampled_from([2, 3])),
    "angle": st.floats(0.05, 1.55) | st.sampled_from([0.3, 1.5, np.pi / 2]),
    "offset": st.sampled_from([0.0, 0.5]) | st.floats(-2, 2),
    "scale": st.sampled_from([1.0, 0.5]) | st.floats(0.3, 3.0),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """E|eps|^2 - 2 E<eps, eps_hat'> + E|eps_hat'|^2, with eps_hat' = s (x - c mu')/N', x of variance c^2 lam + s^2."""
    cross, square = s**2 / marginal, s**2 * (c**2 * LAM + s**2 + c**2 * off**2) / marginal**2
    yield Identity("along an axis, the error of eps_hat apart", 1 - 2 * cross + square - formula)
    x, guess = sp.symbols("eps_hat eps_hat__'")
    noise = sp.Symbol("epsilon")
    parts = (noise - x) ** 2 + (x - guess) ** 2 + 2 * (noise - x) * (x - guess)
    yield Identity("the square splits, its cross term orthogonal", (noise - guess) ** 2 - parts)
    yield Positive("the bound over alpha_bar", formula / c**2, (PHI_T,), from_zero=False)
    limit = formula / c**2 - (LAM + off**2)
    yield Identity("sqrt(lam + d^2) sqrt(alpha_bar) to leading order", limit.subs(PHI_T, sp.pi / 2))


def observe(law: Law, angle: float, mean: Array, variances: Array, tailed: bool) -> tuple[float, float]:
    """E|eps_hat - eps_hat'|^2 and E|eps - eps_hat|^2 = d - E|eps_hat|^2."""
    difference, square = deviations(law, angle, mean, variances, tailed=tailed)
    return difference, law.dim - square


def holds(formula: Formula, law: Law, angle: float, offset: float, scale: float, *, tailed: bool = False) -> float:
    """The equality to 1e-6, and the bound."""
    actual = np.diag(law.covariance)
    variances = scale * actual
    difference, error = observe(law, angle, law.mean + offset, variances, tailed)
    values: dict[Any, Any] = {PHI_T: angle, LAM: actual, own: variances, off: abs(offset)}
    claimed = float(evaluate(formula, values).sum())
    if difference > claimed + 1e-6:
        raise Violation(f"E|eps_hat - eps_hat'|^2 = {difference!r} exceeds {claimed!r}")
    return close("the bound less what it gives away", difference + error, claimed, 1e-6, 1.0)
