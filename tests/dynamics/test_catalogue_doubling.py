"""The doubling and the tent map on fractions y/p, against integer arithmetic, and the top of the logistic map."""

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

P, MILLION = int(PRIME), 10**6


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
    assert P < 2**51


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


@given(y=st.integers(1, 2**40), off=st.floats(-0.4, 0.4))
def test_points_between_are_moved_to_the_nearest_fraction(y: int, off: float) -> None:
    x = np.array([[(y + off) / P]])
    assert step(catalogue.doubling(), x)[0, 0] == 2 * y / P
    assert step(catalogue.tent(), x)[0, 0] == 2 * y / P


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


@pytest.mark.parametrize("name", ["doubling", "tent"])
def test_constant_slopes_give_exact_exponents(name: str) -> None:
    entry = catalogue.get(name)
    assert entry.exponents == pytest.approx((math.log(2),), rel=1e-15)
    found = lyapunov_spectrum(entry.system, entry.x0(500, np.random.default_rng(7)), 4000, transient=100)
    np.testing.assert_allclose(found.per_orbit, math.log(2), rtol=0, atol=1e-12)
    assert found.stderr.max() < 1e-12
    assert found.kaplan_yorke == (1.0, 0.0)


def test_uneven_tents_have_the_exponent_of_their_slope() -> None:
    """Floats below mu = 2, where rounding fills the bits."""
    entry = catalogue.tent(1.7)
    x0 = entry.x0(3, np.random.default_rng(7))
    found = lyapunov_spectrum(entry.system, x0, 300, transient=100, backend="reference")
    np.testing.assert_allclose(found.per_orbit, math.log(1.7), rtol=0, atol=1e-12)


def test_the_logistic_map_never_reaches_one() -> None:
    """Points within 2^-28 of 1/2, whose image a double would round to 1, and then 0 for ever."""
    entry = catalogue.logistic()
    x = 0.5 + np.array([[0.0], [2.0**-30], [-(2.0**-40)]])
    top = step(entry, x)
    assert (top == math.nextafter(1.0, 0.0)).all()
    assert (step(entry, top) > 0.0).all()
