"""Bad data laws are refused by one sentence that names the argument, the rule and the value."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest

from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.operators import Dense, Spectral

EYES = np.array([np.eye(2), np.eye(2)])
MEANS = [[0.0, 0.0], [1.0, 1.0]]

BAD_WEIGHTS = [
    ([0.5, 0.4], "`weights` must sum to one, got 0.9"),
    ([0.333, 0.333, 0.333], "`weights` must have shape (2,)"),
    ([1.5, -0.5], "`weights` must not be negative, got -0.5"),
    ([math.nan, 1.0], "`weights` must be finite"),
    ([math.inf, 0.0], "`weights` must be finite"),
    ([[0.5, 0.5]], "`weights` must have 1 axes"),
    ([], "`weights` must have 1 axes and not be empty"),
    (1.0, "`weights` must have 1 axes"),
    ("ab", "`weights` must hold real numbers"),
    ([0.5, 0.5 + 1e-12], "`weights` must sum to one"),
]

BAD_COVARIANCES = [
    ([1.0], "`covariances` must have shape (2,) like `means`"),
    ([1.0, -1e-9], "`covariances` must be positive semidefinite, got the variance -1e-09"),
    (np.ones((2, 3)), "`covariances` must have shape (2, 2) like `means`"),
    ([[1.0, 1.0], [1.0, -1.0]], "`covariances` must be positive semidefinite, got the variance -1"),
    (np.ones((1, 2, 2)), "`covariances` must have shape (2, 2, 2) like `means`"),
    (EYES * [[1.0, 0.0], [0.0, -1.0]], "`covariances` must be positive semidefinite, got the eigenvalue -1"),
    (EYES + np.array([[0.0, 2.0], [2.0, 0.0]]), "`covariances` must be positive semidefinite, got the eigenvalue -1"),
    (EYES + np.array([[0.0, 0.5], [0.0, 0.0]]), "`covariances` must be symmetric, got entries that differ by 0.5"),
    ([1.0, math.nan], "`covariances` must be finite"),
    (1.0, "`covariances` must have 1 or 2 or 3 axes"),
    (None, "`covariances` must hold real numbers"),
    (Spectral(np.ones((3, 2))), "`covariances` must have shape (2, 2) like `means`"),
    (Spectral(-np.ones((2, 2)), np.eye(2)), "`covariances` must be positive semidefinite, got the variance -1"),
    ([Dense(EYES), Dense(EYES)], "`covariances` must hold operators in batches of 1"),
    ([Dense(EYES[0]), 3.0], "`covariances` must hold operators in batches of 1"),
    ([Dense(EYES[0]), Dense(np.eye(3))], "`covariances` must have one shape"),
    ([Dense(EYES[0])], "`covariances` must have shape (2, 2, 2) like `means`"),
]


def refused(message: str) -> Any:
    for letter in "()[]+":
        message = message.replace(letter, f"\\{letter}")
    return pytest.raises(ValueError, match=f"^{message}[^\n]*$")


@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS, ids=str)
def test_bad_weights_are_refused(weights: Any, message: str) -> None:
    with refused(message):
        Mixture(weights, MEANS, [1.0, 1.0])
    with refused(message):
        PointCloud(MEANS, weights)
    with refused(message):
        ScaleMixture([0.0], [1.0], [1.0, 2.0], weights)


def test_weights_that_sum_to_one_but_for_rounding_are_kept() -> None:
    third = np.full(3, 1 / 3, dtype=np.float32)
    assert PointCloud(np.zeros((3, 1)), third).weights.sum() == pytest.approx(1, abs=1e-15)
    assert PointCloud(np.zeros((10, 1)), [0.1] * 10).weights.sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(("covariances", "message"), BAD_COVARIANCES, ids=lambda value: str(value)[:40])
def test_bad_covariances_are_refused(covariances: Any, message: str) -> None:
    with refused(message):
        Mixture([0.5, 0.5], MEANS, covariances)


@pytest.mark.parametrize(
    "points",
    [[], np.empty((0, 2)), np.empty((2, 0)), [1.0], 0.0, None, [[math.nan]], [["a"]], [[1.0], [1.0, 2.0]]],
    ids=str,
)
def test_bad_points_are_refused(points: Any) -> None:
    with pytest.raises(ValueError, match=r"^`points`"):
        PointCloud(points)
    with pytest.raises(ValueError, match=r"^`means`"):
        Mixture([1.0], points, [1.0])


@pytest.mark.parametrize(("arguments", "message"), [
    (([[0.0]], [1.0], [1.0], [1.0]), "`mean` must have 1 axes"),
    (([0.0], [1.0, 2.0], [1.0], [1.0]), "`base` must have shape (1, 1) or (1,) like `mean`, got (2,)"),
    (([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], [1.0], [1.0]), "`base` must be positive semidefinite, got the eigenvalue"),
    (([0.0], [-1.0], [1.0], [1.0]), "`base` must be positive semidefinite, got the variance -1"),
    (([0.0], [1.0], [-1.0], [1.0]), "`scales` must not be negative, got -1.0"),
    (([0.0], [1.0], [], [1.0]), "`scales` must have 1 axes and not be empty"),
    (([0.0], [1.0], [1.0, 1.0], [1.0]), "`weights` must have shape (2,) like `scales`"),
    (([0.0], [1.0], [math.inf], [1.0]), "`scales` must be finite"),
], ids=str)  # fmt: skip
def test_bad_scale_mixtures_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with refused(message):
        ScaleMixture(*arguments)


@pytest.mark.parametrize("measures", [[], 3.0, None, [1.0], [Gaussian], "ab"], ids=str)
def test_bad_parts_are_refused(measures: Any) -> None:
    with pytest.raises(ValueError, match=r"^`measures` must hold"):
        Product(measures)


def test_patches_of_another_number_or_length_are_refused() -> None:
    parts = [Gaussian([0.0, 0.0], EYES[0]), Gaussian([0.0], [[1.0]])]
    with refused("`patches` must be 2 patches of dimensions [2, 1], got 3 of 1"):
        Product(parts, patches=Patches(3, 1))


def test_arrays_of_two_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="`means` and `covariances` must be arrays of one kind"):
        Mixture([0.5, 0.5], np.array(MEANS), strict.ones(2))
    with pytest.raises(ValueError, match="`points` and `weights` must be arrays of one kind"):
        PointCloud(np.array(MEANS), strict.ones(2) / 2)


@pytest.mark.parametrize("n", [-1, 1.5, None])
def test_bad_numbers_of_samples_are_refused(n: Any) -> None:
    with pytest.raises(ValueError, match="`n`"):
        PointCloud(MEANS).sample(n, np.random.default_rng(0))
