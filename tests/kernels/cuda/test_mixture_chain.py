"""Chains of mixtures on a GPU's threads: a step is the reference's to rounding, a chain its steps in every bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pifs_sim.kernels import mixture_chain
from pifs_sim.kernels.mixture_chain import Law, Steps, cuda, tables
from pifs_sim.kernels.mixture_chain.reference import step
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine
from tests.kernels.cuda.twin import AVAILABLE, twin
from tests.kernels.mixtures import KINDS, draw_angles, draw_law, draw_points, piece, rounding, steps_of

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
EVERY_MACHINE = pytest.mark.parametrize("machine", MACHINES)
EVERY_KIND = pytest.mark.parametrize("kind", list(KINDS))
EACH_SHAPE = (2, 3, 11, 40, 90, 200, 300)  # the coordinates of a thread's registers are not all in use
ANY_KIND = st.sampled_from(list(KINDS))


def moved(machine: Machine, law: Law, steps: Steps, x: Any, **options: Any) -> Any:
    with machine as gpu:
        there = Law(*map(gpu.there, law))
        return gpu.here(mixture_chain.compute(there, steps, gpu.there(x), backend="cuda", **options))


@EVERY_MACHINE
@DTYPES
@settings(max_examples=EXAMPLES)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 9),
    d=st.sampled_from([1, *EACH_SHAPE]),
    kind=ANY_KIND,
    batch=st.integers(1, 9),
)
@example(seed=1, count=3, d=1030, kind="own axes", batch=3)
@example(seed=2, count=40, d=1030, kind="own", batch=2)
@example(seed=3, count=40, d=600, kind="shared axes", batch=2)
@example(seed=4, count=3, d=2, kind="shared", batch=300)
def test_a_step_is_that_of_the_reference(
    machine: Machine, dtype: Any, seed: int, count: int, d: int, kind: str, batch: int
) -> None:
    rng = np.random.default_rng(seed)
    law, steps = draw_law(rng, count, d, kind), steps_of(draw_angles(rng))
    x = draw_points(rng, law, steps, batch).astype(dtype)
    found = moved(machine, law, steps, x)
    assert found.dtype == dtype
    exact = step(law, steps, x.astype(np.float64), 1)
    assert (np.abs(found - exact).max(axis=1) <= rounding(law, steps, x)).all()


@EVERY_MACHINE
@DTYPES
@pytest.mark.parametrize("d", [2, 90])
def test_half_way_between_two_atoms_both_have_one_half(machine: Machine, dtype: Any, d: int) -> None:
    """Near by their shares are (1 + tanh(c sum_i x_i/s^2))/2."""
    law = Law(np.full(2, 0.5), np.stack([-np.ones(d), np.ones(d)]), np.zeros((1, 1)))
    steps, x = steps_of([0.0, 1e-3]), np.zeros((3, d), dtype)
    x[1:] = np.array([[1e-7], [-3e-7]])
    found = moved(machine, law, steps, x)
    assert (found[0] == 0).all()
    expected = np.tanh(steps.cos[1] / steps.sin[1] ** 2 * x.astype(np.float64).sum(axis=1))[:, None]
    assert (np.abs(found - expected) <= rounding(law, steps, x)[:, None]).all()


@EVERY_MACHINE
@DTYPES
@EVERY_KIND
@pytest.mark.parametrize("d", [3, 40, 1030])
def test_a_chain_is_its_steps_and_its_samples_bit_by_bit(
    machine: Machine, dtype: Any, kind: str, d: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many steps there are tables for, however little memory there is, and in any order in memory."""
    rng, steps = np.random.default_rng(3), steps_of(np.linspace(0, np.pi / 2, 6))
    law, x = draw_law(rng, 4, d, kind), rng.standard_normal((9, d)).astype(dtype)
    whole = moved(machine, law, steps, x, at=range(6))
    assert np.array_equal(whole[5], x)
    for t in range(5, 0, -1):
        assert np.array_equal(moved(machine, law, piece(steps, t - 1, t), whole[t]), whole[t - 1])
    assert np.array_equal(moved(machine, law, steps, np.asfortranarray(x[::-2])), whole[0, ::-2])
    monkeypatch.setattr(tables, "_TABLES", 1)
    assert np.array_equal(moved(machine, law, steps, x, at=[2, 4]), whole[[2, 4]])
    least = cuda.need(law, steps, x, rows=(0,)).of(2)
    assert np.array_equal(moved(machine, law, steps, x, max_memory=least), whole[0])


@EVERY_MACHINE
@EVERY_KIND
@pytest.mark.parametrize("d", [3, 1030])
def test_what_is_not_a_number_stays_in_its_sample(machine: Machine, kind: str, d: int) -> None:
    rng, steps = np.random.default_rng(8), steps_of([0.0, 0.5, 1.0])
    law, x = draw_law(rng, 4, d, kind), rng.standard_normal((6, d))
    expected = moved(machine, law, steps, x)
    x[3, -1] = np.nan
    found = moved(machine, law, steps, x)
    assert np.isnan(found[3]).all()
    assert np.array_equal(np.delete(found, 3, axis=0), np.delete(expected, 3, axis=0))


@EVERY_MACHINE
def test_no_samples_have_no_points(machine: Machine) -> None:
    law = draw_law(np.random.default_rng(6), 3, 4, "own")
    found = moved(machine, law, steps_of([0.0, 0.5, 1.0]), np.empty((0, 4), np.float32), at=[2, 0])
    assert (found.shape, found.dtype) == ((2, 0, 4), np.float32)


@pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")
def test_too_little_memory_is_said_before_anything_is_launched() -> None:
    """Tables of two components, and 64 float64 numbers of two arrays for each of 1000 samples."""
    law, steps, x = draw_law(np.random.default_rng(0), 2, 64, "own"), steps_of([0.0, 1.0]), np.zeros((1000, 64))
    with twin(free=1e6) as gpu:
        with pytest.raises(ValueError, match=r"`mixture_chain` needs 0.00103 GB of GPU memory, and 0.001 GB are free"):
            mixture_chain.compute(law, steps, x, backend="cuda")
        with pytest.raises(ValueError, match=r"`mixture_chain` needs 0.00151 GB"):
            mixture_chain.compute(law, steps, x, backend="cuda", max_memory=1e6)
        assert gpu.launched == 0
        found = mixture_chain.compute(law, steps, x, backend="cuda", max_memory=4e5)
        assert gpu.launched == 3
    assert np.isfinite(found).all()
    with twin(), pytest.raises(ValueError, match="`max_memory` must be at least 4"):
        mixture_chain.compute(law, steps, x, backend="cuda", max_memory=1000)
