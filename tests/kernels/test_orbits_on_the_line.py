"""Orbits of maps of the line, whose points and growth are known in closed form at every step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.dynamics import Map
from pifs_sim.kernels import orbits
from pifs_sim.kernels.orbits import planar
from tests.dynamics.textbook import LOGISTIC

BACKENDS = ["reference", "cpu"]
TRIPLED = Map.compiled(lambda x, n: (3 * x[0] + n,), lambda x, n: ((3.0,),), dim=1)  # noqa: ARG005
SMALL = Map.compiled(lambda x, n: 1e-100 * x[0] + 1.0, lambda x, n: 1e-100, dim=1)  # noqa: ARG005
MIRROR = Map.compiled(lambda x, n: -x[0], lambda x, n: math.nan if x[0] < 0 else -1.0, dim=1)  # noqa: ARG005


def advanced(system: Map, x: Any, *, steps: int, interval: int, backend: Any, first: int = 0) -> orbits.Advance:
    """From points (B,), with the frame 1."""
    points = np.asarray(x, dtype=float)[:, None]
    frames = np.ones((len(points), 1, 1))
    options = {"first": first, "steps": steps, "interval": interval, "backend": backend}
    return orbits.compute(system.rule, points, frames, **options)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("interval", [1, 3, 5, 40])
def test_the_logistic_map_doubles_an_angle(backend: Any, interval: int) -> None:
    """x = sin^2 a goes to sin^2 2a, so dx_n/dx_0 = 2^n sin(2^{n+1} a)/sin(2a); 66 orbits are two blocks."""
    a = np.random.default_rng(0).uniform(0.3, 1.2, 66)
    found = advanced(LOGISTIC, np.sin(a) ** 2, steps=11, interval=interval, backend=backend)
    slope = 2.0**11 * np.sin(2.0**12 * a) / np.sin(2 * a)
    rounding = 11 * 2.0**24 * np.finfo(float).eps  # 2^11 errors of the point, each magnified by up to 2^11
    assert found.x[:, 0] == pytest.approx(np.sin(2.0**11 * a) ** 2, abs=rounding)
    assert np.exp(found.growth[:, 0]) == pytest.approx(np.abs(slope), abs=rounding * 2.0**11, rel=1e-12)
    assert not found.overflowed.any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("interval", [1, 2, 6, 50])
def test_a_driven_line_grows_at_its_slope(backend: Any, interval: int) -> None:
    """x_m = 3^m x_0 + sum_n 3^{m-1-n} n over the times n, in whole numbers."""
    first, steps = 4, 13
    found = advanced(TRIPLED, [2.0, -1.0], steps=steps, interval=interval, backend=backend, first=first)
    driven = sum(3 ** (steps - 1 - i) * (first + i) for i in range(steps))
    assert found.x[:, 0].tolist() == [3**steps * 2 + driven, -(3**steps) + driven]
    assert found.growth[:, 0] == pytest.approx(np.full(2, steps * math.log(3)), rel=1e-14)
    assert np.abs(found.V).ravel().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_growth_beyond_the_range_of_floats_is_kept(backend: Any) -> None:
    """Twelve steps of 1e-100, renormalised every second one: e^growth = 1e-1200 is no float."""
    found = advanced(SMALL, [0.5], steps=12, interval=2, backend=backend)
    assert found.growth[0, 0] == pytest.approx(-1200 * math.log(10), rel=1e-14)
    assert found.size == pytest.approx(200 * math.log(10), abs=math.log(2))
    assert not found.overflowed[0]


@pytest.mark.parametrize("system", [LOGISTIC, TRIPLED], ids=["numbers", "tuples"])
def test_numbers_and_tuples_alike_are_taken_by_the_kernel_of_the_line(system: Map) -> None:
    """Where it cannot be typed the general kernel takes over: right, but slower."""
    assert planar.build(system.rule).compile(planar.signature(np.float64)) is not None


@pytest.mark.parametrize("steps", [4, 5])
def test_a_product_that_leaves_the_floats_between_two_renormalisations_is_told(steps: int) -> None:
    found = advanced(SMALL, [0.5], steps=steps, interval=steps, backend="cpu")
    assert found.x[0, 0] == pytest.approx(1.0, rel=1e-15)
    assert found.overflowed.tolist() == [True]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("interval", [1, 6])
def test_a_slope_that_is_no_number_is_not_taken_for_zero(backend: Any, interval: int) -> None:
    """From 1 the second slope is NaN: the frame is. At the top of the parabola it is 0: only the growth says so."""
    undefined = advanced(MIRROR, [1.0], steps=6, interval=interval, backend=backend)
    assert undefined.x[0, 0] == 1.0
    assert np.isnan(undefined.V).all()
    flat = advanced(LOGISTIC, [0.5, 0.25], steps=6, interval=interval, backend=backend)
    assert np.isfinite(flat.V).all()
    assert flat.growth[:, 0] == pytest.approx([-np.inf, 6 * math.log(2)], rel=1e-14)
