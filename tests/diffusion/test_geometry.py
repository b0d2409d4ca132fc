"""The model-free quantities against 50 digits: 1000 wild schedules and three of 1e5 steps.

1e-13 relative is some 450 roundings of 2.2e-16. The closed forms take about ten, so the tolerance is generous
to them and merciless to any subtraction of nearly equal numbers.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from pifs_sim.diffusion import geometry
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.schedules import from_angles, uniform_angle
from tests.diffusion.oracle import ExactSchedule, errors, relative_errors
from tests.diffusion.wild import HALF_PI, KINDS, wild_angles

CHUNKS = [range(first, first + 50) for first in range(0, 1000, 50)]
LONG = {"random, 0 to pi/2": (24, (1.0, 1e12)), "wild gaps": (2, (1e-12, 1.0)), "mixture, from 0": (15, (1.0, 30.0))}
TOLERANCE = 1e-13


def variances(number: int, schedule: Schedule) -> np.ndarray:
    """The ends of the range, 1, a value next to some step's own threshold, and two at random."""
    rng = np.random.default_rng([1, number])
    thresholds = geometry.step_threshold(schedule)
    near = min(float(rng.choice(thresholds)), 1e12) * (1 + rng.choice([0.0, 1e-12, 1e-6, -1e-3]))
    return np.array([1e-12, 1e12, 1.0, near, *10 ** rng.uniform(-12, 12, 2)])


def excess_terms(schedule: Schedule, lam: float) -> np.ndarray:
    """Sizes of the two terms of f_t - 1 = (P - N)/N, added up; only a scale, so floats are good enough."""
    c_s, c_t, s_s, s_t = schedule.cos[:-1], schedule.cos[1:], schedule.sin[:-1], schedule.sin[1:]
    terms = lam * c_t * (s_s + s_t) + s_t * (c_s + c_t)
    return np.tan(np.diff(schedule.angles) / 2) * terms / (lam * c_t**2 + s_t**2)


def assert_thresholds_are_accurate(schedule: Schedule, exact: ExactSchedule, label: object) -> None:
    values = {
        "contraction_threshold": exact.contraction_threshold(),
        "step_threshold": exact.step_threshold(),
        "step_threshold_excess": exact.step_threshold(minus=1),
        "posterior_threshold": exact.posterior_threshold(),
    }
    for name, expected in values.items():
        worst = relative_errors(getattr(geometry, name)(schedule), expected).max()
        assert worst <= TOLERANCE, f"{name} of schedule {label} is off by {worst:.2e}"


def test_wild_schedules_are_as_wild_as_promised() -> None:
    angles = [wild_angles(number) for number in range(1000)]
    sizes = {values.size - 1 for values in angles}
    assert min(sizes) == 1
    assert max(sizes) == 300
    assert sum(values[0] == 0 for values in angles) > 300
    assert sum(values[-1] == HALF_PI for values in angles) > 300
    assert sum(0 < HALF_PI - values[-1] <= 1e-10 for values in angles) > 100
    assert sum(0 < values[0] < 1e-10 for values in angles) > 50
    adjacent = [np.any(values[1:] == np.nextafter(values[:-1], 2)) for values in angles]
    assert sum(adjacent) > 100
    assert len(KINDS) == 8


def test_the_oracle_itself_has_40_digits() -> None:
    for number in range(40):
        angles = wild_angles(number)
        exact, finer = ExactSchedule(angles), ExactSchedule(angles, extra_digits=100)
        with mp.workdps(finer.digits):
            for one, other in (
                (exact.step_threshold(minus=1), finer.step_threshold(minus=1)),
                (exact.posterior_threshold(), finer.posterior_threshold()),
                (exact.expansion(1e-12), finer.expansion(1e-12)),
                (exact.expansion(1e12), finer.expansion(1e12)),
            ):
                assert all(a == b or abs(a / b - 1) < 1e-40 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"{chunk[0]}-{chunk[-1]}")
def test_thresholds_of_wild_schedules_have_13_digits(chunk: range) -> None:
    for number in chunk:
        schedule = from_angles(wild_angles(number))
        assert_thresholds_are_accurate(schedule, ExactSchedule(schedule.angles), number)


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"{chunk[0]}-{chunk[-1]}")
def test_expansion_of_wild_schedules_has_13_digits(chunk: range) -> None:
    for number in chunk:
        schedule = from_angles(wild_angles(number))
        exact, lams = ExactSchedule(schedule.angles), variances(number, schedule)
        factors = geometry.diagonal_expansion(schedule, lams)
        for i, lam in enumerate(lams.tolist()):
            worst = relative_errors(factors[:, i], exact.expansion(lam)).max()
            assert worst <= TOLERANCE, f"f({lam!r}) of schedule {number} is off by {worst:.2e}"


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"{chunk[0]}-{chunk[-1]}")
def test_log_expansion_and_its_sum_have_13_digits_of_their_terms(chunk: range) -> None:
    """ln f_t against the terms of f_t - 1 (divided by f_t > 1, as ln is); Lambda against the sum of those.

    For a variance that is not tuned to a step's threshold, Lambda is also held to the sum of |ln f_t|.
    """
    for number in chunk:
        schedule = from_angles(wild_angles(number))
        exact, lams = ExactSchedule(schedule.angles), variances(number, schedule)[2:5]
        with np.errstate(divide="ignore"):
            logs = geometry.log_expansion(schedule, lams)
        sums = geometry.lyapunov_exponent(schedule, lams)
        for i, lam in enumerate(lams.tolist()):
            with mp.workdps(exact.digits):
                expected = [mp.log(f) if f else -mp.inf for f in exact.expansion(lam)]
                total = mp.fsum(expected) if expected[-1] != -mp.inf else -mp.inf
            sizes = np.abs(np.array([float(value) for value in expected]))
            scale = np.maximum(sizes, excess_terms(schedule, lam) / np.maximum(1, np.exp(np.minimum(logs[:, i], 700))))
            off = errors(logs[:, i], expected)
            assert (off <= TOLERANCE * scale).all(), f"ln f({lam!r}) of schedule {number}: {(off / scale).max():.2e}"
            off = errors(sums[i : i + 1], [total])[0]
            assert off <= TOLERANCE * scale.sum(), f"Lambda({lam!r}) of schedule {number}: {off / scale.sum():.2e}"
            if i != 1:
                assert off <= TOLERANCE * sizes.sum(), f"Lambda({lam!r}) of schedule {number}: {off / sizes.sum():.2e}"


def assert_moran_threshold_is_accurate(schedule: Schedule, exact: ExactSchedule, label: object) -> None:
    """1e-12 times the condition of the root: what an error of 1e-12 in each ln f_t moves it, at least 1."""
    got = geometry.moran_threshold(schedule)
    if not exact.has_moran_root:
        assert got == math.inf, f"schedule {label} has no root, got {got!r}"
        return
    assert 1 <= got < math.inf, f"the root of schedule {label} exceeds 1, got {got!r}"
    root = exact.moran_root(got)
    assert root > 1
    with mp.workdps(exact.digits):
        size = sum(abs(mp.log(f)) for f in exact.expansion(root))
        condition = max(1.0, float(size / exact.slope(root)))
        off = float(abs(mpf(got) / root - 1))
    assert off <= 1e-12 * condition, f"lam** of schedule {label} is off by {off:.2e}, condition {condition:.2e}"


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"{chunk[0]}-{chunk[-1]}")
def test_moran_threshold_of_wild_schedules_is_the_root_of_the_product(chunk: range) -> None:
    for number in chunk:
        schedule = from_angles(wild_angles(number))
        assert_moran_threshold_is_accurate(schedule, ExactSchedule(schedule.angles), number)


@pytest.mark.parametrize(("number", "lams"), LONG.values(), ids=LONG.keys())
def test_quantities_of_1e5_steps_have_13_digits(number: int, lams: tuple[float, ...]) -> None:
    schedule = from_angles(wild_angles(number, steps=100_000))
    assert schedule.steps > 70_000  # equal floats among the drawn angles were dropped
    exact = ExactSchedule(schedule.angles)
    assert_thresholds_are_accurate(schedule, exact, number)
    threshold = geometry.moran_threshold(schedule)  # here without an allowance for the root's condition
    assert exact.product(threshold * (1 - 1e-12)) < 1 < exact.product(threshold * (1 + 1e-12))
    for lam in lams:
        expected = exact.expansion(lam)
        worst = relative_errors(geometry.diagonal_expansion(schedule, lam), expected).max()
        assert worst <= TOLERANCE, f"f({lam!r}) is off by {worst:.2e}"
        with np.errstate(divide="ignore"):
            logs = geometry.log_expansion(schedule, lam)
        with mp.workdps(exact.digits):
            total, some = mp.log(mp.fprod(expected)), [mp.log(f) for f in expected[7::100]]
        scale = np.maximum(np.abs(logs), excess_terms(schedule, lam) / np.maximum(1, np.exp(logs)))
        assert (errors(logs[7::100], some) <= TOLERANCE * scale[7::100]).all()
        for count in (1, 2, 50):  # the sum is blocked according to the number of variances
            got = geometry.lyapunov_exponent(schedule, np.full(count, lam))[-1:]
            off = errors(got, [total])[0] / np.abs(logs).sum()
            assert off <= TOLERANCE, f"Lambda({lam!r}), one of {count}, is off by {off:.2e} of the sum of |ln f_t|"


@pytest.mark.parametrize("steps", [7492, 7783, 50_000])
@pytest.mark.parametrize("count", [1, 2, 10])
def test_equal_small_terms_are_summed_without_drift(steps: int, count: int) -> None:
    """Thousands of equal terms, added one by one, drift by more than 1e-13; here each is ln cos Delta."""
    schedule = uniform_angle(steps)
    logs = geometry.log_expansion(schedule, 1.0)
    expected = math.fsum(logs.tolist())
    got = geometry.lyapunov_exponent(schedule, np.ones(count))
    assert np.abs(got / expected - 1).max() <= 1e-14


@pytest.mark.parametrize("distance", [1e-2, 1e-5, 1e-8, 1e-12])
@pytest.mark.parametrize("steps", [1, 2, 20])
def test_moran_threshold_keeps_its_digits_close_to_pi_over_2(distance: float, steps: int) -> None:
    """There Lambda(inf) is of order 1 and Lambda of order distance^2: their difference must not be formed."""
    schedule = from_angles(HALF_PI - distance * np.linspace(2, 1, steps + 1))
    assert_moran_threshold_is_accurate(schedule, ExactSchedule(schedule.angles), (distance, steps))
