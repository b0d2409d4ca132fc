"""V = Q R: the backends agree, Q is orthonormal, and dead columns are exactly zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.kernels import orthonormal

SEEDS = st.integers(0, 2**32 - 1)
SMALL = st.integers(1, 6).flatmap(lambda d: st.tuples(st.integers(1, 3), st.just(d), st.integers(1, d)))
SHAPES = SMALL | st.sampled_from([(2, 40, 17), (1, 36, 36), (2, 90, 33)])  # and over panels of 16 columns


def frames(seed: int, shape: tuple[int, int, int], spread: float, decades: float = 0.0) -> np.ndarray:
    """Frames with singular values from 1 down to 1/spread, their columns rescaled over `decades` powers of ten."""
    rng, (batch, d, k) = np.random.default_rng(seed), shape
    left, right = (np.linalg.qr(rng.standard_normal((batch, n, k)))[0] for n in (d, k))
    V = (left * np.geomspace(1, 1 / spread, k)) @ right
    return V * 10.0 ** rng.uniform(-decades / 2, decades / 2, (batch, 1, k))


def units(V: np.ndarray) -> tuple[np.ndarray, float]:
    """The lengths of the columns (B, 1, k), and the largest condition of frames with columns of length 1."""
    lengths = np.linalg.norm(V.astype(float), axis=1, keepdims=True)
    values = np.linalg.svd(V / lengths, compute_uv=False)
    return lengths, float((values[:, 0] / values[:, -1]).max())


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@given(shape=SHAPES, seed=SEEDS, kind=st.sampled_from([("f", 10, 0), ("d", 10, 60), ("d", 1e3, 3), ("d", 1e9, 0)]))
@settings(max_examples=50)
def test_q_is_orthonormal_and_q_r_is_v(backend: Any, shape: Any, seed: int, kind: Any) -> None:
    """Q R = V to rounding of each column, and Q^T Q = 1 to rounding times the condition of the unit columns."""
    dtype, spread, decades = kind
    V = frames(seed, shape, spread, decades).astype(dtype)
    lengths, condition = units(V)
    rounding = 20 * shape[1] * float(np.finfo(dtype).eps)
    Q, R = orthonormal.compute(V, backend=backend)
    assert Q.dtype == R.dtype == V.dtype
    assert_allclose(Q @ (R / lengths), V / lengths, rtol=0, atol=rounding)
    assert_allclose(np.swapaxes(Q, 1, 2) @ Q - np.eye(shape[2]), 0, rtol=0, atol=rounding * condition)
    assert np.array_equal(R, np.triu(R))
    assert (np.diagonal(R, axis1=1, axis2=2) > 0).all()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("distance", [1e-5, 1e-7, 1e-9, 1e-11])
def test_a_column_near_the_span_of_the_others_is_orthogonal_to_rounding(backend: Any, distance: float) -> None:
    """What is left of it has lost its orthogonality, and is orthogonalised once more."""
    V, away = frames(1, (1, 6, 6), 10), np.random.default_rng(2).standard_normal(6)
    V[0, :, 3] = V[0, :, :3] @ [1.0, -1.0, 2.0] + distance * away
    Q, R = orthonormal.compute(V, backend=backend)
    assert_allclose(Q[0].T @ Q[0], np.eye(6), rtol=0, atol=2e-14 if distance < 1e-6 else 1e-10)
    projected = away - Q[0, :, :3] @ (Q[0, :, :3].T @ away)
    assert R[0, 3, 3] == pytest.approx(distance * np.linalg.norm(projected), rel=1e-14 / distance)


@given(shape=SHAPES, seed=SEEDS, kind=st.sampled_from([(10, 60), (1e3, 3), (1e9, 0)]))
@settings(max_examples=50)
def test_the_backends_agree(shape: Any, seed: int, kind: Any) -> None:
    """With R_jj >= 0 the factors are unique, and move by rounding times the condition of the unit columns."""
    V = frames(seed, shape, *kind)
    lengths, condition = units(V)
    (Q, R), (other_Q, other_R) = (orthonormal.compute(V, backend=name) for name in ("reference", "cpu"))
    allowed = 50 * shape[1] * 2.3e-16 * condition
    assert_allclose(other_Q, Q, rtol=0, atol=allowed)
    assert_allclose(other_R / lengths, R / lengths, rtol=0, atol=allowed)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@given(dim=st.integers(2, 6) | st.just(37), seed=SEEDS, data=st.data())
@settings(max_examples=50)
def test_dead_columns_are_exactly_zero_and_the_others_do_not_see_them(
    backend: Any, dim: int, seed: int, data: st.DataObject
) -> None:
    """A column that is a combination of those before it, or zero: its R_jj is 0, never a multiple of eps."""
    V = frames(seed, (1, dim, dim), 10)
    dead = data.draw(st.integers(1, dim - 1))
    weights = np.random.default_rng(seed).standard_normal(dead)
    V[0, :, dead] = V[0, :, :dead] @ weights * data.draw(st.sampled_from([0.0, 1.0, 1e-30, 1e30]))
    Q, R = orthonormal.compute(V, backend=backend)
    assert R[0, dead, dead] == 0
    assert (Q[0, :, dead] == 0).all()
    assert (R[0, dead] == 0).all()
    rest = [j for j in range(dim) if j != dead]
    others, lengths = orthonormal.compute(V[:, :, rest], backend=backend)
    assert_allclose(others, Q[:, :, rest], rtol=0, atol=1e-12)
    assert_allclose(lengths[0], R[0][np.ix_(rest, rest)], rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_live_column_of_any_size_is_live(backend: Any) -> None:
    """(a, a) has length sqrt(2) a for every float a, also where a^2 is no float."""
    for size in (1e-300, 1e-200, 1e-30, 1.0, 1e30, 1e200, 1e300):
        Q, R = orthonormal.compute(np.array([[[size, 1.0], [size, -1.0]]]), backend=backend)
        assert_allclose(R[0, 0, 0], 2**0.5 * size, rtol=1e-15)
        assert_allclose(Q[0], [[0.5**0.5, 0.5**0.5], [0.5**0.5, -(0.5**0.5)]], rtol=1e-14)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
def test_a_column_that_is_not_finite_is_not_dead(backend: Any, bad: float) -> None:
    """ln R_jj is then nan or inf, which callers see; 0 would be taken for a direction without growth."""
    R = orthonormal.compute(np.array([[[1.0, bad], [0.0, 1.0]]]), backend=backend)[1]
    assert R[0, 0, 0] == 1
    assert not np.isfinite(R[0, 1, 1])
    first = orthonormal.compute(np.array([[[bad, 1.0], [0.0, 1.0]]]), backend=backend)[1]
    assert not np.isfinite(first[0, 0, 0])


@settings(max_examples=20)
@given(seed=SEEDS)
def test_the_first_columns_do_not_depend_on_the_later_ones(seed: int) -> None:
    V = np.random.default_rng(seed).standard_normal((2, 5, 5))
    for backend in ("reference", "cpu"):
        Q, R = orthonormal.compute(V, backend=backend)
        part_Q, part_R = orthonormal.compute(V[:, :, :3], backend=backend)
        assert_allclose(part_Q, Q[:, :, :3], rtol=0, atol=1e-13 * np.linalg.cond(V).max())
        assert_allclose(part_R, R[:, :3, :3], rtol=0, atol=1e-13 * np.linalg.cond(V).max())


def test_the_argument_is_not_written_to() -> None:
    V = np.random.default_rng(0).standard_normal((2, 3, 2))
    before = V.copy()
    for backend in ("reference", "cpu", None):
        orthonormal.compute(V, backend=backend)
        assert np.array_equal(V, before)


@pytest.mark.parametrize(
    ("V", "options", "message"),
    [
        (np.ones((2, 3)), {}, "`V`"),
        (np.ones((1, 2, 3)), {}, r"`V` must have shape .* got \(1, 2, 3\)"),
        (np.ones((1, 2, 2)), {"backend": "cuda"}, "`backend`"),
    ],
)
def test_bad_arguments_are_refused_by_name(V: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        orthonormal.compute(V, **options)
