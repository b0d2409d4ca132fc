"""The Kaplan-Yorke dimension against its definition as the last zero of the piecewise linear partial sum."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pifs_sim.dynamics import kaplan_yorke_dimension

EXPONENTS = st.floats(-10, 10) | st.sampled_from([0.0, 1.0, -1.0, -0.5, -math.inf]) | st.floats(-1e-300, 1e-300)
SPECTRA = st.lists(st.tuples(EXPONENTS, st.integers(0, 4)), min_size=1, max_size=8).filter(
    lambda pairs: any(count for _, count in pairs)
)


def partial_sum(x: Fraction, ordered: list[float]) -> Fraction | float:
    """S(x): the sum of the first whole directions and the fraction of the next, largest first."""
    whole, total = int(x), Fraction(0)
    for exponent in ordered[:whole]:
        if exponent == -math.inf:
            return -math.inf
        total += Fraction(exponent)
    part = x - whole
    if part:
        total = -math.inf if ordered[whole] == -math.inf else total + part * Fraction(ordered[whole])
    return total


def last_zero(exponents: list[float], counts: list[int]) -> float:
    """The largest x in [0, n] with S(x) >= 0, by bisection in exact arithmetic: S is concave and S(0) = 0."""
    ordered = sorted((e for e, count in zip(exponents, counts, strict=True) for _ in range(count)), reverse=True)
    low, high = Fraction(0), Fraction(len(ordered))
    if partial_sum(high, ordered) >= 0:
        return float(high)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if partial_sum(middle, ordered) >= 0 else (low, middle)
    return float(low)


@given(pairs=SPECTRA)
@example(pairs=[(0.0, 1), (-math.inf, 1)])
@example(pairs=[(1.0, 1), (-1.0, 1), (-1.0, 2)])
@example(pairs=[(1e-300, 1), (-1.0, 1)])
@example(pairs=[(-math.inf, 2), (3.0, 0)])
def test_the_dimension_is_the_last_zero_of_the_partial_sum(pairs: list[tuple[float, int]]) -> None:
    """Bisection stops within 32 * 2^-80 below it, and a float carries 1e-16 of itself."""
    exponents, counts = [e for e, _ in pairs], [count for _, count in pairs]
    expected = last_zero(exponents, counts)
    assert kaplan_yorke_dimension(exponents, counts) == pytest.approx(expected, rel=3e-16, abs=3e-23)


@given(pairs=SPECTRA)
def test_multiplicities_count_equal_exponents_in_any_order(pairs: list[tuple[float, int]]) -> None:
    repeated = [exponent for exponent, count in reversed(pairs) for _ in range(count)]
    counted = kaplan_yorke_dimension([e for e, _ in pairs], [count for _, count in pairs])
    assert counted == kaplan_yorke_dimension(repeated)
    assert 0 <= counted <= len(repeated)


@given(pairs=SPECTRA, factor=st.sampled_from([2.0**-30, 0.5, 4.0, 2.0**40]))
def test_the_unit_of_time_does_not_matter(pairs: list[tuple[float, int]], factor: float) -> None:
    """Powers of two keep the floats exact (those that stay above the subnormal range)."""
    exponents = [0.0 if abs(e) < 1e-290 else e for e, _ in pairs]
    counts = [count for _, count in pairs]
    scaled = [e * factor for e in exponents]
    assert kaplan_yorke_dimension(scaled, counts) == kaplan_yorke_dimension(exponents, counts)


@given(pairs=SPECTRA, index=st.integers(0, 7), amount=st.floats(0, 5))
def test_raising_an_exponent_never_lowers_the_dimension(
    pairs: list[tuple[float, int]], index: int, amount: float
) -> None:
    exponents, counts = [e for e, _ in pairs], [count for _, count in pairs]
    raised = list(exponents)
    raised[index % len(raised)] += amount
    assert kaplan_yorke_dimension(raised, counts) >= kaplan_yorke_dimension(exponents, counts)


@pytest.mark.parametrize(
    ("exponents", "expected"),
    [
        ([1.0, 2.0, 3.0], 3.0),
        ([-1.0, -2.0], 0.0),
        ([-math.inf, -math.inf], 0.0),
        ([-1e-300], 0.0),
        ([0.0], 1.0),
        ([0.0, 0.0, 0.0], 3.0),
        ([0.0, -1.0], 1.0),
        ([0.0, -math.inf], 1.0),
        ([0.0, 0.0, -3.0], 2.0),
        ([1.0, -1.0], 2.0),
        ([1.0, -1.0, -1.0], 2.0),
        ([1.0, -1.0, 0.0], 3.0),
        ([1.0, -2.0], 1.5),
        ([-2.0, 1.0], 1.5),
        ([1.0, -math.inf], 1.0),
        ([5.0, -math.inf, -1.0], 2.0),
        ([1.0, -0.25, -0.25, -0.25, -0.25, -0.25], 5.0),
        ([0.419, 0.0, -14.57], 2 + 0.419 / 14.57),  # Lorenz's spectrum, about
        ([0.1, 0.2, -0.3], 3.0),  # the sum of these floats is 2.8e-17
        ([1e308, -1.0], 2.0),
        ([5e-324, -5e-324], 2.0),
    ],
    ids=str,
)
def test_known_spectra_have_their_dimension(exponents: list[float], expected: float) -> None:
    assert kaplan_yorke_dimension(exponents) == pytest.approx(expected, rel=1e-15, abs=0)


def test_partial_sums_are_exact() -> None:
    """1e16 + 1 - 1e16 - 1 is 0, so every direction counts; in floats the 1 is lost."""
    assert kaplan_yorke_dimension([1e16, 1.0, -1.0, -1e16]) == 4.0
    assert kaplan_yorke_dimension([0.1, 0.2, -0.3, -5.0]) == pytest.approx(3.0, abs=1e-15)


def test_a_tie_shares_the_fraction_over_equal_directions() -> None:
    """Three directions of -1 below one of 2.5: two and a half of them are filled, whatever their order."""
    assert kaplan_yorke_dimension([-1.0, 2.5, -1.0, -1.0]) == 3.5
    assert kaplan_yorke_dimension([2.5, -1.0], [1, 3]) == 3.5
    assert kaplan_yorke_dimension([2.5, -1.0, -1.0], [1, 1, 2]) == 3.5


def test_directions_that_are_not_there_do_not_count() -> None:
    assert kaplan_yorke_dimension([100.0, 1.0, -2.0], [0, 1, 1]) == 1.5
    assert kaplan_yorke_dimension([1.0, -1e-9, -2.0], [1, 0, 1]) == 1.5


def test_many_directions_of_one_exponent_are_counted_at_once() -> None:
    assert kaplan_yorke_dimension([1.0, -0.5], [10**6, 10**9]) == 3e6
    assert kaplan_yorke_dimension([1.0, -1.0, -2.0], [1e19, 1e19, 3]) == 2e19


@pytest.mark.parametrize("exponents", [[1.0, -2.0], (1.0, -2.0), np.array([1.0, -2.0]), np.array([1, -2]), [1, -2]])
def test_the_result_is_a_python_float(exponents: Any) -> None:
    result = kaplan_yorke_dimension(exponents)
    assert type(result) is float
    assert result == 1.5


def test_the_arguments_are_not_written_to() -> None:
    exponents, counts = np.array([-2.0, 1.0]), np.array([1, 3])
    exponents.flags.writeable = counts.flags.writeable = False
    kaplan_yorke_dimension(exponents, counts)
    assert exponents.tolist() == [-2.0, 1.0]


@pytest.mark.parametrize(
    ("exponents", "multiplicities", "name"),
    [
        ([], None, "exponents"),
        ([[1.0]], None, "exponents"),
        (1.0, None, "exponents"),
        ([math.nan], None, "exponents"),
        ([1.0, math.inf], None, "exponents"),
        (["a"], None, "exponents"),
        (None, None, "exponents"),
        ([[1.0], [1.0, 2.0]], None, "exponents"),
        (np.array([1j]), None, "exponents"),
        ([1.0], [], "multiplicities"),
        ([1.0], [1, 2], "multiplicities"),
        ([1.0], 1, "multiplicities"),
        ([1.0], [-1], "multiplicities"),
        ([1.0], [1.5], "multiplicities"),
        ([1.0], [math.nan], "multiplicities"),
        ([1.0], [math.inf], "multiplicities"),
        ([1.0, 2.0], [0, 0], "multiplicities"),
        ([1.0], ["a"], "multiplicities"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused_by_name(exponents: Any, multiplicities: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        kaplan_yorke_dimension(exponents, multiplicities)
