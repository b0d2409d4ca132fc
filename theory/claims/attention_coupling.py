"""Self-attention couples patches by its weights and by how they move: the two terms of delta_t and how tight they are.

With x_hat_k = c sum_j w_kj x_j, w_k = softmax_j(beta (<x_k, x_j> - a |x_j|^2/2)), a = c^2 and beta = a/(tau s^2), the
step's Jacobian has for i != k the blocks G c w_ki (I + beta d_ki e_ki^T) with d_ki = x_i - xbar_k, xbar_k the average,
e_ki = x_k - a x_i and G = sin Delta/sin phi_t. A block W I + p q^T, W > 0, with R = |p| |q| and alpha = <p, q> has the
norm (R + sqrt(R^2 + 4 W (W + alpha)))/2 if it has two rows or more: W + R where p and q are aligned (alpha = R), and
where they are opposed (alpha = -R) max(W, R - W), at least a third of that. So

    delta_t <= max_k sum_{i != k} (G c w_ki + G c beta w_ki |d_ki| |e_ki|) <= 3 delta_t:

neither term alone is a bound. An estimate xbar_k near x_k makes d nearly -e: the opposed case is the usual one.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import AttentionDenoiser, Chain, coupling_bound
from pifs_sim.diffusion.schedules import from_angles
from pifs_sim.dynamics import Patches
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation, close
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
delta, held, moved = sp.symbols("delta_t A_t B_t", positive=True)
SIZE = 2


def larger(a: Any, b: Any) -> Any:
    """The larger of numbers, entry by entry, or of expressions."""
    return sp.Max(a, b) if isinstance(a, sp.Expr) else np.maximum(a, b)


def bounds(weight: Any, gradient: Any) -> tuple[Any, Any]:
    """Least and greatest norm of a block, from those of its weight and gradient parts."""
    return larger(weight, gradient - weight), weight + gradient


CLAIM = Claim(
    label="attention-coupling",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised; the terms and the factor 3 are derived here",
    statement="In a step with self-attention δ_t ≤ max_k (A_k + B_k) ≤ 3 δ_t, with the attention-weight term "
    "A_k = Σ_{i≠k} G c w_ki = G c (1 − w_kk) and the gradient term B_k = Σ_{i≠k} G c β w_ki ‖d_ki‖‖e_ki‖.",
    equation=(sp.Le(delta, held + moved), sp.Le(held + moved, 3 * delta)),
    formula=bounds,
    assumptions="patches of at least two coordinates, attention to the patches of the same image without maps",
    scope="every step and temperature; the first inequality with any maps, and for patches of one coordinate too",
    uses=("attention-is-soft-pifs",),
    witness={
        "three patches": {"seed": 1, "count": 3, "temperature": 1.0, "angles": (0.4, 0.7), "turn": 1.0},
        "cold": {"seed": 2, "count": 4, "temperature": 0.1, "angles": (0.0, 0.5), "turn": 1.0},
        "hot": {"seed": 3, "count": 2, "temperature": 20.0, "angles": (0.3, 1.2), "turn": 1.0},
        "patches on a line": {"seed": 4, "count": 2, "temperature": 0.4, "angles": (0.2, 0.6), "turn": 0.0},
        "more on a line": {"seed": 5, "count": 3, "temperature": 0.5, "angles": (0.2, 0.6), "turn": 0.0},
        "from pure noise": {"seed": 6, "count": 3, "temperature": 1.0, "angles": (1.0, float(np.pi / 2)), "turn": 1.0},
    },
    mutants={
        "the weight term alone": lambda w, r: (bounds(w, r)[0], w),
        "the gradient term alone": lambda w, r: (bounds(w, r)[0], r),
        "the larger of the terms": lambda w, r: (bounds(w, r)[0], larger(w, r)),
        "the root of the sum of squares": lambda w, r: (bounds(w, r)[0], (w**2 + r**2) ** 0.5),
        "tight to a factor 2": lambda w, r: ((w + r) / 2, w + r),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "seed": st.integers(0, 2**32 - 1),
    "count": st.integers(2, 4),
    "temperature": st.sampled_from([0.3, 1.0]) | st.floats(0.1, 10.0),
    "angles": st.tuples(st.floats(0.0, 0.4), st.floats(0.5, 1.3)),
    "turn": st.sampled_from([0.0, 1.0, 1.0]),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """A block's norm from its determinant and squares on the plane of p, q; its extremes; the derivative of softmax."""
    W, more = sp.symbols("W r", positive=True)
    R = 2 * W + more
    least, most = formula(W, R)
    attained = (most**2 - R * most - W * (W + R)) ** 2 + (least**2 - R * least - W * (W - R)) ** 2
    yield Identity("both are attained, aligned and opposed, where R > 2 W", attained)
    yield Positive("3 (R - W) > W + R there", 3 * (R - W) - (W + R))
    short = 2 * W * more / (1 + more)
    yield Positive("3 W > W + R elsewhere", 3 * W - (W + short))
    p_1, p_2, q_1 = sp.symbols("p_1 p_2 q_1", real=True)  # q along the first axis
    block = sp.Matrix([[W + p_1 * q_1, 0], [p_2 * q_1, W]])
    alpha, square = p_1 * q_1, (p_1**2 + p_2**2) * q_1**2
    yield Identity("the singular values' product", block.det() - W * (W + alpha))
    yield Identity("the sum of their squares", (block.T * block).trace() - 2 * W * (W + alpha) - square)
    h = sp.Symbol("R", positive=True)
    yield Identity("opposed: R^2 + 4 W (W - R) is a square", h**2 + 4 * W * (W - h) - (h - 2 * W) ** 2)
    yield from softmax_derivative()
    yield NotProved("any number and size of patches", "linear algebra (a proof assistant)")


def softmax_derivative() -> Iterator[Obligation]:
    """Two scalar patches x, y: the derivative of the first estimate in the second patch, e^l = powers."""
    x, y, a, beta = sp.symbols("x y a beta", positive=True)
    own, other = sp.symbols("E_1 E_2", positive=True)  # e^logit of the patch itself and of the other
    mean = (own * x + other * y) / (own + other)
    slope = beta * (x - a * y)  # of the other's logit, in y
    derivative = sp.diff(mean, y) + sp.diff(mean, other) * other * slope
    yield Identity("w (1 + beta d e)", derivative - other / (own + other) * (1 + beta * (y - mean) * (x - a * y)))


@lru_cache(256)  # the mutants ask at the same points
def observe(
    seed: int, count: int, temperature: float, angles: tuple[float, float], turn: float
) -> tuple[Array, Array, Array]:
    """Norms (2, M, M) of the blocks of a step's tangent, and their weight and gradient terms."""
    patches, rng = Patches(count * SIZE, SIZE), np.random.default_rng(seed)
    chain = Chain(from_angles(angles), AttentionDenoiser(patches, temperature=temperature))
    parts = rng.standard_normal((2, count, SIZE)) * np.array([1.0, turn])
    x = patches.join(parts)
    _, tangent = chain.tangent(x, 0, np.broadcast_to(np.eye(patches.dim), (2, patches.dim, patches.dim)))
    blocks = tangent.reshape(2, count, SIZE, count, SIZE).swapaxes(2, 3)
    norms = np.linalg.norm(blocks, 2, axis=(3, 4)) * ~np.eye(count, dtype=bool)

    cos, sin = np.cos(angles[1]) * (angles[1] < np.pi / 2), np.sin(angles[1])
    gain = np.sin(angles[1] - angles[0]) / sin * cos
    weights = chain.denoiser.attention(x, angles[1])  # type: ignore[attr-defined]
    apart = parts[:, None] - (weights @ parts)[:, :, None]
    residual = parts[:, :, None] - cos**2 * parts[:, None]
    beta = cos**2 / (temperature * sin**2)
    lengths = np.linalg.norm(apart, axis=-1) * np.linalg.norm(residual, axis=-1)
    weight = gain * weights * ~np.eye(count, dtype=bool)
    library = coupling_bound(chain, x, 0)
    for name, found, expected in (
        ("coupling", library.coupling, norms),
        ("weight term", library.weight, weight),
        ("gradient term", library.gradient, beta * lengths * weight),
    ):
        close(f"library's {name}", found, expected.sum(axis=2), 1e-12 * (1 + beta) ** 2, 1.0)
    return norms, weight, beta * lengths * weight


def holds(formula: Formula, **point: Any) -> float:
    """Every block's norm is between the least and the greatest, the least a third of the greatest or more."""
    norms, weight, gradient = observe(**point)
    least, most = formula(weight, gradient)
    rounding = 1e3 * EPS * (1 + most.max())
    if np.any(norms > most + rounding):
        raise Violation(f"a block has the norm {norms!r}, above {most!r}")
    if np.any(norms < least - rounding):
        raise Violation(f"a block has the norm {norms!r}, below {least!r}")
    if np.any(3 * norms.sum(axis=2) < (weight + gradient).sum(axis=2) - rounding):
        raise Violation(f"the terms {weight + gradient!r} exceed three times {norms!r}")
    return 0.0
