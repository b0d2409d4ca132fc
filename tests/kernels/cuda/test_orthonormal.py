"""Frames factored by 1, 8 and 32 threads each: what the room's tests ask of every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.kernels import orthonormal
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine

SMALL = st.integers(1, 6).flatmap(lambda d: st.tuples(st.integers(0, 3), st.just(d), st.integers(0, d)))
SHAPES = SMALL | st.sampled_from([(17, 12, 5), (2, 40, 17), (3, 70, 4)])
SEEDS = st.integers(0, 2**32 - 1)


def factored(machine: Machine, V: Any) -> tuple[Any, Any]:
    with machine as gpu:
        Q, R = orthonormal.compute(gpu.there(V), backend="cuda")
        return gpu.here(Q), gpu.here(R)


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(shape=SHAPES, seed=SEEDS, kind=st.sampled_from([("f", 10, 0), ("d", 10, 60), ("d", 1e3, 3), ("d", 1e9, 0)]))
def test_q_is_orthonormal_and_q_r_is_v(machine: Machine, shape: Any, seed: int, kind: Any) -> None:
    """Q R = V to rounding of each column, and Q^T Q = 1 to rounding: every vector is orthogonalised twice."""
    (batch, d, k), (dtype, spread, decades), rng = shape, kind, np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((batch, n, k)))[0] for n in (d, k))
    V = (left * np.geomspace(1, 1 / spread, k)) @ right
    V = (V * 10.0 ** rng.uniform(-decades / 2, decades / 2, (batch, 1, k))).astype(dtype)
    lengths = np.linalg.norm(V.astype(float), axis=1, keepdims=True)
    rounding = 20 * d * float(np.finfo(dtype).eps)
    Q, R = factored(machine, V)
    assert Q.dtype == R.dtype == V.dtype
    assert_allclose(Q @ (R / lengths), V / lengths, rtol=0, atol=rounding)
    assert_allclose(np.swapaxes(Q, 1, 2) @ Q - np.eye(k), 0, rtol=0, atol=rounding)
    assert np.array_equal(R, np.triu(R))
    assert (np.diagonal(R, axis1=1, axis2=2) > 0).all()


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(dim=st.integers(2, 6) | st.just(37), seed=SEEDS, size=st.sampled_from([0.0, 1.0, 1e-30, 1e30]), data=st.data())
def test_dead_columns_are_exactly_zero_and_the_others_do_not_see_them(
    machine: Machine, dim: int, seed: int, size: float, data: st.DataObject
) -> None:
    rng, dead = np.random.default_rng(seed), data.draw(st.integers(1, dim - 1))
    V = np.linalg.qr(rng.standard_normal((1, dim, dim)))[0] * np.linspace(1, 2, dim)
    V[0, :, dead] = V[0, :, :dead] @ rng.standard_normal(dead) * size
    Q, R = factored(machine, V)
    assert R[0, dead, dead] == 0
    assert not Q[0, :, dead].any()
    assert not R[0, dead].any()
    rest = [j for j in range(dim) if j != dead]
    others, lengths = factored(machine, V[:, :, rest])
    assert np.array_equal(others, Q[:, :, rest])
    assert np.array_equal(lengths[0], R[0][np.ix_(rest, rest)])


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("size", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_a_live_column_of_any_size_is_live(machine: Machine, size: float) -> None:
    Q, R = factored(machine, np.array([[[size, 1.0], [size, -1.0]]]))
    assert_allclose(R[0, 0, 0], 2**0.5 * size, rtol=1e-15)
    assert_allclose(Q[0], [[0.5**0.5, 0.5**0.5], [0.5**0.5, -(0.5**0.5)]], rtol=1e-14)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("d", [2, 12])
def test_a_column_that_is_not_finite_is_not_dead(machine: Machine, bad: float, d: int) -> None:
    V = np.eye(d)[None, :, :2].copy()
    V[0, 0, 1] = bad
    R = factored(machine, V)[1]
    assert R[0, 0, 0] == 1
    assert not np.isfinite(R[0, 1, 1])
