"""The s at which sum_w phi^s(A_w) stops to grow bounds the box-counting dimension of a self-affine set from above.

phi^s(A) = a_1 .. a_m a_{m+1}^{s-m}, a_1 >= .. >= a_d the singular values, m <= s <= m + 1. For the carpet of N cells of
a grid of n columns and m rows, n > m, that meets r rows: s = ln N/ln m if N <= m, else 1 + ln(N/m)/ln n, while the
box-counting dimension is ln r/ln m + ln(N/r)/ln n: equal exactly if r = min(N, m). With n = m^2 boxes of side n^-k meet
the carpet (N r)^k times: k letters, and the rows of k more.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, affinity_dimension, gallery
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close

Digits = tuple[tuple[int, int], ...]
s, box = sp.Symbol("s", positive=True), sp.Symbol("dim_B")


def singular_value_function(power: Any, values: Sequence[Any]) -> Any:
    """phi^s of two singular values, the larger first."""
    a, b = values
    if power <= 1:
        return a**power
    return a * b ** (power - 1) if power <= 2 else (a * b) ** (power / 2)


def attained(count: int, rows: int, met: int) -> bool:
    """Whether the bound is the dimension."""
    return met == min(count, rows)


def some(seed: int, rows: int) -> tuple[int, Digits]:
    """A carpet of rows^2 columns: a few cells in some of the rows, or one in each of some rows."""
    rng = np.random.default_rng(seed)
    met = [int(j) for j in rng.permutation(rows)[: rng.integers(2, rows + 1)]]
    if seed % 3 == 0:
        return rows, tuple((int(rng.integers(rows**2)), j) for j in met)
    cells = [(i, j) for i in range(rows**2) for j in met[seed % 2 :]]
    chosen = rng.permutation(len(cells))[: rng.integers(2, min(len(cells), 7) + 1)]
    return rows, tuple(cells[k] for k in chosen)


CLAIM = Claim(
    label="affinity-dimension",
    source="Falconer 1988, Math. Proc. Camb. Phil. Soc. 103, 339–350; Bedford 1984; McMullen 1984, Nagoya Math. J. 96",
    statement="The affinity dimension, at which Σ_w φ^s(A_w) over words of n letters stops to grow, is at least the "
    "box-counting dimension of the self-affine set. On carpets of n = m² columns and m rows it is attained exactly if "
    "the cells meet min(N, m) rows: generically, not always.",
    equation=sp.Le(box, s),
    formula=(singular_value_function, attained),
    assumptions="contracting affine maps",
    scope="box counts exact on Bedford–McMullen carpets with n = m²; the library's bounds in other coordinates too",
    witness={
        "four rows, three cells in one": {"carpet": (4, ((0, 1), (5, 1), (15, 1))), "seed": 1},
        "attained, every row": {"carpet": (2, ((0, 0), (2, 0), (3, 1))), "seed": 2},
        "one row: a Cantor set": {"carpet": (2, ((0, 0), (2, 0), (3, 0))), "seed": 3},
        "attained, one cell a row": {"carpet": (3, ((0, 0), (8, 2))), "seed": 4},
        "two of three rows": {"carpet": (3, ((0, 0), (3, 0), (4, 0), (5, 1), (8, 1))), "seed": 5},
    },
    mutants={
        "the largest singular value": (lambda power, values: values[0] ** power, attained),
        "the least singular value": (lambda power, values: values[1] ** power, attained),
        "the area": (lambda power, values: (values[0] * values[1]) ** (power / 2), attained),
        "attained whenever every map counts": (singular_value_function, lambda count, _, met: met == count),
        "attained on full rows only": (singular_value_function, lambda _, rows, met: met == rows),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "carpet": st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 4)).map(lambda point: some(*point)),
    "seed": st.integers(0, 99),
}

REGIONS: dict[str, Any] = {
    "attained": lambda carpet, **_: attained(len(carpet[1]), carpet[0], len({j for _, j in carpet[1]})),
    "not attained": lambda carpet, **_: not attained(len(carpet[1]), carpet[0], len({j for _, j in carpet[1]})),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The closed forms on carpets, at s = 3/2 and 1/2; the difference to the box-counting dimension."""
    phi, when = formula
    wrong = sum(when(*case) != says for *case, says in ((3, 2, 2, True), (3, 2, 1, False), (2, 3, 2, True)))
    m, p = sp.symbols("m p", positive=True)  # n = p^2 columns; N = m p cells have s = 3/2
    sums = m * p * phi(sp.Rational(3, 2), (1 / m, 1 / p**2))
    yield Identity("N phi^s = 1 at s = 1 + ln(N/m)/ln n, three carpets", (sums - 1) ** 2 + wrong)
    yield Identity("N phi^s = 1 at s = ln N/ln m", m * phi(sp.Rational(1, 2), (1 / m**2, 1 / p**2)) - 1)
    x, y, logs = sp.symbols("x y l", positive=True)  # ln r, ln N and ln m, with ln n = 2 l
    boxes, bound = x / logs + (y - x) / (2 * logs), 1 + (y - logs) / (2 * logs)
    yield Identity("s - dim_B = (ln m - ln r)/(2 ln m) for N > m", bound - boxes - (logs - x) / (2 * logs))
    yield Identity("s - dim_B = (ln N - ln r)/(2 ln m) for N <= m", y / logs - boxes - (y - x) / (2 * logs))
    yield NotProved("phi^s is submultiplicative, and covers cost no more", "exterior algebra (a proof assistant)")


@cache
def observe(rows: int, digits: Digits) -> float:
    """Box-counting dimension from the counts of boxes of sides n^-1 and n^-2, whose ratio is that of all others."""
    ifs = gallery.bedford_mcmullen(rows**2, rows, digits).ifs
    counts = []
    for k in (1, 2):
        points = ifs.deterministic(np.full((1, 2), 0.5), 2 * k)
        boxes = np.floor(points * float(rows) ** (2 * k)).astype(np.int64)
        counts.append(len(np.unique(boxes @ [1, rows ** (2 * k)])))
    return float(np.log(counts[1] / counts[0]) / np.log(rows**2))


def root(phi: Any, count: int, values: tuple[float, float]) -> float:
    """The s with count * phi^s = 1."""
    low, high = 0.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if count * phi(middle, values) > 1 else (low, middle)
    return low


def holds(formula: Formula, carpet: tuple[int, Digits], seed: int) -> float:
    """The bound holds, is attained where it should be, and is the library's, also in other coordinates."""
    (phi, when), (rows, digits) = formula, carpet
    bound, found = root(phi, len(digits), (1 / rows, 1 / rows**2)), observe(rows, digits)
    if not found <= bound + 1e-12:
        raise Violation(f"the box-counting dimension is {found!r}, above {bound!r}")
    if (abs(found - bound) <= 1e-12) != when(len(digits), rows, len({j for _, j in digits})):
        raise Violation(f"the box-counting dimension is {found!r}, the bound {bound!r}")
    ifs: IFS = gallery.bedford_mcmullen(rows**2, rows, digits).ifs
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((2, 2)))[0]
    low, high = affinity_dimension(turn @ ifs.matrices @ turn.T, level=1).interval
    if not low <= bound * (1 + 1e-12) <= high * (1 + 2e-12):
        raise Violation(f"the library's bounds are {low!r} and {high!r}, the formula says {bound!r}")
    return close("library", ifs.affinity_dimension().value, bound, 1e-12)
