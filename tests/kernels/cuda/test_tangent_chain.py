"""Frames along chains on a GPU's threads: a push is the reference's to rounding, the factors are the tangent map's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pifs_sim.kernels import tangent_chain
from pifs_sim.kernels.mixture_chain import Law, Steps, tables
from pifs_sim.kernels.tangent_chain import Tangents, cuda
from pifs_sim.kernels.tangent_chain.reference import push
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine
from tests.kernels.cuda.twin import AVAILABLE, SANITIZERS, twin
from tests.kernels.mixtures import KINDS, draw_angles, draw_law, draw_points, growth, rounding, steps_of

EVERY_MACHINE = pytest.mark.parametrize("machine", MACHINES)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
FULL = pytest.mark.skipif(bool(SANITIZERS), reason="a minute under sanitizers, and fewer vectors tell the same")
ANY_KIND = st.sampled_from(list(KINDS))


def led(machine: Machine, law: Law, steps: Steps, x: Any, V: Any, **options: Any) -> Tangents:
    with machine as gpu:
        there = Law(*map(gpu.there, law))
        found = tangent_chain.compute(there, steps, gpu.there(x), gpu.there(V), backend="cuda", **options)
        return Tangents(*(None if part is None else gpu.here(part) for part in found))


@EVERY_MACHINE
@DTYPES
@settings(max_examples=EXAMPLES)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 7),
    d=st.sampled_from([1, 3, 11, 60, 130]),
    kind=ANY_KIND,
    p=st.integers(1, 6),
    batch=st.integers(1, 6),
)
@example(seed=1, count=3, d=300, kind="own axes", p=2, batch=2)
@example(seed=2, count=30, d=1030, kind="own axes", p=2, batch=2)
@example(seed=3, count=30, d=1030, kind="shared", p=1, batch=2)
def test_a_push_is_that_of_the_reference(
    machine: Machine, dtype: Any, seed: int, count: int, d: int, kind: str, p: int, batch: int
) -> None:
    rng = np.random.default_rng(seed)
    law, steps = draw_law(rng, count, d, kind), steps_of(draw_angles(rng))
    x = draw_points(rng, law, steps, batch).astype(dtype)
    V = (rng.standard_normal((batch, d, min(p, d))) / np.sqrt(d)).astype(dtype)
    found = led(machine, law, steps, x, V, interval=0)
    moved, pushed = push(law, steps, x.astype(np.float64), V.astype(np.float64), 1)
    allowed, length = rounding(law, steps, x), np.linalg.norm(V, axis=1).max(axis=1)
    assert found.V.dtype == dtype
    assert not found.logs.any()
    assert (np.abs(found.x - moved).max(axis=1) <= allowed).all()
    error = np.abs(found.V - pushed).max(axis=(1, 2))
    assert (error <= allowed * length * growth(law, steps, x.astype(np.float64))).all()


@EVERY_MACHINE
@pytest.mark.parametrize("few", [32, 1], ids=["Gram-Schmidt", "Cholesky"])
@pytest.mark.parametrize(("d", "p", "interval"), [(2, 2, 1), (9, 4, 1), (9, 4, 3), (9, 4, 50), (520, 2, 3)])
def test_the_factors_are_those_of_the_tangent_map(
    machine: Machine, d: int, p: int, interval: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D Phi V = Q R_n .. R_1, Q orthonormal; however many steps there are tables for, and however little memory."""
    monkeypatch.setattr(cuda, "FEW", few)
    rng, steps = np.random.default_rng(1), steps_of(np.linspace(0.2, np.pi / 2, 9))
    law, x, V = draw_law(rng, 3, d, "own axes"), rng.standard_normal((2, d)), rng.standard_normal((2, d, p))
    plain = led(machine, law, steps, x, V, interval=0)
    found = led(machine, law, steps, x, V, interval=interval, factors=True)
    assert found.factors.shape == (-(-8 // interval), 2, p, p)
    product = found.V
    for R in found.factors[::-1]:
        product = product @ R
    size = np.linalg.norm(plain.V, axis=(1, 2))[:, None, None]
    assert (np.abs(product - plain.V) <= 1e-11 * size).all()
    assert np.abs(found.V.swapaxes(1, 2) @ found.V - np.eye(p)).max() <= 1e-14 * p
    diagonals = np.diagonal(found.factors, axis1=2, axis2=3)
    assert found.logs == pytest.approx(np.log(diagonals).sum(axis=0), rel=1e-12, abs=1e-13)
    assert np.array_equal(found.factors, np.triu(found.factors))
    assert np.array_equal(found.x, plain.x)
    monkeypatch.setattr(tables, "_TABLES", 1)
    least = cuda.need(law, steps, x, V, interval=interval, factors=True).of(1)
    again = led(machine, law, steps, x, V, interval=interval, factors=True, max_memory=least)
    assert all(np.array_equal(a, b) for a, b in zip(again, found, strict=True))
    assert np.array_equal(led(machine, law, steps, x, V, interval=interval).logs, found.logs)


@EVERY_MACHINE
@DTYPES
@pytest.mark.parametrize(("p", "few"), [(5, 32), (5, 4), pytest.param(33, 32, marks=FULL)])
def test_dead_and_nearly_parallel_vectors_are_found_by_either_factorisation(
    machine: Machine, dtype: Any, p: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than 32 vectors go by Cholesky factors, or like others where these fail."""
    monkeypatch.setattr(cuda, "FEW", few)
    law, steps, d = Law(np.ones(1), np.zeros((1, 34)), np.ones((1, 1))), steps_of([0.3, 0.4]), 34
    rng = np.random.default_rng(2)
    V = rng.standard_normal((5, d, p))
    V[1, :, 2] = V[1, :, 0] - V[1, :, 1]
    V[2, :, 3] = V[2, :, 0] + 2000 * np.finfo(dtype).eps * V[2, :, 3]
    V[3] *= 1e-15
    V[4, 0, 0] = np.nan
    V = V.astype(dtype)
    found = led(machine, law, steps, np.zeros((5, d), dtype), V, factors=True)
    Q, live = found.V[:4].astype(np.float64), np.ones((4, p))
    live[1, 2] = 0
    assert np.abs(Q.swapaxes(1, 2) @ Q - live[:, :, None] * np.eye(p)).max() <= 40 * np.finfo(dtype).eps
    assert found.logs[1, 2] == -np.inf
    rest = found.logs[:4][live > 0]
    assert np.isfinite(rest).all()
    scale = np.linalg.norm(V[:4], axis=1)[:, None, :]
    pushed = V[:4] * np.cos(0.1)
    assert (np.abs(Q @ found.factors[0, :4] - pushed) <= 40 * np.finfo(dtype).eps * scale).all()
    assert np.isnan(found.logs[4, 0])


@EVERY_MACHINE
def test_no_samples_have_no_frames(machine: Machine) -> None:
    law = draw_law(np.random.default_rng(6), 3, 4, "own")
    found = led(machine, law, steps_of([0.0, 1.0]), np.empty((0, 4)), np.empty((0, 4, 2)), factors=True)
    assert [part.shape for part in found] == [(0, 4), (0, 4, 2), (0, 2), (1, 0, 2, 2)]


@pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")
def test_too_little_memory_is_said_before_anything_is_launched() -> None:
    """64 (1 + 8) + 8 numbers and 10 of room, of 8 bytes, for each of 1000 samples; 583 of tables."""
    law, steps = draw_law(np.random.default_rng(0), 2, 64, "own"), steps_of([0.0, 1.0])
    x, V = np.zeros((1000, 64)), np.zeros((1000, 64, 8))
    with twin(free=1e6) as gpu:
        for most, needs in ((None, 0.00476), (1e6, 0.00567)):
            with pytest.raises(ValueError, match=f"`tangent_chain` needs {needs} GB of GPU memory, and 0.001 GB are"):
                tangent_chain.compute(law, steps, x, V, backend="cuda", max_memory=most)
        assert gpu.launched == 0


@pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")
def test_sizes_are_counted_beyond_32_bits() -> None:
    """2^14 frames of 2^9 by 2^9 numbers of 4 bytes, and less than a thousandth more."""
    law, steps = draw_law(np.random.default_rng(0), 1, 512, "own"), steps_of([0.0, 1.0])
    x, V = np.zeros((2**14, 512), np.float32), np.broadcast_to(np.float32(0), (2**14, 512, 512))
    with twin(free=1e9), pytest.raises(MemoryError, match=r"`tangent_chain` needs 17\.2 GB .* 1 GB are free"):
        tangent_chain.compute(law, steps, x, V, interval=0, backend="cuda")
