"""Orbits of small maps on a GPU's threads, from CUDA source of the map: the reference's points, frames and growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Map, lyapunov_spectrum
from pifs_sim.kernels import orbits
from pifs_sim.kernels.orbits import Advance, Rule
from pifs_sim.kernels.orbits.cuda import HENON
from tests.dynamics import textbook as maps
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine

LATTICE_CUDA = """
template <class Real> void step(const Real* x, long long n, Real* out) {
    const Real r = Real(3.9) + Real(0.05) * Real(n % 2);
    for (int i = 0; i < 3; ++i) {
        const Real a = x[i], b = x[(i + 1) % 3];
        out[i] = Real(0.8) * r * a * (1 - a) + Real(0.2) * r * b * (1 - b);
    }
}
template <class Real> void tangent(const Real* x, long long n, const Real* V, int p, Real* out) {
    const Real r = Real(3.9) + Real(0.05) * Real(n % 2);
    for (int i = 0; i < 3; ++i)
        for (int c = 0; c < p; ++c) {
            const int j = (i + 1) % 3;
            const Real mine = Real(0.8) * r * (1 - 2 * x[i]), other = Real(0.2) * r * (1 - 2 * x[j]);
            out[i * p + c] = mine * V[i * p + c] + other * V[j * p + c];
        }
}
"""
FOLDED_CUDA = """
template <class Real> void step(const Real* x, long long, Real* out) {
    const Real s = Real(0.5) * (x[0] + x[1]);
    out[0] = out[1] = 4 * s * (1 - s);
}
template <class Real> void jacobian(const Real* x, long long, Real* out) {
    for (int i = 0; i < 4; ++i) out[i] = 2 - 2 * (x[0] + x[1]);
}
"""


def lattice_tangent(x: Any, n: int, V: Any, out: Any) -> None:
    J = np.empty((3, 3))
    maps.lattice_write_jacobian(x, n, J)
    out[:] = J @ V


HENON = Map.compiled(maps.henon_step, maps.henon_jacobian, dim=2, cuda=HENON)
LATTICE = Map.compiled(maps.lattice_write, dim=3, tangent=lattice_tangent, cuda=LATTICE_CUDA)
RANK_ONE = Map.compiled(maps.folded_step, maps.folded_jacobian, dim=2, cuda=FOLDED_CUDA)
CASES = [(HENON, 0, "d"), (HENON, 1, "d"), (HENON, 2, "d"), (HENON, 2, "f"), (LATTICE, 0, "d"), (LATTICE, 2, "d")]


def advanced(machine: Machine, rule: Rule, x: Any, V: Any, **options: int) -> Advance:
    with machine as gpu:
        moved = orbits.compute(rule, gpu.there(x), gpu.there(V), backend="cuda", **options)
        return moved._replace(**{name: gpu.here(getattr(moved, name)) for name in ("x", "V", "growth", "overflowed")})


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    case=st.sampled_from(CASES),
    batch=st.integers(0, 3) | st.just(130),
    seed=st.integers(0, 999),
    steps=st.integers(0, 6),
    interval=st.integers(0, 4),
    first=st.integers(0, 9),
)
def test_orbits_follow_the_reference(
    machine: Machine, case: Any, batch: int, seed: int, steps: int, interval: int, first: int
) -> None:
    """Points in every bit for float64; the Jacobians' sizes magnify the frames' rounding by less than 7 a step."""
    system, k, dtype = case
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.05, 0.25, (batch, system.dim)).astype(dtype)
    V = np.linalg.qr(rng.standard_normal((batch, system.dim, system.dim)))[0][:, :, :k].astype(dtype)
    options = {"first": first, "steps": steps, "interval": interval if k else 0}
    law = orbits.compute(system.rule, x, V, backend="reference", **options)
    found = advanced(machine, system.rule, x, V, **options)
    assert found.x.dtype == found.V.dtype == dtype
    assert found.growth.dtype == np.float64
    allowed = 500 * float(np.finfo(dtype).eps) * 7.0**steps
    if dtype == "d":
        assert np.array_equal(found.x, law.x)
    assert_allclose(found.x, law.x, rtol=0, atol=allowed)
    least = min(1.0, np.exp(law.growth.min(initial=0.0)))  # a direction that shrinks has lost digits
    assert_allclose(found.growth, law.growth, rtol=0, atol=allowed / least)
    assert_allclose(found.V, law.V, rtol=0, atol=allowed * (7.0**steps if options["interval"] == 0 else 1 / least))
    assert found.spread == pytest.approx(law.spread, abs=allowed / least)
    assert found.size == pytest.approx(law.size, abs=allowed / least)
    assert not found.overflowed.any()


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("interval", [1, 3])
def test_a_direction_without_rank_dies_and_stays_dead(machine: Machine, interval: int) -> None:
    x, V = np.array([[0.2, 0.3], [0.6, 0.1]]), np.broadcast_to(np.eye(2), (2, 2, 2))
    moved = advanced(machine, RANK_ONE.rule, x, V, first=0, steps=5, interval=interval)
    assert (moved.growth[:, 1] == -np.inf).all()
    assert np.isfinite(moved.growth[:, 0]).all()
    again = advanced(machine, RANK_ONE.rule, moved.x, moved.V, first=5, steps=1, interval=1)
    assert (again.growth[:, 1] == -np.inf).all()


@pytest.mark.parametrize("machine", MACHINES)
def test_frames_that_leave_the_floats_are_told_and_orbits_that_leave_disturb_no_other(machine: Machine) -> None:
    x, V = np.array([[0.1, 0.1], [5.0, 5.0], [0.2, 0.1]]), np.eye(2) * np.array([1.0, 1.0, 1e307])[:, None, None]
    moved = advanced(machine, HENON.rule, x, V, first=0, steps=24, interval=24)
    assert np.isfinite(moved.x).all(axis=1).tolist() == [True, False, True]
    assert moved.overflowed.tolist() == [False, False, True]
    alone = advanced(machine, HENON.rule, x[:1], V[:1], first=0, steps=24, interval=24)
    assert np.array_equal(alone.growth[0], moved.growth[0])


@pytest.mark.parametrize("machine", MACHINES)
def test_long_runs_accumulate_the_growth_of_short_ones(machine: Machine) -> None:
    """Mantissas and exponents, beyond the range of floats: 3000 steps that contract areas by 0.3."""
    x, V = maps.henon_starts(3), np.broadcast_to(np.eye(2), (3, 2, 2))
    moved = advanced(machine, HENON.rule, x, V, first=0, steps=3000, interval=4)
    assert_allclose(moved.growth.sum(axis=1), 3000 * np.log(0.3), rtol=1e-13)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_spectrum_of_a_map_given_as_source_is_the_references(machine: Machine) -> None:
    """The same orbits bit by bit, so the same averages to the rounding of their frames."""
    x0 = maps.henon_starts(3)
    expected = lyapunov_spectrum(HENON, x0, 300, transient=20, backend="reference")
    with machine as gpu:
        found = lyapunov_spectrum(HENON, gpu.there(x0), 300, transient=20, backend="cuda")
    assert_allclose(found.per_orbit, expected.per_orbit, rtol=0, atol=1e-9)
    assert found.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-12)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "system", [maps.HENON, Map.compiled(maps.henon_write, maps.henon_write_jacobian, dim=17, cuda=HENON)]
)
def test_a_rule_without_source_and_a_large_one_are_refused(machine: Machine, system: Any) -> None:
    x = np.zeros((0, system.dim))
    with pytest.raises(ValueError, match="`cuda` source, of dimension 16 or less"):
        advanced(machine, system.rule, x, np.zeros((*x.shape, 1)), first=0, steps=1, interval=1)
