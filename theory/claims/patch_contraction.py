"""sup_x (kappa + delta) < 1 makes a map contract in the block-max norm ||x|| = max_k ||x_k||_2.

A block row moves x by ||sum_j A_kj x_j|| <= sum_j ||A_kj|| ||x_j||, so the induced norm of a Jacobian is at most its
row sum max_k sum_j ||A_kj||, which is at most kappa + delta; along segments this bounds the map. For 1 x 1 blocks signs
can be chosen, and the row sum is attained. For larger blocks the induced norm is max_k max_|u|=1 sum_j ||A_kj^T u||:
smaller than the row sum if the blocks of a row stretch different directions u. So PC is sufficient, not necessary:
rows (a e_1 e_1^T, b e_2 e_2^T) have row sum a + b and norm sqrt(a^2 + b^2). A range of a PIFS that takes one domain has
one block, so there the row sum is attained, too.
For any number and size of patches: theorem `patch_contraction` of theory/coq/PatchContraction.v.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.fractals import AffinePIFS, random_pifs
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Positive, Status, Violation, close
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
j, M = sp.symbols("j M", integer=True)
whole, block = sp.Symbol("‖J‖_{max}"), sp.Symbol("‖J_{kj}‖_2")


def greatest(values: Iterable[Any]) -> Any:
    """The largest of numbers or of expressions."""
    values = list(values)
    return max(values) if isinstance(values[0], float) else sp.Max(*values)


def row_sum(norms: Any) -> Any:
    """max_k sum_j of the blocks' norms, M rows of M."""
    return greatest(sum(row) for row in norms)


def kappa(norms: Any) -> Any:
    """max_k of the diagonal blocks' norms."""
    return greatest(row[k] for k, row in enumerate(norms))


def delta(norms: Any) -> Any:
    """max_k of the sums of the other blocks' norms."""
    return greatest(sum(row[:k]) + sum(row[k + 1 :]) for k, row in enumerate(norms))


def affine(matrix: Any, size: int, seed: int = 0) -> AffinePIFS:
    """x -> L x + b with b ~ N(0, 1), on patches of a size."""
    L = np.asarray(matrix, dtype=np.float64)
    return AffinePIFS(L, np.random.default_rng(seed).standard_normal(len(L)), Patches(len(L), size))


ONE, TWO, DIRECTION = np.diag([0.6, 0.0]), np.diag([0.0, 0.6]), np.array([[0.6, 0.0], [0.8, 0.0]])
ORTHOGONAL = np.block([[ONE, TWO], [0 * ONE, 0 * ONE]])  # kappa + delta = 1.2, induced norm 0.6 sqrt 2
ALIGNED = np.kron(np.array([[0.3, -0.8], [0.5, 0.1]]), DIRECTION)

CLAIM = Claim(
    label="patch-contraction",
    source="Dooms 2026, arXiv:2603.13069, section 3; the induced norm and the strict case are derived here",
    statement="If sup_x (κ + δ) < 1, a map contracts in the block-max norm max_k ‖x_k‖₂: the induced norm of its "
    "Jacobian is at most the row sum max_k Σ_j ‖J_kj‖₂ ≤ κ + δ, with equality for 1×1 blocks; only “if”: a map with "
    "κ + δ = 1.2 can contract.",
    equation=sp.Le(whole, sp.Function("max_k")(sp.Sum(block, (j, 1, M)))),
    formula=row_sum,
    assumptions="a differentiable map on a convex set, patches of equal size",
    scope="any blocks; measured with random PIFS (hard, soft, Gaussian blocks) and with A tanh(x)",
    witness={
        "1 x 1 blocks": {"pifs": affine([[0.5, -0.4], [0.3, 0.2]], 1), "ratio": 1.0},
        "kappa and delta of different rows": {
            "pifs": affine([[0.9, 0.0, 0.0], [0.1, 0.0, 0.3], [-0.5, 0.4, 0.0]], 1),
            "ratio": 1.0,
        },
        "blocks that stretch one direction": {"pifs": affine(ALIGNED, 2), "ratio": 1.0},
        "strict: orthogonal directions": {"pifs": affine(ORTHOGONAL, 2), "ratio": math.sqrt(0.5)},
    },
    mutants={
        "kappa alone": kappa,
        "delta alone": delta,
        "the largest block": lambda norms: greatest(norm for row in norms for norm in row),
        "column sums": lambda norms: row_sum(list(zip(*norms, strict=True))),
        "the root of the sum of squares": lambda norms: sp.sqrt(row_sum([[b**2 for b in row] for row in norms])),
        "kappa + delta": lambda norms: kappa(norms) + delta(norms),
    },
    expects=Status.PROVED,
)


def gaussian(seed: int, count: int, size: int, level: float) -> AffinePIFS:
    """Gaussian blocks with kappa + delta = level."""
    matrix = np.random.default_rng(seed).standard_normal((count * size, count * size))
    norms = block_norms(matrix, Patches(count * size, size))
    return affine(matrix * level / (norms.kappa[0] + norms.delta[0]), size, seed)


def drawn(seed: int, count: int, size: int, level: float) -> AffinePIFS:
    """A random PIFS, hard or soft, with row sum = level."""
    pairing = "hard" if seed % 2 else "soft"
    return random_pifs(count, size, norm=level, pairing=pairing, rng=np.random.default_rng(seed))  # type: ignore[arg-type]


SHAPE: Any = (st.integers(0, 2**32 - 1), st.integers(2, 4), st.sampled_from([1, 1, 2, 3]), st.floats(0.2, 1.5))
GIVEN: dict[str, Any] = {"pifs": st.builds(gaussian, *SHAPE) | st.builds(drawn, *SHAPE), "ratio": st.none()}

REGIONS: dict[str, Any] = {
    "contracting": lambda pifs, **_: bool(block_norms(pifs.matrix, pifs.patches).row_sum[0] < 1),
    "row sum above 1": lambda pifs, **_: bool(block_norms(pifs.matrix, pifs.patches).row_sum[0] > 1),
    "blocks of 1 x 1": lambda pifs, **_: pifs.patches.length == 1,
    "larger blocks": lambda pifs, **_: pifs.patches.length > 1,
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Two patches: the row sum is attained by 1 x 1 blocks, and bounds larger ones by Cauchy and Schwarz."""
    a, b, c, e = sp.symbols("a b c e", positive=True)
    matrix = sp.Matrix([[a, b + c + e], [a + b, e]])
    image = matrix * sp.ones(2, 1)
    yield Identity("x = (1, 1) attains the row sum of 1 x 1 blocks", image[0] - formula(matrix.tolist()))
    p1, p2, q1, q2 = sp.symbols("p_1 p_2 q_1 q_2", real=True)
    lagrange = (p1**2 + p2**2) * (q1**2 + q2**2) - (p1 * q1 + p2 * q2) ** 2 - (p1 * q2 - p2 * q1) ** 2
    yield Identity("|p|^2 |q|^2 - <p, q>^2 is a square (Lagrange)", lagrange)
    phi = sp.Symbol("phi")
    along, across = a * sp.cos(phi) + b * sp.sin(phi), a * sp.sin(phi) - b * sp.cos(phi)
    yield Identity("strict case: |A^T u| sums to at most sqrt(a^2 + b^2)", along**2 + across**2 - (a**2 + b**2))
    yield Positive("strict case: below the row sum", (a + b) ** 2 - (a**2 + b**2))
    yield Lemma("patch_contraction", "PatchContraction.v")


def block_max(x: Array, size: int) -> Array:
    """Block-max norms of vectors (S, d)."""
    return np.asarray(np.linalg.norm(x.reshape(len(x), -1, size), axis=2).max(axis=1))


def stretched(pifs: AffinePIFS, starts: int = 6, sweeps: int = 12) -> Array:
    """Vectors (S, d) of block-max norm 1 that rows stretch the most, by alternating maximisation.

    For an output direction u the best x has x_j = A_kj^T u/|A_kj^T u|, and for x the best u is that of sum_j A_kj x_j.
    It starts from random directions and from those that single blocks stretch the most.
    """
    count, size = pifs.patches.count, pifs.patches.length
    blocks = pifs.matrix.reshape(count, size, count, size)
    preferred = np.linalg.svd(blocks.swapaxes(1, 2))[0][..., 0]
    u = np.concatenate([np.random.default_rng(0).standard_normal((count, starts, size)), preferred], axis=1)
    for _ in range(sweeps):
        x = np.einsum("kajb,ksa->ksjb", blocks, u)
        x /= np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-300)
        u = np.einsum("kajb,ksjb->ksa", blocks, x)
    x = x.reshape(-1, count * size)
    return np.asarray(x[x.any(axis=1)])


def observe(step: Callable[[Array], Array], x: Array, size: int) -> float:
    """The largest |f(x) - f(-x)|/|2 x| in the block-max norm over vectors (S, d)."""
    return float(np.max(block_max(step(x) - step(-x), size) / block_max(2 * x, size)))


def approach(pifs: AffinePIFS, x: Array, steps: int) -> Array:
    """|W^n x - x*|/|x - x*| in the block-max norm, the largest over vectors (S, d), for n = 1..steps; W x* = x*."""
    first, found = block_max(x - pifs.fixed_point, pifs.patches.length), []
    for n in range(steps):
        x = pifs.step(x, n)
        found.append(np.max(block_max(x - pifs.fixed_point, pifs.patches.length) / first))
    return np.array(found)


def holds(formula: Formula, pifs: AffinePIFS, ratio: float | None) -> float:
    """No pair is spread by more than the formula's norm, which draws orbits to one fixed point if it is below 1.

    Blocks of 1 x 1, single blocks in every row (or where `ratio` is known) reach it.
    """
    count, size, matrix = pifs.patches.count, pifs.patches.length, pifs.matrix
    norms = np.linalg.norm(matrix.reshape(count, size, count, size).swapaxes(1, 2), 2, axis=(2, 3))
    claimed, x = float(formula(norms.tolist())), stretched(pifs)
    measured = observe(lambda y: pifs.step(y, 0), x, size)
    if not measured <= claimed + 64 * EPS * (claimed + float(np.abs(pifs.offset).max())):
        raise Violation(f"a pair is spread by {measured!r}, more than {claimed!r}")
    library = block_norms(matrix, pifs.patches)
    lipschitz = max(observe(lambda y: np.tanh(y) @ matrix.T, h * x, size) for h in (1e-3, 0.5))
    if library.kappa[0] + library.delta[0] < 1 <= lipschitz or not lipschitz <= (1 + 64 * EPS) * claimed:
        raise Violation(f"A tanh spreads a pair by {lipschitz!r} with kappa, delta = {library.kappa}, {library.delta}")
    close("library's row sum", library.row_sum, float(row_sum(norms.tolist())), 64 * EPS)
    if claimed < 0.95:  # nearer to 1 the fixed point has large components, and the comparison is of rounding
        left, bound = approach(pifs, pifs.fixed_point + x, 12), claimed ** np.arange(1, 13)
        if not (left <= bound + 1e-11).all():
            raise Violation(f"orbits have {left!r} of their distance to the fixed point left, more than {bound!r}")
    if size == 1 or (np.count_nonzero(norms, axis=1) <= 1).all():
        ratio = 1.0
    return 0.0 if ratio is None else close("induced norm", measured, ratio * claimed, 1e-12)
