"""A contraction W with factor s and fixed point x* has ||x - x*|| <= ||x - W x||/(1 - s) for every x.

||x - W^n x|| <= (1 + s + ... + s^{n-1}) ||x - W x|| by the triangle inequality, and W^n x -> x*. It is attained where
W x - x* = s (x - x*). Fractal image coding minimises the right-hand side in place of the left.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.dynamics import block_norms
from pifs_sim.fractals import AffinePIFS, Collage, encode, random_pifs
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, Violation, close
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
s, error, distance = sp.Symbol("s", positive=True), sp.Symbol("‖x−Wx‖"), sp.Symbol("‖x−x*‖")


def drawn(seed: int, count: int, size: int, level: float) -> AffinePIFS:
    """A random PIFS with row sum s = level, its pairing hard or soft."""
    pairing = "hard" if seed % 2 else "soft"
    return random_pifs(count, size, norm=level, pairing=pairing, rng=np.random.default_rng(seed))  # type: ignore[arg-type]


def multiple(seed: int, count: int, size: int, level: float) -> AffinePIFS:
    """W x = s x + b: the bound is attained everywhere."""
    offset = np.random.default_rng(seed).standard_normal(count * size)
    return AffinePIFS.paired(np.eye(count), level * np.eye(size), offset)


CLAIM = Claim(
    label="collage",
    source="Barnsley, Ervin, Hardin, Lancaster 1986, PNAS 83, 1975–1977",
    statement="A contraction W of a complete metric space with factor s < 1 and fixed point x* has "
    "‖x − x*‖ ≤ ‖x − Wx‖/(1 − s) for every x; W x = s x + b attains it.",
    equation=sp.Le(distance, error / (1 - s)),
    formula=lambda collage, factor: collage / (1 - factor),
    assumptions="W a contraction with factor s < 1, a complete metric space",
    scope="every contraction; measured on affine PIFS in the block-max norm and on coded images in the maximum norm",
    witness={
        "a multiple of the identity": {"pifs": multiple(1, 2, 2, 0.75), "seed": 1, "spread": 1.0},
        "nearly an isometry": {"pifs": multiple(2, 1, 3, 0.99), "seed": 2, "spread": 1.0},
        "hard pairing": {"pifs": drawn(3, 4, 2, 0.6), "seed": 3, "spread": 1e-3},
        "soft pairing, far away": {"pifs": drawn(4, 3, 3, 0.9), "seed": 4, "spread": 1e3},
    },
    mutants={
        "the error itself": lambda collage, _: collage,
        "s/(1 - s), of one step later": lambda collage, factor: factor * collage / (1 - factor),
        "1 + s": lambda collage, factor: collage / (1 + factor),
        "the square of 1 - s": lambda collage, factor: collage / (1 - factor) ** 2,
        "1 - s^2": lambda collage, factor: collage / (1 - factor**2),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "pifs": st.builds(
        lambda build, *point: build(*point),
        st.sampled_from([drawn, multiple]),
        st.integers(0, 2**32 - 1),
        st.integers(1, 4),
        st.integers(1, 3),
        st.floats(0.05, 0.98),
    ),
    "seed": st.integers(0, 9),
    "spread": st.sampled_from([1e-4, 1.0, 1e3]),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Attained by x -> s x + b; the geometric sum; the bound from ||x - x*|| <= ||x - W x|| + ||W x - W x*||."""
    x, b, power = sp.symbols("x b p", positive=True)  # p = s^n
    yield Identity("x -> s x + b attains it", (x - b / (1 - s)) - formula(x - (s * x + b), s))
    partial = (1 - power) / (1 - s)
    yield Identity("1 + s + ... + s^n, by induction", partial + power - partial.subs(power, power * s))
    t = sp.Symbol("t", positive=True)  # s = t/(1 + t), any number below 1
    yield Positive("the partial sums stay below 1/(1 - s)", power / (1 - s.subs(s, t / (1 + t))))
    d, after, moved = sp.symbols("d d_after c", nonnegative=True)  # to x* of x and of W x, and between the two
    given = (d >= 0, after >= 0, moved >= 0, s < 1)
    triangle, contraction = d <= moved + after, after <= s * d  # ||W x - x*|| = ||W x - W x*||
    yield Implies("triangle and contraction", (*given, triangle, contraction), d <= formula(moved, s))
    attained = (sp.Eq(d, moved + after), sp.Eq(after, s * d))
    yield Implies("with equality in both", (*given, *attained), sp.Eq(d, formula(moved, s)))


def observe(pifs: AffinePIFS, x: Array) -> tuple[float, float, float]:
    """||x - W x||, ||x - x*|| and the factor s of W, in the block-max norm."""

    def norm(y: Array) -> float:
        return float(np.linalg.norm(pifs.patches.split(y[None]), axis=2).max())

    factor = float(block_norms(pifs.matrix, pifs.patches).row_sum[0])
    return norm(x - pifs.step(x[None], 0)[0]), norm(x - pifs.fixed_point), factor


@cache
def coded(seed: int) -> Collage:
    """The same of a small coded image, in the maximum norm."""
    picture = np.random.default_rng(seed).random((4, 6))
    return encode(picture, 2, backend="reference").collage(picture)


def holds(formula: Formula, pifs: AffinePIFS, seed: int, spread: float) -> float:
    """The bound holds to the rounding of x*, and is attained by multiples of the identity; likewise for an image."""
    x = pifs.fixed_point + spread * np.random.default_rng(seed).standard_normal(pifs.dim)
    collage, found, factor = observe(pifs, x)
    bound, rounding = float(formula(collage, factor)), 256 * EPS * (1 + float(np.abs(x).max())) / (1 - factor)
    if not found <= bound + rounding:
        raise Violation(f"the distance is {found!r}, above {bound!r} with s = {factor!r}")
    image = coded(seed)
    if not image.distance <= float(formula(image.error, image.factor)) + 1e-12:
        raise Violation(f"the image is {image.distance!r} away, with a collage error of {image.error!r}")
    attained = np.array_equal(pifs.matrix, factor * np.eye(pifs.dim))
    return close("attained distance", found, bound, rounding, 1.0) if attained else 0.0
