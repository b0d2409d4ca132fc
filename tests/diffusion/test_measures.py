"""The Gaussian as a data law: its attributes, its samples, singular and bad covariances."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.testing.strategies import SpdMatrix, spd_matrices


@given(spd=st.integers(1, 6).flatmap(lambda d: spd_matrices(d)))
def test_the_spectrum_of_a_full_covariance_is_found(spd: SpdMatrix) -> None:
    """To the rounding of the matrix: d * eps of its norm, here at most 6 * 2.2e-16, with a factor of ten."""
    d = spd.eigenvalues.size
    law = Gaussian(np.zeros(d), spd.matrix)
    size = spd.eigenvalues.max()
    assert_allclose(np.sort(law.eigenvalues), np.sort(spd.eigenvalues), rtol=0, atol=2e-14 * size)
    vectors = np.eye(d) if law.eigenvectors is None else law.eigenvectors
    assert_allclose(vectors * law.eigenvalues @ vectors.T, spd.matrix, rtol=0, atol=2e-14 * size)
    assert_allclose(vectors.T @ vectors, np.eye(d), rtol=0, atol=1e-14)
    assert law.dim == d


def test_a_diagonal_covariance_is_its_own_spectrum_exactly() -> None:
    law = Gaussian([1.0, 2.0, 3.0], np.diag([4.0, 1e-30, 0.0]))
    assert law.eigenvectors is None
    assert law.eigenvalues.tolist() == [4.0, 1e-30, 0.0]


def test_eigenvalues_that_are_rounding_count_as_zero() -> None:
    root = np.random.default_rng(3).standard_normal((6, 2))
    law = Gaussian(np.zeros(6), root @ root.T)
    assert (law.eigenvalues == 0).sum() == 4
    assert_allclose(np.sort(law.eigenvalues)[4:], np.sort(np.linalg.svd(root)[1] ** 2), rtol=1e-13)


def test_the_mean_and_covariance_are_attributes() -> None:
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    law = Gaussian([1, 2], covariance)
    assert law.mean.tolist() == [1.0, 2.0]
    assert law.mean.dtype == np.float64
    assert np.array_equal(law.covariance, covariance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_arguments_are_copied(dtype: type) -> None:
    mean, covariance = np.array([1.0, 2.0], dtype=dtype), np.eye(2, dtype=dtype)
    law = Gaussian(mean, covariance)
    mean[0], covariance[0, 0] = 7.0, 7.0
    assert law.mean.tolist() == [1.0, 2.0]
    assert law.covariance.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert law.eigenvalues.tolist() == [1.0, 1.0]


def test_attributes_cannot_be_assigned() -> None:
    law = Gaussian([0.0], [[1.0]])
    with pytest.raises(dataclasses.FrozenInstanceError):
        law.mean = np.ones(1)


@pytest.mark.parametrize("covariance", [np.diag([4.0, 0.25, 0.0]), [[4.0, 1.2, 0], [1.2, 0.5, 0], [0, 0, 0]]], ids=str)
def test_samples_have_the_mean_and_covariance(covariance: Any) -> None:
    """Every moment within five standard errors of 2e5 samples; the direction without variance is the mean."""
    n, covariance = 200_000, np.asarray(covariance)
    law = Gaussian([1.0, -2.0, 3.0], covariance)
    x = law.sample(n, np.random.default_rng(11))
    assert x.shape == (n, 3)
    deviation = np.sqrt(np.diag(covariance))
    assert (np.abs(x.mean(axis=0) - law.mean) <= 5 * deviation / math.sqrt(n) + 1e-13).all()
    error = np.sqrt((np.outer(deviation, deviation) ** 2 + covariance**2) / n)
    assert (np.abs(np.cov(x.T) - covariance) <= 5 * error + 1e-13).all()
    assert_allclose(x[:, 2], 3.0, rtol=1e-15)


def test_samples_repeat_with_the_seed() -> None:
    law = Gaussian([0.0, 1.0], [[2.0, 0.3], [0.3, 1.0]])
    one, other = (law.sample(5, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, law.sample(5, np.random.default_rng(2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("covariance", [np.diag([2.0, 0.5]), np.array([[2.0, 0.3], [0.3, 1.0]])], ids=str)
def test_other_array_kinds_and_precisions_are_kept(dtype: str, covariance: np.ndarray) -> None:
    expected = Gaussian(np.array([1.0, 2.0], dtype=dtype), covariance.astype(dtype))
    of_kind = getattr(strict, dtype)
    law = Gaussian(strict.asarray([1.0, 2.0], dtype=of_kind), strict.asarray(covariance, dtype=of_kind))
    sample = law.sample(4, np.random.default_rng(0))
    for value in (law.mean, law.covariance, law.eigenvalues, sample):
        assert isinstance(value, type(strict.asarray(0.0)))
        assert value.dtype == of_kind
    assert expected.eigenvalues.dtype == np.dtype(dtype)
    assert np.array_equal(np.asarray(sample), expected.sample(4, np.random.default_rng(0)))


BAD = [
    ([0.0, 0.0], [[1.0, 0.0]], "covariance"),
    ([0.0, 0.0], np.eye(3), "covariance"),
    ([0.0, 0.0], 1.0, "covariance"),
    ([0.0, 0.0], [1.0, 1.0], "covariance"),
    ([0.0, 0.0], [[1.0, 0.5], [0.2, 1.0]], "covariance"),
    ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "covariance"),
    ([0.0, 0.0], [[1.0, 0.0], [0.0, -1e-9]], "covariance"),
    ([0.0, 0.0], [[1.0, math.nan], [math.nan, 1.0]], "covariance"),
    ([0.0, 0.0], [[math.inf, 0.0], [0.0, 1.0]], "covariance"),
    ([0.0, 0.0], [["a", "b"], ["c", "d"]], "covariance"),
    ([0.0, 0.0], np.eye(2) * (1 + 0j), "covariance"),
    ([0.0, 0.0], [[1.0], [0.0, 1.0]], "covariance"),
    ([], np.empty((0, 0)), "mean"),
    (0.0, [[1.0]], "mean"),
    ([[0.0]], [[1.0]], "mean"),
    ([math.nan], [[1.0]], "mean"),
    (["a"], [[1.0]], "mean"),
    (None, [[1.0]], "mean"),
]


@pytest.mark.parametrize(("mean", "covariance", "name"), BAD, ids=str)
def test_bad_moments_are_refused_by_name(mean: Any, covariance: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        Gaussian(mean, covariance)


def test_moments_of_two_array_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`mean` and `covariance`"):
        Gaussian(np.zeros(2), strict.eye(2))


@pytest.mark.parametrize("n", [0, 1])
def test_few_samples_have_their_shape(n: int) -> None:
    assert Gaussian([0.0, 1.0], np.eye(2)).sample(n, np.random.default_rng(0)).shape == (n, 2)
