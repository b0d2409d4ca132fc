"""Attention with its weights frozen is a PIFS with soft pairing: queries are ranges, keys and values are domains.

x_k <- sum_j w_kj A x_j with w_kj = e^{s_kj}/sum_i e^{s_ki}, s_kj = <q_k, k_j>/tau, and A the value and output map. The
blocks w_kj A have the norms w_kj ||A||, rows sum to ||A||, and delta = max_k (1 - w_kk) ||A||. As tau -> 0, w tends to
one 1 in each row, at the greatest score: a hard pairing, which moves with the state, as the scores do. So a step to
angle 0 of a chain with attention as its denoiser, at temperature 0, is a PIFS step with a pairing of its own for each
state, affine between switches: its Jacobian is the pairing's matrix. At other temperatures the derivative of the
weights adds to that of the frozen ones: see `attention-coupling`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import AttentionDenoiser, Chain
from pifs_sim.diffusion.schedules import from_angles
from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.fractals import AffinePIFS
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, close
from theory.instruments import EPS, affine_jacobian

Array = npt.NDArray[np.float64]
weight, block, value = sp.symbols("w_kj ‖L_kj‖_2 ‖A‖_2", positive=True)
ANGLE = 0.6
VALUE = np.array([[0.6, -0.8, 0.1], [0.2, 0.3, -0.4], [0.0, 0.5, 0.7]])


def softmax(powers: Any) -> Any:
    """Rows e_kj/sum_i e_ki of e^{s}, M rows of M."""
    return [[entry / sum(row) for entry in row] for row in powers]


def over_columns(powers: Any) -> Any:
    """Columns that sum to 1 in place of rows."""
    return [list(row) for row in zip(*softmax(list(zip(*powers, strict=True))), strict=True)]


def sigmoid(powers: Any) -> Any:
    """Each weight by itself."""
    return [[entry / (1 + entry) for entry in row] for row in powers]


def uniform(powers: Any) -> Any:
    """1/M."""
    return [[sp.Integer(1) / len(row)] * len(row) for row in powers]


def squared(powers: Any) -> Any:
    """The squares of the weights."""
    return [[entry**2 for entry in row] for row in softmax(powers)]


CLAIM = Claim(
    label="attention-is-soft-pifs",
    source="Dooms 2026, arXiv:2603.13069, section 4, as summarised; the norms are derived here",
    statement="With frozen weights, softmax attention x_k ↦ Σ_j w_kj A x_j is an affine PIFS step with soft pairing: "
    "its blocks have ‖L_kj‖₂ = w_kj ‖A‖₂, each row sums to ‖A‖₂ and δ = max_k (1 − w_kk) ‖A‖₂; at temperature 0 it is "
    "a PIFS with hard pairing at the greatest score, which depends on the state, and affine between switches.",
    equation=sp.Eq(block, weight * value),
    formula=softmax,
    assumptions="one head, one value map A for all tokens; above temperature 0 the weights held at those of one state",
    scope="the derivative of the weights is left out, and a skip connection adds I; any number and size of tokens",
    uses=("patch-contraction",),
    witness={
        "three tokens": {"seed": 1, "count": 3, "temperature": 1.0},
        "cold": {"seed": 2, "count": 4, "temperature": 0.05},
        "hot": {"seed": 3, "count": 5, "temperature": 50.0},
        "one token": {"seed": 4, "count": 1, "temperature": 1.0},
    },
    mutants={
        "normalised over queries": over_columns,
        "a sigmoid of each score": sigmoid,
        "uniform": uniform,
        "squares of the weights": squared,
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "seed": st.integers(0, 2**32 - 1),
    "count": st.integers(2, 5),
    "temperature": st.sampled_from([0.3, 1.0, 4.0]) | st.floats(0.05, 10.0),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Weights are in the ratio of e^s and sum to 1; the weight of a domain whose score lags behind vanishes."""
    powers = sp.Matrix(2, 2, sp.symbols("e_11 e_12 e_21 e_22", positive=True)).tolist()
    (first, second), _ = formula(powers)
    ratio = first * powers[0][1] - second * powers[0][0]
    yield Identity("in the ratio of e^s, summing to 1", ratio**2 + (first + second - 1) ** 2)
    lag, last = sp.symbols("r l", positive=True)  # r = e^{-lead/tau}
    _, rest = softmax([[1, lag], [1, last]])[0]
    yield Positive("the hard limit: a weight is below r = e^(-lead/tau)", lag - rest)
    yield NotProved("the norm of w A is w ||A||, any number of tokens", "linear algebra (a proof assistant)")


def scores(seed: int, count: int) -> tuple[Array, Array]:
    """Tokens (M, n), and <q_k, k_j> of their queries and keys, (M, M)."""
    rng, n = np.random.default_rng(seed), len(VALUE)
    tokens, query, key = rng.standard_normal((count, n)), *rng.standard_normal((2, n, n))
    return tokens, (tokens @ query.T) @ (tokens @ key.T).T


def observe(seed: int, count: int, temperature: float) -> tuple[Array, Array]:
    """Jacobian (d, d) of attention with the weights of some tokens, and the tokens it returns, as a vector (d,)."""
    tokens, products = scores(seed, count)
    weights = np.exp((products - products.max(axis=1, keepdims=True)) / temperature)
    weights /= weights.sum(axis=1, keepdims=True)

    def attend(x: Array) -> Array:
        return np.asarray(np.einsum("kj,bjn->bkn", weights, x.reshape(len(x), count, -1) @ VALUE.T).reshape(len(x), -1))

    return affine_jacobian(attend, tokens.size), attend(tokens.reshape(1, -1))[0]


def paired(weights: Array) -> AffinePIFS:
    """The PIFS x_k <- sum_j w_kj A x_j."""
    return AffinePIFS.paired(weights, VALUE, np.zeros(len(VALUE) * len(weights)))


def attended(seed: int, count: int, temperature: float) -> Iterator[tuple[Array, Array, Array, Array, Array]]:
    """At two states x: the scores, a denoiser's weights, cos x, and a hard step to angle 0 with its Jacobian."""
    patches, cos = Patches(count * len(VALUE), len(VALUE)), np.cos(ANGLE)
    soft, hard = (AttentionDenoiser(patches, temperature=tau, maps=VALUE) for tau in (temperature, 0.0))
    chain, x = Chain(from_angles([0.0, ANGLE]), hard), np.random.default_rng(seed).standard_normal((2, patches.dim))
    tokens = patches.split(x)
    apart = tokens[:, :, None, :] - cos**2 * (tokens @ VALUE.T)[:, None, :, :]
    products = -np.sum(apart**2, axis=-1) / (2 * np.sin(ANGLE) ** 2)
    image, jacobian = chain.tangent(x, 0, np.broadcast_to(np.eye(patches.dim), (2, patches.dim, patches.dim)))
    yield from zip(products, soft.attention(x, ANGLE), cos * x, image, jacobian / cos, strict=True)


def holds(formula: Formula, seed: int, count: int, temperature: float) -> float:
    """Attention's Jacobian is the soft PIFS of the claimed weights, with its norms; cold, that of the hard pairing."""
    tokens, products = scores(seed, count)
    lead = products - products.max(axis=1, keepdims=True)
    weights = np.array(formula(np.exp(lead / temperature).tolist()), dtype=np.float64)
    jacobian, image = observe(seed, count, temperature)
    norm, tolerance = float(np.linalg.norm(VALUE, 2)), 64 * EPS * count
    found = block_norms(jacobian, Patches(tokens.size, len(VALUE)))
    error = close("norms of the blocks", found.blocks[0], weights * norm, tolerance, norm)
    close("row sum", found.row_sum, norm, tolerance, norm)
    close("delta", found.delta, float((1 - np.diag(weights)).max()) * norm, tolerance, norm)
    pifs = paired(weights)
    close("matrix", pifs.matrix, jacobian, tolerance, norm)
    close("image of the tokens", pifs.step(tokens.reshape(1, -1), 0)[0], image, tolerance, float(np.abs(tokens).max()))
    second = float(np.sort(lead, axis=1)[:, :-1].max(initial=-np.inf))  # minus the least lead of a greatest score
    cold = min(temperature, -second / 800) if count > 1 else temperature
    hard = paired(np.eye(count)[products.argmax(axis=1)])
    error = max(error, close("hard limit", observe(seed, count, cold)[0], hard.matrix, tolerance, norm))
    for own, shares, x, moved, slope in attended(seed, count, temperature):
        lead = own - own.max(axis=1, keepdims=True)
        loss = tolerance * (1 + np.abs(own).max() / temperature)
        close("a denoiser's weights", shares, formula(np.exp(lead / temperature).tolist()), loss, 1.0)
        hard = paired(np.eye(count)[own.argmax(axis=1)])
        close("a hard step", moved, hard.step(x[None], 0)[0], tolerance, float(np.abs(x).max()))
        close("its Jacobian", slope, hard.matrix, tolerance, norm)
    return error
