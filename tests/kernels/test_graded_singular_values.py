"""Singular values of diag(e^s) U against 50-digit arithmetic, whatever the range of s."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.kernels import graded_singular_values
from tests.kernels.exact import log_singular_values

SEEDS = st.integers(0, 2**32 - 1)
BACKENDS = pytest.mark.parametrize("backend", ["reference", "cpu"])


def exact(s: np.ndarray, U: np.ndarray) -> list[float]:
    """By 50 digits beyond the range of s."""
    finite = s[s > -np.inf]
    digits = int(50 + 2 * np.ptp(finite) / np.log(10)) if finite.size else 50
    with mpmath.workdps(digits):
        lengths = [mpmath.exp(float(a)) if a > -np.inf else mpmath.mpf(0) for a in s]
        A = mpmath.diag(lengths) * mpmath.matrix(U.tolist())
    return log_singular_values(A, digits)


def upper(rng: np.random.Generator, d: int) -> np.ndarray:
    """Unit upper triangular rows of modest size, as the products hand them over."""
    return np.triu(rng.uniform(-1, 1, (d, d)), 1) + np.eye(d)


@BACKENDS
@settings(max_examples=15)
@given(d=st.integers(1, 4), seed=SEEDS, span=st.sampled_from([0.0, 1.0, 30.0, 2000.0]))
def test_every_singular_value_has_its_digits(backend: Any, d: int, seed: int, span: float) -> None:
    """Logarithms over up to +-1000: each errs by rounding of |s| and of U's condition, below 1e3 here."""
    rng = np.random.default_rng(seed)
    s, U = rng.uniform(-span / 2, span / 2, d), upper(rng, d)
    got = graded_singular_values.compute(s[None], U[None], backend=backend)[0]
    assert_allclose(got, exact(s, U), rtol=4e-16, atol=2e-13)


@BACKENDS
def test_rows_in_any_order_and_dense_rows_are_accepted(backend: Any) -> None:
    rng = np.random.default_rng(1)
    s, U = np.array([-900.0, 700.0, -3.0, 2.0]), rng.standard_normal((4, 4))
    got = graded_singular_values.compute(s[None], U[None], backend=backend)[0]
    assert_allclose(got, exact(s, U), rtol=4e-16, atol=1e-13)


@BACKENDS
def test_equal_singular_values_stay_equal(backend: Any) -> None:
    """e^s times a rotation has d of them; so has a rotation in two blocks of different size."""
    rng = np.random.default_rng(2)
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    got = graded_singular_values.compute(np.full((1, 5), 321.5), rotation[None], backend=backend)[0]
    assert_allclose(got, 321.5, rtol=0, atol=2e-13)
    s = np.array([[800.0, 800.0, -800.0, -800.0, -800.0]])
    got = graded_singular_values.compute(s, rotation[None], backend=backend)[0]
    assert_allclose(got, s[0], rtol=0, atol=5e-13)


@BACKENDS
@given(d=st.integers(2, 5), seed=SEEDS, span=st.sampled_from([0.0, 10.0, 1500.0]), rank=st.integers(0, 4))
@settings(max_examples=15)
def test_rows_without_rank_are_minus_infinity(backend: Any, d: int, seed: int, span: float, rank: int) -> None:
    rng = np.random.default_rng(seed)
    s, U = rng.uniform(-span / 2, span / 2, d), rng.standard_normal((d, d))
    dead = rng.permutation(d)[min(rank, d) :]
    half = len(dead) // 2
    s[dead[:half]], U[dead[half:]] = -np.inf, 0.0
    got = graded_singular_values.compute(s[None], U[None], backend=backend)[0]
    live = np.setdiff1d(np.arange(d), dead)
    assert (got[len(live) :] == -np.inf).all()
    if len(live):
        condition = np.linalg.cond(U[live])
        s[dead] = -np.inf
        assert_allclose(got[: len(live)], exact(s, U)[: len(live)], rtol=1e-15, atol=1e-14 * condition)


@given(d=st.integers(1, 6), batch=st.integers(1, 3), seed=SEEDS, span=st.sampled_from([0.0, 5.0, 600.0]))
@settings(max_examples=30)
def test_the_backends_agree(d: int, batch: int, seed: int, span: float) -> None:
    rng = np.random.default_rng(seed)
    s, U = rng.uniform(-span / 2, span / 2, (batch, d)), np.array([upper(rng, d) for _ in range(batch)])
    one, other = (graded_singular_values.compute(s, U, backend=name) for name in ("reference", "cpu"))
    assert_allclose(one, other, rtol=4e-16, atol=1e-13)
    assert (np.diff(one, axis=1) <= 0).all()


@given(d=st.integers(1, 6), seed=SEEDS, span=st.sampled_from([0.0, 5.0, 1800.0]))
@settings(max_examples=30)
def test_their_sum_is_the_log_determinant_and_they_scale(d: int, seed: int, span: float) -> None:
    """det U = 1 for a unit triangle, whatever s."""
    rng = np.random.default_rng(seed)
    s, U = rng.uniform(-span / 2, span / 2, (1, d)), upper(rng, d)[None]
    got = graded_singular_values.compute(s, U)
    assert_allclose(got.sum(), s.sum(), rtol=0, atol=1e-12 + 1e-15 * d * span)
    assert_allclose(graded_singular_values.compute(s + 64.0, U), got + 64.0, rtol=0, atol=1e-12)


def test_the_arguments_are_not_written_to() -> None:
    rng = np.random.default_rng(3)
    s, U = rng.standard_normal((2, 3)), rng.standard_normal((2, 3, 3))
    kept = s.copy(), U.copy()
    for backend in ("reference", "cpu", None):
        graded_singular_values.compute(s, U, backend=backend)
        assert np.array_equal(s, kept[0])
        assert np.array_equal(U, kept[1])


@pytest.mark.parametrize(
    ("s", "U", "backend", "message"),
    [
        (np.zeros((1, 2)), np.zeros((1, 3, 3)), None, "`s` and `U`"),
        (np.zeros((1, 2)), np.zeros((1, 2, 3)), None, "`s` and `U`"),
        (np.zeros(2), np.zeros((2, 2)), None, "`s` and `U`"),
        (np.zeros((1, 2)), np.full((1, 2, 2), np.nan), "reference", "finite"),
        (np.zeros((1, 2)), np.full((1, 2, 2), np.nan), "cpu", "finite"),
        (np.zeros((1, 2)), np.zeros((1, 2, 2)), "cuda", "`backend`"),
    ],
)
def test_bad_arguments_are_refused_by_name(s: Any, U: Any, backend: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        graded_singular_values.compute(s, U, backend=backend)
