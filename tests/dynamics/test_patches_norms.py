"""Block norms against the singular values of the blocks, and against the induced norm that they bound."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.dynamics.operators import BlockDiagonal, Dense, DiagonalLowRank, ScalarLowRank, Spectral
from tests.dynamics.structured import Pair, pairs


def norms_of(dense: np.ndarray, patches: Patches) -> np.ndarray:
    """(B, M, M) by one singular value decomposition a block."""
    return np.array(
        [
            [
                [np.linalg.norm(matrix[np.ix_(rows, columns)], 2) for columns in patches.indices]
                for rows in patches.indices
            ]
            for matrix in dense
        ]
    )


@given(pair=pairs(), data=st.data())
def test_block_norms_are_the_largest_singular_values_of_the_blocks(pair: Pair, data: st.DataObject) -> None:
    operator, dense, _ = pair
    d = operator.shape[1]
    patches = Patches(d, data.draw(st.sampled_from([n for n in range(1, d + 1) if d % n == 0])))
    found, expected = block_norms(operator, patches), norms_of(dense, patches)
    tolerance = 1e-14 * (10 + np.abs(dense).sum())
    own = np.diagonal(expected, axis1=1, axis2=2)
    others = expected.sum(axis=2) - own
    assert_allclose(found.blocks, expected, rtol=0, atol=tolerance)
    assert_allclose(found.kappa, own.max(axis=1), rtol=0, atol=tolerance)
    assert_allclose(found.delta, others.max(axis=1), rtol=0, atol=tolerance)
    assert_allclose(found.row_sum, (own + others).max(axis=1), rtol=0, atol=tolerance)
    assert_allclose(found.norm, np.linalg.norm(dense, 2, axis=(1, 2)), rtol=0, atol=tolerance)
    assert np.all(found.row_sum <= found.kappa + found.delta)
    assert np.all(found.kappa <= found.norm + tolerance)


def test_a_matrix_of_one_by_one_blocks_has_its_entries_for_norms() -> None:
    matrix = np.array([[0.5, -0.25, 0.0], [1.0, -2.0, 4.0], [0.0, 8.0, 0.125]])
    found = block_norms(matrix, Patches(3, 1))
    assert np.array_equal(found.blocks[0], np.abs(matrix))
    assert (found.kappa[0], found.delta[0], found.row_sum[0]) == (2.0, 8.0, 8.125)


def test_patches_that_are_not_coupled_have_exactly_no_delta() -> None:
    patches = Patches((2, 4), 2)
    blocks = np.random.default_rng(0).standard_normal((1, 2, 4, 4))
    assert block_norms(BlockDiagonal(blocks, patches=patches), patches).delta[0] == 0
    assert block_norms(Spectral(np.arange(8.0)), patches).delta[0] == 0
    assert block_norms(ScalarLowRank(-3.0, np.zeros((8, 0))), patches).kappa[0] == 3


def test_the_norm_of_an_orthogonal_matrix_is_one_and_its_blocks_are_cosines_and_sines() -> None:
    """A rotation of the planes (i, i + n) by one angle has blocks cos I and -+sin I."""
    c, s = np.cos(0.3), np.sin(0.3)
    matrix = np.kron(np.array([[c, -s], [s, c]]), np.eye(3))
    found = block_norms(matrix, Patches(6, 3))
    assert_allclose(found.blocks[0], [[c, s], [s, c]], rtol=1e-15)
    assert_allclose([found.norm[0], found.row_sum[0]], [1, c + s], rtol=1e-15)


@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([1, 2, 3]))
def test_the_row_sum_bounds_what_a_matrix_does_to_the_block_max_norm(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    patches = Patches(6, size)
    matrix, x = rng.standard_normal((6, 6)), rng.standard_normal((1, 6))

    def block_max(y: np.ndarray) -> float:
        return float(np.linalg.norm(patches.split(y), axis=2).max())

    assert block_max(x @ matrix.T) <= (1 + 1e-14) * block_norms(matrix, patches).row_sum[0] * block_max(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("xp", [np, strict])
def test_other_array_kinds_and_precisions_are_kept(xp, dtype: str) -> None:
    rng = np.random.default_rng(2)
    left, diagonal, matrices = rng.standard_normal((8, 1)), rng.standard_normal(8), rng.standard_normal((2, 8, 8))
    patches, of_kind = Patches(8, 4), getattr(xp, dtype)

    def cast(array: np.ndarray):
        return xp.asarray(array, dtype=of_kind)

    for found, exact in [
        (ScalarLowRank(2.0, cast(left)), ScalarLowRank(2.0, left)),
        (DiagonalLowRank(cast(diagonal), cast(left)), DiagonalLowRank(diagonal, left)),
        (Spectral(cast(diagonal)), Spectral(diagonal)),
        (cast(matrices), matrices),
    ]:
        got, wanted = block_norms(found, patches), block_norms(exact, patches)
        for name in ("kappa", "delta", "row_sum", "norm", "blocks"):
            assert getattr(got, name).dtype == of_kind
            assert isinstance(getattr(got, name), type(cast(left)))
            tolerance = 1e-5 if dtype == "float32" else 1e-14
            assert_allclose(np.asarray(getattr(got, name)), getattr(wanted, name), rtol=tolerance, atol=tolerance)


def test_bad_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`patches` partitions d=6, expected d=4"):
        block_norms(np.eye(4), Patches(6, 2))
    with pytest.raises(ValueError, match="`matrices` must be square"):
        block_norms(np.ones((3, 4)), Patches(4, 2))
    bad = np.eye(4)
    bad[2, 1] = np.nan
    for operator in (bad, Dense(bad), ScalarLowRank(1.0, bad), DiagonalLowRank(bad[2], np.eye(4)), Spectral(bad[2])):
        with pytest.raises(ValueError, match="`operator` must be finite"):
            block_norms(operator, Patches(4, 2))
