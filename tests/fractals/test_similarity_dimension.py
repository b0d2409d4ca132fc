"""The D with sum r_i^D = 1, to rounding, and the overlaps that make it too large."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pifs_sim.fractals import IFS, gallery, similarity_dimension
from tests.fractals.affine import Known, similar

GOLDEN = (1 + math.sqrt(5)) / 2

RATIOS = (
    st.floats(1e-3, 0.999)
    | st.floats(-300, -1).map(lambda e: 10.0**e)
    | st.floats(1, 15.9).map(lambda e: 1 - 10.0**-e)
    | st.sampled_from([5e-324, 1 - 2.0**-53, 0.5])
)


def refined(ratios: list[float]) -> float:
    """The root to 60 digits, by Newton's method from the library's."""
    with mpmath.workdps(60):
        logs = [mpmath.log(mpmath.mpf(r)) for r in ratios]
        D = mpmath.mpf(similarity_dimension(ratios))
        for _ in range(6):
            terms = [mpmath.exp(D * log) for log in logs]
            D += (mpmath.fsum(terms) - 1) / -mpmath.fsum(t * log for t, log in zip(terms, logs, strict=True))
        assert abs(mpmath.fsum(mpmath.exp(D * log) for log in logs) - 1) < 1e-40
        return float(D)


@given(ratios=st.lists(RATIOS, min_size=2, max_size=30))
@example(ratios=[1 - 2.0**-53, 1e-300])
@example(ratios=[5e-324, 5e-324])
@example(ratios=[1 - 2.0**-53, 1 - 2.0**-53])
def test_the_dimension_is_the_root_to_a_few_roundings(ratios: list[float]) -> None:
    assert similarity_dimension(ratios) == pytest.approx(refined(ratios), rel=1e-15)


@pytest.mark.parametrize(
    ("ratios", "exact"),
    [
        ([1 / 3] * 2, math.log(2) / math.log(3)),
        ([1 / 2] * 3, math.log(3) / math.log(2)),
        ([1 / 3] * 8, math.log(8) / math.log(3)),
        ([1 / 3] * 20, math.log(20) / math.log(3)),
        ([1 / 3] * 4, math.log(4) / math.log(3)),
        ([1 / 2, 1 / 4], math.log2(GOLDEN)),
        ([1 / 2, 1 / 4, 1 / 4], 1.0),
        ([1 / 4, 1 / 16], math.log2(GOLDEN) / 2),
        ([0.6, 0.8], 2.0),
        ([0.7], 0.0),
        ([1 / 1000] * 10**5, 5 / 3),
    ],
)
def test_known_dimensions_are_exact(ratios: list[float], exact: float) -> None:
    assert similarity_dimension(ratios) == pytest.approx(exact, rel=1e-15, abs=0)


@given(ratios=st.lists(st.floats(1e-3, 0.99), min_size=1, max_size=8), power=st.integers(2, 3))
def test_iterating_and_reordering_change_nothing_and_powers_of_ratios_divide_it(
    ratios: list[float], power: int
) -> None:
    D = similarity_dimension(ratios)
    words = [math.prod(word) for word in product(ratios, repeat=2)]
    assert similarity_dimension(words) == pytest.approx(D, rel=1e-14)
    assert similarity_dimension(ratios[::-1]) == D
    assert similarity_dimension([r**power for r in ratios]) == pytest.approx(D / power, rel=1e-14)


@pytest.mark.parametrize("ratios", [[], [[0.5]], [0.5, 0.0], [0.5, 1.0], [1.2], [-0.5], [math.nan], ["a"]])
def test_ratios_outside_of_0_and_1_are_refused_by_name(ratios: list[float]) -> None:
    with pytest.raises(ValueError, match="ratios"):
        similarity_dimension(ratios)


@given(known=similar())
def test_an_ifs_of_similarities_has_the_dimension_of_its_ratios(known: Known) -> None:
    found = known.ifs.similarity_dimension()
    assert found.ratios == pytest.approx(known.ratios, rel=1e-14)
    assert found.value == pytest.approx(similarity_dimension(known.ratios), rel=1e-12)
    assert found.excess == (found.value > known.ifs.dim * (1 + 1e-14))


@pytest.mark.parametrize(
    ("ifs", "reason"),
    [
        (gallery.barnsley_fern().ifs, "map 0 must be a similarity .* stretches by 0 to 0.16"),
        (gallery.bedford_mcmullen().ifs, "stretches by 0.333333 to 0.5 .* see `affinity_dimension`"),
        (IFS([np.eye(2) / 2, np.array([[0.5, 1e-9], [0.0, 0.5]])], np.zeros((2, 2))), "map 1 must be a similarity"),
        (IFS([np.eye(2)], np.zeros((1, 2))), "`ratios` must lie in"),
        (IFS([[[0.0]]], [[1.0]]), "`ratios` must lie in"),
    ],
)
def test_maps_that_are_no_contracting_similarities_are_refused_with_the_reason(ifs: IFS, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ifs.similarity_dimension()


def test_two_words_with_the_same_map_are_found_and_named() -> None:
    found = gallery.overlapping().ifs.similarity_dimension()
    assert found.value == pytest.approx(1, rel=1e-15)
    assert found.words == ((0, 2), (1, 0))
    assert found.overlap == "the words 0 2 and 1 0 give the same map: D is only an upper bound."
    twice = IFS(np.full((2, 1, 1), 0.5), np.zeros((2, 1))).similarity_dimension()
    assert twice.words == ((0,), (1,))
    nested = IFS([[[0.5]], [[0.25]]], [[0.5], [0.75]]).similarity_dimension()  # f_0 f_0 = f_1
    assert nested.words == ((1,), (0, 0))


@pytest.mark.parametrize("name", [name for name in gallery.NAMES if gallery.get(name).open_set])
def test_no_overlap_is_found_under_the_open_set_condition(name: str) -> None:
    entry = gallery.get(name)
    if entry.name != "bedford_mcmullen":
        assert entry.ifs.similarity_dimension().overlap is None


def test_more_than_the_space_can_hold_is_reported() -> None:
    found = IFS(np.full((3, 1, 1), 0.4), [[0.0], [0.3], [0.61803]]).similarity_dimension()
    assert found.value > 1
    assert found.excess
    assert found.overlap == "D exceeds the dimension of the space: images overlap."


@given(digits=st.sets(st.integers(0, 8), min_size=2, max_size=5))
def test_overlaps_of_digits_are_found_exactly_where_integers_find_them(digits: set[int]) -> None:
    """x -> (x + c)/3: two words have the same map iff their numbers sum c_k 3^k are the same."""
    ifs = IFS(np.full((len(digits), 1, 1), 1 / 3), np.array(sorted(digits))[:, None] / 3)
    words = ifs.similarity_dimension().words
    numbers = [sum(Fraction(c, 3**k) for k, c in enumerate(word, 1)) for word in product(sorted(digits), repeat=4)]
    if len(set(numbers)) < len(numbers):
        assert words is not None
    if words is not None:
        places = sorted(digits)
        u, v = (sum(Fraction(places[i], 3**k) for k, i in enumerate(word, 1)) for word in words)
        assert len(words[0]) == len(words[1])
        assert words[0] != words[1]
        assert u == v
