"""Structured operators against the dense matrices that they stand for."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics.operators import Spectral
from pifs_sim.testing.strategies import rotations

BATCH = 3


def drawn(seed: int, d: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of both signs away from 0, and vectors."""
    rng = np.random.default_rng(seed)
    values = rng.choice([-1.0, 1.0], (BATCH, d)) * 10 ** rng.uniform(-2, 2, (BATCH, d))
    return values, rng.standard_normal((BATCH, d, p))


def dense_of(values: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    q = np.eye(values.shape[1]) if basis is None else basis
    return np.stack([q @ np.diag(row) @ q.T for row in values])


CASES = {"seed": st.integers(0, 2**32 - 1), "p": st.integers(1, 3)}
BASES = st.integers(1, 5).flatmap(lambda d: st.tuples(st.just(d), st.none() | rotations(d)))


@given(sized=BASES, **CASES)
def test_an_operator_acts_as_its_dense_matrix(sized: tuple[int, Any], seed: int, p: int) -> None:
    """Values reach 100 and vectors about 4: a hundred roundings of 2.2e-16 of their product are allowed."""
    d, basis = sized
    values, V = drawn(seed, d, p)
    operator, dense = Spectral(values, basis), dense_of(values, basis)
    assert operator.shape == (BATCH, d, d)
    assert_allclose(operator.dense(), dense, rtol=0, atol=1e-13)
    assert_allclose(operator @ V, dense @ V, rtol=0, atol=1e-11)
    assert_allclose(operator @ V[0], dense @ V[0], rtol=0, atol=1e-11)
    assert (operator @ V[0]).shape == (BATCH, d, p)


@given(sized=BASES, **CASES)
def test_solving_undoes_the_operator(sized: tuple[int, Any], seed: int, p: int) -> None:
    d, basis = sized
    values, V = drawn(seed, d, p)
    operator, dense = Spectral(values, basis), dense_of(values, basis)
    assert_allclose(operator.solve(V), np.linalg.solve(dense, V), rtol=0, atol=1e-8)  # 1/|a| to 100, condition 1e4
    assert_allclose(operator.solve(operator @ V), V, rtol=0, atol=1e-9)
    assert_allclose(operator.solve(V[0]), np.linalg.solve(dense, np.broadcast_to(V[0], V.shape)), rtol=0, atol=1e-8)


@given(sized=BASES, scale=st.floats(-3, 3), shift=st.floats(-3, 3), **CASES)
def test_scaling_and_shifting_are_those_of_the_matrix(
    sized: tuple[int, Any], scale: float, shift: float, seed: int, p: int
) -> None:
    d, basis = sized
    values, V = drawn(seed, d, p)
    expected = scale * dense_of(values, basis) + shift * np.eye(d)
    moved = Spectral(values, basis).affine(scale, shift)
    assert_allclose(moved.dense(), expected, rtol=0, atol=1e-12)
    assert_allclose(moved @ V, expected @ V, rtol=0, atol=1e-11)


@given(sized=BASES, **CASES)
def test_the_spectrum_is_the_eigenvalues_from_the_largest(sized: tuple[int, Any], seed: int, p: int) -> None:
    d, basis = sized
    values, _ = drawn(seed, d, p)
    operator = Spectral(values, basis)
    assert np.array_equal(operator.spectrum(), np.sort(values, axis=1)[:, ::-1])
    assert_allclose(operator.spectrum(), np.linalg.eigvalsh(dense_of(values, basis))[:, ::-1], rtol=0, atol=1e-12)
    assert_allclose(operator.logabsdet(), np.linalg.slogdet(dense_of(values, basis))[1], rtol=0, atol=1e-9)
    assert_allclose(operator.logabsdet(), np.sum(np.log(np.abs(values)), axis=1), rtol=0, atol=1e-13)


def test_a_singular_operator_has_minus_infinite_log_determinant_and_no_inverse() -> None:
    operator = Spectral(np.array([[1.0, 0.0], [2.0, -3.0]]))
    assert operator.logabsdet()[0] == -math.inf
    assert operator.logabsdet()[1] == pytest.approx(math.log(6), rel=1e-15)
    with pytest.raises(ValueError, match="singular"):
        operator.solve(np.ones((2, 2, 1)))


@pytest.mark.parametrize("shape", [(2,), (3, 1), (2, 3, 1), (1, 2, 2, 1), ()])
def test_vectors_of_another_dimension_are_refused(shape: tuple[int, ...]) -> None:
    operator = Spectral(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"2 dimensions"):
        operator @ np.ones(shape)
    with pytest.raises(ValueError, match=r"2 dimensions"):
        operator.solve(np.ones(shape))


def test_a_batch_of_another_size_is_refused() -> None:
    for basis in (None, np.eye(2)):
        with pytest.raises(ValueError, match=r"batch|shape"):
            Spectral(np.ones((2, 2)), basis) @ np.ones((3, 2, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("with_basis", [False, True])
def test_other_array_kinds_and_precisions_are_kept(dtype: str, with_basis: bool) -> None:
    values, V = drawn(7, 4, 2)
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0] if with_basis else None
    expected = Spectral(values, basis)
    for xp in (np, strict):
        of_kind = getattr(xp, dtype)
        with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()):
            operator = Spectral(
                xp.asarray(values, dtype=of_kind), None if basis is None else xp.asarray(basis, dtype=of_kind)
            )
            vectors = xp.asarray(V, dtype=of_kind)
            pairs = [
                (operator @ vectors, expected @ V),
                (operator.solve(vectors), expected.solve(V)),
                (operator.dense(), expected.dense()),
                (operator.spectrum(), expected.spectrum()),
                (operator.logabsdet(), expected.logabsdet()),
                (operator.affine(2.0, -1.0).dense(), expected.affine(2.0, -1.0).dense()),
            ]
        for got, wanted in pairs:
            assert isinstance(got, type(vectors))
            assert got.dtype == of_kind
            tolerance = 1e-5 if dtype == "float32" else 1e-13
            assert_allclose(np.asarray(got), wanted, rtol=0, atol=tolerance * (1 + np.abs(wanted).max()))
