"""The empirical law's exact denoiser is softmax attention to the data: one query x, keys and values the points y_i.

By Bayes x_hat = sum_i softmax_i(ln w_i - |x - c y_i|^2/(2 v)) y_i with c = sqrt(alpha_bar) = cos(phi), v = sin^2(phi),
in which |x|^2 drops out: logits <x, y_i>/T with the temperature T = v/c, biased by ln w_i - |y_i|^2 c/(2 T). Attention
without the keys' norms is exact only for points of one length. The softmax makes J x_hat = (c/v) Cov_softmax(y). As
v -> 0 the point nearest to x takes all, for the logits' differences are those of |x - c y|^2 over -2 v.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import AttentionDenoiser, exact_denoiser
from pifs_sim.diffusion.measures import PointCloud
from pifs_sim.dynamics import Patches
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
log_weight, product, square = (
    sp.Symbol(name, real=True) for name in (r"{\ln w_{i}}", r"{⟨x, y_{i}⟩}", r"{‖y_{i}‖^{2}}")
)
c, v = sp.symbols("\\sqrt{\\bar{\\alpha}} v", positive=True)


def attention(log_weights: Any, products: Any, squares: Any, cos: Any, variance: Any) -> tuple[Any, Any]:
    """The logit of a point, and what the softmax' covariance is multiplied by in the Jacobian."""
    return log_weights + cos * products / variance - cos**2 * squares / (2 * variance), cos / variance


CLAIM = Claim(
    label="empirical-denoiser-is-attention",
    source="derived here (Bayes); the softmax form of the empirical denoiser is folklore",
    statement="For points y_i with weights w_i, x̂_0 = Σ softmax_i(ln w_i + √ᾱ⟨x, y_i⟩/v − ᾱ‖y_i‖²/(2v)) y_i and "
    "Jx̂_0 = (√ᾱ/v) Cov_softmax(y): attention with one query at temperature v/√ᾱ; v → 0 selects the nearest point.",
    equation=sp.Eq(sp.Symbol(r"{\mathrm{logit}_{i}}"), attention(log_weight, product, square, c, v)[0]),
    formula=attention,
    assumptions="the empirical law of finitely many points; the last part: no ties",
    scope="any weights and points, 0 < phi <= pi/2",
    witness={
        "five points in the plane": {"seed": 1, "count": 5, "dim": 2, "angle": 0.5},
        "hard": {"seed": 2, "count": 8, "dim": 3, "angle": 0.05},
        "flat": {"seed": 3, "count": 4, "dim": 4, "angle": 1.5},
        "pure noise": {"seed": 4, "count": 4, "dim": 1, "angle": float(np.pi / 2)},
    },
    mutants={
        "the keys' norms left out": lambda w, p, _, cos, var: (w + cos * p / var, cos / var),
        "temperature v": lambda w, p, q, _, var: (w + p / var - q / (2 * var), 1 / var),
        "temperature sqrt(v)/c": lambda w, p, q, cos, var: (
            w + cos * p / var**0.5 - cos**2 * q / (2 * var**0.5),
            cos / var**0.5,
        ),
        "the weights left out": lambda w, p, q, cos, var: attention(0 * w, p, q, cos, var),
        "the Jacobian of the plain mean": lambda w, p, q, cos, var: (attention(w, p, q, cos, var)[0], 1 / var),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "seed": st.integers(0, 2**32 - 1),
    "count": st.integers(2, 8),
    "dim": st.integers(1, 4),
    "angle": st.floats(0.05, 1.5),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The logit is Bayes' up to |x|^2/(2 v); with its slope the softmax has the Jacobian; leads are of the nearer."""
    own = sp.Symbol("‖x‖²", positive=True)
    bayes = log_weight - (own - 2 * c * product + c**2 * square) / (2 * v)
    logit, factor = formula(log_weight, product, square, c, v)
    slope_of_logit = sp.diff(logit, product)
    yield Identity(
        "Bayes; and the slope of the logit in <x, y_i>",
        (logit - bayes - own / (2 * v)) ** 2 + (slope_of_logit - factor) ** 2,
    )
    p, q, a, b = sp.symbols("p q a b", positive=True)  # powers e^logit of two points a, b on a line
    mean = (p * a + q * b) / (p + q)
    slope = sp.diff(mean, p) * p * factor * a + sp.diff(mean, q) * q * factor * b  # dp/dx = p factor a
    covariance = (p * a**2 + q * b**2) / (p + q) - mean**2
    yield Identity("two points: J = factor Cov", slope - factor * covariance)
    other, its = (sp.Symbol(name, real=True) for name in (r"{⟨x, y_{j}⟩}", r"{‖y_{j}‖^{2}}"))
    lead = logit - formula(log_weight, other, its, c, v)[0]
    nearer = (own - 2 * c * other + c**2 * its) - (own - 2 * c * product + c**2 * square)
    yield Identity("2 v times a lead is how much nearer a point is", 2 * v * lead - nearer)
    yield NotProved("any number of points", "finite sums of any length (a proof assistant)")


def drawn(seed: int, count: int, dim: int) -> tuple[Array, Array, Array]:
    """Points (K, d), their weights (K,), and two noisy points (2, d)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, dim)), rng.dirichlet(np.ones(count)), rng.standard_normal((2, dim))


@lru_cache(256)  # the mutants ask at the same points
def observe(seed: int, count: int, dim: int, angle: float) -> list[tuple[Array, Array, Array]]:
    """Weights (2, K), x_hat (2, d) and Jacobians (2, d, d): of the empirical law, and of attention to a codebook."""
    points, weights, x = drawn(seed, count, dim)
    law = exact_denoiser(PointCloud(points, weights)).posterior(x, angle)
    codebook = AttentionDenoiser(Patches(dim, dim), points, bias=np.log(weights)[None]).posterior(x, angle)
    return [
        (law.weights, law.mean, law.mean_jacobian.dense()),
        (codebook.weights[:, 0], codebook.mean, codebook.mean_jacobian.dense()),
    ]


def holds(formula: Formula, seed: int, count: int, dim: int, angle: float) -> float:
    """Both have the claimed weights, estimate and Jacobian to the rounding of the largest logit; nearest at angle 0."""
    points, weights, x = drawn(seed, count, dim)
    cos, var = (0.0, 1.0) if angle == np.pi / 2 else (np.cos(angle), np.sin(angle) ** 2)
    logits, factor = formula(np.log(weights), x @ points.T, np.sum(points**2, axis=1), cos, var)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    mean = shares @ points
    apart = points - mean[:, None, :]
    jacobian = factor * np.einsum("bk,bki,bkj->bij", shares, apart, apart)
    tolerance, size = 32 * EPS * (1 + np.abs(logits).max()), np.abs(points).max()
    errors = []
    for found in observe(seed, count, dim, angle):
        errors.append(close("weights", found[0], shares, tolerance, 1.0))
        errors.append(close("x_hat", found[1], mean, tolerance, size))
        close("Jacobian", found[2], jacobian, tolerance, (1 + 1 / var) * size**2)
    nearest = np.argmin(np.sum((x[:, None, :] - points) ** 2, axis=-1), axis=1)
    for found in observe(seed, count, dim, 0.0):
        if not np.array_equal(found[1], points[nearest]):
            raise Violation(f"at angle 0 the estimate is {found[1]!r}, the nearest points are {points[nearest]!r}")
    return max(errors)
