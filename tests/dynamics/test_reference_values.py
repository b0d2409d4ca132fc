"""Measured spectra against trusted measured values and closed forms; tolerance 5 sigma/sqrt(N), sigma that of the map."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

from pifs_sim.dynamics import LyapunovSpectrum, catalogue, lyapunov_spectrum

ORBITS, STEPS = 1000, 4000
ROOT = math.sqrt(ORBITS * STEPS)


def measured(entry: catalogue.Entry, *, orbits: int = ORBITS, steps: int = STEPS) -> LyapunovSpectrum:
    x0 = entry.x0(orbits, np.random.default_rng(7))
    return lyapunov_spectrum(entry.system, x0, steps, transient=200)


@pytest.mark.parametrize("name", ["henon", "lozi"])
def test_measured_reference_values_are_met(name: str) -> None:
    """The sum is exact, so D = 1 + l_1/|l_2| varies with l_1 as |S|/l_2^2."""
    entry = catalogue.get(name)
    reference, found = entry.reference, measured(entry)
    for exponent, (value, error) in zip(found.exponents, reference.exponents, strict=True):
        assert abs(exponent - value) <= 5 * (reference.sigma / ROOT + error)
    assert found.exponents.sum() == pytest.approx(entry.exponent_sum, rel=0, abs=1e-12)
    slope = abs(entry.exponent_sum) / reference.exponents[1].value ** 2
    dimension, error = reference.kaplan_yorke
    assert abs(found.kaplan_yorke.value - dimension) <= 5 * (slope * reference.sigma / ROOT + error)
    assert found.kaplan_yorke.stderr == pytest.approx(slope * found.stderr[0], rel=0.05)


@pytest.mark.parametrize("name", ["henon", "lozi"])
def test_standard_errors_are_those_of_the_map(name: str) -> None:
    """Estimated from at most 64 batches of 1000 orbits; sigma itself is rounded to two digits."""
    entry = catalogue.get(name)
    stderr = measured(entry).stderr
    assert stderr == pytest.approx(entry.reference.sigma / ROOT, rel=0.15)


def test_the_logistic_map_has_the_exponent_ln_2() -> None:
    """sigma: ln|f'| = ln 4|cos(pi u)|, u uniform, has the deviation pi/sqrt 12; along an orbit it nearly cancels."""
    found = measured(catalogue.logistic())
    assert found.stderr[0] < math.pi / math.sqrt(12) / ROOT
    assert abs(found.exponents[0] - math.log(2)) <= 5 * found.stderr[0]


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_products_of_gaussian_matrices_have_newmans_exponents(dim: int) -> None:
    """Var ln chi^2_m/2 = psi'(m/2)/4 a step: at most 1.24, so 1e6 steps give less than 2e-3."""
    entry = catalogue.gaussian_products(dim, seed=5)
    newman = [(math.log(2) + digamma((dim - i) / 2)) / 2 for i in range(dim)]
    np.testing.assert_allclose(entry.exponents, newman, rtol=0, atol=1e-15)
    found = measured(entry, orbits=500, steps=2000)
    assert (np.abs(found.exponents - newman) <= 5 * found.stderr).all()
    assert found.stderr.max() < 2e-3
    assert abs(found.kaplan_yorke.value - entry.kaplan_yorke.value) <= 5 * found.kaplan_yorke.stderr + 1e-12
