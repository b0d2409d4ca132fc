"""Whole chains of mixtures: within the rounding that they carry on, and the same bits however they are cut."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.benchmarks.mixture_accuracy import tail_norms
from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.measures import Mixture, PointCloud, ScaleMixture
from pifs_sim.kernels import mixture_chain
from pifs_sim.kernels.mixture_chain import Law, Steps, cpu, reference, tables
from pifs_sim.testing.strategies import schedules
from tests.kernels.mixtures import KINDS, draw_law, piece, rounding, steps_of

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
EVERY = pytest.mark.parametrize(("d", "kind"), [(d, kind) for d in (3, 9) for kind in KINDS])


def measure(law: Law) -> Mixture:
    """The law as a measure."""
    variances = np.broadcast_to(law.variances, law.means.shape)
    return Mixture(law.weights, law.means, variances if law.variances.shape[1] > 1 else variances[:, 0])


def carried(chain: Chain, law: Law, steps: Steps, path: Any) -> Any:
    """(B,) sum_t |D(Phi_1 o .. o Phi_{t-1})| times the rounding of step t, along points (T + 1, B, d)."""
    rows = enumerate(tail_norms(chain, path), start=1)
    root = np.sqrt(path.shape[2])
    return sum(norms * root * rounding(law, piece(steps, t - 1, t), path[t]) for t, norms in rows)


@DTYPES
@given(
    schedule=schedules(max_steps=10),
    seed=st.integers(0, 999),
    d=st.sampled_from([1, 3, 7]),
    kind=st.sampled_from(list(KINDS)),
)
def test_a_chain_is_within_the_rounding_of_its_steps_carried_on(
    dtype: Any, schedule: Schedule, seed: int, d: int, kind: str
) -> None:
    rng, steps = np.random.default_rng(seed), steps_of(schedule.angles)
    law = draw_law(rng, int(rng.integers(1, 6)), d, kind)
    chain = Chain(schedule, exact_denoiser(measure(law)))
    x = (rng.standard_normal((12, d)) + steps.cos[-1] * law.means[0]).astype(dtype)
    path = mixture_chain.compute(law, steps, x, at=range(schedule.steps + 1), backend="reference")
    error = np.linalg.norm(mixture_chain.compute(law, steps, x) - path[0], axis=1)
    assert (error <= carried(chain, law, steps, path)).all()


@DTYPES
def test_a_chain_of_many_coordinates_is_too(dtype: Any) -> None:
    """Tail norms by the symmetric steps in the opposite order."""
    rng, schedule = np.random.default_rng(11), Schedule(np.linspace(0, np.pi / 2, 6))
    law, steps = Law(np.full(8, 1 / 8), rng.standard_normal((8, 130)), np.full((8, 1), 1e-3)), steps_of(schedule.angles)
    x = rng.standard_normal((20, 130)).astype(dtype)
    path = mixture_chain.compute(law, steps, x, at=range(6), backend="reference")
    error = np.linalg.norm(mixture_chain.compute(law, steps, x) - path[0], axis=1)
    assert (error <= carried(Chain(schedule, exact_denoiser(measure(law))), law, steps, path)).all()


def test_tail_norms_by_either_way_agree_and_iteration_does_not_exceed() -> None:
    rng, schedule = np.random.default_rng(12), Schedule(np.linspace(0, np.pi / 2, 9))
    law, steps = draw_law(rng, 5, 6, "own"), steps_of(schedule.angles)
    path = mixture_chain.compute(law, steps, rng.standard_normal((40, 6)), at=range(9), backend="reference")
    chain = Chain(schedule, exact_denoiser(measure(law)))
    exact, found = tail_norms(chain, path), tail_norms(chain, path, dense=0)
    assert (found <= exact * (1 + 1e-12)).all()
    assert (found >= 0.8 * exact).all()


@DTYPES
@EVERY
def test_a_chain_is_its_steps_its_samples_and_its_threads_bit_by_bit(dtype: Any, d: int, kind: str) -> None:
    rng, steps = np.random.default_rng(3), steps_of(np.linspace(0, np.pi / 2, 9))
    law, x = draw_law(rng, 6, d, kind), rng.standard_normal((200, d)).astype(dtype)
    whole = mixture_chain.compute(law, steps, x, at=range(9), threads=1)
    for threads in (2, 3, 50):
        assert np.array_equal(mixture_chain.compute(law, steps, x, at=range(9), threads=threads), whole)
    for t in range(8, 0, -1):
        assert np.array_equal(mixture_chain.compute(law, piece(steps, t - 1, t), whole[t]), whole[t - 1])
    for backend, room in (("cpu", cpu), ("reference", reference)):
        once = mixture_chain.compute(law, steps, x, backend=backend)
        least = room.need(law, steps, x, rows=(0,)).of(37)
        assert np.array_equal(mixture_chain.compute(law, steps, x, max_memory=least, backend=backend), once)
    for part in (slice(7, 8), slice(50, 121), slice(None, None, -3)):
        assert np.array_equal(mixture_chain.compute(law, steps, x[part]), whole[0, part])


@EVERY
def test_tables_for_a_few_steps_at_a_time_change_nothing(d: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, steps = np.random.default_rng(4), steps_of(np.linspace(0.1, 1.5, 13))
    law, x = draw_law(rng, 6, d, kind), rng.standard_normal((40, d))
    whole = mixture_chain.compute(law, steps, x, at=[9, 3, 0, 12, 9, 5])
    monkeypatch.setattr(tables, "_TABLES", 5000)
    assert np.array_equal(mixture_chain.compute(law, steps, x, at=[9, 3, 0, 12, 9, 5]), whole)


@EVERY
def test_every_output_is_written(d: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, steps = np.random.default_rng(5), steps_of(np.linspace(0.1, 1.5, 5))
    law, x = draw_law(rng, 3, d, kind), rng.standard_normal((101, d))
    monkeypatch.setattr(cpu.np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
    assert np.isfinite(mixture_chain.compute(law, steps, x, at=range(5))).all()


@EVERY
def test_no_samples_have_no_points(d: int, kind: str) -> None:
    law = draw_law(np.random.default_rng(6), 3, d, kind)
    found = mixture_chain.compute(law, steps_of([0.0, 0.5, 1.0]), np.empty((0, d), np.float32), at=[2, 0])
    assert (found.shape, found.dtype) == ((2, 0, d), np.float32)


@EVERY
def test_arrays_may_lie_in_memory_in_any_way_and_are_not_written_to(d: int, kind: str) -> None:
    rng, steps = np.random.default_rng(7), steps_of([0.0, 0.5, 1.0])
    law, x = draw_law(rng, 4, d, kind), rng.standard_normal((30, d))
    expected = mixture_chain.compute(law, steps, x)
    scattered = Law(*(np.repeat(values, 2, axis=0)[::2] for values in law))
    for values in (x, *law, *steps):
        values.flags.writeable = False
    assert np.array_equal(mixture_chain.compute(scattered, steps, np.asfortranarray(x)), expected)
    assert np.array_equal(mixture_chain.compute(law, steps, np.repeat(x, 3, axis=0)[::3]), expected)


@DTYPES
@EVERY
def test_what_is_not_a_number_stays_in_its_sample(dtype: Any, d: int, kind: str) -> None:
    rng, steps = np.random.default_rng(8), steps_of([0.0, 0.5, 1.0])
    law, x = draw_law(rng, 4, d, kind), rng.standard_normal((40, d)).astype(dtype)
    expected = mixture_chain.compute(law, steps, x)
    x[11, -1] = np.nan
    found = mixture_chain.compute(law, steps, x)
    assert np.isnan(found[11]).all()
    assert np.array_equal(np.delete(found, 11, axis=0), np.delete(expected, 11, axis=0))


@EVERY
@pytest.mark.parametrize("room", [cpu, reference], ids=["cpu", "reference"])
def test_a_piece_needs_no_more_memory_than_is_said(d: int, kind: str, room: Any) -> None:
    """What NumPy allocates, and 20 kB of Python's own objects."""
    rng, steps = np.random.default_rng(10), steps_of(np.linspace(0, 1.5, 5))
    law, x = draw_law(rng, 4, d, kind), rng.standard_normal((3000, d))
    peaks = []
    for _ in range(2):
        tracemalloc.start()
        room.compute(law, steps, x, rows=(0, 2), threads=None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    need = room.need(law, steps, x, rows=(0, 2)).of(3000)
    assert need / 4 <= peaks[1] <= need + 20_000
    with pytest.raises(ValueError, match="`max_memory` must be at least"):
        mixture_chain.compute(law, steps, x, max_memory=100)


def test_hundreds_of_coordinates_and_components_are_summed_in_their_order() -> None:
    """More than one chunk of coordinates, and rows of tiles that are not full; float32."""
    rng, steps = np.random.default_rng(9), steps_of([0.2, 0.7])
    for kind in KINDS:
        law, x = draw_law(rng, 101, 307, kind), rng.standard_normal((60, 307)).astype(np.float32)
        exact = mixture_chain.compute(law, steps, x.astype(np.float64), backend="reference")
        assert (np.abs(mixture_chain.compute(law, steps, x) - exact).max(axis=1) <= rounding(law, steps, x)).all()


LAWS = {
    "isotropic": Mixture([0.2, 0.3, 0.5], np.arange(18.0).reshape(3, 6) / 9, [0.01, 0.2, 1.0]),
    "diagonal": Mixture([0.5, 0.5], np.arange(12.0).reshape(2, 6) / 6, np.arange(12.0).reshape(2, 6) / 12),
    "points": PointCloud(np.random.default_rng(0).standard_normal((40, 6))),
    "turned alike": ScaleMixture(np.ones(6), np.eye(6) + np.ones((6, 6)), [0.1, 1.0, 4.0], [0.3, 0.3, 0.4]),
}


@DTYPES
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_running_a_chain_is_stepping_it_to_rounding(dtype: Any, law: Any) -> None:
    chain = Chain(Schedule(np.linspace(0, np.pi / 2, 13)), exact_denoiser(law))
    x = np.random.default_rng(1).standard_normal((100, 6)).astype(dtype)
    path = [x]
    for n in range(12):
        path.append(chain.step(path[-1], n))
    found = chain.trajectory(x)
    assert found.dtype == dtype
    product, allowed = np.broadcast_to(np.eye(6), (100, 6, 6)), 0.0
    for t in range(1, 13):
        allowed = allowed + 500 * np.finfo(dtype).eps * np.linalg.norm(product, 2, axis=(1, 2))
        product = product @ chain.jacobian(path[12 - t].astype(np.float64), 12 - t).dense()
    assert (np.linalg.norm(found[0] - path[-1], axis=1) <= allowed).all()
    assert np.array_equal(found[12], x)
    assert np.array_equal(chain.run(x), found[0])
    assert np.array_equal(chain.trajectory(x, at=[0, 12, 3]), found[[0, 12, 3]])


def test_points_that_are_no_numbers_are_refused_by_a_chain() -> None:
    chain = Chain(Schedule(np.linspace(0, np.pi / 2, 4)), exact_denoiser(Mixture([1.0], np.zeros((1, 2)), [1.0])))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"`x` must be finite"):
            chain.run(np.array([[0.0, bad]]))
