"""Jacobi rotations by 1, 8 and 32 threads a matrix: the reference's logarithms, over any range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.kernels import graded_singular_values
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine


def logs(machine: Machine, s: Any, U: Any) -> Any:
    with machine as gpu:
        return gpu.here(graded_singular_values.compute(gpu.there(s), gpu.there(U), backend="cuda"))


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    d=st.integers(1, 8),
    batch=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
    span=st.sampled_from([0.0, 5.0, 600.0, 2000.0]),
)
def test_they_are_the_references(machine: Machine, d: int, batch: int, seed: int, span: float) -> None:
    """To rounding of |s| and of the condition of U, a unit triangle with small entries."""
    rng = np.random.default_rng(seed)
    s = rng.uniform(-span / 2, span / 2, (batch, d))
    U = np.triu(rng.uniform(-1, 1, (batch, d, d)) / d**0.5, 1) + np.eye(d)
    law = graded_singular_values.compute(s, U, backend="reference")
    assert_allclose(logs(machine, s, U), law, rtol=4e-16, atol=2e-13)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_warp_shares_a_larger_matrix(machine: Machine) -> None:
    """Two rows with an overlap, the others orthogonal: one rotation, for the twin's threads take their time."""
    s, U = np.linspace(20, -20, 33)[None], np.eye(33)[None].copy()
    U[0, 3, 30] = 0.5
    law = graded_singular_values.compute(s, U, backend="reference")
    assert_allclose(logs(machine, s, U), law, rtol=4e-16, atol=2e-13)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("d", [3, 7])
def test_rows_without_rank_are_minus_infinity(machine: Machine, d: int) -> None:
    rng = np.random.default_rng(d)
    s, U = rng.uniform(-700, 700, (2, d)), rng.standard_normal((2, d, d))
    s[0, 1], U[1, 0], U[1, 2] = -np.inf, 0.0, 0.0
    law, found = graded_singular_values.compute(s, U, backend="reference"), logs(machine, s, U)
    assert (found[0, -1], *found[1, -2:]) == (-np.inf,) * 3
    assert_allclose(found, law, rtol=1e-15, atol=1e-12)
