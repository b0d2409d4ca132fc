"""Generalised baker's maps against their Lebesgue averages, and their orbits against collapse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import catalogue, lyapunov_spectrum
from tests.dynamics.pointwise import step

MILLION = 10**6


@settings(max_examples=6)
@given(cut=st.floats(0.1, 0.9), left=st.floats(0.05, 0.5), right=st.floats(0.05, 0.5), seed=st.integers(0, 99))
def test_generalised_bakers_have_their_lebesgue_averages(cut: float, left: float, right: float, seed: int) -> None:
    """Interpreted, so 20 orbits of 200 steps: independent steps of the two branches."""
    entry = catalogue.generalised_baker(cut, left, right)
    x0 = entry.x0(20, np.random.default_rng(seed))
    found = lyapunov_spectrum(entry.system, x0, 200, transient=50, backend="reference")
    assert (np.abs(found.exponents - sorted(entry.exponents, reverse=True)) <= 5 * found.stderr + 1e-12).all()
    spread = abs(math.log(left / right)) * math.sqrt(cut * (1 - cut) / 4000)
    assert found.stderr[1] <= 3 * spread + 1e-12


@pytest.mark.parametrize("cut", [0.25, 0.75])
def test_orbits_do_not_collapse_at_an_uneven_cut(cut: float) -> None:
    """The worst cuts, where one branch shifts bits out: 64 orbits of a million steps keep their Lebesgue average."""
    entry = catalogue.generalised_baker(cut)
    found = lyapunov_spectrum(entry.system, entry.x0(64, np.random.default_rng(4)), MILLION, transient=100)
    assert (np.abs(found.exponents - entry.exponents) <= 5 * found.stderr).all()
    assert found.stderr.max() < 2e-4  # ln 3 sqrt(3/16) and ln(5/3) sqrt(3/16) over sqrt(6.4e7) are 6e-5 and 3e-5
    assert np.ptp(found.per_orbit, axis=0).max() < 6e-3  # nor does any single orbit stray: 12 times its deviation


@given(x=st.floats(0, 1, exclude_max=True), y=st.floats(0, 1), cut=st.floats(0.01, 0.49))
def test_one_step_is_the_map_to_the_rounding_that_it_owns_to(x: float, y: float, cut: float) -> None:
    """2^-51 by rule, and two roundings of at most 2^-53 each of a number below 1."""
    entry = catalogue.generalised_baker(cut)
    found = step(entry, np.array([[x, y]]))[0]
    expected = (x / cut, 0.3 * y) if x < cut else ((x - cut) / (1 - cut), 0.5 * y + 0.5)
    assert abs(found[0] - expected[0]) <= 2.0**-51 + 2.0**-52
    assert 0 <= found[0] <= 1
    assert found[1] == pytest.approx(expected[1], rel=1e-15)
