"""Squared distances on a GPU's threads: those of the definition, with and without weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.kernels import squared_distances
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine
from tests.kernels.cuda.twin import AVAILABLE, twin


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from([1, 8, 9, 40, 64, 65, 150])),
    weighted=st.sampled_from(["no", "shared", "each"]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_distances_are_those_of_the_reference(
    machine: Machine, seed: int, shape: tuple[int, int, int], weighted: str, kind: type
) -> None:
    """To the rounding of a sum of d positive terms, each with the rounding of its difference."""
    rng, (batch, count, d) = np.random.default_rng(seed), shape
    x, y = rng.standard_normal((batch, d)), rng.standard_normal((count, d)).astype(kind)
    near, far = rng.standard_normal((2, batch))
    weights = {"no": None, "shared": rng.random((count, d)), "each": rng.random((batch, count, d))}[weighted]
    law = squared_distances.compute(x, y, (near, far), weights=weights, backend="reference")
    with machine as gpu:
        moved, factors = (gpu.there(near), gpu.there(far)), None if weights is None else gpu.there(weights)
        found = gpu.here(squared_distances.compute(gpu.there(x), gpu.there(y), moved, weights=factors, backend="cuda"))
    assert found.dtype == np.float64
    scale = (1 + np.abs(near) + np.abs(far))[:, None] * np.abs(y).max()
    assert_allclose(found, law, rtol=1e-13, atol=1e-14 * d * (scale**2).max(initial=0))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_centre_near_x_keeps_the_digits_of_a_small_move(machine: Machine) -> None:
    y = np.array([[1.0, -2.0, 3.0]])
    with machine as gpu:
        given = gpu.there(y), gpu.there(y), (gpu.there(np.ones(1)), gpu.there(np.full(1, -1e-20)))
        assert_allclose(gpu.here(squared_distances.compute(*given, backend="cuda")), [[14e-40]], rtol=1e-15)


@pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")
def test_too_little_memory_is_said_before_anything_is_launched() -> None:
    x, moved = np.ones((1000, 1)), (np.ones(1000), np.zeros(1000))
    with twin(free=1e6) as gpu, pytest.raises(MemoryError, match=r"`squared_distances` needs 0\.008 GB"):
        squared_distances.compute(x, x, moved, backend="cuda")
    assert gpu.launched == 0
