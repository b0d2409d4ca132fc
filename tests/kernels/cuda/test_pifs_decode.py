"""A sweep of block maps on a GPU's threads: the reference's bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.kernels import pifs_decode
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    seed=st.integers(0, 999),
    shape=st.tuples(st.integers(0, 3), st.integers(1, 90), st.sampled_from([(), (1,), (3,), (0,)])),
    q=st.integers(0, 9),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_images_are_the_references_in_every_bit(machine: Machine, seed: int, shape: Any, q: int, dtype: Any) -> None:
    rng, (batch, d, columns) = np.random.default_rng(seed), shape
    x = rng.standard_normal((batch, d, *columns)).astype(dtype)
    sources, (factors, offsets) = rng.integers(0, d, (q, d)), rng.standard_normal((2, d)).astype(dtype)
    for shifts in (offsets, None):
        law = pifs_decode.compute(x, sources, factors, shifts, backend="reference")
        with machine as gpu:
            given = [None if array is None else gpu.there(array) for array in (x, sources, factors, shifts)]
            found = gpu.here(pifs_decode.compute(*given, backend="cuda"))
        assert found.dtype == dtype
        assert np.array_equal(found, law)
