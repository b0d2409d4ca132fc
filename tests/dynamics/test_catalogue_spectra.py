"""The volume rule of any map, the basins of chaotic maps, and the stable cycles of the logistic map."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import catalogue, lyapunov_spectrum
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
    """200 orbits of 2e4 steps stay finite and stretch, each by itself; the sum is exact on each."""
    entry = catalogue.get(name)
    found = lyapunov_spectrum(entry.system, entry.x0(200, np.random.default_rng(0)), 20_000, transient=1000)
    assert set(found.reasons) == {None}
    assert found.per_orbit[:, 0].min() > (0.4 if name != "standard_map" else 0.0)
    np.testing.assert_allclose(found.per_orbit.sum(axis=1), entry.exponent_sum, rtol=0, atol=1e-12)


@settings(max_examples=20)
@given(
    r=st.floats(0.05, 0.95)
    | st.floats(1.05, 1.95)
    | st.floats(2.05, 2.95)
    | st.floats(3.05, 3.2)
    | st.floats(3.27, 3.4)
)
def test_stable_logistic_maps_have_the_exponent_of_their_cycle(r: float) -> None:
    """After n steps the distance to the cycle is below e^{l n}; 200 steps, an even number, average whole cycles."""
    entry = catalogue.logistic(r)
    found = lyapunov_spectrum(entry.system, np.array([[0.3]]), 200, transient=800, backend="reference")
    assert found.exponents[0] == pytest.approx(entry.exponents[0], rel=1e-9, abs=1e-11)


def test_superstable_logistic_maps_have_a_dead_direction() -> None:
    """f' = 0 at the fixed point 1/2; a double may stop one rounding below it, where f' = 2^-52."""
    entry = catalogue.logistic(2.0)
    assert entry.exponents == (-math.inf,)
    found = lyapunov_spectrum(entry.system, np.array([[0.3]]), 100, transient=20, backend="reference")
    assert found.exponents[0] <= math.log(2.0**-52) + 1e-12
