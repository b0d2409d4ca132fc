"""With overlaps D is an upper bound only: {x/3, (x + 1)/3, (x + 3)/3} has D = 1 and dimension ln((3 + sqrt 5)/2)/ln 3.

f_0 f_2 = f_1 f_0. Replacing the letters 02 by 10 ends, so every map of n letters has a word without 02, and there are
a_n = 3 a_{n-1} - a_{n-2} of these: a_n = F_{2n+2} intervals of length 3^-n |K| cover K, fewer than 3^n.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, SimilarityDimension, gallery
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close
from theory.formulas import evaluate

N = sp.Symbol("n", positive=True)
GROWTH = (3 + sp.sqrt(5)) / 2  # the square of the golden ratio

CLAIM = Claim(
    label="open-set-needed",
    source="Rao, Wen 1998, Adv. Appl. Math. 20, 50–72; the count of maps is derived here",
    statement="Without the open set condition D is an upper bound of the dimension, not always attained: "
    "{x/3, (x+1)/3, (x+3)/3} has D = 1, but its words of n letters give F_{2n+2} maps, so that its box-counting "
    "dimension is at most ln((3+√5)/2)/ln 3 = 0.876.",
    equation=sp.Le(sp.Symbol("dim"), sp.log(GROWTH) / sp.log(3)),
    formula=sp.fibonacci(2 * N + 2),
    assumptions="the digits 0, 1, 3 in base 3",
    scope="this set, in any affine coordinates; maps counted exactly for n ≤ 9",
    witness={
        "one letter": {"letters": 1, "scale": 1.0, "shift": 0.0},
        "four letters": {"letters": 4, "scale": 1.0, "shift": 0.0},
        "nine letters": {"letters": 9, "scale": 1.0, "shift": 0.0},
        "elsewhere": {"letters": 6, "scale": -2.5, "shift": 7.0},
    },
    mutants={
        "no two words agree, as D has it": 3**N,
        "one pair of words fewer at each letter": 3**N - N + 1,
        "the next smaller Fibonacci number": sp.fibonacci(2 * N + 1),
        "a letter of two lost": 3 * sp.Rational(8, 3) ** (N - 1),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "letters": st.integers(1, 9),
    "scale": st.sampled_from([1.0, -1.0, 0.3, 17.0]),
    "shift": st.sampled_from([0.0, 0.25, -3.0]),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """3, 8 and 21 maps; the recursion of words without 02; its growth is below 3."""
    gaps = [formula.subs(N, k) - count for k, count in ((1, 3), (2, 8), (3, 21))]
    yield Identity("a_1, a_2, a_3 = 3, 8, 21", sum(gap**2 for gap in gaps))
    g, power = sp.symbols("g q", positive=True)  # a_n = (g^{n+1} - g^{-n-1})/(g - 1/g), q = g^n
    a = [(g**k * power - 1 / (g**k * power)) / (g - 1 / g) for k in range(3)]
    yield Identity("a_n = (g + 1/g) a_{n-1} - a_{n-2}", a[2] - (g + 1 / g) * a[1] + a[0])
    yield Identity("g + 1/g = 3", sp.expand(GROWTH**2 - 3 * GROWTH + 1))
    yield NotProved("words without 02 stand for all maps", "rewriting systems (a proof assistant)")


@cache
def maps(scale: float, shift: float) -> IFS:
    """The set in the coordinates scale * x + shift."""
    A, b = gallery.overlapping().ifs.matrices, gallery.overlapping().ifs.offsets
    return IFS(A, scale * b + (1 - A[:, :, 0]) * shift)


def observe(letters: int, scale: float, shift: float) -> int:
    """How many different maps words of so many letters give: f_w(shift) - shift is scale 3^-n times an integer."""
    images = maps(scale, shift).deterministic(np.full((1, 1), shift), letters)[:, 0]
    numbers = (images - shift) * (3.0**letters / scale)
    whole = np.rint(numbers)
    if not np.abs(numbers - whole).max() < 1e-6:
        raise Violation(f"an image lies {np.abs(numbers - whole).max():.3g} from the integers")
    return len(np.unique(whole))


@cache
def overlap(scale: float, shift: float) -> SimilarityDimension:
    """What the library says of the set."""
    return maps(scale, shift).similarity_dimension()


def holds(formula: Formula, letters: int, scale: float, shift: float) -> float:
    """The formula counts the maps; the library sees the overlap, D = 1, and the gallery's dimension below it."""
    claimed = float(evaluate(formula, {N: [letters]})[0])
    error = close("number of maps", observe(letters, scale, shift), claimed, 1e-9)
    found = overlap(scale, shift)
    close("similarity dimension", found.value, 1.0, 1e-13)
    if found.words != ((0, 2), (1, 0)):
        raise Violation(f"the overlap is not seen: {found}")
    close("gallery", gallery.overlapping().bounds, float(sp.log(GROWTH) / sp.log(3)), 1e-15)
    return error
