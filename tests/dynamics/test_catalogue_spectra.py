"""Spectra of catalogue maps and of triangular cocycles against closed forms, and the volume rule of any map."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import Cocycle, catalogue, lyapunov_spectrum
from tests.dynamics.pointwise import jacobians, step

SMALL = {"logistic_lattice": {"sites": 5}}


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_the_sum_of_the_exponents_is_the_mean_log_volume_along_the_orbit(name: str) -> None:
    """Of any map, on the same orbit: QR keeps the determinant, to rounding."""
    entry, steps = catalogue.get(name, **SMALL.get(name, {})), 150
    x = x0 = entry.x0(2, np.random.default_rng(0))
    volume = np.zeros(2)
    for n in range(steps):
        volume += np.linalg.slogdet(jacobians(entry, x, n))[1]
        x = step(entry, x, n)
    backend = None if name == "gaussian_products" else "reference"
    found = lyapunov_spectrum(entry.system, x0, steps, backend=backend)
    np.testing.assert_allclose(found.per_orbit.sum(axis=1), volume / steps, rtol=0, atol=1e-12)
    if entry.log_volume is not None:
        np.testing.assert_allclose(found.per_orbit.sum(axis=1), entry.log_volume, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["ikeda", "holmes_cubic", "standard_map"])
def test_default_starts_lie_in_the_basin_of_a_chaotic_set(name: str) -> None:
    """200 orbits of 1e5 steps stay finite and stretch, each by itself; the sum is exact on each."""
    entry = catalogue.get(name)
    found = lyapunov_spectrum(entry.system, entry.x0(200, np.random.default_rng(0)), 100_000, transient=1000)
    assert set(found.reasons) == {None}
    assert found.per_orbit[:, 0].min() > (0.4 if name != "standard_map" else 0.0)
    np.testing.assert_allclose(found.per_orbit.sum(axis=1), entry.exponent_sum, rtol=0, atol=1e-12)


@settings(max_examples=8)
@given(cut=st.floats(0.1, 0.9), left=st.floats(0.05, 0.5), right=st.floats(0.05, 0.5), seed=st.integers(0, 99))
def test_generalised_bakers_have_their_lebesgue_averages(cut: float, left: float, right: float, seed: int) -> None:
    """Interpreted, so 20 orbits of 600 steps: independent steps of the two branches."""
    entry = catalogue.generalised_baker(cut, left, right)
    x0 = entry.x0(20, np.random.default_rng(seed))
    found = lyapunov_spectrum(entry.system, x0, 600, transient=100, backend="reference")
    assert (np.abs(found.exponents - sorted(entry.exponents, reverse=True)) <= 5 * found.stderr + 1e-12).all()
    spread = abs(math.log(left / right)) * math.sqrt(cut * (1 - cut) / 12_000)
    assert found.stderr[1] <= 3 * spread + 1e-12


@settings(max_examples=20)
@given(r=st.floats(0.05, 0.95) | st.floats(1.05, 2.9) | st.floats(3.05, 3.4))
def test_stable_logistic_maps_have_the_exponent_of_their_cycle(r: float) -> None:
    """After n steps the distance to the cycle is below e^{l n}; 800 steps, an even number, average whole cycles."""
    entry = catalogue.logistic(r)
    found = lyapunov_spectrum(entry.system, np.array([[0.3]]), 800, transient=1500, backend="reference")
    assert found.exponents[0] == pytest.approx(entry.exponents[0], rel=1e-9, abs=1e-11)


def test_superstable_logistic_maps_have_a_dead_direction() -> None:
    entry = catalogue.logistic(2.0)
    assert entry.exponents == (-math.inf,)
    found = lyapunov_spectrum(entry.system, np.array([[0.3]]), 100, transient=20, backend="reference")
    assert found.exponents[0] == -math.inf


@st.composite
def triangular(draw: st.DrawFn) -> np.ndarray:
    """Upper triangular matrices (T, d, d): diagonals with logs in [-2, 2], of either sign, entries above up to 3."""
    T, d = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    diagonal = np.exp(rng.uniform(-2, 2, (T, d))) * rng.choice([-1.0, 1.0], (T, d))
    return np.triu(rng.uniform(-3, 3, (T, d, d)), 1) + diagonal[:, :, None] * np.eye(d)


@settings(max_examples=40)
@given(matrices=triangular())
def test_triangular_cocycles_have_the_mean_logs_of_their_diagonals(matrices: np.ndarray) -> None:
    """The eigenvalues of one period are products of the diagonals. Where two of their logs differ by g per step, the
    frame is off by e^{-g n}, which costs the mean over N steps at most 1/(g N) and at worst (no gap) ln n/N."""
    T, d, _ = matrices.shape
    expected = np.sort(np.log(np.abs(np.diagonal(matrices, axis1=1, axis2=2))).mean(axis=0))[::-1]
    gap = np.abs(np.diff(expected)).min(initial=np.inf)
    steps = 600 // T * T
    found = lyapunov_spectrum(Cocycle(matrices, periodic=True), np.zeros((1, d)), steps, transient=steps)
    tolerance = 1e-11 if gap > 0.1 else 20 / steps
    np.testing.assert_allclose(found.exponents, expected, rtol=0, atol=tolerance)
