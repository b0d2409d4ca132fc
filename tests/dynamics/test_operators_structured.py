"""Every structured operator does what its dense matrix does."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Patches, operators
from tests.dynamics.structured import KINDS, Pair, pairs, symmetrised

SEEDS = st.integers(0, 2**32 - 1)


def size_of(pair: Pair) -> float:
    """What rounding is relative to: the parameters' products are at most about this large."""
    operators_ = [pair.operator, getattr(pair.operator, "inner", None), *getattr(pair.operator, "parts", ())]
    return max(product_of(operator) for operator in operators_) + 10


def product_of(operator: object) -> float:
    """The product of the largest row sums of the parameters."""
    names = ("left", "right", "core", "points", "points", "stretch", "stretch", "along", "origin")
    parts = [getattr(operator, name, None) for name in names]
    return float(np.prod([1 + np.abs(part).sum(axis=-1).max(initial=0) for part in parts if part is not None]))


def condition(pair: Pair) -> float:
    return float(np.max(np.linalg.cond(pair.dense)))


@given(pair=pairs(), seed=SEEDS, p=st.integers(1, 3))
def test_products_are_those_of_the_matrix(pair: Pair, seed: int, p: int) -> None:
    operator, dense, _ = pair
    batch, d, _ = operator.shape
    V = np.random.default_rng(seed).standard_normal((batch, d, p))
    tolerance = 1e-15 * size_of(pair) * (1 + np.abs(V).max())
    assert isinstance(operator, operators.Operator)
    assert operator.shape == dense.shape
    assert_allclose(operator @ V, dense @ V, rtol=0, atol=tolerance)
    assert_allclose(operator @ V[0], dense @ V[0], rtol=0, atol=tolerance)
    assert_allclose(operator.T @ V, np.swapaxes(dense, 1, 2) @ V, rtol=0, atol=tolerance)
    assert_allclose(operator.dense(), dense, rtol=0, atol=tolerance)
    assert_allclose(operator.T.dense(), np.swapaxes(dense, 1, 2), rtol=0, atol=tolerance)


@given(pair=pairs(), scale=st.floats(-3, 3), shift=st.floats(-3, 3), per_sample=st.booleans())
def test_scaling_and_shifting_are_those_of_the_matrix(pair: Pair, scale: float, shift: float, per_sample: bool) -> None:
    operator, dense, _ = pair
    batch, d, _ = operator.shape
    a, b = (value + np.arange(batch) if per_sample else value for value in (scale, shift))
    moved = operator.affine(a, b)
    column = np.ones((batch, 1, 1))
    a, b = (column * np.reshape(value, (-1, 1, 1)) for value in (a, b))
    assert_allclose(moved.dense(), a * dense + b * np.eye(d), rtol=0, atol=1e-14 * size_of(pair))
    assert moved.symmetric or not operator.symmetric


@given(pair=pairs(), data=st.data())
def test_submatrices_and_blocks_are_those_of_the_matrix(pair: Pair, data: st.DataObject) -> None:
    operator, dense, _ = pair
    d, tolerance = operator.shape[1], 1e-15 * size_of(pair)
    rows, columns = (np.array(data.draw(st.lists(st.integers(0, d - 1), min_size=1, max_size=4))) for _ in range(2))
    assert_allclose(operator.submatrix(rows), dense[:, rows], rtol=0, atol=tolerance)
    assert_allclose(operator.submatrix(rows, columns), dense[:, rows[:, None], columns], rtol=0, atol=tolerance)
    patches = Patches(d, data.draw(st.sampled_from([n for n in range(1, d + 1) if d % n == 0])))
    k, j = (data.draw(st.integers(0, patches.count - 1)) for _ in range(2))
    expected = dense[:, patches.indices[k][:, None], patches.indices[j]]
    assert_allclose(operator.block(k, j, patches), expected, rtol=0, atol=tolerance)


@given(pair=pairs(), seed=SEEDS)
def test_solving_undoes_the_operator(pair: Pair, seed: int) -> None:
    """To the condition of the matrix, times what the parameters' products exceed it by."""
    operator, dense, _ = pair
    if condition(pair) > 1e7:  # too near to a singular one for a bound
        return
    batch, d, _ = operator.shape
    V = np.random.default_rng(seed).standard_normal((batch, d, 2))
    expected = np.linalg.solve(dense, V)
    tolerance = 1e-15 * size_of(pair) * condition(pair) * np.abs(expected).max()
    assert_allclose(operator.solve(V), expected, rtol=0, atol=tolerance)
    assert_allclose(operator.solve(V[:1])[0], expected[0], rtol=0, atol=tolerance)
    assert_allclose(operator.solve(V[0])[0], expected[0], rtol=0, atol=tolerance)


@given(pair=pairs())
def test_the_determinant_is_that_of_the_matrix(pair: Pair) -> None:
    if condition(pair) > 1e7:
        return
    tolerance = 1e-15 * size_of(pair) * condition(pair)
    assert_allclose(pair.operator.logabsdet(), np.linalg.slogdet(pair.dense)[1], rtol=0, atol=tolerance)


def moments(values: np.ndarray, count: int) -> np.ndarray:
    """Sums of powers of eigenvalues: the same for the same set in any order, and well conditioned."""
    return np.stack([np.sum(values**n, axis=-1) for n in range(1, count + 1)], axis=-1)


@given(pair=pairs())
def test_the_spectrum_is_that_of_the_matrix(pair: Pair) -> None:
    """Symmetric: each eigenvalue. Otherwise those may be defective, so traces of powers are compared instead."""
    operator, dense, symmetric = pair
    found = operator.spectrum()
    scale = size_of(pair)
    assert found.shape == operator.shape[:2]
    assert operator.symmetric or not symmetric
    if operator.symmetric:
        assert found.dtype == np.float64
        assert_allclose(found, np.linalg.eigvalsh(dense)[:, ::-1], rtol=0, atol=1e-15 * scale)
        return
    assert found.dtype == np.complex128
    assert np.all(np.diff(np.abs(found), axis=1) <= 0)
    powers = [np.trace(np.linalg.matrix_power(dense, n), axis1=1, axis2=2) for n in range(1, 4)]
    assert_allclose(moments(found, 3), np.stack(powers, axis=-1), rtol=0, atol=1e-14 * scale**3)


@given(pair=pairs())
def test_the_norm_is_the_largest_singular_value(pair: Pair) -> None:
    expected = np.linalg.norm(pair.dense, 2, axis=(1, 2))
    assert_allclose(pair.operator.norm(), expected, rtol=0, atol=1e-15 * size_of(pair))


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_other_array_kinds_and_precisions_are_kept(kind: str, dtype: str, symmetric: bool) -> None:
    rng = np.random.default_rng(5)
    left, right, core = rng.standard_normal((2, 6, 2)), rng.standard_normal((6, 2)), rng.standard_normal((2, 2))
    right, core = (None, symmetrised(core)) if symmetric else (right, core)
    diagonal, blocks, V = (rng.standard_normal(shape) for shape in ((2, 6), (2, 3, 2, 2), (2, 6, 2)))
    blocks = symmetrised(blocks) if symmetric else blocks
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0] if symmetric else None
    matrices = operators.ScalarLowRank(1.5, left, right, core=core).dense()
    turn, points, weights = np.linalg.qr(matrices[0])[0], rng.standard_normal((4, 6)), rng.random((2, 4)) / 4
    build = {
        "spectral": lambda cast: operators.Spectral(cast(diagonal), cast(basis)),
        "scalar": lambda cast: operators.ScalarLowRank(1.5, cast(left), cast(right), core=cast(core)),
        "diagonal": lambda cast: operators.DiagonalLowRank(cast(diagonal), cast(left), cast(right), core=cast(core)),
        "blocks": lambda cast: operators.BlockDiagonal(cast(blocks)),
        "dense": lambda cast: operators.Dense(cast(matrices)),
        "weighted": lambda cast: operators.WeightedCovariance(
            cast(np.array([1.5, 2.0])),
            cast(np.array([0.5, 1.0])),
            cast(weights),
            cast(points),
            stretch=cast(weights),
            along=cast(weights[:1]),
            origin=cast(diagonal),
        ),
        "rotated": lambda cast: operators.Rotated(cast(turn), operators.Dense(cast(matrices))),
        "sum": lambda cast: operators.DirectSum(
            [operators.Dense(cast(blocks[:, 0])), operators.Spectral(cast(diagonal[:, :4]))], [[5, 2], [0, 1, 3, 4]]
        ),
    }[kind]

    def measures(operator, vectors):
        return [
            operator @ vectors, operator.T @ vectors, operator.solve(vectors), operator.affine(2.0, -1.0).dense(),
            operator.dense(), operator.submatrix(np.array([4, 0]), np.array([0, 1, 4])), operator.logabsdet(),
            operator.norm(), operator.block(1, 0, Patches(6, 3)),
        ]  # fmt: skip

    exact = build(lambda array: array)
    for xp in (np, strict):
        of_kind = getattr(xp, dtype)
        operator = build(lambda array: None if array is None else xp.asarray(array, dtype=of_kind))  # noqa: B023
        vectors = xp.asarray(V, dtype=of_kind)
        for got, wanted in zip(measures(operator, vectors), measures(exact, V), strict=True):
            assert isinstance(got, type(vectors))
            assert got.dtype == of_kind
            tolerance = 2e-5 if dtype == "float32" else 1e-13
            assert_allclose(np.asarray(got), wanted, rtol=0, atol=tolerance * (1 + np.abs(wanted).max()))
        values = operator.spectrum()
        complex_kind = {"float32": xp.complex64, "float64": xp.complex128}[dtype]
        assert values.dtype == (of_kind if exact.symmetric else complex_kind)
        assert_allclose(np.abs(np.asarray(values)), np.abs(exact.spectrum()), rtol=0, atol=1e-3 * exact.norm().max())
