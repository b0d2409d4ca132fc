"""Mixtures, point clouds, scale mixtures and products: exact moments, samples, and the same law given in many ways."""

from __future__ import annotations

import dataclasses
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.operators import BlockDiagonal, Dense, Spectral
from pifs_sim.testing.strategies import measures

WEIGHTS, MEANS = [0.2, 0.5, 0.3], np.array([[1.0, -2.0], [0.0, 3.0], [4.0, 0.5]])
FULL = np.array([[[2.0, 0.5], [0.5, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[0.3, -0.1], [-0.1, 0.2]]])


def total(weights: Any, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """E[x x^T] - E[x] E[x]^T."""
    second = sum(w * (C + np.outer(m, m)) for w, m, C in zip(weights, means, covariances, strict=True))
    mean = np.asarray(weights) @ means
    return second - np.outer(mean, mean)


def test_moments_are_those_of_the_components() -> None:
    cases: list[tuple[Any, np.ndarray]] = [
        (Mixture(WEIGHTS, MEANS, [1.0, 0.0, 2.0]), np.array([v * np.eye(2) for v in (1.0, 0.0, 2.0)])),
        (Mixture(WEIGHTS, MEANS, MEANS**2), np.array([np.diag(v) for v in MEANS**2])),
        (Mixture(WEIGHTS, MEANS, FULL), FULL),
        (PointCloud(MEANS, WEIGHTS), np.zeros((3, 2, 2))),
    ]
    for law, covariances in cases:
        assert law.dim == 2
        assert_allclose(law.mean, [1.4, 1.25], rtol=1e-15)
        assert_allclose(law.covariance, total(WEIGHTS, MEANS, covariances), rtol=1e-14, atol=1e-15)
        assert np.array_equal(law.covariance, law.covariance.T)


def test_a_scale_mixture_has_one_shape() -> None:
    law = ScaleMixture([1.0, 2.0], FULL[0], [0.0, 1.0, 4.0], WEIGHTS)
    assert law.mean.tolist() == [1.0, 2.0]
    assert_allclose(law.covariance, 1.7 * FULL[0], rtol=1e-14)
    diagonal = ScaleMixture([1.0, 2.0], [3.0, 0.0], [0.0, 1.0, 4.0], WEIGHTS)
    assert_allclose(diagonal.covariance, np.diag([5.1, 0.0]), rtol=1e-15)


def test_a_product_has_no_covariance_between_its_parts() -> None:
    law = Product([Mixture(WEIGHTS, MEANS, FULL), Gaussian([7.0], [[2.0]]), PointCloud([[1.0], [2.0]])])
    assert law.dim == 4
    assert_allclose(law.mean, [1.4, 1.25, 7.0, 1.5], rtol=1e-15)
    expected = np.zeros((4, 4))
    expected[:2, :2], expected[2, 2], expected[3, 3] = total(WEIGHTS, MEANS, FULL), 2.0, 0.25
    assert_allclose(law.covariance, expected, rtol=1e-14)


def test_patches_place_the_parts_of_a_product_in_an_image() -> None:
    parts = [Gaussian(np.arange(4.0) + 10 * k, (k + 1) * np.eye(4)) for k in range(2)]
    law = Product(parts, patches=Patches((2, 4), 2))
    assert law.mean.reshape(2, 4).tolist() == [[0, 1, 10, 11], [2, 3, 12, 13]]
    assert np.diag(law.covariance).reshape(2, 4).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    assert_allclose(law.sample(9, np.random.default_rng(0)).mean(axis=0), law.mean, atol=5 * np.sqrt(2 / 9))


def test_operators_are_covariances_like_matrices() -> None:
    basis = np.linalg.qr(FULL[0])[0]
    values = np.array([[1.0, 2.0], [0.5, 0.0], [3.0, 4.0]])
    shared = Mixture(WEIGHTS, MEANS, Spectral(values, basis))
    separate = Mixture(WEIGHTS, MEANS, [Spectral(row, basis) for row in values])
    as_matrices = Mixture(WEIGHTS, MEANS, basis * values[:, None, :] @ basis.T)
    for law in (shared, separate):
        assert law.components.axes is basis  # not formed
        assert_allclose(law.covariance, as_matrices.covariance, rtol=1e-14)
    for operators in (Dense(FULL), [Dense(C) for C in FULL], [Dense(FULL[0]), *map(Dense, FULL[1:])]):
        assert np.array_equal(Mixture(WEIGHTS, MEANS, operators).covariance, Mixture(WEIGHTS, MEANS, FULL).covariance)
    blocks = Mixture([1.0], [[0.0] * 4], BlockDiagonal(FULL[None, :2]))
    assert_allclose(blocks.covariance, BlockDiagonal(FULL[None, :2]).dense()[0], rtol=1e-14)


def test_matrices_that_are_all_diagonal_have_their_entries_for_variances() -> None:
    law = Mixture(WEIGHTS, MEANS, np.array([np.diag([1.0, 1e-30])] * 3))
    assert law.components.axes is None
    assert law.components.variances.tolist() == [[1.0, 1e-30]] * 3


@given(law=measures(), seed=st.integers(0, 2**32 - 1))
def test_samples_have_the_mean_and_covariance(law: Any, seed: int) -> None:
    """Within 6 standard errors of 4000 draws, the fourth moments estimated from them."""
    n = 4000
    x = law.sample(n, np.random.default_rng(seed))
    centred = x - law.mean
    products = centred[:, :, None] * centred[:, None, :]
    assert x.shape == (n, law.dim)
    rare = 10 / n * (1 + np.abs(x).max() ** 2)  # components that a sample may miss
    assert (np.abs(centred.mean(axis=0)) <= 6 * x.std(axis=0) / np.sqrt(n) + rare).all()
    assert (np.abs(products.mean(axis=0) - law.covariance) <= 6 * products.std(axis=0) / np.sqrt(n) + rare).all()


@pytest.mark.parametrize("law", [
    Mixture(WEIGHTS, MEANS, [1.0, 0.0, 2.0]), Mixture(WEIGHTS, MEANS, FULL), PointCloud(MEANS),
    ScaleMixture([1.0, 2.0], FULL[0], [0.5, 1.0, 4.0], WEIGHTS), Product([PointCloud(MEANS), Gaussian([0.0], [[1.0]])]),
], ids=lambda law: type(law).__name__)  # fmt: skip
def test_samples_repeat_with_the_seed(law: Any) -> None:
    one, other = (law.sample(5, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, law.sample(5, np.random.default_rng(2)))
    assert law.sample(0, np.random.default_rng(0)).shape == (0, law.dim)


def test_a_sample_of_points_holds_only_points() -> None:
    x = PointCloud(MEANS, [0.5, 0.0, 0.5]).sample(100, np.random.default_rng(0))
    assert {tuple(row) for row in x} == {tuple(MEANS[0]), tuple(MEANS[2])}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_array_kinds_and_precisions_are_kept(dtype: str) -> None:
    def laws(xp: Any) -> list[Any]:
        weights, means, full, three = (
            xp.asarray(part, dtype=getattr(xp, dtype)) for part in (WEIGHTS, MEANS, FULL, [1, 0, 2])
        )
        mixtures = [Mixture(weights, means, three), Mixture(weights, means, means**2), Mixture(weights, means, full)]
        others = [PointCloud(means), ScaleMixture(means[0, ...], full[0, ...], three, weights)]
        return [*mixtures, *others, Product([mixtures[2], others[0]])]

    for law, expected in zip(laws(strict), laws(np), strict=True):
        for value, wanted in zip(
            *([m.mean, m.covariance, m.sample(4, np.random.default_rng(0))] for m in (law, expected)), strict=True
        ):
            assert isinstance(value, type(strict.asarray(0.0)))
            assert value.dtype == getattr(strict, dtype)
            assert wanted.dtype == np.dtype(dtype)
            assert_allclose(np.asarray(value), wanted, rtol=1e-5, atol=1e-5)


def test_the_arguments_are_copied_and_attributes_cannot_be_assigned() -> None:
    points, weights = MEANS.copy(), np.array(WEIGHTS)
    laws: list[Any] = [
        PointCloud(points, weights),
        Mixture(weights, points, weights),
        ScaleMixture(points[0], points[0] ** 2, weights, weights),
    ]
    before = [(law.mean.copy(), law.covariance.copy()) for law in laws]
    fresh = [
        PointCloud(points, weights),
        Mixture(weights, points, weights),
        ScaleMixture(points[0], points[0] ** 2, weights, weights),
    ]
    points[:], weights[:] = 9.0, 1 / 3
    for law, (mean, covariance) in zip(fresh, before, strict=True):
        assert np.array_equal(law.mean, mean)
        assert np.array_equal(law.covariance, covariance)
        with pytest.raises(dataclasses.FrozenInstanceError):
            law.weights = weights
