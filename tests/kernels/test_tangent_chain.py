"""Frames along chains: against the chain's own Jacobians, the reference, and themselves in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.measures import Mixture
from pifs_sim.kernels import mixture_chain, tangent_chain
from pifs_sim.kernels.mixture_chain import Law
from pifs_sim.kernels.tangent_chain import cpu
from pifs_sim.kernels.tangent_chain.reference import push
from tests.kernels.mixtures import KINDS, draw_angles, draw_law, draw_points, growth, piece, rounding, steps_of

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
EVERY = pytest.mark.parametrize(("d", "kind"), [(d, kind) for d in (2, 9) for kind in ("shared", "own", "own axes")])
SEEDS, ANY_KIND = st.integers(0, 2**32 - 1), st.sampled_from(list(KINDS))


def frame_of(rng: np.random.Generator, batch: int, d: int, p: int) -> Any:
    return rng.standard_normal((batch, d, p)) / np.sqrt(d)


@given(seed=SEEDS, count=st.integers(1, 6), d=st.integers(1, 9), kind=ANY_KIND)
def test_the_reference_pushes_by_the_jacobian_of_the_chain(seed: int, count: int, d: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    law, angles = draw_law(rng, count, d, kind), draw_angles(rng)
    steps = steps_of(angles)
    x, V = draw_points(rng, law, steps, 6), frame_of(rng, 6, d, 2)
    variances = np.broadcast_to(law.variances, law.means.shape)
    chain = Chain(Schedule(np.array(angles)), exact_denoiser(Mixture(law.weights, law.means, variances)))
    moved, pushed = push(law, steps, x, V, 1)
    expected = chain.tangent(x, 0, V)
    allowed = 4 * rounding(law, steps, x)
    assert (np.abs(moved - expected[0]).max(axis=1) <= allowed).all()
    assert (np.abs(pushed - expected[1]).max(axis=(1, 2)) <= allowed * growth(law, steps, x)).all()


@DTYPES
@given(seed=SEEDS, count=st.integers(1, 7), d=st.sampled_from([1, 3, 7, 30, 140]), kind=ANY_KIND, p=st.integers(1, 5))
def test_a_push_is_that_of_the_reference(dtype: Any, seed: int, count: int, d: int, kind: str, p: int) -> None:
    rng = np.random.default_rng(seed)
    law, steps = draw_law(rng, count, d, kind), steps_of(draw_angles(rng))
    x = draw_points(rng, law, steps, 30).astype(dtype)
    V = frame_of(rng, 30, d, min(p, d)).astype(dtype)
    found = tangent_chain.compute(law, steps, x, V, interval=0)
    moved, pushed = push(law, steps, x.astype(np.float64), V.astype(np.float64), 1)
    allowed, length = rounding(law, steps, x), np.linalg.norm(V, axis=1).max(axis=1)
    assert found.V.dtype == dtype
    assert (np.abs(found.x - moved).max(axis=1) <= allowed).all()
    error = np.abs(found.V - pushed).max(axis=(1, 2))
    assert (error <= allowed * length * growth(law, steps, x.astype(np.float64))).all()


@EVERY
@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("interval", [1, 3, 50])
def test_the_factors_are_those_of_the_tangent_map(d: int, kind: str, backend: Any, interval: int) -> None:
    """D Phi V = Q R_n .. R_1, Q orthonormal; the logarithms are those of the diagonals."""
    rng, steps = np.random.default_rng(1), steps_of(np.linspace(0.2, np.pi / 2, 9))
    law, x, V = draw_law(rng, 4, d, kind), rng.standard_normal((30, d)), frame_of(rng, 30, d, 2)
    plain = tangent_chain.compute(law, steps, x, V, interval=0, backend=backend)
    assert not plain.logs.any()
    assert plain.factors is None
    found = tangent_chain.compute(law, steps, x, V, interval=interval, factors=True, backend=backend)
    assert found.factors.shape == (-(-8 // interval), 30, 2, 2)
    product = found.V
    for R in found.factors[::-1]:
        product = product @ R
    size = np.linalg.norm(plain.V, axis=(1, 2))[:, None, None]
    assert (np.abs(product - plain.V) <= 1e-11 * size).all()
    assert np.abs(found.V.swapaxes(1, 2) @ found.V - np.eye(2)).max() <= 1e-14
    diagonals = np.diagonal(found.factors, axis1=2, axis2=3)
    assert found.logs == pytest.approx(np.log(diagonals).sum(axis=0), rel=1e-13)
    assert np.array_equal(found.x, plain.x)


@DTYPES
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_directions_that_a_step_annihilates_are_dead(dtype: Any, backend: Any) -> None:
    """One atom: the last step to angle 0 leaves nothing, and steps before shrink all directions alike."""
    law, steps = Law(np.ones(1), np.ones((1, 3)), np.zeros((1, 1))), steps_of([0.0, 0.4, 1.0])
    x, V = np.ones((5, 3), dtype), np.broadcast_to(np.eye(3, dtype=dtype), (5, 3, 3))
    found = tangent_chain.compute(law, steps, x, V, backend=backend)
    assert (found.logs == -np.inf).all()
    assert not found.V.any()
    before = tangent_chain.compute(law, piece(steps, 1, 2), x, V, backend=backend)
    assert before.logs == pytest.approx(np.full((5, 3), np.log(np.sin(0.4) / np.sin(1.0))), rel=1e-5)


def test_nearly_parallel_vectors_become_orthonormal() -> None:
    law, steps = Law(np.ones(1), np.zeros((1, 6)), np.ones((1, 1))), steps_of([0.3, 0.4])
    rng = np.random.default_rng(2)
    V = rng.standard_normal((7, 6, 1)) + 1e-9 * rng.standard_normal((7, 6, 4))
    found = tangent_chain.compute(law, steps, np.zeros((7, 6)), V)
    assert np.abs(found.V.swapaxes(1, 2) @ found.V - np.eye(4)).max() <= 1e-14


@DTYPES
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_many_vectors_become_orthonormal_whatever_their_angles(dtype: Any, backend: Any) -> None:
    """By Cholesky factors, or Gram-Schmidt where two vectors are nearly parallel, dead, tiny or no numbers."""
    law, steps, rng = (
        Law(np.ones(1), np.zeros((1, 40)), np.ones((1, 1))),
        steps_of([0.3, 0.4]),
        np.random.default_rng(3),
    )
    V, eps = rng.standard_normal((30, 40, 37)), np.finfo(dtype).eps
    V[1, :, 2] = V[1, :, 0] - V[1, :, 1]
    V[2, :, 3] = V[2, :, 0] + 2000 * eps * V[2, :, 3]
    V[3] *= 1e-15
    V[4, 0, 0] = np.nan
    V, x = V.astype(dtype), np.zeros((30, 40), dtype)
    found = tangent_chain.compute(law, steps, x, V, factors=True, backend=backend)
    every, live = np.arange(30) != 4, np.ones((30, 37))
    live[1, 2] = 0
    Q, pushed = found.V[every].astype(np.float64), np.cos(0.1) * V[every]
    assert np.abs(Q.swapaxes(1, 2) @ Q - live[every, :, None] * np.eye(37)).max() <= 40 * eps
    size = np.linalg.norm(pushed, axis=1)[:, None, :]
    assert (np.abs(Q @ found.factors[0, every] - pushed) <= 40 * eps * size).all()
    assert found.logs[1, 2] == -np.inf
    assert np.isfinite(found.logs[every][live[every] > 0]).all()
    assert np.isnan(found.logs[4, 0])
    some = tangent_chain.compute(law, steps, x[::3], V[::3], backend=backend)
    assert np.array_equal(some.V, found.V[::3], equal_nan=True)
    assert np.array_equal(some.logs, found.logs[::3], equal_nan=True)


@DTYPES
@EVERY
def test_a_chain_is_its_steps_its_samples_and_its_threads_bit_by_bit(dtype: Any, d: int, kind: str) -> None:
    rng, steps = np.random.default_rng(3), steps_of(np.linspace(0.1, np.pi / 2, 7))
    law, x = draw_law(rng, 5, d, kind), rng.standard_normal((130, d)).astype(dtype)
    V = frame_of(rng, 130, d, 2).astype(dtype)
    whole = tangent_chain.compute(law, steps, x, V, threads=1, factors=True)
    for threads in (2, 5):
        again = tangent_chain.compute(law, steps, x, V, threads=threads, factors=True)
        assert all(np.array_equal(a, b) for a, b in zip(again, whole, strict=True))
    least = cpu.need(law, steps, x, V, interval=1, factors=True).of(29)
    parts = tangent_chain.compute(law, steps, x, V, factors=True, max_memory=least)
    assert all(np.array_equal(a, b) for a, b in zip(parts, whole, strict=True))
    some = tangent_chain.compute(law, steps, np.asfortranarray(x)[5:60:3], V[5:60:3])
    assert all(np.array_equal(a, b[5:60:3]) for a, b in zip(some[:3], whole[:3], strict=True))
    state = (x, V)
    for t in range(6, 0, -1):
        one = tangent_chain.compute(law, piece(steps, t - 1, t), *state, factors=True)
        assert np.array_equal(one.factors[0], whole.factors[6 - t])
        state = (one.x, one.V)
    assert np.array_equal(state[1], whole.V)
    assert np.array_equal(state[0], whole.x)


@EVERY
def test_points_are_those_of_the_chain_without_frames(d: int, kind: str) -> None:
    """In many coordinates even in every bit."""
    rng, steps = np.random.default_rng(4), steps_of(np.linspace(0.0, 1.4, 7))
    law, x = draw_law(rng, 5, d, kind), rng.standard_normal((40, d))
    found = tangent_chain.compute(law, steps, x, frame_of(rng, 40, d, 1)).x
    expected = mixture_chain.compute(law, steps, x)
    assert (
        np.array_equal(found, expected) if d > 4 and kind != "own axes" else found == pytest.approx(expected, rel=1e-9)
    )


def test_every_output_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, steps = np.random.default_rng(5), steps_of([0.1, 0.5, 1.0])
    law, x, V = draw_law(rng, 3, 5, "own"), rng.standard_normal((33, 5)), frame_of(rng, 33, 5, 3)
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
    found = tangent_chain.compute(law, steps, x, V, factors=True)
    assert all(np.isfinite(part).all() for part in found)


def test_no_samples_have_no_frames() -> None:
    law = draw_law(np.random.default_rng(6), 3, 4, "own")
    found = tangent_chain.compute(law, steps_of([0.0, 1.0]), np.empty((0, 4)), np.empty((0, 4, 2)), factors=True)
    assert [part.shape for part in found] == [(0, 4), (0, 4, 2), (0, 2), (1, 0, 2, 2)]


LAW, STEPS = Law(np.ones(1), np.ones((1, 3)), np.ones((1, 1))), steps_of([0.0, 0.5])
X, V = np.ones((4, 3)), np.ones((4, 3, 2))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"V": np.ones((4, 3))}, "`V`"),
        ({"V": np.ones((3, 3, 2))}, "`V`"),
        ({"V": np.ones((4, 3, 4))}, "`V`"),
        ({"V": V.astype(np.float32)}, "one dtype, got float64 and float32"),
        ({"x": np.ones((4, 2))}, "`x`"),
        ({"max_memory": 100}, "`max_memory` must be at least"),
        ({"interval": -1}, "`interval`"),
        ({"threads": 0}, "`threads`"),
        ({"backend": "gpu"}, "`backend`"),
    ],
)
def test_bad_arguments_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {"law": LAW, "steps": STEPS, "x": X, "V": V} | changes
    with pytest.raises(ValueError, match=named):
        tangent_chain.compute(**arguments)
