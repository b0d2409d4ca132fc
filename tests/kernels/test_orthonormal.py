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
SHAPES = st.integers(1, 6).flatmap(lambda d: st.tuples(st.integers(1, 3), st.just(d), st.integers(1, d)))


def graded(rng: np.random.Generator, shape: tuple[int, int, int], decades: float) -> np.ndarray:
    """Random frames whose columns have sizes over `decades` powers of ten."""
    return rng.standard_normal(shape) * 10.0 ** rng.uniform(-decades / 2, decades / 2, (shape[0], 1, shape[2]))


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@given(shape=SHAPES, seed=SEEDS, decades=st.sampled_from([0.0, 3.0, 60.0]), dtype=st.sampled_from(["f", "d"]))
def test_q_is_orthonormal_and_q_r_is_v(backend: Any, shape: Any, seed: int, decades: float, dtype: str) -> None:
    """R is backward stable; one pass loses orthogonality by the condition of the unit columns, here below 1e6."""
    V = graded(np.random.default_rng(seed), shape, decades if dtype == "d" else 0.0).astype(dtype)
    units = np.linalg.svd(V.astype(float) / np.linalg.norm(V.astype(float), axis=1, keepdims=True), compute_uv=False)
    condition, eps = float((units[:, 0] / units[:, -1]).max()), float(np.finfo(dtype).eps)
    if condition > 1e-3 / eps:
        return
    Q, R = orthonormal.compute(V, backend=backend)
    assert Q.dtype == R.dtype == V.dtype
    assert_allclose(
        Q @ R / np.linalg.norm(V, axis=1, keepdims=True),
        V / np.linalg.norm(V, axis=1, keepdims=True),
        rtol=0,
        atol=20 * shape[1] * eps,
    )
    identity = np.broadcast_to(np.eye(shape[2]), (shape[0], shape[2], shape[2]))
    assert_allclose(np.swapaxes(Q, 1, 2) @ Q, identity, rtol=0, atol=20 * shape[1] * eps * condition)
    assert np.array_equal(R, np.triu(R))
    assert (np.diagonal(R, axis1=1, axis2=2) > 0).all()


@given(shape=SHAPES, seed=SEEDS, decades=st.sampled_from([0.0, 3.0, 60.0]))
def test_the_backends_agree(shape: Any, seed: int, decades: float) -> None:
    """With R_jj >= 0 the factors are unique, and move by rounding times the condition of the unit columns."""
    V = graded(np.random.default_rng(seed), shape, decades)
    sizes = np.linalg.norm(V, axis=1, keepdims=True)
    units = np.linalg.svd(V / sizes, compute_uv=False)
    condition = float((units[:, 0] / units[:, -1]).max())
    (Q, R), (other_Q, other_R) = (orthonormal.compute(V, backend=name) for name in ("reference", "cpu"))
    allowed = 50 * shape[1] * 2.3e-16 * condition
    assert_allclose(other_Q, Q, rtol=0, atol=allowed)
    assert_allclose(other_R / sizes, R / sizes, rtol=0, atol=allowed)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@given(dim=st.integers(2, 6), seed=SEEDS, data=st.data())
def test_dead_columns_are_exactly_zero_and_the_others_do_not_see_them(
    backend: Any, dim: int, seed: int, data: st.DataObject
) -> None:
    """A column that is a combination of those before it, or zero: its R_jj is 0, never a multiple of eps."""
    rng = np.random.default_rng(seed)
    V = rng.standard_normal((1, dim, dim))
    dead = data.draw(st.integers(1, dim - 1))
    weights = rng.standard_normal(dead) * data.draw(st.sampled_from([0.0, 1.0, 1e-30, 1e30]))
    V[0, :, dead] = V[0, :, :dead] @ weights
    if np.linalg.cond(V[0, :, :dead]) > 1e4:
        return
    Q, R = orthonormal.compute(V, backend=backend)
    assert R[0, dead, dead] == 0
    assert (Q[0, :, dead] == 0).all()
    assert (R[0, dead] == 0).all()
    rest = [j for j in range(dim) if j != dead]
    others, lengths = orthonormal.compute(V[:, :, rest], backend=backend)
    assert_allclose(others, Q[:, :, rest], rtol=0, atol=1e-12 * np.linalg.cond(V[0, :, rest]) ** 2)
    assert_allclose(lengths[0], R[0][np.ix_(rest, rest)], rtol=0, atol=1e-12 * np.linalg.cond(V[0, :, rest]) ** 2)


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
