"""Low-rank operators where the answer is known in closed form, where they are singular, and what they cost."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.dynamics.operators import BlockDiagonal, Dense, DiagonalLowRank, ScalarLowRank, Spectral

ONE = np.array([[1.0], [0.0], [0.0]])


def test_a_projection_added_to_the_identity_has_two_eigenvalues() -> None:
    """I + 3 u u^T, |u| = 5: 1 twice and 1 + 75."""
    operator = ScalarLowRank(1.0, np.array([[3.0], [0.0], [4.0]]), core=np.array([[3.0]]))
    assert_allclose(operator.spectrum(), [[76, 1, 1]], rtol=1e-15)
    assert_allclose(operator.logabsdet(), [math.log(76)], rtol=1e-15)
    assert_allclose(operator.norm(), [76], rtol=1e-15)


def test_a_shear_has_only_ones_in_its_spectrum_but_the_norm_of_a_shear() -> None:
    """[[1, 3], [0, 1]] beside 1: a defective matrix, whose eigenvalues d x d would scatter by 1e-8."""
    operator = ScalarLowRank(1.0, 3 * ONE, ONE[[1, 0, 2]])
    assert np.array_equal(operator.spectrum(), np.ones((1, 3), dtype=complex))
    assert operator.logabsdet()[0] == 0
    assert_allclose(operator.norm(), [(3 + math.sqrt(13)) / 2], rtol=1e-15)


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 0), scale=st.sampled_from([1.0, -1.0]))
def test_a_small_deviation_from_the_identity_keeps_its_digits(seed: int, exponent: int, scale: float) -> None:
    """ln|det(I + E)| is the sum of ln(1 + e), by Newton's identities tr E - tr E^2/2 + ... for small E."""
    rng = np.random.default_rng(seed)
    left = rng.standard_normal((5, 2)) * 2.0**exponent / 8
    operator = ScalarLowRank(scale, left)
    e = np.linalg.svd(left, compute_uv=False) ** 2
    assert_allclose(operator.logabsdet(), [np.sum(np.log1p(scale * e))], rtol=1e-13)


@given(seed=st.integers(0, 2**32 - 1), rank=st.integers(1, 3))
def test_zeros_on_the_diagonal_that_the_rank_makes_good_do_no_harm(seed: int, rank: int) -> None:
    """diag(0, a) + U W^T with W and U on the first r coordinates is block-diagonal: blockdiag(U W^T, diag(a))."""
    rng = np.random.default_rng(seed)
    U, W = np.zeros((2, 6, rank))
    U[:rank], W[:rank] = (np.eye(rank) + 0.2 * rng.uniform(-1, 1, (2, rank, rank))) * 2
    a = np.concatenate([np.zeros(rank), rng.uniform(1, 3, 6 - rank)])[rng.permutation(6)]
    places = np.concatenate([np.flatnonzero(a == 0), np.flatnonzero(a)])
    operator = DiagonalLowRank(a, U[np.argsort(places)], W[np.argsort(places)])
    inner = U[:rank] @ W[:rank].T
    expected = np.linalg.slogdet(inner)[1] + np.sum(np.log(a[a != 0]))
    assert_allclose(operator.logabsdet(), [expected], rtol=0, atol=1e-13)
    V = rng.standard_normal((6, 1))
    assert_allclose(operator @ operator.solve(V), V[None], rtol=0, atol=1e-12)


@pytest.mark.parametrize("tiny", [1e-300, 1e-16, 1e-8])
def test_tiny_diagonal_entries_lose_no_digits(tiny: float) -> None:
    """diag(tiny, 1) + [[1, 1], [1, 1]] has determinant 1 + 2 tiny; eliminating tiny would multiply by 1/tiny."""
    operator = DiagonalLowRank(np.array([tiny, 1.0]), np.ones((2, 1)))
    assert_allclose(operator.logabsdet(), [math.log1p(2 * tiny)], rtol=0, atol=1e-15)
    assert_allclose(
        operator.solve(np.array([[1.0], [0.0]])), [[[2.0], [-1.0]]] / (1 + 2 * np.float64(tiny)), rtol=1e-14
    )


SINGULAR = {
    "scale 0": ScalarLowRank(0.0, ONE),
    "a projection": ScalarLowRank(1.0, ONE, core=[[-1.0]]),
    "an oblique projection": ScalarLowRank(1.0, -ONE, ONE + ONE[[1, 0, 2]]),
    "rank d, scale 0": ScalarLowRank(0.0, np.ones((2, 2))),
    "more zeros than the rank": DiagonalLowRank(np.array([0.0, 0.0, 1.0]), ONE),
    "a zero that the rank misses": DiagonalLowRank(np.array([1.0, 0.0, 1.0]), ONE),
    "diagonal less its own": DiagonalLowRank(np.array([2.0, 1.0, 1.0]), ONE, core=[[-2.0]]),
    "a singular block": BlockDiagonal(np.array([[[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])),
    "a singular matrix": Dense(np.ones((2, 2))),
    "an eigenvalue 0": Spectral(np.array([1.0, 0.0])),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_a_singular_operator_has_minus_infinite_log_determinant_and_no_inverse(name: str) -> None:
    operator = SINGULAR[name]
    assert operator.logabsdet()[0] == -math.inf
    with pytest.raises(ValueError, match="singular"):
        operator.solve(np.ones((operator.shape[1], 1)))


@given(d=st.integers(2, 300), seed=st.integers(0, 2**32 - 1), size=st.sampled_from([0.0, 1e-6, 0.1, 1.0]))
def test_the_krylov_norm_finds_the_largest_singular_value_even_in_a_cluster(d: int, seed: int, size: float) -> None:
    """A diagonal that is even on [0, 1], so that its top is crowded, plus a rank of 1 of several sizes."""
    rng = np.random.default_rng(seed)
    U, W = size * rng.standard_normal((2, d, 1)) / math.sqrt(d)
    operator = DiagonalLowRank(np.linspace(0, 1, d)[rng.permutation(d)], U, W)
    assert_allclose(operator.norm(), np.linalg.norm(operator.dense(), 2, axis=(1, 2)), rtol=1e-12)


def test_operators_of_many_dimensions_never_form_a_matrix() -> None:
    """d = 3072 has 75 MB of d x d; rank 16 and 12 patches stay below 6."""
    d, rank, patches = 3072, 16, Patches(3072, 256)
    rng = np.random.default_rng(3)
    U, W, V = rng.standard_normal((3, d, rank))
    operators = [ScalarLowRank(0.5, U), ScalarLowRank(0.5, U, W), DiagonalLowRank(rng.standard_normal(d), U, W)]
    for operator in operators:
        calls: list[Callable[[], object]] = [
            operator.logabsdet, operator.norm, lambda: operator.solve(V[:, :1]), lambda: operator @ V[:, :1],  # noqa: B023
            lambda: block_norms(operator, patches), lambda: operator.block(3, 5, patches),  # noqa: B023
        ]  # fmt: skip
        if isinstance(operator, ScalarLowRank):
            calls.append(operator.spectrum)
        for call in calls:
            tracemalloc.start()
            call()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 6e6


U = np.ones((4, 2))
BAD = {
    "square": lambda: Dense(np.ones((2, 3))),
    "`matrices`": lambda: Dense([["a"]]),
    "`matrices` must have 2 axes": lambda: Dense(np.ones(3)),
    "`right` must have the shape": lambda: ScalarLowRank(1.0, U, np.ones((4, 3))),
    r"`core` must have shape \(2, 2\)": lambda: ScalarLowRank(1.0, U, core=np.ones((3, 3))),
    "`left` must have 2 axes": lambda: ScalarLowRank(1.0, np.ones(4)),
    "`left` has a batch of 2, expected 1 or 3": lambda: ScalarLowRank(np.ones(3), np.ones((2, 4, 2))),
    "`core` has a batch of 2, expected 1 or 3": lambda: DiagonalLowRank(
        np.ones(4), np.ones((3, 4, 1)), core=np.ones((2, 1, 1))
    ),
    "`diagonal` has d=3, expected d=4": lambda: DiagonalLowRank(np.ones(3), U),
    "`blocks` must be square": lambda: BlockDiagonal(np.ones((2, 3, 2))),
    "`patches` must be 2 patches of 2": lambda: BlockDiagonal(np.ones((2, 2, 2)), patches=Patches(6, 2)),
    "`values` must have 1 axes": lambda: Spectral(np.ones((2, 2, 2))),
    r"`basis` must have shape \(3, 3\)": lambda: Spectral(np.ones(3), np.eye(2)),
    "4 dimensions cannot act": lambda: ScalarLowRank(1.0, U) @ np.ones((3, 1)),
    "batch of 2 operators cannot act on a batch of 3": lambda: ScalarLowRank(np.ones(2), U) @ np.ones((3, 4, 1)),
    "`patches` partitions d=6, expected d=4": lambda: ScalarLowRank(1.0, U).block(0, 0, Patches(6, 2)),
    r"`j` must lie in 0..1, got 2": lambda: ScalarLowRank(1.0, U).block(0, 2, Patches(4, 2)),
    r"`k` must lie in 0..1, got -1": lambda: Dense(np.eye(4)).block(-1, 0, Patches(4, 2)),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_arguments_are_refused_by_name(message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BAD[message]()
