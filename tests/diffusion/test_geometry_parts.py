"""The parts of thresholds, errors and schedules at the ends of their ranges, where a formula gives way to another."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest

from pifs_sim.diffusion import geometry
from pifs_sim.diffusion.gaussian_error import exp_minus_tangent, gaussian_error
from pifs_sim.diffusion.geometry import _log_tangent_times_cosine
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.schedules import from_angles, uniform_angle
from pifs_sim.dynamics.dimension import kaplan_yorke_estimate

HALF_PI = math.pi / 2
FINE = from_angles([1e-200, 2e-200])  # the squares of these sines underflow


def kl_from_normal(angles: list[float], lam: float) -> float:
    """(q^2 - 1 - ln q^2)/2 with q^2 = prod f_t^2/N_0 in 50 digits."""
    with mpmath.workdps(50):
        phi = [mpmath.mpf(angle) for angle in angles]
        ahead = mpmath.mpf(1)
        for s, t in pairwise(phi):
            ahead *= mpmath.cos(s) * mpmath.cos(t) * lam + mpmath.sin(s) * mpmath.sin(t)
            ahead /= mpmath.cos(t) ** 2 * lam + mpmath.sin(t) ** 2
        square = ahead**2 / (mpmath.cos(phi[0]) ** 2 * lam + mpmath.sin(phi[0]) ** 2)
        return float((square - 1 - mpmath.log(square)) / 2)


def test_without_variance_a_step_multiplies_by_the_ratio_of_sines_however_small() -> None:
    assert geometry.diagonal_expansion(FINE, np.zeros(3)) == pytest.approx(np.full((1, 3), 0.5), rel=1e-15, abs=0)
    assert geometry.log_expansion(FINE, np.zeros(3)) == pytest.approx(np.full((1, 3), -math.log(2)), rel=1e-15, abs=0)
    assert geometry.lyapunov_exponent(FINE, 0.0) == pytest.approx(-math.log(2), rel=1e-15, abs=0)


@pytest.mark.parametrize("angle", [1e-12, 1e-6, 0.01, 0.28, math.pi / 4, 0.7853981633974492, 0.8, 1.3, 1.5707963])
def test_ln_tan_has_its_digits_at_every_angle(angle: float) -> None:
    with mpmath.workdps(50):
        exact = float(mpmath.log(mpmath.tan(mpmath.mpf(angle))))
    assert _log_tangent_times_cosine(angle, 0.0) == pytest.approx(exact, rel=2e-15, abs=0)


def test_the_threshold_of_one_step_from_clean_data_is_1_plus_1_over_the_cosine() -> None:
    for angle in [*np.linspace(0.05, 1.55, 40), *(HALF_PI - np.geomspace(1e-14, 0.02, 60))]:
        closed = 1 + 1 / math.sin((HALF_PI - angle) + 6.123233995736766e-17)
        assert geometry.moran_threshold(from_angles([0.0, angle])) == pytest.approx(closed, rel=3e-14, abs=0)


def test_the_threshold_of_two_steps_to_pure_noise_is_a_closed_form() -> None:
    # f_2 = sin phi_1 for every variance, so that f_1 = 1/sin phi_1 is linear in lam
    for first in (0.0, 0.2, 0.6):
        for second in np.linspace(math.atan(1 / math.cos(first)) + 0.02, 1.55, 15):
            with mpmath.workdps(40):
                s, c = mpmath.sin(mpmath.mpf(second)), mpmath.cos(mpmath.mpf(second))
                noise, signal = mpmath.sin(mpmath.mpf(first)), mpmath.cos(mpmath.mpf(first))
                root = float(s**2 * (1 - noise) / (c * (signal * s - c)))
            got = geometry.moran_threshold(from_angles([first, second, HALF_PI]))
            assert got == pytest.approx(root, rel=2e-14 * (1 + 1 / (second - math.atan(1 / math.cos(first)))), abs=0)


def test_where_floats_meet_the_boundary_from_below_every_direction_contracts() -> None:
    ties = 0
    for first in np.linspace(0.9, 1.2, 200):
        second = math.atan(1 / math.cos(first))
        with mpmath.workdps(50):
            below = mpmath.tan(mpmath.mpf(second)) * mpmath.cos(mpmath.mpf(first)) < 1
        if below and _log_tangent_times_cosine(second, first) == 0.0:  # in floats the boundary itself
            ties += 1
            assert geometry.moran_threshold(from_angles([first, second, HALF_PI])) == math.inf
    assert ties


def test_e_to_the_x_minus_its_tangent_has_all_digits_and_overflows_to_infinity() -> None:
    x = np.array([0.0, 1e-300, 1e-12, -1e-9, 1e-3, -0.3, 0.4999, 0.5, -0.5, 0.7, -1.2, 5.0, -40.0, 700.0, 1000.0])
    with mpmath.workdps(400):
        exact = [float(mpmath.expm1(v) - v) if v < 800 else math.inf for v in map(mpmath.mpf, x.tolist())]
    got = exp_minus_tangent(x)
    assert got.dtype == np.float64
    assert got == pytest.approx(np.array(exact), rel=1e-15, abs=0)
    assert exp_minus_tangent(np.array([-np.inf, np.inf])).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("lam", [0.01, 0.2, 0.5, 1.5, 6.0])
@pytest.mark.parametrize("angles", [[0.1, 0.3, 0.5, 0.6], [0.4, 0.7, 1.1], [0.0, 0.05, 0.2, 0.3]])
def test_errors_from_normal_noise_are_those_of_the_product_of_steps(angles: list[float], lam: float) -> None:
    assert gaussian_error(from_angles(angles), lam, start="normal") == pytest.approx(
        kl_from_normal(angles, lam), rel=1e-13, abs=0
    )


def test_near_variance_1_the_error_from_normal_noise_keeps_its_digits() -> None:
    for lam in (1 + 2.0**-27, 1 - 2.0**-30, 1 + 2.0**-33):
        angles = [0.5, 0.5001]
        assert gaussian_error(from_angles(angles), lam, start="normal") == pytest.approx(
            kl_from_normal(angles, lam), rel=1e-11, abs=0
        )


def test_flat_data_seen_through_little_noise_are_off_by_the_noise_alone() -> None:
    angles = [1e-10, 1e-9]  # q = 1/sin phi_T
    square = 1e18
    closed = (square - 1 - math.log(square)) / 2
    assert gaussian_error(from_angles(angles), 0.0, start="normal") == pytest.approx(closed, rel=1e-14, abs=0)


def test_the_error_of_float32_variances_is_that_of_the_same_numbers_in_float64() -> None:
    schedule, lam = uniform_angle(7, 0.1, 1.4), np.array([0.3, 1.1, 7.7], dtype=np.float32)
    for start in ("marginal", "normal"):
        assert gaussian_error(schedule, lam, start=start) == gaussian_error(
            schedule, lam.astype(np.float64), start=start
        )


def test_a_schedule_prints_its_name_its_steps_and_its_first_and_last_sigma() -> None:
    assert repr(Schedule([0.1, 0.2, 0.5, 1.25], "four")) == "Schedule(four, T=3, σ 0.1…3)"
    assert repr(Schedule([0, math.pi / 2], "all")) == "Schedule(all, T=1, σ 0…∞)"


def test_schedules_of_other_angles_have_other_hashes() -> None:
    assert len({hash(uniform_angle(steps)) for steps in range(1, 51)}) == 50


@pytest.mark.parametrize("logsnr", [1400.5, -1400.5, 2000.0, -2000.0, math.inf, math.nan])
def test_a_shift_beyond_1400_is_refused_by_its_size(logsnr: float) -> None:
    with pytest.raises(ValueError, match="must be finite and at most 1400 in size"):
        uniform_angle(3, 0.2, 1.2).shift(logsnr)


@pytest.mark.parametrize("exponents", [[1.0, -1.0], [0.5, -0.2], [0.5], [0.0]])
def test_some_exponents_without_a_negative_sum_leave_the_dimension_open(exponents: list[float]) -> None:
    open_ended = kaplan_yorke_estimate(np.array(exponents), len(exponents) + 1, lambda _: 1.0)
    assert math.isnan(open_ended.value)
    assert math.isnan(open_ended.stderr)
    closed = kaplan_yorke_estimate(np.array(exponents), len(exponents), lambda _: 1.0)
    assert (closed.value, closed.stderr) == (len(exponents), 0.0)
