"""Constructors of schedules against their definitions in 50 digits, float arguments taken as exact."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.schedule import Schedule
from tests.diffusion.oracle import HALF_PI, relative_errors

ANGLE = 1.2e-16  # rounding of an angle to a float: half a unit in the last place, of 1..2, and of the value below
EPS = 2.3e-16
STEPS = [1, 2, 3, 10, 100, 999, 1000]


def angle_rounding(sigma: np.ndarray) -> np.ndarray:
    """|d phi| of the angle of tan phi = sigma."""
    return ANGLE * np.minimum(1.0, np.arctan(sigma))


def assert_alpha_bar(schedule: Schedule, exact: Sequence[mpf], roundings: float) -> None:
    """alpha_bar and v are the definition's, to the rounding of the angle and some roundings besides."""
    assert schedule.alpha_bar.size == len(exact)
    with mp.workdps(50):
        noise = [1 - value for value in exact]
        ratio = np.array([float(mp.sqrt(v / a)) if a else math.inf for a, v in zip(exact, noise, strict=True)])
    turn = angle_rounding(ratio)
    finite = np.isfinite(ratio)
    with np.errstate(divide="ignore", invalid="ignore"):
        allowed = np.where(finite, 2 * turn * ratio, 0) + roundings * EPS
        assert (relative_errors(schedule.alpha_bar, exact) <= allowed).all()
        allowed = np.where(ratio > 0, 2 * turn / ratio, 0) + roundings * EPS
        assert (relative_errors(schedule.noise_variance, noise) <= allowed).all()


def assert_sigma(schedule: Schedule, exact: Sequence[mpf], roundings: float) -> None:
    """tan phi is the definition's, to the rounding of the angle and some roundings besides."""
    sigma = np.array([float(value) for value in exact])
    turn, allowed = angle_rounding(sigma), np.full(sigma.shape, roundings * EPS)
    inner = (sigma > 0) & np.isfinite(sigma)
    allowed[inner] += turn[inner] * (sigma[inner] + 1 / sigma[inner])
    assert (relative_errors(schedule.sigma, exact) <= allowed).all()


def products(betas: Sequence[mpf]) -> list[mpf]:
    """alpha_bar_0 = 1 and the running products of 1 - beta."""
    values = [mpf(1)]
    for beta in betas:
        values.append(values[-1] * (1 - beta))
    return values


def between(start: mpf, stop: mpf, count: int) -> list[mpf]:
    return [start + (stop - start) * i / max(1, count - 1) for i in range(count)]


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize(("name", "ends"), [("linear", (1e-4, 0.02)), ("scaled_linear", (0.00085, 0.012))])
def test_products_of_betas_lose_nothing_over_a_thousand_steps(name: str, ends: tuple[float, float], steps: int) -> None:
    schedule = getattr(schedules, name)(steps)
    with mp.workdps(50):
        low, high = mpf(ends[0]), mpf(ends[1])
        betas = between(low, high, steps)
        if name == "scaled_linear":
            betas = [root**2 for root in between(mp.sqrt(low), mp.sqrt(high), steps)]
        exact = products(betas)
        noise = [1 - value for value in exact]
    assert schedule.angles[0] == 0.0
    assert relative_errors(schedule.alpha_bar, exact).max() <= 2e-13
    assert relative_errors(schedule.noise_variance, noise).max() <= 2e-13
    assert_alpha_bar(schedule, exact, roundings=20)  # half a unit of ln alpha_bar = -10 alone is four of them


@pytest.mark.parametrize("betas", [(1e-8, 1e-8), (1e-5, 0.5), (0.3, 0.3), (1e-4, 0.999)])
def test_other_betas_are_multiplied_as_accurately(betas: tuple[float, float]) -> None:
    with mp.workdps(50):
        exact = products(between(mpf(betas[0]), mpf(betas[1]), 20))
    assert_alpha_bar(schedules.linear(20, *betas), exact, roundings=60)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("offset", [0.0, 0.008, 0.3])
@pytest.mark.parametrize("max_beta", [None, 0.999, 0.5, 0.01])
def test_cosine_is_its_definition_with_and_without_clipping(steps: int, offset: float, max_beta: float | None) -> None:
    with mp.workdps(50):
        angle = [(mpf(t) / steps + mpf(offset)) / (1 + mpf(offset)) * mp.pi / 2 for t in range(steps + 1)]
        unclipped = [(mp.cos(a) / mp.cos(angle[0])) ** 2 for a in angle[:-1]] + [mpf(0)]
        exact = unclipped
        if max_beta is not None:
            ratios = [after / before for before, after in itertools.pairwise(unclipped)]
            exact = products([min(1 - ratio, mpf(max_beta)) for ratio in ratios])
    schedule = schedules.cosine(steps, offset, max_beta)
    # the clipped tail is a product of up to 1000 equal factors: its logarithm, up to -10, is rounded once
    assert_alpha_bar(schedule, exact, roundings=20)
    assert (schedule.angles[-1] == HALF_PI) == (max_beta is None)


@pytest.mark.parametrize("rho", [1e-3, 1.0, 3.0, 7.0, 12.5])
@pytest.mark.parametrize(("low", "high"), [(0.002, 80.0), (1e-6, 1e4), (3.0, 3.5)])
def test_karras_is_its_definition(rho: float, low: float, high: float) -> None:
    with mp.workdps(50):
        roots = between(mpf(low) ** (1 / mpf(rho)), mpf(high) ** (1 / mpf(rho)), 19)
        exact = [root ** mpf(rho) for root in roots]
    schedule = schedules.karras(18, low, high, rho)
    assert schedule.steps == 18
    # raising to rho multiplies the error of the root, itself that of 1/rho times a logarithm, by rho
    assert_sigma(schedule, exact, roundings=5 + 4 * rho + 2 * abs(math.log(low * high)) + 14)


@pytest.mark.parametrize(("low", "high"), [(0.002, 80.0), (1e-6, 1e4), (3.0, 3.5)])
def test_log_linear_has_equal_ratios(low: float, high: float) -> None:
    with mp.workdps(50):
        exact = [mp.exp(value) for value in between(mp.log(low), mp.log(high), 31)]
    # the logarithm's error, of its size, becomes relative
    assert_sigma(schedules.log_linear(30, low, high), exact, roundings=4 + 2 * max(-math.log(low), math.log(high)))


@pytest.mark.parametrize("shift", [1.0, 3.0, 0.2])
@pytest.mark.parametrize("steps", [1, 2, 28, 1000])
def test_flow_is_its_definition(shift: float, steps: int) -> None:
    with mp.workdps(50):
        exact = [mpf(shift) * t / (steps - t) for t in range(steps)] + [mp.inf]
    schedule = schedules.flow(steps, shift)
    assert_sigma(schedule, exact, roundings=3)
    assert (schedule.angles[0], schedule.angles[-1]) == (0.0, HALF_PI)


@pytest.mark.parametrize(("start", "stop"), [(0.0, HALF_PI), (0.1, 1.5), (1e-9, 1e-8), (1.5, HALF_PI)])
@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_uniform_angles_are_equally_spaced(start: float, stop: float, steps: int) -> None:
    schedule = schedules.uniform_angle(steps, start, stop)
    exact = [Fraction(start) + (Fraction(stop) - Fraction(start)) * i / steps for i in range(steps + 1)]
    off = [abs(Fraction(got) - value) for got, value in zip(schedule.angles.tolist(), exact, strict=True)]
    assert max(off) <= 2 * EPS * stop
    assert (schedule.angles[0], schedule.angles[-1]) == (start, stop)


def test_uniform_angles_are_the_cosine_schedule_without_offset_and_clipping() -> None:
    for steps in (1, 10, 1000):
        cosine = schedules.cosine(steps, offset=0.0, max_beta=None)
        assert np.allclose(cosine.angles, schedules.uniform_angle(steps).angles, rtol=1e-15, atol=0)


def test_clipping_that_never_binds_changes_all_but_the_last_angle() -> None:
    """The last beta is 1 without clipping, so it is always clipped, and nothing else below 0.999 at T = 10."""
    clipped, free = schedules.cosine(10), schedules.cosine(10, max_beta=None)
    assert np.array_equal(clipped.angles[:-1], free.angles[:-1])
    assert clipped.alpha_bar[-1] / clipped.alpha_bar[-2] == pytest.approx(0.001, rel=1e-12)


def test_from_angles_keeps_every_float() -> None:
    angles = [0.0, 5e-324, 1e-300, 0.7, math.nextafter(HALF_PI, 0), HALF_PI]
    assert schedules.from_angles(angles).angles.tolist() == angles


@pytest.mark.parametrize("largest", [80.0, 1e4, 1e8])
def test_sigma_comes_back_with_no_more_than_the_rounding_of_its_angle(largest: float) -> None:
    sigma = np.concatenate(([0.0], np.geomspace(1e-12, largest, 500), [math.inf]))
    schedule = schedules.from_sigma(sigma)
    assert_sigma(schedule, [mpf(float(value)) for value in sigma], roundings=3)
    upto = (sigma > 0) & (sigma <= 1e4)
    assert np.abs(schedule.sigma[upto] / sigma[upto] - 1).max() <= 1e-11
    inner = schedule.logsnr[1:-1]
    with mp.workdps(50):
        expected = [-2 * mp.log(mpf(float(value))) for value in sigma[1:-1]]
        off = np.array([float(abs(mpf(float(a)) - b)) for a, b in zip(inner, expected, strict=True)])
    turn = angle_rounding(sigma[1:-1])
    allowed = 2 * turn * (sigma[1:-1] + 1 / sigma[1:-1]) + EPS * (3 + np.abs(inner))
    assert (off <= allowed).all()


def test_alpha_bar_comes_back_with_no_more_than_the_rounding_of_its_angle() -> None:
    near_one = 1 - np.geomspace(1e-15, 0.4, 200)
    near_zero = np.geomspace(0.59, 1e-20, 200)
    alpha_bar = np.concatenate(([1.0], near_one, near_zero, [0.0]))
    assert_alpha_bar(schedules.from_alpha_bar(alpha_bar), [mpf(float(value)) for value in alpha_bar], roundings=6)
