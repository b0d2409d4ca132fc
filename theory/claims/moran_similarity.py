"""Under the open set condition the dimension of a set of similarities of ratios r_i is the D with sum_i r_i^D = 1.

Of sets in a cube of base b whose maps take it to different cubes of sides b^{-m_i}: the numbers N_k of cubes of side
b^-k that the set meets satisfy N_k = sum_i N_{k - m_i}, so they grow by the factor x = b^D with sum_i x^{-m_i} = 1. For
a recursion with coefficients >= 0 the ratios N_{k+1}/N_k of a window of its order enclose x (Collatz, Wielandt).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, gallery, similarity_dimension
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close

i, ratio, D = sp.Symbol("i"), sp.Function("r"), sp.Symbol("D", positive=True)
POINTS = 3000


class Cubes(NamedTuple):
    """An IFS of the unit cube, its base, and the largest m_i."""

    ifs: IFS
    base: int
    order: int


def drawn(seed: int, base: int, dim: int) -> Cubes:
    """Some cells of the cube, each whole or some of its own cells."""
    rng = np.random.default_rng(seed)
    cells = np.stack(np.meshgrid(*[np.arange(base)] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    levels, corners = [], []
    for cell in rng.permutation(cells)[: rng.integers(2, 5)]:
        if rng.random() < 0.5:
            levels.append(1)
            corners.append(cell / base)
        else:
            for inner in rng.permutation(cells)[: rng.integers(1, 3)]:
                levels.append(2)
                corners.append((cell + inner / base) / base)
    matrices = (1 / base ** np.array(levels))[:, None, None] * np.eye(dim)
    return Cubes(IFS(matrices, np.array(corners)), base, max(levels))


def total(ratios: Sequence[Any], power: Any) -> Any:
    """sum_i r_i^D - 1."""
    return sum(r**power for r in ratios) - 1


def _product(ratios: Sequence[Any]) -> Any:
    result = 1
    for r in ratios:
        result = result * r
    return result


CLAIM = Claim(
    label="moran-similarity",
    source="Moran 1946, Proc. Camb. Phil. Soc. 42, 15–23; Hutchinson 1981, Indiana Univ. Math. J. 30, 713–747",
    statement="The attractor of similarities with ratios r_i that satisfies the open set condition has the "
    "Hausdorff and box-counting dimension D with Σ r_i^D = 1.",
    equation=sp.Eq(sp.Sum(ratio(i) ** D, (i, 1, sp.Symbol("M"))), 1),
    formula=total,
    assumptions="similarities, 0 < r_i < 1, open set condition",
    scope="box-counting dimension; measured exactly on sets made of cubes, with equal and unequal ratios",
    witness={
        "Cantor": {"cubes": Cubes(gallery.cantor().ifs, 3, 1)},
        "Sierpinski": {"cubes": Cubes(gallery.sierpinski_right().ifs, 2, 1)},
        "golden": {"cubes": Cubes(gallery.golden().ifs, 2, 2)},
        "a carpet of two sizes": {"cubes": drawn(1, 3, 2)},
        "three sizes of a line": {"cubes": drawn(6, 3, 1)},
    },
    mutants={
        "the mean ratio": lambda ratios, power: len(ratios) * (sum(ratios) / len(ratios)) ** power - 1,
        "the geometric mean": lambda ratios, power: len(ratios) * _product(ratios) ** (power / len(ratios)) - 1,
        "the least ratio": lambda ratios, power: len(ratios) * min(ratios, key=float) ** power - 1,
        "perimeters, a power too many": lambda ratios, power: total(ratios, power + 1),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "cubes": st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([(2, 1), (3, 1), (2, 2), (3, 2), (2, 3)])).map(
        lambda point: drawn(point[0], *point[1])
    )
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The golden ratio's set; splitting a piece into its images keeps the sum; counts follow from it."""
    x = (sp.sqrt(5) - 1) / 2  # x + x^2 = 1
    yield Identity("ratios sqrt x and x have D = 2", formula((sp.sqrt(x), x), sp.Integer(2)))
    a = sp.Symbol("a", positive=True)
    b = 1 / (1 + a)  # ratios b and a b, with b + a b = 1
    yield Identity("a piece split into its images", formula((b * b, a * b * b, a * b), sp.Integer(1)))
    k, growth = sp.symbols("k x", positive=True)
    recursion = growth**k - growth ** (k - 1) - growth ** (k - 2)
    yield Identity("N_k = N_{k-1} + N_{k-2}", recursion + growth**k * formula((1 / growth, 1 / growth**2), 1))
    yield NotProved("any open set, and the Hausdorff dimension", "the mass distribution principle (a proof assistant)")


def observe(cubes: Cubes) -> tuple[float, float]:
    """Bounds of the dimension from the counts of cubes that hold an image of the centre, for several sides."""
    ifs, base, order = cubes
    steps = max(order + 1, int(np.log(POINTS) / np.log(len(ifs))))
    points = ifs.deterministic(np.full((1, ifs.dim), 0.5), steps)
    counts = []
    for k in range(steps - order, steps + 1):  # every word of `steps` letters is at most base^-steps wide
        boxes = np.floor(points * float(base) ** k).astype(np.int64)
        counts.append(len(np.unique(boxes @ (base**k) ** np.arange(ifs.dim))))
    growth: npt.NDArray[np.float64] = np.log(np.array(counts[1:]) / counts[:-1]) / np.log(base)
    return float(growth.min()), float(growth.max())


def root(formula: Formula, ratios: Sequence[float]) -> float:
    """The zero of a decreasing formula."""
    low, high = -2.0, 64.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if float(formula(ratios, middle)) > 0 else (low, middle)
    return low


def holds(formula: Formula, cubes: Cubes) -> float:
    """The zero lies between the bounds that the counts give, and is the library's dimension."""
    ratios = np.linalg.norm(cubes.ifs.matrices, 2, axis=(1, 2)).tolist()
    claimed, (low, high) = root(formula, ratios), observe(cubes)
    if not low - 1e-12 <= claimed <= high + 1e-12:
        raise Violation(f"D = {claimed!r}, but the counts grow with exponents from {low!r} to {high!r}")
    return close("library", similarity_dimension(ratios), claimed, 1e-12, 1.0)
