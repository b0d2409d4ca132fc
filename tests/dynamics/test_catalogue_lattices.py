"""Lattices against the spectra of their circulant matrices and against their sites alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import catalogue, lyapunov_spectrum


def sorted_logs(sizes: np.ndarray) -> np.ndarray:
    return np.sort(np.log(sizes))[::-1]


@st.composite
def circulants(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d,) of a circulant matrix and the sizes (d,) of its eigenvalues, from which it is built.

    Real weights have C_{d-k} = conj C_k. The logs of different sizes are 0.15 to 0.4 apart, in any order of k.
    """
    d = draw(st.integers(1, 12))
    half = d // 2 + 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logs = rng.permutation(np.cumsum(rng.uniform(0.15, 0.4, half))) - rng.uniform(0, 2)
    real = np.array([k == 0 or 2 * k == d for k in range(half)])
    phases = np.where(real, rng.choice([0.0, math.pi], half), rng.uniform(0, math.tau, half))
    spectrum = np.exp(logs) * np.where(real, np.cos(phases), np.exp(1j * phases))
    sizes = np.exp(logs[[min(k, d - k) for k in range(d)]])
    return np.fft.irfft(spectrum, d), sizes


@settings(max_examples=12)
@given(circulant=circulants(), slope=st.floats(1.1, 4) | st.floats(-4, -1.1))
def test_circulant_lattices_have_the_logs_of_their_eigenvalues(
    circulant: tuple[np.ndarray, np.ndarray], slope: float
) -> None:
    """Normal matrices: the frame is off by e^{-0.15 n}, and ln R by its square: 1e-14 after 110 steps."""
    weights, sizes = circulant
    entry = catalogue.circulant_lattice(weights, slope)
    expected = sorted_logs(abs(slope) * sizes)
    np.testing.assert_allclose(entry.exponents, expected, rtol=0, atol=1e-13)
    x0 = entry.x0(1, np.random.default_rng(0))
    found = lyapunov_spectrum(entry.system, x0, 20, transient=150, backend="reference")
    np.testing.assert_allclose(found.exponents, expected, rtol=0, atol=1e-11)


def test_compiled_circulant_lattices_have_the_logs_of_their_eigenvalues() -> None:
    """C_k of (0.6, 0.3, 0, 0.1) by hand: 1, 0.6 +- 0.2i, 0.2."""
    entry = catalogue.circulant_lattice()
    expected = sorted_logs(3 * np.array([1.0, math.sqrt(0.4), math.sqrt(0.4), 0.2]))
    found = lyapunov_spectrum(entry.system, entry.x0(50, np.random.default_rng(0)), 20_000, transient=200)
    np.testing.assert_allclose(found.per_orbit, [expected] * 50, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sites", [3, 4, 7])
def test_equal_weights_leave_one_direction_alive(sites: int) -> None:
    entry = catalogue.circulant_lattice((1 / sites,) * sites)
    assert entry.exponents[1:] == (-math.inf,) * (sites - 1)
    found = lyapunov_spectrum(entry.system, entry.x0(2, np.random.default_rng(0)), 50, backend="reference")
    assert found.rank == 1
    assert found.exponents[0] == pytest.approx(math.log(3), abs=0.1)  # the first step loses ln|v_1|


@settings(max_examples=10)
@given(sites=st.integers(1, 6), r=st.floats(1.3, 1.95) | st.floats(2.05, 2.7), coupling=st.floats(0.01, 0.2))
@example(sites=2, r=2.5, coupling=0.1)
@example(sites=4, r=0.5, coupling=0.15)
def test_logistic_lattices_at_rest_have_the_exponents_of_their_modes(sites: int, r: float, coupling: float) -> None:
    """All sites at the fixed point: ln|f'| + ln(1 - e + e cos(2 pi k/d)), in closed form.

    Eigenvalues close together align slowly, as e^{-2gn}: the mean over N steps may be off by 1/N, its sum not.
    """
    entry = catalogue.logistic_lattice(sites, r, coupling)
    modes = 1 - coupling + coupling * np.cos(2 * np.pi * np.arange(sites) / sites)
    expected = sorted_logs((r if r < 1 else abs(2 - r)) * modes)
    np.testing.assert_allclose(entry.exponents, expected, rtol=0, atol=1e-12)
    x0 = entry.x0(1, np.random.default_rng(0))
    found = lyapunov_spectrum(entry.system, x0, 100, transient=300, backend="reference")
    gap = -np.diff(np.unique(np.round(expected, 9))[::-1]).max(initial=-np.inf)
    np.testing.assert_allclose(found.exponents, expected, rtol=0, atol=1e-10 if gap > 0.03 else 1 / 100)
    assert found.exponents.sum() == pytest.approx(expected.sum(), abs=1e-10)


def test_an_uncoupled_lattice_is_a_bundle_of_logistic_maps() -> None:
    """The sum of its exponents is that of its sites, each run alone; as many are ln 2 as there are sites."""
    lattice, site = catalogue.logistic_lattice(3, 4.0, 0.0), catalogue.logistic()
    assert lattice.exponents == pytest.approx((math.log(2),) * 3, rel=1e-15)
    x0 = lattice.x0(2, np.random.default_rng(1))
    together = lyapunov_spectrum(lattice.system, x0, 200, backend="reference").per_orbit.sum(axis=1)
    alone = lyapunov_spectrum(site.system, x0.reshape(6, 1), 200, backend="reference").per_orbit
    np.testing.assert_allclose(together, alone.reshape(2, 3).sum(axis=1), rtol=0, atol=1e-12)


def test_compiled_lattices_follow_the_volume_of_a_numpy_orbit() -> None:
    """ln|det Df| = sum ln|f'(x_i)| + ln|det C| for 20 steps, in which rounding grows by e^{20 * 0.5} at most or so."""
    entry = catalogue.logistic_lattice(4, 4.0, 0.1)
    x = x0 = entry.x0(3, np.random.default_rng(2))
    C = 0.9 * np.eye(4) + 0.05 * (np.roll(np.eye(4), 1, axis=1) + np.roll(np.eye(4), -1, axis=1))
    total = np.zeros(3)
    for _ in range(20):
        total += np.log(np.abs(4 - 8 * x)).sum(axis=1) + np.linalg.slogdet(C)[1]
        x = 4 * x * (1 - x) @ C
    found = lyapunov_spectrum(entry.system, x0, 20)
    np.testing.assert_allclose(found.per_orbit.sum(axis=1) * 20, total, rtol=0, atol=1e-6)
