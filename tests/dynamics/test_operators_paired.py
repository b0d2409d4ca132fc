"""Blocks w_kj L_kj + p_kj q_kj^T + [k = j] D_k against dense matrices that are built block by block."""

from __future__ import annotations

from typing import Any, NamedTuple

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.dynamics.operators import Operator, PairedBlocks

PARTITIONS = (Patches(6, 2), Patches(4, 1), Patches(3, 3), Patches((2, 4, 2), 2), Patches((3, 4), (3, 2)))


class Pair(NamedTuple):
    operator: PairedBlocks
    dense: np.ndarray


def parameters(patches: Patches, seed: int, batch: int, leads: tuple[int, int] | None) -> tuple[Any, ...]:
    rng, M, n = np.random.default_rng(seed), patches.count, patches.length
    shapes = ((M, M), (M, M, n), (M, M, n), (M, n, n))
    maps = None if leads is None else rng.standard_normal((*(M if lead else 1 for lead in leads), n, n))
    return *(rng.standard_normal((batch, *shape)) for shape in shapes), maps


def built(patches: Patches, weights: Any, left: Any, right: Any, diagonal: Any, maps: Any) -> Pair:
    M, n = patches.count, patches.length
    every = np.broadcast_to(np.eye(n) if maps is None else maps, (M, M, n, n))
    dense = np.zeros((len(weights), patches.dim, patches.dim))
    for b in range(len(weights)):
        for k in range(M):
            for j in range(M):
                block = weights[b, k, j] * every[k, j] + np.outer(left[b, k, j], right[b, k, j])
                block += diagonal[b, k] if k == j else 0.0
                dense[b, patches.indices[k][:, None], patches.indices[j]] = block
    return Pair(PairedBlocks(weights, left, right, diagonal, patches=patches, maps=maps), dense)


PAIRS = st.builds(
    lambda patches, *rest: built(patches, *parameters(patches, *rest)),
    st.sampled_from(PARTITIONS),
    st.integers(0, 2**32 - 1),
    st.integers(1, 3),
    st.sampled_from([None, (0, 0), (0, 1), (1, 0), (1, 1)]),
)
ENTRY = {"rtol": 0, "atol": 1e-13}  # entries of at most 40, of three terms


@given(pair=PAIRS, p=st.integers(1, 3))
def test_products_are_those_of_the_matrix(pair: Pair, p: int) -> None:
    operator, dense = pair
    V = np.random.default_rng(p).standard_normal((len(dense), dense.shape[1], p))
    close = {"rtol": 0, "atol": 1e-15 * np.abs(dense).sum(axis=2).max() * 40}
    assert isinstance(operator, Operator)
    assert operator.shape == dense.shape
    assert_allclose(operator @ V, dense @ V, **close)
    assert_allclose(operator @ V[0], dense @ V[0], **close)
    assert_allclose(operator.T @ V, np.swapaxes(dense, 1, 2) @ V, **close)
    assert_allclose(operator.dense(), dense, **ENTRY)
    assert_allclose(operator.T.dense(), np.swapaxes(dense, 1, 2), **ENTRY)


@given(pair=PAIRS, scale=st.floats(-3, 3), shift=st.floats(-3, 3), per_sample=st.booleans())
def test_scaling_and_shifting_are_those_of_the_matrix(pair: Pair, scale: float, shift: float, per_sample: bool) -> None:
    operator, dense = pair
    samples = np.arange(len(dense), dtype=np.float64)
    a, b = (value + samples if per_sample else value for value in (scale, shift))
    moved = operator.affine(a, b)
    column = np.ones((len(dense), 1, 1))
    a, b = (column * np.reshape(value, (-1, 1, 1)) for value in (a, b))
    assert_allclose(moved.dense(), a * dense + b * np.eye(dense.shape[1]), rtol=0, atol=1e-12)


@given(pair=PAIRS, data=st.data())
def test_submatrices_and_blocks_are_those_of_the_matrix(pair: Pair, data: st.DataObject) -> None:
    operator, dense = pair
    d, patches = dense.shape[1], operator.patches
    rows, columns = (np.array(data.draw(st.lists(st.integers(0, d - 1), min_size=1, max_size=4))) for _ in range(2))
    assert_allclose(operator.submatrix(rows), dense[:, rows], **ENTRY)
    assert_allclose(operator.submatrix(rows, columns), dense[:, rows[:, None], columns], **ENTRY)
    k, j = (data.draw(st.integers(0, patches.count - 1)) for _ in range(2))
    assert_allclose(operator.block(k, j, patches), dense[:, patches.indices[k][:, None], patches.indices[j]], **ENTRY)


@given(pair=PAIRS)
def test_norms_are_the_largest_singular_values(pair: Pair) -> None:
    operator, dense = pair
    patches, whole = operator.patches, np.linalg.norm(dense, 2, axis=(1, 2))
    assert_allclose(operator.norm(), whole, rtol=1e-12)
    blocks = np.stack([[np.linalg.norm(dense[:, k[:, None], j], 2, axis=(1, 2)) for j in patches.indices]
                       for k in patches.indices]).transpose(2, 0, 1)  # fmt: skip
    coupling = np.where(np.eye(patches.count, dtype=bool), 0.0, blocks)
    assert_allclose(operator.coupling_norms(), coupling, rtol=0, atol=1e-13 * (1 + blocks.max()))
    assert_allclose(block_norms(operator, patches).blocks, blocks, rtol=0, atol=1e-13 * (1 + blocks.max()))
    together = operator.held_norms() + operator.gradient_norms()
    assert np.all(operator.coupling_norms() <= together * (1 + 1e-14))


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 4), w=st.floats(-2, 2), tilt=st.sampled_from([-1.0, 1.0]))
def test_a_block_of_aligned_vectors_has_the_norm_of_its_parts_or_of_their_difference(
    seed: int, n: int, w: float, tilt: float
) -> None:
    """p along q: |w| + rho if w and <p, q> have one sign, else max(|w|, rho - |w|), where the root is of a square."""
    patches, p = Patches(2 * n, n), np.random.default_rng(seed).standard_normal(n)
    left = np.broadcast_to(tilt * p, (1, 2, 2, n))
    weights, diagonal = np.full((1, 2, 2), w), np.zeros((1, 2, n, n))
    operator = PairedBlocks(weights, left, np.broadcast_to(p, left.shape), diagonal, patches=patches)
    rho = p @ p
    expected = abs(w) + rho if w * tilt >= 0 else max(abs(w), rho - abs(w))
    assert operator.coupling_norms()[0, 0, 1] == pytest.approx(expected, rel=1e-7)  # a root of rounding near 0


@given(pair=PAIRS)
def test_spectrum_determinant_and_solution_are_those_of_the_matrix(pair: Pair) -> None:
    operator, dense = pair
    found, d = operator.spectrum(), dense.shape[1]
    powers = [np.trace(np.linalg.matrix_power(dense, n), axis1=1, axis2=2) for n in range(1, 4)]
    size = np.linalg.norm(dense, 2, axis=(1, 2))[:, None] ** np.arange(1, 4)
    moments = np.stack([np.sum(found**n, axis=-1) for n in range(1, 4)], axis=-1)
    assert_allclose(np.abs(moments - np.stack(powers, axis=-1)) / size, 0, atol=1e-12)
    condition = np.linalg.cond(dense).max()
    if condition < 1e7:
        assert_allclose(operator.logabsdet(), np.linalg.slogdet(dense)[1], rtol=0, atol=1e-14 * d * condition)
        solution = operator.solve(np.eye(d))
        assert_allclose(solution @ dense, np.broadcast_to(np.eye(d), dense.shape), atol=1e-13 * condition)


def test_a_symmetric_operator_knows_it_and_has_real_eigenvalues() -> None:
    patches = Patches(6, 2)
    weights, left, _, diagonal, _ = parameters(patches, 3, 2, None)
    weights, diagonal = weights + np.swapaxes(weights, 1, 2), diagonal + np.swapaxes(diagonal, 2, 3)
    operator, dense = built(patches, weights, left, np.swapaxes(left, 1, 2), diagonal, None)
    assert operator.symmetric
    assert_allclose(operator.spectrum(), np.linalg.eigvalsh(dense)[:, ::-1], rtol=0, atol=1e-13)
    assert not built(patches, weights, left, left, diagonal, None).operator.symmetric


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("leads", [None, (1, 1)])
def test_other_array_kinds_and_precisions_are_kept(dtype: str, leads: tuple[int, int] | None) -> None:
    patches = Patches(6, 2)
    drawn, V = parameters(patches, 7, 2, leads), np.random.default_rng(0).standard_normal((2, 6, 2))

    def measures(operator: PairedBlocks, vectors: Any) -> list[Any]:
        return [
            operator @ vectors, operator.T @ vectors, operator.affine(2.0, -1.0).dense(), operator.dense(),
            operator.submatrix(np.array([4, 0]), np.array([0, 1, 4])), operator.norm(), operator.coupling_norms(),
            operator.solve(vectors), operator.logabsdet(), operator.held_norms(), operator.gradient_norms(),
        ]  # fmt: skip

    exact = measures(PairedBlocks(*drawn[:4], patches=patches, maps=drawn[4]), V)
    for xp in (np, strict):
        cast = [None if part is None else xp.asarray(part, dtype=getattr(xp, dtype)) for part in drawn]
        operator = PairedBlocks(*cast[:4], patches=patches, maps=cast[4])
        for got, wanted in zip(measures(operator, xp.asarray(V, dtype=getattr(xp, dtype))), exact, strict=True):
            assert isinstance(got, type(cast[0]))
            assert got.dtype == getattr(xp, dtype)
            tolerance = 2e-5 if dtype == "float32" else 1e-13
            assert_allclose(np.asarray(got), wanted, rtol=0, atol=tolerance * (1 + np.abs(wanted).max()))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("weights", (2, 2)), ("weights", (3,)), ("left", (3, 3, 1)), ("right", (1, 3, 2, 2)), ("diagonal", (2, 2, 2)),
     ("maps", (2, 2)), ("maps", (2, 3, 2, 2)), ("maps", (1, 1, 3, 2))],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused_by_name(name: str, shape: tuple[int, ...]) -> None:
    patches = Patches(6, 2)
    weights, left, right, diagonal, _ = parameters(patches, 1, 1, None)
    given_ = {"weights": weights, "left": left, "right": right, "diagonal": diagonal, name: np.ones(shape)}
    with pytest.raises(ValueError, match=f"`{name}`"):
        PairedBlocks(**given_, patches=patches)
