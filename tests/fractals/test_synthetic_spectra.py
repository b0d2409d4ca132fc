"""Lyapunov spectra of synthetic PIFS against the eigenvalues that they were built from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import lyapunov_spectrum
from pifs_sim.fractals import AffinePIFS, spectral_pifs


def measured(pifs: AffinePIFS, steps: int, transient: int = 0) -> Any:
    """Exponents (d,) by the engine."""
    return lyapunov_spectrum(pifs, np.zeros((1, pifs.dim)), steps, transient=transient).exponents


@settings(max_examples=25)
@given(
    seed=st.integers(0, 999),
    count=st.sampled_from([2, 4, 6, 8]),
    gap=st.floats(1.05, 2.0),
    signs=st.integers(0, 255),
)
def test_a_spectrum_with_gaps_is_found_to_1e_8(seed: int, count: int, gap: float, signs: int) -> None:
    """gap^-n is below 1e-15 after 800 steps; what is above the diagonal costs a constant."""
    values = [0.95 * gap**-i * (-1) ** (signs >> i & 1) for i in range(count)]
    pifs = spectral_pifs([(value, 1) for value in values], 2, rng=np.random.default_rng(seed))
    assert pifs.exponents == pytest.approx(np.log(np.abs(values)), abs=1e-14)
    assert measured(pifs, 40, 800) == pytest.approx(pifs.exponents, abs=1e-8)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 999),
    groups=st.lists(
        st.tuples(st.sampled_from([0.9, -0.9, 0.5, 0.6 + 0.3j, -0.2j]), st.integers(1, 3)), min_size=1, max_size=4
    ),
)
def test_ties_and_jordan_blocks_are_found_within_c_ln_n_over_n(seed: int, groups: list[tuple[complex, int]]) -> None:
    """A Jordan block of length m grows by n^(m - 1) more and less: C ln n/n with C = m, and constants of order 1/n."""
    pifs = spectral_pifs(groups, 1, rng=np.random.default_rng(seed))
    longest = max(length for _, length in groups)
    for n in (200, 1600):
        assert np.abs(measured(pifs, n) - pifs.exponents).max() <= (longest * math.log(n) + 12) / n


def test_the_error_of_a_jordan_block_is_ln_n_over_n() -> None:
    """L^n = a^n [[1, c n/a], [0, 1]] has the singular values a^n (c n/a)^(+-1) in the long run."""
    pifs = spectral_pifs([(0.7, 2)], 2)
    for n in (1000, 10000):
        error = n * (measured(pifs, n) - math.log(0.7))
        assert error == pytest.approx([math.log(n), -math.log(n)], abs=3)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 999), length=st.integers(1, 4), others=st.lists(st.sampled_from([0.9, 0.5, -0.3]), unique=True)
)
def test_nilpotent_blocks_are_minus_infinity(seed: int, length: int, others: list[float]) -> None:
    """Exactly as many as the block is long, and none of the others."""
    pifs = spectral_pifs([(0.0, length), *((value, 1) for value in others)], 1, rng=np.random.default_rng(seed))
    found = measured(pifs, 40, 500)
    assert (found == -math.inf).tolist() == [False] * len(others) + [True] * length
    assert found[: len(others)] == pytest.approx(np.sort(np.log(np.abs(others)))[::-1], abs=1e-8)


def test_the_construction_has_the_jordan_form_that_was_asked_for() -> None:
    """Ranks of (L - a)^k: two blocks of 0.5 of lengths 2 and 1, one pair of length 2, one simple value."""
    pifs = spectral_pifs([(0.5, 1), (0.2, 1), (0.3 + 0.4j, 2), (0.5, 2)], 2, rng=np.random.default_rng(5))

    def rank(value: complex, power: int) -> int:
        shifted = pifs.matrix - value * np.eye(8)
        return int(np.linalg.matrix_rank(np.linalg.matrix_power(shifted, power), tol=1e-9))

    assert [rank(0.5, k) for k in (1, 2, 3)] == [6, 5, 5]
    assert [rank(0.3 + 0.4j, k) for k in (1, 2, 3)] == [7, 6, 6]
    assert [rank(0.3 - 0.4j, k) for k in (1, 2)] == [7, 6]
    assert [rank(0.2, k) for k in (1, 2)] == [7, 7]
    assert pifs.exponents == pytest.approx(np.log([0.5] * 7 + [0.2]))


def test_without_coupling_the_map_is_normal() -> None:
    pifs = spectral_pifs([(0.9, 1), (0.3 + 0.4j, 1), (0.0, 1)], 2, coupling=0.0)
    assert pifs.matrix @ pifs.matrix.T == pytest.approx(pifs.matrix.T @ pifs.matrix, abs=1e-16)
    assert np.sort(np.linalg.norm(pifs.matrix, axis=0)) == pytest.approx([0, 0.5, 0.5, 0.9])


@pytest.mark.parametrize(
    ("groups", "size", "named"),
    [([], 1, "groups"), ([(0.5, 0)], 1, "groups"), ([(np.nan, 1)], 1, "groups"), ([(0.5, 3)], 2, "size")],
)
def test_bad_arguments_are_refused_by_name(groups: Any, size: int, named: str) -> None:
    with pytest.raises(ValueError, match=f"`{named}`"):
        spectral_pifs(groups, size)
