"""Contractions f_i with constants at most s < 1 have one compact set K = f_1(K) u .. u f_M(K), reached at the rate s.

In the Hausdorff distance h of compact sets W(A) = f_1(A) u .. u f_M(A) is a contraction with the factor s, as
h(A u B, C u D) <= max(h(A, C), h(B, D)) and h(f(A), f(B)) <= s h(A, B): so h(W^n A, W^n B) <= s^n h(A, B). For
similarities whose images of the two sets lie far apart this is attained.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, gallery
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
n, s = sp.Symbol("n"), sp.Symbol("s", positive=True)
after, before = sp.Symbol("{h(W^{n}A, W^{n}B)}"), sp.Symbol("{h(A, B)}")
MOST = 700  # points of an image


def largest(constants: Sequence[Any], steps: Any, distance: Any) -> Any:
    """s^n h, s the largest constant."""
    return extreme(constants, sp.Max, max) ** steps * distance


def extreme(constants: Sequence[Any], symbolic: Any, numeric: Any) -> Any:
    """The largest or least of symbols or numbers."""
    return symbolic(*constants) if any(isinstance(c, sp.Basic) for c in constants) else numeric(constants)


def mean(constants: Sequence[Any]) -> Any:
    """Of the constants."""
    return sum(constants) / len(constants)


def drawn(seed: int, dim: int, count: int, spread: float) -> IFS:
    """Similarities with offsets that differ by `spread` at least; the sets are of size 1."""
    rng = np.random.default_rng(seed)
    turns = np.linalg.qr(rng.standard_normal((count, dim, dim)))[0]
    offsets = rng.standard_normal((count, dim))
    offsets *= (spread * np.arange(1, count + 1) / np.linalg.norm(offsets, axis=1))[:, None]
    return IFS(rng.uniform(0.2, 0.9, count)[:, None, None] * turns, offsets)


def bent(seed: int, dim: int, count: int, spread: float) -> IFS:
    """Maps that contract unevenly."""
    rng = np.random.default_rng(seed)
    matrices = rng.standard_normal((count, dim, dim))
    matrices *= (rng.uniform(0.2, 0.9, count) / np.linalg.norm(matrices, 2, axis=(1, 2)))[:, None, None]
    return IFS(matrices, spread * rng.standard_normal((count, dim)))


CLAIM = Claim(
    label="hutchinson",
    source="Hutchinson 1981, Indiana Univ. Math. J. 30, 713–747",
    statement="Maps with constants at most s < 1 have exactly one compact K with K = f_1(K) ∪ … ∪ f_M(K): W contracts "
    "the Hausdorff distance of compact sets, h(WⁿA, WⁿB) ≤ sⁿ h(A, B), so that WⁿA → K at the rate s.",
    equation=sp.Le(after, s**n * before),
    formula=largest,
    assumptions="finitely many contractions of a complete metric space, s the largest constant",
    scope="every IFS of contractions; measured on affine maps of R^d in the Euclidean norm; attained by similarities "
    "with images far apart",
    witness={
        "Cantor": {"ifs": gallery.cantor().ifs, "steps": 4, "seed": 1},
        "golden": {"ifs": gallery.golden().ifs, "steps": 3, "seed": 2},
        "Koch": {"ifs": gallery.koch().ifs, "steps": 2, "seed": 3},
        "Barnsley's fern": {"ifs": gallery.barnsley_fern().ifs, "steps": 2, "seed": 4},
        "far apart": {"ifs": drawn(5, 2, 3, 1e4), "steps": 2, "seed": 5},
        "far apart, in space": {"ifs": drawn(6, 3, 2, 1e4), "steps": 3, "seed": 6},
    },
    mutants={
        "the least constant": lambda constants, steps, distance: extreme(constants, sp.Min, min) ** steps * distance,
        "the mean constant": lambda constants, steps, distance: mean(constants) ** steps * distance,
        "one step more": lambda constants, steps, distance: largest(constants, steps + 1, distance),
        "the square of the distance": lambda constants, steps, distance: largest(constants, steps, distance**2 / 9),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "ifs": st.builds(
        lambda build, *point: build(*point),
        st.sampled_from([drawn, drawn, bent]),
        st.integers(0, 2**32 - 1),
        st.integers(1, 3),
        st.integers(2, 4),
        st.sampled_from([1.0, 1e4, 1e4]),
    ),
    "steps": st.integers(1, 3),
    "seed": st.integers(0, 99),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Two maps of the line attain it; the factors of successive steps multiply."""
    a, c, distance = sp.symbols("a c h", positive=True)
    images = (a * distance, (a + c) * distance)  # of {h}; those of {0} are {0}, and the farther one decides
    yield Identity("x -> a x, x -> (a + c) x", formula((a, a + c), 1, distance) - sp.Max(*images))
    composed = formula((a, a + c), 2, formula((a, a + c), 3, distance))
    yield Identity("2 + 3 steps", formula((a, a + c), 5, distance) - composed)
    yield NotProved("h of unions and images; compact sets are complete under h", "metric spaces (a proof assistant)")


def hausdorff(A: Array, B: Array) -> float:
    """Distance of two finite sets."""
    between = np.linalg.norm(A[:, None] - B[None], axis=2)
    return float(max(between.min(axis=0).max(), between.min(axis=1).max()))


class Distances(NamedTuple):
    """Of two sets before and after, of two points likewise, and of a point to K and of its images to K."""

    sets: tuple[float, float]
    points: tuple[float, float]
    attractor: tuple[float, float]
    rounding: float


@cache
def observe(ifs: IFS, steps: int, seed: int) -> Distances:
    """Two random sets and their images; the distance to K is bounded by the ball of a fixed point that holds it."""
    rng, most = np.random.default_rng(seed), float(ifs.contraction(2).max())
    size = max(1, min(4, MOST // len(ifs) ** steps))
    A, B = rng.standard_normal((size, ifs.dim)), 3 * rng.standard_normal((size, ifs.dim)) + 5
    images, others = ifs.deterministic(A, steps), ifs.deterministic(B, steps)
    pair = ifs.deterministic(A[:1], steps), ifs.deterministic(B[:1], steps)
    K, centre = ifs.attractor(200, rng=rng, transient=9, backend="reference"), ifs.fixed_points[0]
    radius = float(np.linalg.norm(ifs.deterministic(centre[None], 1) - centre, axis=1).max()) / (1 - most)
    near = float(np.linalg.norm(K[:, None] - pair[0][None], axis=2).min(axis=1).max())
    return Distances(
        (hausdorff(A, B), hausdorff(images, others)),
        (hausdorff(A[:1], B[:1]), hausdorff(*pair)),
        (float(np.linalg.norm(A[0] - centre)) + radius, near),
        1e3 * EPS * float(np.abs(ifs.offsets).max() + np.abs(B).max()) / (1 - most),
    )


def holds(formula: Formula, ifs: IFS, steps: int, seed: int) -> float:
    """Sets come together at least so fast, and images of a point come to the attractor; two points may just do so."""
    constants, found = ifs.contraction(2).tolist(), observe(ifs, steps, seed)
    for name, (first, later) in (("two sets", found.sets), ("a point and the attractor", found.attractor)):
        bound = float(formula(constants, steps, first))
        if not later <= bound + found.rounding:
            raise Violation(f"{name} are {later!r} apart after {steps} steps, more than {bound!r}")
    values = np.linalg.svd(ifs.matrices, compute_uv=False)
    if np.abs(ifs.offsets).max() < 1e3 or np.ptp(values, axis=1).max() > 1e-12:
        return 0.0
    first, later = found.points
    return close("attained", later, float(formula(constants, steps, first)), found.rounding, 1.0)
