"""The search on a GPU's threads: on whole numbers every choice and error is the law's, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pifs_sim.kernels import block_matching
from pifs_sim.kernels.block_matching import Quantisation
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine

FINE = Quantisation(0.95 / 15, 15, -248.6, 3.91, 128)


def there_and_back(gpu: Machine, arguments: Any, quantisation: Quantisation) -> list[Any]:
    match = block_matching.compute(*map(gpu.there, arguments), quantisation=quantisation, backend="cuda")
    return [gpu.here(field) for field in match]


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    seed=st.integers(0, 999),
    side=st.integers(1, 6),
    counts=st.tuples(st.integers(0, 7), st.integers(1, 300)),
    isometries=st.sampled_from([1, 2, 4, 8, 11]),
    high=st.sampled_from([1, 3, 127]),
    quantisation=st.sampled_from([FINE, Quantisation(0.125, 7, -128.0, 2.0, 128)]),
)
@example(seed=0, side=2, counts=(3, 300), isometries=8, high=0, quantisation=FINE)
def test_the_match_is_the_references_bit_by_bit_on_whole_numbers(
    machine: Machine,
    seed: int,
    side: int,
    counts: tuple[int, int],
    isometries: int,
    high: int,
    quantisation: Quantisation,
) -> None:
    """Few values make many ties, of domains in one thread and in several."""
    rng, n = np.random.default_rng(seed), side * side
    ranges, domains = (rng.integers(-high, high + 1, (count, n)).astype(float) for count in counts)
    arguments = ranges, domains / 4, np.array([rng.permutation(n) for _ in range(isometries)])
    law = block_matching.compute(*arguments, quantisation=quantisation, backend="reference")
    with machine as gpu:
        found = there_and_back(gpu, arguments, quantisation)
    for expected, values in zip(law, found, strict=True):
        assert values.dtype == expected.dtype
        assert np.array_equal(values, expected)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_real_numbers_match_to_the_rounding_of_the_inner_products(machine: Machine, dtype: Any) -> None:
    """Of 64 numbers up to 255: 1e-12 of the error; no pair comes this close here."""
    rng = np.random.default_rng(3)
    ranges, domains = rng.uniform(0, 255, (9, 64)).astype(dtype), rng.uniform(0, 255, (260, 64)).astype(dtype)
    arguments = ranges, domains, np.array([rng.permutation(64) for _ in range(8)])
    law = block_matching.compute(*arguments, quantisation=FINE, backend="reference")
    with machine as gpu:
        found = there_and_back(gpu, arguments, FINE)
    assert found[4] == pytest.approx(law.error, rel=1e-12)
    assert np.array_equal(found[0], law.domain)
