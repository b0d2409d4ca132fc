"""Spectra of the plane known in closed form: to rounding where the Jacobian is constant, else to a proven c/N."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pifs_sim.dynamics import LyapunovSpectrum, catalogue, lyapunov_spectrum
from pifs_sim.dynamics.frames import advance

LN2, GRID, MILLION = math.log(2.0), 2**51, 10**6
ORBITS, STEPS = 500, 4000


def measured(entry: catalogue.Entry) -> LyapunovSpectrum:
    x0 = entry.x0(ORBITS, np.random.default_rng(7))
    return lyapunov_spectrum(entry.system, x0, STEPS, transient=100)


@pytest.mark.parametrize(
    ("name", "exponents", "dimension"),
    [
        ("cat", [math.log((3 + math.sqrt(5)) / 2), -math.log((3 + math.sqrt(5)) / 2)], 2.0),
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


def test_the_cat_map_is_exact_on_its_grid_for_a_million_steps() -> None:
    entry = catalogue.cat()
    x = entry.x0(5, np.random.default_rng(3))
    power, square = np.eye(2, dtype=object), np.array([[2, 1], [1, 1]], dtype=object)
    for bit in reversed(f"{MILLION:b}"):
        power = power @ square % GRID if bit == "1" else power
        square = square @ square % GRID
    expected = [power @ [int(value * GRID) for value in point] % GRID for point in x]
    frames = np.broadcast_to(np.eye(2), (5, 2, 2)).copy()
    moved = advance(entry.system, x, frames, first=0, steps=MILLION, interval=8).x
    found = [[int(value * GRID) for value in point] for point in moved]
    assert found == [list(point) for point in expected]


def test_the_cat_map_returns_after_its_period_and_no_sooner() -> None:
    """A^(3 * 2^48) - 1 is 2^50 mod 2^51, so only even numerators are back after 3 * 2^48 steps, all after 3 * 2^49.

    Nor after 2^49: mod 2 the matrix has order 3 and moves every point but 0.
    """
    matrix = np.array([[2, 1], [1, 1]], dtype=object)
    power = matrix @ matrix @ matrix % GRID
    for _ in range(48):
        power = power @ power % GRID
    half = (power - np.eye(2, dtype=object).astype(int)) % GRID
    assert (half == np.array([[GRID // 2, 0], [0, GRID // 2]], dtype=object)).all()
    assert (power @ power % GRID == np.eye(2, dtype=int)).all()
