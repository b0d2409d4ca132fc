"""D_bk = sum_i w_ki (x_bi - near_b y_ki - far_b y_ki)^2: the backends agree with the definition, and cancel nothing."""

from __future__ import annotations

from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.kernels import squared_distances

BACKENDS = ("reference", "cpu")


@pytest.mark.parametrize("backend", BACKENDS)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(1, 40)),
    weighted=st.sampled_from(["no", "shared", "each"]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_distances_are_those_of_the_definition(
    backend: Any, seed: int, shape: tuple[int, int, int], weighted: str, kind: type
) -> None:
    """To the rounding of a sum of d positive terms, each with the rounding of its difference."""
    rng, (batch, count, d) = np.random.default_rng(seed), shape
    x, y = rng.standard_normal((batch, d)), rng.standard_normal((count, d)).astype(kind)
    near, far = rng.standard_normal((2, batch))
    weights = {"no": None, "shared": rng.random((count, d)), "each": rng.random((batch, count, d))}[weighted]
    found = squared_distances.compute(x, y, (near, far), weights=weights, backend=backend)
    moved = (near + far)[:, None, None] * y.astype(float)
    terms = (x[:, None, :] - moved) ** 2 * (1.0 if weights is None else weights)
    assert found.dtype == np.float64
    assert_allclose(found, terms.sum(axis=-1), rtol=1e-13, atol=1e-14 * (1 + np.abs(moved).max(initial=0)) ** 2 * d)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("weights", [None, np.ones((1, 3))], ids=["plain", "weighted"])
def test_a_centre_near_x_keeps_the_digits_of_a_small_move(backend: Any, weights: Any) -> None:
    """x = y here: x - (1 - h) y = h y, of which 1 - h, rounded, knows nothing."""
    y = np.array([[1.0, -2.0, 3.0]])
    found = squared_distances.compute(y, y, (np.ones(1), np.full(1, -1e-20)), weights=weights, backend=backend)
    assert_allclose(found, [[14e-40]], rtol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_share_the_centres(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 64)), rng.standard_normal((3001, 64))
    moved = np.ones(7), np.zeros(7)
    weights = rng.random((3001, 64)) if weighted else None
    found = squared_distances.compute(x, y, moved, weights=weights)
    expected = squared_distances.compute(x, y, moved, weights=weights, backend="reference")
    assert_allclose(found, expected, rtol=1e-14)


def test_arrays_of_other_kinds_take_the_reference() -> None:
    rng = np.random.default_rng(1)
    x, y, near, far = (rng.standard_normal(shape) for shape in ((2, 3), (4, 3), (2,), (2,)))
    found = squared_distances.compute(strict.asarray(x), strict.asarray(y), (strict.asarray(near), strict.asarray(far)))
    assert isinstance(found, type(strict.asarray(x)))
    assert_allclose(np.asarray(found), squared_distances.compute(x, y, (near, far)), rtol=1e-13)
    with pytest.raises(ValueError, match="`backend`"):
        squared_distances.compute(strict.asarray(x), strict.asarray(y), (near, far), backend="cpu")


def test_bad_arguments_are_refused_by_name() -> None:
    x, y, ones = np.zeros((2, 3)), np.zeros((4, 3)), np.ones(2)
    with pytest.raises(ValueError, match="`y`"):
        squared_distances.compute(x, y[:, :2], (ones, ones))
    with pytest.raises(ValueError, match="`moved`"):
        squared_distances.compute(x, y, (ones, np.ones(3)))
    with pytest.raises(ValueError, match="`weights`"):
        squared_distances.compute(x, y, (ones, ones), weights=np.ones((2, 3)))
    with pytest.raises(ValueError, match="`backend`"):
        squared_distances.compute(x, y, (ones, ones), backend="gpu")  # type: ignore[arg-type]
