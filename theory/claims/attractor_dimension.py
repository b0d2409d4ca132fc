"""The output of a finite chain has the dimension of its start; the data's shows in how fast volumes shrink.

With data of diameter D a step is rho x + tau x_hat, 0 <= J x_hat <= (cos phi_t/sin^2 phi_t) D^2/4 (Popoviciu), hence

    (sin phi_0/sin phi_T) |x - y| <= |Phi(x) - Phi(y)| <= prod_t (rho_t + tau_t (cos phi_t/sin^2 phi_t) D^2/4) |x - y|.

For phi_0 > 0 the chain keeps every dimension: its output has that of p_T, which is n, whatever the data. (Repeated on
its own output, a linear chain has one point for an attractor, or none.) Noise hides what is finer than it, so that
h(p_sigma) = (n - D_1) ln sigma + O(1), D_1 the data's information dimension (Renyi 1959, Acta Math. Acad. Sci. Hungar.
10, 193-215), and as volumes are entropies the sum of the exponents falls by n - D_1 for each unit of ln sigma. For the
measure of the maps r x and r x + 1 - r, taken with p and 1 - p, D_1 = (-p ln p - (1 - p) ln(1 - p))/ln(1/r), in the
mean over the period ln(1/r). The Kaplan-Yorke dimension is neither: see `attractor-is-kaplan-yorke`.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close
from theory.formulas import PHI_S, PHI_T, evaluate
from theory.marginals import Array, Law

n, D_1 = sp.symbols("n D_1")
rate = sp.Symbol(r"{\frac{d\,E[\ln|\det J\Phi|]}{d\ln\sigma}}")
FAR = 1e9  # where the denoiser knows but one point


class Entropies(NamedTuple):
    """Of the shares of the maps, and the period ln(1/r)."""

    shannon: Any
    of_the_count: Any  # ln 2
    of_collisions: Any  # -ln sum p^2
    period: Any


class Dimensions(NamedTuple):
    """The least stretch of a chain, the dimension seen in its volumes, and that of its output."""

    floor: sp.Expr
    data: Callable[[Entropies], Any]
    output: Callable[[Array], float]


def information(e: Entropies) -> Any:
    """D_1."""
    return e.shannon / e.period


FLOOR = sp.sin(PHI_S) / sp.sin(PHI_T)

CLAIM = Claim(
    label="attractor-dimension",
    source="derived here, on a question left open by Dooms 2026, arXiv:2603.13069, section 5; entropy: Rényi 1959",
    statement="A chain that stops at φ_0 > 0 on bounded data stretches every distance by sin φ_0 / sin φ_T at least "
    "and by a bounded factor at most: its output has the dimension n of its start. The data's information dimension is "
    "what volumes show: Σ_t E ln |det JΦ_t| falls by n − D_1 per unit of ln σ.",
    equation=sp.Eq(rate, n - D_1),
    formula=Dimensions(FLOOR, information, len),
    assumptions="exact denoiser, data of bounded support, phi_0 > 0; for the rate x ~ p_t and short steps",
    scope="bounded data, any dimension; the rate measured on self-similar measures of two maps on the line",
    uses=("tweedie-jacobian", "volume-is-entropy"),
    witness={
        "Cantor's set": {"ratio": 1 / 3, "share": 0.5},
        "Cantor's set, uneven": {"ratio": 1 / 3, "share": 0.2},
        "thin, very uneven": {"ratio": 0.2, "share": 0.05},
    },
    mutants={
        "a floor of cosines": Dimensions(sp.cos(PHI_T) / sp.cos(PHI_S), information, len),
        "a floor of tangents": Dimensions(sp.tan(PHI_S) / sp.tan(PHI_T), information, len),
        "the box-counting dimension": Dimensions(FLOOR, lambda e: e.of_the_count / e.period, len),
        "the correlation dimension": Dimensions(FLOOR, lambda e: e.of_collisions / e.period, len),
        "the codimension": Dimensions(FLOOR, lambda e: 1 - e.shannon / e.period, len),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {"ratio": st.sampled_from([0.15, 0.2, 0.25, 0.3]), "share": st.sampled_from([0.05, 0.15, 0.3])}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The step of a single point's denoiser; entropies of one period; floors multiply."""
    y, x, a, b = sp.symbols("y x a b")
    angle = sp.Symbol("phi_r", positive=True)
    step = sp.cos(PHI_S) * y + sp.sin(PHI_S) * (x - sp.cos(PHI_T) * y) / sp.sin(PHI_T)
    entropy, period = sp.symbols("H l", positive=True)
    others = sp.symbols("H_0 H_2", positive=True)
    dimension = formula.data(Entropies(entropy, others[0], others[1], period))
    fall = (1 - dimension) * -period  # of h over a period, which is ln r + H by self-similarity
    yield Identity("floor and period", a * (sp.diff(step, x) - formula.floor) + b * (fall - entropy + period))
    whole = formula.floor.subs(PHI_T, angle) * formula.floor.subs(PHI_S, angle)
    yield Identity("floors multiply", whole - formula.floor)
    yield NotProved("bi-Lipschitz maps keep dimensions; h = (n - D_1) ln sigma + O(1)", "analysis (a proof assistant)")


@cache
def measure(ratio: float, share: float, depth: int) -> Law:
    """The self-similar measure, its pieces of ratio^depth as normal laws of their mean and variance."""
    y, w = np.zeros(1), np.ones(1)
    for _ in range(depth):
        y, w = np.concatenate([ratio * y, ratio * y + 1 - ratio]), np.concatenate([share * w, (1 - share) * w])
    spread = ratio**depth * math.sqrt(share * (1 - share) * (1 - ratio) / (1 + ratio))
    return Law(w, (y + ratio**depth * (1 - share))[:, None], np.full((len(y), 1, 1), spread**2))


@cache
def observe(ratio: float, share: float) -> float:
    """How far E ln|det J Phi_t| - ln cos phi falls for a unit of ln tan phi, averaged over one period of sigma."""
    top, rates, step = (1 - 2 * ratio) / 14, [], 1e-4
    for sigma in top * ratio ** (np.arange(3) / 3):
        depth = math.ceil(math.log(sigma / 3) / math.log(ratio))
        law, schedule = measure(ratio, share, depth), Schedule(np.arctan(sigma * np.exp([-step, 0])))
        grid = np.arange(-7.0, 1 / sigma + 7.0, 0.6)[:, None] * sigma * schedule.cos[1]
        marginal = law.marginal(float(schedule.angles[1]))
        weights = np.exp(-0.5 * (grid - marginal.means[:, 0]) ** 2 / marginal.covariances[0, 0, 0]) @ law.weights
        stretched = Chain(schedule, law.denoiser).tangent(grid, 0, np.ones((len(grid), 1, 1)))[1][:, 0, 0]
        rates.append((weights @ np.log(stretched) / weights.sum() - math.log(schedule.cos[0] / schedule.cos[1])) / step)
    return float(-np.mean(rates))


@cache
def stretches(ratio: float, share: float) -> tuple[Schedule, Array, float]:
    """Difference quotients of a chain of five steps, the last one far from the data; and their upper bound."""
    law, schedule = measure(ratio, share, 3), Schedule(np.arctan(np.geomspace(0.02, 4.0, 6)))
    law = Law(law.weights, law.means, 0 * law.covariances)
    x = y = np.append(np.linspace(-3, 3, 200), [FAR, 2 * FAR])[:, None]
    chain = Chain(schedule, law.denoiser)
    for step in range(schedule.steps):
        y = chain.step(y, step)
    c, s, turn = schedule.cos[1:], schedule.sin, np.sin(schedule.increments)
    most = np.prod(s[:-1] / s[1:] + turn * c / s[1:] ** 3 * (np.ptp(law.means) / 2) ** 2)
    quotients = np.diff(y, axis=0) / np.diff(x, axis=0)
    return schedule, np.delete(quotients[:, 0], -2), float(most)


def holds(formula: Dimensions, ratio: float, share: float) -> float:
    """The floor, attained far from the data; the ceiling; the fall of the volume, to the grid's 5e-4."""
    schedule, quotients, most = stretches(ratio, share)
    floor = float(evaluate(formula.floor, {PHI_S: schedule.angles[0], PHI_T: schedule.angles[-1]}))
    close("stretch far from the data", quotients[-1], floor, 1e-12)
    if not ((1 - 1e-9) * floor <= quotients.min() and quotients.max() <= most):
        raise Violation(f"distances are stretched by {quotients.min()!r} to {quotients.max()!r}")
    shares = np.array([share, 1 - share])
    collisions, shannon = -math.log(float(shares @ shares)), -float(shares @ np.log(shares))
    claimed = formula.data(Entropies(shannon, math.log(2), collisions, -math.log(ratio)))
    return close("fall of the volume", 1 - observe(ratio, share), float(claimed), 5e-4, 1.0)
