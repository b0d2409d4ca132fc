"""Covariances of shared points, rotated operators and direct sums: closed forms, digits, structure and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.dynamics.operators import Dense, DirectSum, Rotated, ScalarLowRank, Spectral, WeightedCovariance


def two_points(scale: float, factor: float, *, gap: float = 3.0) -> WeightedCovariance:
    points = np.zeros((2, 3))
    points[1, 0] = gap
    return WeightedCovariance(np.array([scale]), np.array([factor]), np.array([[0.25, 0.75]]), points)


def test_two_points_spread_along_their_difference() -> None:
    """Cov = w_1 w_2 (y_1 - y_2)(y_1 - y_2)^T, here 27/16 along the first axis."""
    operator = two_points(2.0, 4.0)
    assert_allclose(operator.dense()[0], np.diag([2 + 27 / 4, 2.0, 2.0]), rtol=1e-15)
    assert_allclose(operator.spectrum()[0], [2 + 27 / 4, 2.0, 2.0], rtol=1e-15)
    assert_allclose(operator.norm(), 2 + 27 / 4, rtol=1e-15)
    assert_allclose(operator.logabsdet(), math.log(2 + 27 / 4) + 2 * math.log(2), rtol=1e-15)


def test_the_determinant_keeps_the_digits_of_a_small_covariance() -> None:
    assert_allclose(two_points(1.0, 1e-20).logabsdet(), math.log1p(1e-20 * 27 / 16), rtol=1e-14)


def test_a_covariance_of_few_points_alone_is_singular() -> None:
    operator = two_points(0.0, 1.0)
    assert operator.logabsdet()[0] == -math.inf
    assert operator.spectrum()[0].tolist() == [27 / 16, 0.0, 0.0]
    with pytest.raises(ValueError, match="singular"):
        operator.solve(np.ones((3, 1)))
    weights = np.array([[0.5, 0.5, 0.0, 0.0, 0.0]])  # as many points as needed, but not as much weight
    many = WeightedCovariance(np.zeros(1), np.ones(1), weights, np.random.default_rng(0).standard_normal((5, 3)))
    with pytest.raises(ValueError, match="singular"):
        many.solve(np.ones((3, 1)))


def test_points_far_from_the_origin_lose_no_more_than_their_own_rounding() -> None:
    """eps |y| |y - mean| of the covariance, not eps |y|^2: 1e-16 * 1e6 * 3 here."""
    rng = np.random.default_rng(1)
    points, weights = rng.standard_normal((8, 4)), rng.random((2, 8))
    weights /= weights.sum(axis=1, keepdims=True)
    far = np.round(1e6 + points, 3)
    near = WeightedCovariance(np.ones(2), np.ones(2), weights, far - 1e6)
    moved = WeightedCovariance(np.ones(2), np.ones(2), weights, far)
    V = rng.standard_normal((2, 4, 3))
    for one, other in ((moved @ V, near @ V), (moved.dense(), near.dense()), (moved.spectrum(), near.spectrum())):
        assert_allclose(one, other, rtol=0, atol=1e-8)


def test_one_array_of_points_serves_the_whole_batch() -> None:
    points = np.random.default_rng(2).standard_normal((5, 4))
    operator = WeightedCovariance(np.ones(3), np.ones(3), np.full((3, 5), 0.2), points)
    assert operator.points is points
    assert operator.affine(2.0, 1.0).points is points
    assert operator.T is operator


@pytest.mark.parametrize("count", [2, 6], ids=["low rank", "by rows"])
def test_block_norms_are_those_of_the_matrices(count: int) -> None:
    rng = np.random.default_rng(3)
    operator = WeightedCovariance(
        rng.random(2), rng.random(2), np.full((2, count), 1 / count), rng.standard_normal((count, 12)),
        stretch=rng.random((2, count)), along=rng.random((2, count)), origin=rng.standard_normal((2, 12)),
    )  # fmt: skip
    patches = Patches(12, 4)
    found, expected = block_norms(operator, patches), block_norms(operator.dense(), patches)
    for name in ("kappa", "delta", "row_sum", "norm", "blocks"):
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-13)
    assert isinstance(operator.low_rank(), ScalarLowRank)
    assert_allclose(operator.low_rank().dense(), operator.dense(), rtol=0, atol=1e-14)


def test_a_direct_sum_on_its_patches_is_not_coupled() -> None:
    patches = Patches((2, 4), 2)
    rng = np.random.default_rng(4)
    parts = [Dense(rng.standard_normal((1, 4, 4))), Spectral(rng.standard_normal((3, 4)))]
    operator = DirectSum(parts, patches.indices)
    found, expected = block_norms(operator, patches), block_norms(operator.dense(), patches)
    assert found.delta.tolist() == [0.0, 0.0, 0.0]
    assert_allclose(found.blocks, expected.blocks, rtol=1e-14)
    finer = Patches((2, 4), (1, 2))
    assert_allclose(block_norms(operator, finer).blocks, block_norms(operator.dense(), finer).blocks, rtol=1e-13)


def test_a_rotation_changes_no_eigenvalue() -> None:
    basis = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    inner = ScalarLowRank(0.5, np.eye(3)[:, :1])
    operator = Rotated(basis, inner)
    assert operator.spectrum()[0].tolist() == [1.5, 0.5, 0.5]
    assert_allclose((operator @ basis)[0], basis * [1.5, 0.5, 0.5], rtol=0, atol=1e-15)
    assert operator.affine(2.0, 1.0).inner.spectrum()[0].tolist() == [4.0, 2.0, 2.0]


W, Y = np.full((2, 3), 1 / 3), np.zeros((3, 4))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: WeightedCovariance(np.ones(2), np.ones(2), np.ones((2, 4)), Y), "`weights`"),
        (lambda: WeightedCovariance(np.ones(3), np.ones(2), W, Y), "`factor` has a batch of 2, expected 1 or 3"),
        (lambda: WeightedCovariance(np.ones(2), np.ones(2), W, Y, stretch=np.ones((2, 4))), "`stretch`"),
        (lambda: WeightedCovariance(np.ones(2), np.ones(2), W, Y, origin=np.ones((2, 3))), "`origin`"),
        (lambda: WeightedCovariance(np.ones((2, 1)), np.ones(2), W, Y), "`scale`"),
        (lambda: WeightedCovariance(np.ones(2), np.ones(2), W, Y[0]), "`points`"),
        (lambda: Rotated(np.eye(3), Dense(np.eye(2))), "`basis`"),
        (lambda: DirectSum([]), "`parts`"),
        (lambda: DirectSum([Dense(np.eye(2))], [[0, 2]]), "`indices`"),
        (lambda: DirectSum([Dense(np.eye(2))], [[0]]), "`indices`"),
        (lambda: DirectSum([Dense(np.eye(2)), Dense(np.eye(1))], [[0, 1], [1]]), "`indices`"),
        (lambda: DirectSum([Dense(np.ones((2, 1, 1))), Dense(np.ones((3, 1, 1)))]), "`parts`"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
