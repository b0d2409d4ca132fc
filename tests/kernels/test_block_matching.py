"""The best match after quantisation: against exact arithmetic, planted copies, ties, and between backends."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pifs_sim.kernels import block_matching
from pifs_sim.kernels.block_matching import Quantisation

BACKENDS = pytest.mark.parametrize("backend", ["reference", "cpu"])
STEPS = Quantisation(0.125, 7, -128.0, 2.0, 128)  # powers of two: exact in every backend and in fractions
TURNS = np.array([[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0], [2, 0, 3, 1]])


def squares(side: int) -> Any:
    """The eight isometries of side x side pixels."""
    square = np.arange(side * side).reshape(side, side)
    turned = [np.rot90(square, k) for k in range(4)]
    return np.array([block.ravel() for block in [*turned, *(turn.T for turn in turned)]])


def exact(r: Any, d: Any, turn: Any) -> tuple[int, int, Fraction]:
    """Contrast level, brightness level and error of one pair of whole-number blocks, in fractions."""
    n = len(r)
    mean_r, mean_d = Fraction(int(r.sum()), n), Fraction(int(d.sum()), n)
    covariance = sum((int(a) - mean_r) * (int(b) - mean_d) for a, b in zip(r, d[turn], strict=True))
    variance = sum((int(b) - mean_d) ** 2 for b in d)
    ratio = covariance / variance / Fraction(STEPS.contrast_step) if variance else Fraction(0)
    level = min(math.floor(abs(ratio) + Fraction(1, 2)), STEPS.contrast_levels) * (1 if ratio > 0 else -1)
    s = level * Fraction(STEPS.contrast_step)
    low, step = Fraction(STEPS.brightness_low), Fraction(STEPS.brightness_step)
    tone = math.floor((mean_r - s * mean_d - low) / step + Fraction(1, 2))
    tone = min(max(tone, 0), STEPS.brightness_levels - 1)
    m = low + tone * step
    return level, tone, sum((s * int(b) + m - int(a)) ** 2 for a, b in zip(r, d[turn], strict=True))


def first_least(r: Any, domains: Any, turns: Any) -> tuple[int, int, int, int, Fraction]:
    """The match of one range by comparing every pair, without a domain before all."""
    _, tone, error = exact(r, np.zeros_like(r), turns[0])
    best = (0, 0, 0, tone, error)
    for c, d in enumerate(domains):
        for g, turn in enumerate(turns):
            level, tone, error = exact(r, d, turn)
            if level and error < best[-1]:
                best = (c, g, level, tone, error)
    return best


def draw_blocks(rng: Any, count: int, n: int, high: int) -> Any:
    """Whole numbers from -high to high."""
    return rng.integers(-high, high + 1, (count, n)).astype(float)


@BACKENDS
@given(seed=st.integers(0, 999), high=st.sampled_from([1, 2, 9, 127]), count=st.integers(1, 6))
@example(seed=0, high=0, count=3)
def test_the_match_is_the_first_least_of_exact_arithmetic(backend: str, seed: int, high: int, count: int) -> None:
    """Few values make many ties; the float error is exact, but for the division by n = 4."""
    rng = np.random.default_rng(seed)
    ranges, domains = draw_blocks(rng, 3, 4, high), draw_blocks(rng, count, 4, high)
    found = block_matching.compute(ranges, domains, TURNS, quantisation=STEPS, backend=backend)
    for i, r in enumerate(ranges):
        *choice, error = first_least(r, domains, TURNS)
        assert [int(field[i]) for field in found[:4]] == choice
        assert found.error[i] == float(error)


@BACKENDS
@pytest.mark.parametrize("side", [2, 3, 4, 8])
def test_a_planted_copy_is_found_without_error(backend: str, side: int) -> None:
    rng = np.random.default_rng(side)
    domains, turns = draw_blocks(rng, 300, side * side, 64), squares(side)
    domain, turn = rng.integers(0, 300, 12), rng.integers(0, 8, 12)
    level, tone = rng.choice([-7, -3, -1, 1, 4, 7], 12), rng.integers(0, 128, 12)
    moved = np.take_along_axis(domains[domain], turns[turn], axis=1)
    ranges = 0.125 * level[:, None] * moved + (2.0 * tone - 128.0)[:, None]
    found = block_matching.compute(ranges, domains, turns, quantisation=STEPS, backend=backend)
    assert (found.error == 0).all()
    rebuilt = 0.125 * found.contrast[:, None] * np.take_along_axis(domains[found.domain], turns[found.isometry], axis=1)
    assert np.array_equal(rebuilt + (2.0 * found.brightness - 128.0)[:, None], ranges)
    if side > 2:  # two isometries of four pixels may have the same image
        assert np.array_equal([found.domain, found.isometry, found.contrast], [domain, turn, level])


@BACKENDS
def test_a_flat_range_takes_no_domain(backend: str) -> None:
    domains = draw_blocks(np.random.default_rng(0), 20, 16, 50)
    ranges = np.array([[-128.0], [3.2], [126.0], [500.0]]) * np.ones(16)
    found = block_matching.compute(ranges, domains, squares(4), quantisation=STEPS, backend=backend)
    assert not np.any([found.domain, found.isometry, found.contrast])
    assert found.brightness.tolist() == [0, 66, 127, 127]
    assert found.error.tolist() == pytest.approx([0, 16 * 0.8**2, 0, 16 * 374.0**2])


@BACKENDS
def test_flat_domains_are_never_taken(backend: str) -> None:
    """Not even where their spread is rounding."""
    rng = np.random.default_rng(1)
    domains = np.concatenate([np.full((5, 16), 0.1) + 100.3, draw_blocks(rng, 1, 16, 50), np.zeros((4, 16))])
    ranges = 0.5 * domains[5] + rng.normal(0, 3, (9, 16))
    found = block_matching.compute(ranges, domains, squares(4), quantisation=STEPS, backend=backend)
    assert (found.domain == 5).all()


@BACKENDS
def test_of_equal_domains_the_first_is_taken(backend: str) -> None:
    domains = np.repeat(draw_blocks(np.random.default_rng(2), 70, 16, 50), 3, axis=0)
    ranges = 0.5 * domains[::3] + 4.0
    found = block_matching.compute(ranges, domains, squares(4), quantisation=STEPS, backend=backend)
    assert found.domain.tolist() == list(range(0, 210, 3))
    assert not found.isometry.any()


@given(
    seed=st.integers(0, 999),
    side=st.integers(1, 9),
    counts=st.tuples(st.integers(1, 70), st.integers(1, 300)),
    isometries=st.sampled_from([1, 4, 8]),
    high=st.sampled_from([1, 3, 127]),
)
def test_the_backends_agree_bit_by_bit_on_whole_numbers(
    seed: int, side: int, counts: tuple[int, int], isometries: int, high: int
) -> None:
    rng = np.random.default_rng(seed)
    ranges, domains = (draw_blocks(rng, count, side * side, high) for count in counts)
    quantisation = Quantisation(0.95 / 15, 15, -248.6, 3.91, 128)
    arguments = ranges, domains / 4, squares(side)[:isometries]
    law, fast = (block_matching.compute(*arguments, quantisation=quantisation, backend=b) for b in ("reference", "cpu"))
    for expected, found in zip(law, fast, strict=True):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_backends_agree_to_rounding_on_real_numbers(dtype: Any) -> None:
    """Inner products of 64 numbers up to 255 round by 1e-9 of n^2 times their size at most."""
    rng = np.random.default_rng(3)
    ranges, domains = rng.uniform(0, 255, (150, 64)).astype(dtype), rng.uniform(0, 255, (260, 64)).astype(dtype)
    law, fast = (
        block_matching.compute(ranges, domains, squares(8), quantisation=STEPS, backend=b) for b in ("reference", "cpu")
    )
    assert fast.error == pytest.approx(law.error, rel=1e-12)
    assert np.array_equal(fast.domain, law.domain)  # no pair comes this close here
    assert law.error.dtype == np.float64


@given(seed=st.integers(0, 99), exponent=st.integers(-20, 20))
def test_the_unit_of_grey_levels_does_not_matter(seed: int, exponent: int) -> None:
    """Powers of two keep every sum exact."""
    rng, unit = np.random.default_rng(seed), 2.0**exponent
    ranges, domains = draw_blocks(rng, 10, 16, 127), draw_blocks(rng, 40, 16, 127)
    one = block_matching.compute(ranges, domains, squares(4), quantisation=STEPS)
    scaled = Quantisation(0.125, 7, -128.0 * unit, 2.0 * unit, 128)
    other = block_matching.compute(unit * ranges, unit * domains, squares(4), quantisation=scaled)
    for expected, found in zip(one[:4], other[:4], strict=True):
        assert np.array_equal(found, expected)
    assert np.array_equal(other.error, unit**2 * one.error)


def test_more_domains_and_isometries_never_raise_the_error() -> None:
    rng = np.random.default_rng(4)
    ranges, domains = draw_blocks(rng, 50, 16, 127), draw_blocks(rng, 400, 16, 127)
    errors = [
        block_matching.compute(ranges, domains[:count], squares(4)[:turns], quantisation=STEPS).error
        for count, turns in [(1, 1), (1, 8), (100, 8), (129, 8), (400, 8)]
    ]
    assert (np.diff(errors, axis=0) <= 0).all()
    assert (errors[-1] < errors[0]).all()


def test_a_range_that_is_turned_has_the_same_error() -> None:
    """The eight isometries are a group."""
    rng = np.random.default_rng(5)
    ranges, domains = draw_blocks(rng, 20, 25, 99), draw_blocks(rng, 80, 25, 99)
    expected = block_matching.compute(ranges, domains, squares(5), quantisation=STEPS).error
    for turn in squares(5):
        assert np.array_equal(
            block_matching.compute(ranges[:, turn], domains, squares(5), quantisation=STEPS).error, expected
        )


def test_with_all_permutations_a_domain_is_ordered_like_the_range() -> None:
    """The rearrangement inequality."""
    range_, domain, turns = (
        np.array([8.0, 0.0, 2.0]),
        np.array([-16.0, 16.0, -8.0]),
        np.array([*permutations(range(3))]),
    )
    found = block_matching.compute(range_[None], domain[None], turns, quantisation=STEPS, backend="reference")
    assert (found.contrast[0], found.brightness[0], found.error[0]) == (2, 66, 0.0)
    assert domain[turns[found.isometry[0]]].tolist() == [16.0, -16.0, -8.0]


def test_no_ranges_have_no_matches_and_nothing_is_written_to() -> None:
    domains = draw_blocks(np.random.default_rng(6), 5, 4, 9)
    domains.flags.writeable = TURNS.flags.writeable = False
    found = block_matching.compute(np.empty((0, 4)), domains, TURNS, quantisation=STEPS)
    assert [field.shape for field in found] == [(0,)] * 5


ONES = np.ones((2, 4))


@pytest.mark.parametrize(
    ("ranges", "domains", "turns", "options", "named"),
    [
        ([[1.0] * 4], ONES, TURNS, {}, "ranges"),
        (np.ones(4), ONES, TURNS, {}, "ranges"),
        (np.full((1, 4), np.nan), ONES, TURNS, {}, "ranges"),
        (ONES, np.full((1, 4), np.inf), TURNS, {}, "domains"),
        (ONES, np.ones((0, 4)), TURNS, {}, "domains"),
        (ONES, np.ones((2, 5)), TURNS, {}, "domains"),
        (np.ones((2, 0)), np.ones((2, 0)), TURNS, {}, "domains"),
        (ONES, ONES, TURNS[:0], {}, "isometries"),
        (ONES, ONES, TURNS[:, :3], {}, "isometries"),
        (ONES, ONES, np.array([[0, 0, 1, 2]]), {}, "isometries"),
        (ONES, ONES, [[0, 1, 2, 3]], {}, "isometries"),
        (ONES, ONES, TURNS, {"backend": "cuda"}, "backend"),
    ],
)
def test_bad_arguments_are_refused_by_name(ranges: Any, domains: Any, turns: Any, options: Any, named: str) -> None:
    with pytest.raises(ValueError, match=f"`{named}`"):
        block_matching.compute(ranges, domains, turns, quantisation=STEPS, **options)


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (0, 0.0, "contrast_step"),
        (0, math.nan, "contrast_step"),
        (1, 0, "contrast_levels"),
        (2, math.inf, "brightness_low"),
        (3, -1.0, "brightness_step"),
        (4, 0, "brightness_levels"),
    ],
)
def test_bad_quantisations_are_refused_by_name(place: int, value: float, named: str) -> None:
    values: list[Any] = [0.125, 7, -128.0, 2.0, 128]
    values[place] = value
    with pytest.raises(ValueError, match=f"`{named}`"):
        Quantisation(*values)
