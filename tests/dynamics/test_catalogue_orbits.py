"""Orbits that stay what they claim to be for a million steps, against integer arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sympy import is_primitive_root, isprime

from pifs_sim.dynamics import catalogue, lyapunov_spectrum
from pifs_sim.dynamics.catalogue.interval import PRIME
from pifs_sim.dynamics.frames import advance
from tests.dynamics.pointwise import step

P, GRID, MILLION = int(PRIME), 2**51, 10**6


def after(entry: catalogue.Entry, x: np.ndarray, steps: int) -> np.ndarray:
    d = entry.system.dim
    frames = np.broadcast_to(np.eye(d), (len(x), d, d)).copy()
    return advance(entry.system, x, frames, first=0, steps=steps, interval=32).x


def numerators(x: np.ndarray) -> list[int]:
    return [round(value * P) for value in x[:, 0]]


def test_two_is_a_primitive_root_of_the_prime() -> None:
    """So the doubling map moves all points y/p round in one cycle of length p - 1."""
    assert isprime(P)
    assert is_primitive_root(2, P)
    assert P < GRID


@given(y=st.integers(1, P - 1))
@example(y=1)
@example(y=P - 1)
@example(y=(P - 1) // 2)
@example(y=(P + 1) // 2)
def test_one_step_is_exact_on_every_fraction(y: int) -> None:
    """Hence the whole orbit is."""
    x = np.array([[y / P]])
    assert step(catalogue.doubling(), x)[0, 0] == 2 * y % P / P
    assert step(catalogue.tent(), x)[0, 0] == min(2 * y, 2 * P - 2 * y) / P
    plane = np.array([[y / P, 0.25]])
    assert step(catalogue.kaplan_yorke_map(), plane)[0, 0] == 2 * y % P / P
    assert step(catalogue.skinny_baker(), plane)[0, 0] == 2 * y % P / P


def test_the_doubling_map_multiplies_by_powers_of_two_for_a_million_steps() -> None:
    entry = catalogue.doubling()
    x = entry.x0(5, np.random.default_rng(1))
    expected = [y * pow(2, MILLION, P) % P for y in numerators(x)]
    assert numerators(after(entry, x, MILLION)) == expected


def test_the_tent_map_folds_powers_of_two_for_a_million_steps() -> None:
    """Its n-th image is the distance of 2^n y from the nearest multiple of 2p."""
    entry = catalogue.tent()
    x = entry.x0(5, np.random.default_rng(2))
    unfolded = [y * pow(2, MILLION, 2 * P) % (2 * P) for y in numerators(x)]
    assert numerators(after(entry, x, MILLION)) == [min(z, 2 * P - z) for z in unfolded]


def test_the_cat_map_is_exact_on_its_grid_for_a_million_steps() -> None:
    entry = catalogue.cat()
    x = entry.x0(5, np.random.default_rng(3))
    power, square = np.eye(2, dtype=object), np.array([[2, 1], [1, 1]], dtype=object)
    for bit in reversed(f"{MILLION:b}"):
        power = power @ square % GRID if bit == "1" else power
        square = square @ square % GRID
    expected = [power @ [int(value * GRID) for value in point] % GRID for point in x]
    found = [[int(value * GRID) for value in point] for point in after(entry, x, MILLION)]
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


@pytest.mark.parametrize("cut", [0.25, 0.75])
def test_floats_do_not_collapse_under_a_baker_with_an_uneven_cut(cut: float) -> None:
    """The worst cuts, where one branch shifts bits out: 64 orbits of a million steps keep their Lebesgue average."""
    entry = catalogue.generalised_baker(cut)
    found = lyapunov_spectrum(entry.system, entry.x0(64, np.random.default_rng(4)), MILLION, transient=100)
    assert (np.abs(found.exponents - entry.exponents) <= 5 * found.stderr).all()
    assert found.stderr.max() < 2e-4  # ln 3 sqrt(3/16) and ln(5/3) sqrt(3/16) over sqrt(6.4e7) are 6e-5 and 3e-5
    assert np.ptp(found.per_orbit, axis=0).max() < 6e-3  # nor does any single orbit stray: 12 times its deviation


def test_the_logistic_map_never_reaches_one() -> None:
    """Points within 2^-28 of 1/2, whose image a double would round to 1, and then 0 for ever."""
    entry = catalogue.logistic()
    x = 0.5 + np.array([[0.0], [2.0**-30], [-(2.0**-40)]])
    top = step(entry, x)
    assert (top == math.nextafter(1.0, 0.0)).all()
    assert (step(entry, top) > 0.0).all()
