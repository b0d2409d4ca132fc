"""The chaos game on a GPU's threads: the words, points and counts of the law in every bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.kernels import chaos_game
from pifs_sim.kernels.chaos_game import Grid, Maps
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine


def random_maps(seed: int, count: int, d: int, dtype: Any) -> Maps:
    """Maps of norm 0.7 at most, with uneven probabilities."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((count, d, d))
    A *= 0.7 / np.maximum(np.linalg.norm(A, 2, axis=(1, 2)), 0.7)[:, None, None]
    cuts = np.sort(rng.integers(1, 2**32, count - 1)).astype(np.uint32)
    return Maps(
        A.astype(dtype), rng.standard_normal((count, d)).astype(dtype), cuts, rng.standard_normal(d).astype(dtype)
    )


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    kind=st.tuples(st.sampled_from([np.float32, np.float64]), st.integers(1, 4), st.sampled_from([1, 2, 7, 33, 40])),
    n=st.integers(0, 900),
    orbits=st.integers(1, 300),
    transient=st.integers(0, 9),
    seed=st.integers(0, 2**64 - 1),
)
def test_points_and_counts_are_the_references_in_every_bit(
    machine: Machine, kind: Any, n: int, orbits: int, transient: int, seed: int
) -> None:
    dtype, d, count = kind
    maps = random_maps(seed, count, d, dtype)
    span = (seed % orbits, orbits - seed // orbits % (orbits - seed % orbits))
    options: dict[str, Any] = {"seed": seed, "orbits": orbits, "transient": transient, "span": span}
    law = chaos_game.compute(maps, n, backend="reference", **options)
    with machine as gpu:
        there = Maps._make(map(gpu.there, maps))
        points = gpu.here(chaos_game.compute(there, n, backend="cuda", **options))
        assert points.dtype == dtype
        assert np.array_equal(points, law)
        for inside, side in ((False, 3.0), (False, 400.0), (True, 400.0)) if d <= 3 else ():
            grid = Grid(np.full(d, -side / 2), np.linspace(side / 2, side, d), (70, 50, 9)[:d])
            expected = chaos_game.compute(maps, n, grid=grid, inside=inside, backend="reference", **options)
            counts = gpu.here(chaos_game.compute(there, n, grid=grid, inside=inside, backend="cuda", **options))
            assert counts.dtype == np.int64
            assert np.array_equal(counts, expected)


@pytest.mark.parametrize("machine", MACHINES)
def test_orbits_beyond_32_bits_take_their_own_words(machine: Machine) -> None:
    maps = random_maps(5, 3, 2, np.float64)
    options: dict[str, Any] = {"seed": 9, "orbits": 2**40, "transient": 7, "span": (2**33 - 70, 2**33 + 70)}
    law = chaos_game.compute(maps, 2**40, backend="reference", **options)
    with machine as gpu:
        there = Maps._make(map(gpu.there, maps))
        assert np.array_equal(gpu.here(chaos_game.compute(there, 2**40, backend="cuda", **options)), law)
    assert len(np.unique(law)) > 200
