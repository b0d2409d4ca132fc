"""For symmetric Jacobians PC implies EC; EC does not imply PC, and without symmetry PC does not imply EC.

With rho(J) = max_k sum_j ||J_kj|| <= kappa + delta, Schur's test on the blocks' norms gives
||J||_2 <= sqrt(rho(J) rho(J^T)): for symmetric J this is rho(J) < 1 under PC. It is also below 1 for M = 2 patches,
whose columns sum to kappa + delta at most; from M = 3 on, a column may sum to (M - 1) delta (counterexample in
`pc-implies-ec-without-symmetry`). Conversely each block is at most the whole, so kappa + delta <= M ||J||_2, which is
attained: EC leaves PC open (counterexample in `ec-implies-pc`, positive semidefinite as an exact denoiser's steps are).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.dynamics.operators import Dense
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation, close
from theory.claims.patch_contraction import kappa, row_sum
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
norm, own, others, M = sp.symbols("‖J‖_2 kappa delta M", positive=True)
rows = sp.Function("varrho")


def in_blocks(matrix: Any, size: int) -> Array:
    """A matrix as blocks (M, n, M, n)."""
    count = len(matrix) // size
    return np.asarray(matrix, dtype=np.float64).reshape(count, size, count, size)


def columns(norms: Any) -> Any:
    """The norms of the transposed operator's blocks."""
    return list(zip(*norms, strict=True))


def schur(norms: Any) -> Any:
    """sqrt(rho(J) rho(J^T)) from the blocks' norms, M rows of M."""
    return sp.sqrt(row_sum(norms) * row_sum(columns(norms)))


def bounds(norms: Any, whole: Any) -> tuple[Any, Any]:
    """Upper bounds of ||J||_2, from the blocks' norms, and of kappa + delta, from ||J||_2."""
    return schur(norms), len(norms) * whole


SWAP = np.array([[1.0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])  # every 2 x 2 block has norm 1

CLAIM = Claim(
    label="ec-versus-pc",
    source="Dooms 2026, arXiv:2603.13069, section 3, as summarised; the relation is derived here",
    statement="PC implies EC for symmetric Jacobians: ‖J‖₂ ≤ √(ϱ(J) ϱ(Jᵀ)) = ϱ(J) ≤ κ + δ. EC does not imply PC, as "
    "κ + δ can be M‖J‖₂; and for non-symmetric Jacobians on three or more patches PC does not imply EC.",
    equation=(sp.Le(norm, sp.sqrt(rows(sp.Symbol("J")) * rows(sp.Symbol("J^T")))), sp.Le(own + others, M * norm)),
    formula=bounds,
    assumptions="M patches of equal size; for PC => EC, a symmetric Jacobian (every exact denoiser's) or M = 2",
    scope="the norms of any matrix; counterexamples exact",
    uses=("patch-contraction",),
    witness={
        "neither": {"blocks": in_blocks([[0.9, 0.5], [0.5, -0.9]], 1)},
        "both, symmetric": {"blocks": in_blocks([[0.5, 0.25], [0.25, 0.5]], 1)},
        "EC without PC, positive semidefinite": {"blocks": in_blocks([[0.25, 0.25], [0.25, 0.75]], 1)},
        "PC without EC, not symmetric": {"blocks": in_blocks([[0, 0, 0.75], [0, 0, 0.75], [0, 0, 0]], 1)},
        "one patch copied by both": {"blocks": in_blocks([[0.75, 0], [0.75, 0]], 1)},
        "one patch copied by three": {"blocks": in_blocks([[0.5, 0, 0], [0.5, 0, 0], [0.5, 0, 0]], 1)},
        "kappa + delta = M ||J||": {"blocks": in_blocks(0.75 * SWAP, 2)},
        "three patches, kappa + delta = 2 ||J||": {"blocks": in_blocks([[0.5, 0, 0], [0, 0, 0.5], [0, 0.5, 0]], 1)},
    },
    mutants={
        "the row sum for any Jacobian": lambda norms, whole: (row_sum(norms), len(norms) * whole),
        "kappa for the norm": lambda norms, whole: (kappa(norms), len(norms) * whole),
        "harmonic in place of geometric mean": lambda norms, whole: (
            2 / (1 / row_sum(norms) + 1 / row_sum(columns(norms))),
            len(norms) * whole,
        ),
        "EC implies PC": lambda norms, whole: (schur(norms), whole),
        "sqrt M, as for vectors": lambda norms, whole: (schur(norms), sp.sqrt(len(norms)) * whole),
    },
    expects=Status.CHECKED,
)


def symmetric(seed: int, count: int, size: int) -> Array:
    """Gaussian, symmetric."""
    matrix = np.random.default_rng(seed).standard_normal((count * size, count * size))
    return matrix + matrix.T


def general(seed: int, count: int, size: int) -> Array:
    """Gaussian, the columns of one patch much larger or smaller than the others."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((count * size, count * size))
    matrix[:, :size] *= 10.0 ** rng.uniform(-2, 2)
    return matrix.T if rng.random() < 0.5 else matrix


def copies(seed: int, count: int, size: int) -> Array:
    """Every patch is a rotation of the first: the norm is sqrt(M) times the row sum."""
    matrix = np.zeros((count * size, count * size))
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((count, size, size)))[0]
    matrix[:, :size] = turn.reshape(count * size, size)
    return matrix


def involution(seed: int, count: int, size: int) -> Array:
    """Coordinates swapped in pairs: symmetric, of norm 1, with many blocks of norm 1."""
    rng = np.random.default_rng(seed)
    order, d = rng.permutation(count * size), count * size
    matrix = np.eye(d)
    for i, j in zip(order[0 : d - d // 3 : 2], order[1 : d - d // 3 : 2], strict=False):
        matrix[[i, j]] = matrix[[j, i]]
    return matrix


@st.composite
def jacobians(draw: st.DrawFn) -> Array:
    """Blocks (M, n, M, n) with kappa + delta between 0.2 and 2."""
    build, seed = draw(st.sampled_from([symmetric, general, copies, involution])), draw(st.integers(0, 2**32 - 1))
    count, size, level = draw(st.integers(2, 4)), draw(st.integers(1, 3)), draw(st.floats(0.2, 2))
    matrix = build(seed, count, size)
    found = block_norms(matrix, Patches(count * size, size))
    return in_blocks(matrix * level / (found.kappa[0] + found.delta[0]), size)


GIVEN: dict[str, Any] = {"blocks": jacobians()}

REGIONS: dict[str, Any] = {
    "PC": lambda blocks: observe(blocks)[1] < 1,
    "EC without PC": lambda blocks: observe(blocks)[0] < 1 <= observe(blocks)[1],
    "neither": lambda blocks: min(observe(blocks)) >= 1,
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Both bounds are attained; Schur's test on three blocks; PC makes I - J positive for two patches."""
    a, b, p, q = sp.symbols("a b p q", positive=True)
    upper, _ = formula([[a, 0], [a, 0]], sp.sqrt(2) * a)  # J x = (a x_1, a x_1)
    _, spread = formula([[a, a], [a, a]], a)  # a times a swap of coordinates: kappa + delta = 2a
    yield Identity("both bounds are attained", (upper - sp.sqrt(2) * a) ** 2 + (spread - 2 * a) ** 2)
    c, x, y, z = sp.symbols("c x y z", positive=True)
    lost = a * b * (x - y) ** 2 + a * c * (x - z) ** 2 + b * c * (y - z) ** 2
    yield Identity(
        "Schur: (sum b)(sum b x^2) - (sum b x)^2 is a sum of squares",
        (a + b + c) * (a * x**2 + b * y**2 + c * z**2) - (a * x + b * y + c * z) ** 2 - lost,
    )
    yield Positive("det(I - J) > 0 where both rows sum below 1", (b + p) * (b + q) - b**2)
    column_sum = sp.Matrix([[0, 0, a], [0, 0, a], [0, 0, 0]])
    yield Identity("without symmetry: |J e_3|^2 = 2 delta^2", (column_sum.T * column_sum)[2, 2] - 2 * a**2)
    yield NotProved("any number and size of blocks", "finite sums of any length (a proof assistant)")


def observe(blocks: Array) -> tuple[float, float]:
    """The norm ||J||_2, and kappa + delta."""
    count, size = blocks.shape[:2]
    found = block_norms(blocks.reshape(count * size, -1), Patches(count * size, size))
    return float(found.norm[0]), float(found.kappa[0] + found.delta[0])


def holds(formula: Formula, blocks: Array) -> float:
    """Both bounds hold, and with them PC => EC where it is claimed; for symmetric J the norm is the spectral radius."""
    count, size = blocks.shape[:2]
    matrix = blocks.reshape(count * size, count * size)
    norms = np.linalg.norm(blocks.swapaxes(1, 2), 2, axis=(2, 3)).tolist()
    whole, together = observe(blocks)
    upper, spread = (float(bound) for bound in formula(norms, float(np.linalg.norm(matrix, 2))))
    if not whole <= (1 + 64 * EPS) * upper:
        raise Violation(f"the norm is {whole!r}, above {upper!r}")
    if not together <= (1 + 64 * EPS) * spread:
        raise Violation(f"kappa + delta is {together!r}, above {spread!r}")
    is_symmetric = np.array_equal(matrix, matrix.T)
    if together < 1 <= whole and (is_symmetric or count == 2):
        raise Violation(f"kappa + delta is {together!r}, but the norm is {whole!r}")
    spectrum = Dense(matrix).spectrum()[0] if is_symmetric else np.array([whole])
    return close("spectral radius", np.max(np.abs(spectrum)), whole, 64 * EPS)
