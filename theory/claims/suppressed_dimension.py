"""The effective dimension is at most the Gaussian's: d_eff <= d, with exponents of the mean along fixed directions.

Lambda_eff(u) = sum_t E ln <u, J Phi_t u> over x ~ p_t. E ln <= ln E, E J Phi_t lies below the Jacobian of the Gaussian
with the same covariance, and that has <u, J u> <= f_t(<u, Sigma u>), equal for eigenvectors of Sigma
(`mean-suppression`). So each exponent is at most Lambda(<u, Sigma u>), and the Kaplan-Yorke dimension, the largest zero
of the partial sums, does not fall when an exponent grows. It holds with the patches' leading directions and with the
eigenvectors of Sigma. Read for the chain's own Lyapunov spectrum it is false: see `suppression-of-the-spectrum`.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import geometry, quotient_spectrum, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation
from theory.marginals import Array, drawn_law, normal_law
from theory.suppression import Chains, Step

w, a, b, e, h = sp.symbols("w a b e h", positive=True)


class Exponent(NamedTuple):
    """One step's exponent of a direction."""

    of_two: sp.Expr  # for Jacobians [[a, e], [e, h]] with weight w and [[b, e], [e, h]] with 1 - w, along (1, 0)
    measured: Callable[[Step, Array], Array]  # (m,), for the rows of directions (m, d)


def mean_of_two(function: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """w function(a) + (1 - w) function(b)."""
    return w * function(a) + (1 - w) * function(b)


def along(step: Step, directions: Array) -> Array:
    """<u, J u>, (n, m)."""
    return np.asarray(np.einsum("mi,nij,mj->nm", directions, step.jacobians, directions))


def lengths(step: Step, directions: Array) -> Array:
    """|J u|, (n, m)."""
    return np.linalg.norm(np.einsum("nij,mj->nmi", step.jacobians, directions), axis=2)


def largest(step: Step, directions: Array) -> Array:
    """The largest eigenvalue of J for every direction, (n, m)."""
    return np.linalg.eigvalsh(step.jacobians)[:, -1:] * np.ones(len(directions))


QUOTIENTS = Exponent(mean_of_two(sp.log), lambda step, u: step.mean(np.log(along(step, u))))
WRONG = {
    "the whole's largest eigenvalue": Exponent(
        mean_of_two(lambda x: sp.log((x + h + sp.sqrt((x - h) ** 2 + 4 * e**2)) / 2)),
        lambda step, u: step.mean(np.log(largest(step, u))),
    ),
    "the greatest of all points": Exponent(sp.log(sp.Max(a, b)), lambda step, u: np.log(along(step, u)).max(axis=0)),
    "lengths |J u|": Exponent(
        mean_of_two(lambda x: sp.log(x**2 + e**2) / 2), lambda step, u: step.mean(np.log(lengths(step, u)))
    ),
}

CLAIM = Claim(
    label="suppressed-dimension",
    source="Dooms 2026, arXiv:2603.13069, section 5, as summarised; the exponents for which it is true derived here",
    statement="With Λ_eff(u) = Σ_t E ln⟨u, JΦ_t u⟩ over x ~ p_t the effective Kaplan–Yorke dimension is at most that "
    "of the Gaussian with that covariance, d_eff ≤ d: for the patches' leading directions, and the eigenvectors of Σ.",
    equation=sp.Le(sp.Symbol("d_eff"), sp.Symbol("d")),
    formula=QUOTIENTS,
    assumptions="finite covariance, the exact denoiser, x ~ p_t the exact marginal at every step",
    scope="every law, every chain; measured on mixtures in the plane by quadrature",
    uses=("mean-suppression", "kaplan-yorke", "lyapunov-gaussian"),
    witness={
        "three components": {"seed": 3, "count": 3, "steps": 3},
        "two components": {"seed": 8, "count": 2, "steps": 2},
        "a Gaussian: equality": {"seed": 5, "count": 1, "steps": 3},
    },
    mutants=WRONG,
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "seed": st.integers(0, 2**32 - 1),
    "count": st.integers(1, 3),
    "steps": st.integers(1, 3),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The exponent of two points; ln below its tangents; d = 1 + a/b of the exponents (a, -b), a < b."""
    x = sp.Symbol("x", positive=True)
    yield Identity("E ln of two quotients", formula.of_two - (w * sp.log(a) + (1 - w) * sp.log(b)))
    yield Identity("the tangent of ln at m touches it", (sp.log(x) - (sp.log(a) + (x - a) / a)).subs(x, a))
    yield Positive("ln is concave", -sp.diff(sp.log(x), x, 2))
    yield Positive("d grows with the first exponent", sp.diff(1 + a / b, a))
    yield Positive("and falls with the size of the second", -sp.diff(1 + a / b, b))
    yield NotProved("E ln <= ln E, and d for any number of exponents", "convex analysis (a proof assistant)")


@cache
def observe(seed: int, count: int, steps: int) -> Chains:
    """The chain of a mixture drawn by the seed: Jacobians at the nodes of a quadrature over every p_t."""
    law = drawn_law(seed, 2, count)
    scaled = law._replace(covariances=1.5 * law.covariances) if count > 1 else normal_law(law.mean, law.covariance)
    return Chains(scaled, schedules.uniform_angle(steps, 0.2, 1.4), per_axis=18)


REGIONS: dict[str, Any] = {
    "d > 0": lambda **point: observe(**point).dimension_of_gaussian > 0,
    "d < 2": lambda **point: observe(**point).dimension_of_gaussian < 2,
    "not Gaussian": lambda count, **_: count > 1,
}


def holds(formula: Formula, seed: int, count: int, steps: int) -> float:
    """Exponents and dimensions of both sets of directions, to the quadrature's 1e-6."""
    chains, worst = observe(seed, count, steps), 0.0
    values, axes = np.linalg.eigh(chains.law.covariance)
    for lam, directions in (chains.leading, (values, axes.T)):
        each = np.array([formula.measured(step, directions) for step in chains.steps])
        found = quotient_spectrum(np.exp(each)[:, None, :])
        bound = geometry.lyapunov_exponent(chains.schedule, lam)
        if np.any(found.exponents > bound + 1e-6):
            raise Violation(f"exponents {found.exponents.tolist()} exceed {bound.tolist()}")
        if not found.dimension.value <= kaplan_yorke_dimension(bound) + 1e-5:
            raise Violation(f"d_eff = {found.dimension.value} > d = {kaplan_yorke_dimension(bound)}")
        worst = max(worst, float(np.max(found.exponents - bound)))
    return max(0.0, worst)
