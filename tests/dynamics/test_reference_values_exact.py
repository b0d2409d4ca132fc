"""Spectra known in closed form: to rounding where the Jacobian is constant, to a proven c/N or to a standard error else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pifs_sim.dynamics import LyapunovSpectrum, catalogue, lyapunov_spectrum

LN2 = math.log(2.0)
ORBITS, STEPS = 500, 4000


def measured(entry: catalogue.Entry) -> LyapunovSpectrum:
    x0 = entry.x0(ORBITS, np.random.default_rng(7))
    return lyapunov_spectrum(entry.system, x0, STEPS, transient=100)


@pytest.mark.parametrize(
    ("name", "exponents", "dimension"),
    [
        ("cat", [math.log((3 + math.sqrt(5)) / 2), -math.log((3 + math.sqrt(5)) / 2)], 2.0),
        ("tent", [LN2], 1.0),
        ("doubling", [LN2], 1.0),
        ("skinny_baker", [LN2, -math.log(3)], 1.6309297535714573),
    ],
)
def test_constant_jacobians_give_exact_exponents(name: str, exponents: list[float], dimension: float) -> None:
    """On every orbit, since a hundred steps align the frame: the gap is at least ln 6."""
    entry = catalogue.get(name)
    assert entry.exponents == pytest.approx(exponents, rel=1e-15)
    found = measured(entry)
    np.testing.assert_allclose(found.per_orbit, [exponents] * ORBITS, rtol=0, atol=1e-12)
    assert found.stderr.max() < 1e-12
    assert found.kaplan_yorke.value == pytest.approx(dimension, rel=0, abs=1e-12)
    assert found.kaplan_yorke.stderr < 1e-12
    assert set(found.reasons) == {None}


def test_the_kaplan_yorke_map_has_its_exponents_up_to_a_bounded_tilt() -> None:
    """Df = (2, 0; g, alpha) doubles v_1 exactly; |v_2/v_1| stays below m = 4 pi/(2 - alpha), so the sum of ln|Df v|
    and N ln 2 differ by at most ln sqrt(1 + m^2): the mean by 2e-6/4 for N steps of every orbit."""
    entry = catalogue.kaplan_yorke_map()
    found = measured(entry)
    tilt = math.log(math.hypot(1.0, 4 * math.pi / 1.8))
    assert np.abs(found.per_orbit - [LN2, math.log(0.2)]).max() <= tilt / STEPS
    np.testing.assert_allclose(found.per_orbit.sum(axis=1), LN2 + math.log(0.2), rtol=0, atol=1e-12)
    assert (np.abs(found.exponents - entry.exponents) <= 5 * found.stderr).all()
    assert abs(found.kaplan_yorke.value - 1.4306765580733931) <= 5 * found.kaplan_yorke.stderr
