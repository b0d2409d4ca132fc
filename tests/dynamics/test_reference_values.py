"""Spectra against trusted measured values and ln 2; tolerance 5 sigma/sqrt(N) with the sigma of the map."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pifs_sim.dynamics import LyapunovSpectrum, catalogue, lyapunov_spectrum

ORBITS, STEPS = 1000, 4000
ROOT = math.sqrt(ORBITS * STEPS)


def measured(entry: catalogue.Entry) -> LyapunovSpectrum:
    x0 = entry.x0(ORBITS, np.random.default_rng(7))
    return lyapunov_spectrum(entry.system, x0, STEPS, transient=200)


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
