"""The Lyapunov exponents of an affine PIFS decoder x -> L x + b are ln|eig L|, wherever it starts.

In a Schur basis L = Q T Q^T the tangent map is T, whose diagonal the orthogonal factors of L^n tend to where moduli
differ. A tie, or a Jordan block of length m, costs at most (m - 1) ln n/n + O(1/n) after n steps; 0 gives -inf.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.dynamics import lyapunov_spectrum
from pifs_sim.fractals import AffinePIFS, random_pifs, spectral_pifs
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, close

Array = npt.NDArray[np.float64]
Groups = tuple[tuple[complex, int], ...]
i = sp.Symbol("i")
STEPS, TRANSIENT, GAP = 60, 60, 1.45


def eigenvalues(matrix: Any) -> list[Any]:
    """Of a SymPy matrix or an array."""
    if isinstance(matrix, sp.MatrixBase):
        return [value for value, count in matrix.eigenvals().items() for _ in range(count)]
    return list(np.linalg.eigvals(matrix))


def singular_values(matrix: Any) -> list[Any]:
    """Of a SymPy matrix or an array."""
    if isinstance(matrix, sp.MatrixBase):
        return [sp.sqrt(value) for value in eigenvalues(matrix.T * matrix)]
    return list(np.linalg.svd(matrix, compute_uv=False))


def diagonal(matrix: Any) -> list[Any]:
    """The entries on the diagonal."""
    return list(matrix.diagonal())


def symmetric_part(matrix: Any) -> list[Any]:
    """Eigenvalues of (L + L^T)/2."""
    return eigenvalues((matrix + matrix.T) / 2)


CLAIM = Claim(
    label="affine-pifs-spectrum",
    source="Oseledets 1968, Trans. Moscow Math. Soc. 19; for a constant cocycle derived here",
    statement="The Lyapunov spectrum of an affine PIFS decoder x ↦ Lx + b is ln|λ_i(L)|, the logarithms of the "
    "moduli of the eigenvalues with multiplicities, from every start.",
    equation=sp.Eq(sp.Indexed("Lambda", i), sp.log(sp.Abs(sp.Function("lambda_i")(sp.Symbol("L"))))),
    formula=eigenvalues,
    assumptions="L constant",
    scope="any matrix; measured with gaps to 1e-8, with ties and Jordan blocks within (m ln n + 8)/n; −∞ for 0",
    witness={
        "gaps": {"groups": ((0.9, 1), (-0.6, 1), (0.4, 1), (0.25, 1)), "seed": 1},
        "expansion and a dead direction": {"groups": ((1.5, 1), (0.4, 1), (0.0, 1)), "seed": 2},
        "a complex pair and a tie": {"groups": ((0.6 + 0.5j, 1), (0.3, 1), (0.3, 1)), "seed": 3},
        "a Jordan block": {"groups": ((0.8, 3), (0.2, 1)), "seed": 4},
        "random pairs": {"groups": (), "seed": 5},
    },
    mutants={
        "singular values": singular_values,
        "the diagonal": diagonal,
        "the symmetric part": symmetric_part,
    },
    expects=Status.CHECKED,
)

REAL = st.tuples(st.sampled_from([1.35, 0.9, -0.9, 0.6, 0.4, -0.25]), st.integers(1, 2))
GIVEN: dict[str, Any] = {
    "groups": st.lists(REAL | st.just((0.4 + 0.4j, 1)), min_size=1, max_size=2).map(tuple)
    | st.sampled_from([(), ((0.9, 1), (0.6, 1), (0.4, 1))]),
    "seed": st.integers(0, 1),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The moments of the claimed values are traces; what is shared by similar matrices."""
    a, b, c, d = sp.symbols("a b c d", positive=True)
    matrix = sp.Matrix([[a, b], [c, a]])
    values = formula(matrix)
    yield Identity("their squares sum to the trace of L^2", sum(value**2 for value in values) - (matrix**2).trace())
    turned = sp.Matrix([[1, 1], [-1, 1]])
    similar = turned * sp.Matrix([[a, b], [c, d]]) * turned.inv()
    yield Identity("a change of basis keeps the trace of L^2", (similar**2).trace() - (a**2 + 2 * b * c + d**2))
    yield NotProved("the factors of L^n tend to the moduli", "the power method on subspaces (a proof assistant)")


def system(groups: Groups, seed: int) -> AffinePIFS:
    """With given eigenvalues, or at random."""
    rng = np.random.default_rng(seed)
    if not groups:
        return random_pifs(3, 1, spectral_radius=0.9, pairing="soft", temperature=0.3, rng=rng)
    return spectral_pifs(groups, 1, coupling=0.5, rng=rng)


@cache
def observe(groups: Groups, seed: int, transient: int) -> Array:
    """The exponents (d,) by the engine, from a random point."""
    pifs = system(groups, seed)
    start = np.random.default_rng(seed).standard_normal((1, pifs.dim))
    return lyapunov_spectrum(pifs, start, STEPS, transient=transient, renormalise=5, backend="reference").exponents


def holds(formula: Formula, groups: Groups, seed: int) -> float:
    """To 1e-8 where moduli have gaps of 1.45, as 1.45^-60 = 2e-10; else within (m ln n + 8)/n."""
    values = np.sort(np.abs(np.array(formula(system(groups, seed).matrix), dtype=np.complex128)))[::-1]
    values[values < 1e-12 * values[0]] = 0.0
    longest = max((length for _, length in groups), default=1)
    moduli = np.sort([abs(value) for value, length in groups for _ in range(length)])[::-1]
    apart = bool(groups) and moduli.size == values.size and bool((moduli[:-1] >= GAP * moduli[1:]).all())
    tolerance = 1e-8 if apart else (longest * np.log(STEPS) + 8) / STEPS
    with np.errstate(divide="ignore"):
        claimed = np.log(values)
    return close("exponents", observe(groups, seed, TRANSIENT if apart else 0), claimed, tolerance, 1.0)
