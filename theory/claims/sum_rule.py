"""The Lyapunov exponents of any map sum to the mean of ln|det Df| along the same orbit, for every number of steps.

Df Q = Q' R with orthogonal Q, Q' gives |det Df| = prod R_jj, and the exponents are the means of ln R_jj.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.dynamics import Map, lyapunov_spectrum
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, close
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
STEPS = 20

CLAIM = Claim(
    label="sum-rule",
    source="Oseledets 1968, Trans. Moscow Math. Soc. 19; Benettin et al. 1980, Meccanica 15",
    statement="The Lyapunov exponents of a map sum to the mean of ln|det Df| along the same orbit, whatever the number "
    "of steps, if all d of them are taken.",
    equation=sp.Eq(
        sp.Sum(sp.Indexed("lambda", sp.Symbol("i")), (sp.Symbol("i"), 1, sp.Symbol("d"))),
        sp.Function("mean")(sp.log(sp.Abs(sp.Function("det")(sp.Symbol("Df"))))),
    ),
    formula=lambda jacobians: np.linalg.slogdet(jacobians)[1].mean(),
    assumptions="Df invertible along the orbit",
    scope="any differentiable map, any orbit, any number of steps",
    witness={
        "a rotation that shrinks": {"linear": np.array([[0.3, -0.4], [0.4, 0.3]]), "twist": 0.0},
        "a twisted torus": {"linear": np.array([[1.2, 0.5, 0.0], [0.1, 0.7, 0.3], [0.0, 0.2, 0.9]]), "twist": 0.8},
    },
    mutants={
        "trace in place of determinant": lambda jacobians: np.log(np.abs(np.trace(jacobians, axis1=1, axis2=2))).mean(),
        "determinant of the mean": lambda jacobians: np.linalg.slogdet(jacobians.mean(axis=0))[1],
        "growth of the volume, not its logarithm": lambda jacobians: np.abs(np.linalg.det(jacobians)).mean(),
        "norm in place of determinant": lambda jacobians: np.log(np.linalg.norm(jacobians, axis=(1, 2))).mean(),
    },
    expects=Status.CHECKED,
)


def _matrices(dim: int) -> st.SearchStrategy[Array]:
    """Matrices 0.1 I + entries in [-1, 1] that are well away from singular ones."""
    entries = st.lists(st.floats(-1, 1), min_size=dim * dim, max_size=dim * dim)
    return entries.map(lambda values: np.reshape(values, (dim, dim)) + 2.5 * np.eye(dim))


GIVEN: dict[str, Any] = {
    "linear": st.integers(2, 4).flatmap(_matrices),
    "twist": st.sampled_from([0.0, 0.5]) | st.floats(0.1, 0.9),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Determinants multiply, and a rotation has determinant 1, so |det Df| = prod R_jj in the plane."""
    a, b, c, d, angle = sp.symbols("a b c d phi_q", real=True)
    matrix, diagonal = sp.Matrix([[a, b], [c, d]]), formula is CLAIM.formula
    turn = sp.Matrix([[sp.cos(angle), -sp.sin(angle)], [sp.sin(angle), sp.cos(angle)]])
    claimed = (turn.T * matrix).det() if diagonal else matrix.trace()
    yield Identity("det R = det Df in the plane", matrix.det() - claimed)
    yield NotProved("every dimension and number of steps", "multiplicativity of det by induction (a proof assistant)")


def observe(linear: Array, twist: float) -> tuple[float, Array]:
    """Sum of the exponents of x -> A x + twist sin(A x)/3 on the torus, and the Jacobians along the orbit."""

    def step(x: Array, n: int) -> Array:  # noqa: ARG001
        y = x @ linear.T
        return np.asarray((y + twist / 3 * np.sin(y)) % (2 * np.pi))

    def jacobian(x: Array, n: int) -> Array:  # noqa: ARG001
        return np.asarray((1 + twist / 3 * np.cos(x @ linear.T))[:, :, None] * linear)

    system, x = Map(step, jacobian, dim=len(linear)), np.linspace(0.3, 1.7, len(linear))[None]
    total = float(lyapunov_spectrum(system, x, STEPS, backend="reference").exponents.sum())
    matrices = []
    for n in range(STEPS):
        matrices.append(jacobian(x, n)[0])
        x = step(x, n)
    return total, np.array(matrices)


def holds(formula: Formula, linear: Array, twist: float) -> float:
    """To the rounding of the products, eps times the condition of the frames (at most 1e9)."""
    total, jacobians = observe(linear, twist)
    return close("sum of the exponents", total, formula(jacobians), 1e9 * EPS, 1.0)
