"""Design criteria and loss weights, against closed forms and the reported tables."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion import geometry, schedules
from pifs_sim.diffusion.angles import HALF_PI
from pifs_sim.diffusion.design import (
    balance,
    dimension_growth,
    information_gain,
    lyapunov_contributions,
    min_snr_weight,
    variation,
    weakest_link,
    workload,
)
from pifs_sim.dynamics.dimension import kaplan_yorke_dimension
from pifs_sim.testing import strategies

AYS = {
    "SD1.5": [0.029, 0.152, 0.399, 0.652, 0.963, 1.396, 1.886, 2.697, 3.861, 6.475, 14.615],
    "SDXL": [0.029, 0.113, 0.234, 0.380, 0.555, 0.862, 1.342, 2.181, 3.771, 6.315, 14.615],
}
LAM, COUNT = np.array([0.2, 1.5, 40.0]), np.array([5, 2, 1])


def test_the_weakest_link_from_zero_is_the_tangent_of_half_the_first_angle():
    schedule = schedules.cosine(1000, offset=0.0, max_beta=None)
    assert weakest_link(schedule).value == pytest.approx(math.tan(schedule.angles[1] / 2), rel=1e-13)
    assert weakest_link(schedules.linear(1000)).value == pytest.approx(0.00500, abs=5e-6)


def test_equal_turns_are_the_best_within_the_least_budget():
    link = weakest_link(schedules.uniform_angle(10, 0.1, 1.4))
    assert link.value == pytest.approx(link.best, rel=1e-12)
    assert link.budget == pytest.approx(0.13, rel=1e-12)


@settings(max_examples=50)
@given(strategies.schedules(min_steps=2), st.floats(1, 3))
def test_no_schedule_within_the_budget_has_a_better_weakest_link(schedule, slack):
    budget = slack * float(schedule.increments.max())
    link = weakest_link(schedule, budget)
    assert link.value <= link.best * (1 + 1e-12)
    first = min(schedule.angles[0] + budget, HALF_PI)
    if first < schedule.angles[-1] - 1e-3:  # the supremum is a schedule's own
        other = schedules.from_angles([schedule.angles[0], first, *np.linspace(first, schedule.angles[-1], 4)[1:]])
        assert geometry.contraction_threshold(other)[0] == pytest.approx(link.best, rel=1e-12)


def test_lyapunov_contributions_sum_to_the_exponents():
    schedule = schedules.karras(12, 0.02, 80.0)
    expected = geometry.lyapunov_exponent(schedule, LAM) @ COUNT
    assert lyapunov_contributions(schedule, LAM, COUNT).sum() == pytest.approx(expected, rel=1e-12)


def test_information_gains_sum_to_the_information_between_the_ends():
    """I(x_0; x_t) = ln(1 + lam/sigma^2)/2 on a Gaussian."""
    schedule = schedules.karras(12, 0.02, 80.0)
    ends = [np.log1p(LAM / sigma**2) @ COUNT / 2 for sigma in schedule.sigma[[0, -1]]]
    assert information_gain(schedule, LAM, COUNT).sum() == pytest.approx(ends[0] - ends[1], rel=1e-12)


def test_information_from_angle_zero_is_infinite_and_left_out_of_the_balance():
    schedule = schedules.uniform_angle(5, 0.0, 1.4)
    gains = information_gain(schedule, LAM, COUNT)
    assert gains[0] == math.inf
    assert balance(schedule, LAM, COUNT).information == variation(gains[1:])


@pytest.mark.parametrize("lam", [0.3, 20.0])
def test_contraction_and_information_are_in_the_ratio_of_theory_for_small_steps(lam):
    """ln f_t / I_t -> (1 - 1/lam) v_t: the two balances are not equivalent."""
    schedule = schedules.uniform_angle(20000, 0.1, 1.5)
    ratio = lyapunov_contributions(schedule, lam) / information_gain(schedule, lam)
    middle = schedule.noise_variance[1:]
    np.testing.assert_allclose(ratio, (1 - 1 / lam) * middle, rtol=0.01)


def test_steps_of_equal_information_are_not_of_equal_contraction():
    gain = np.log1p(3.0 / np.array([0.05, 20.0]) ** 2)
    sigma = np.sqrt(3.0 / np.expm1(np.linspace(*gain, 11)))
    result = balance(schedules.from_sigma(sigma), 3.0)
    assert result.information == pytest.approx(0, abs=1e-9)
    assert result.lyapunov > 0.5


def test_dimension_growth_sums_to_the_dimension_of_the_chain():
    schedule = schedules.karras(12, 0.02, 80.0)
    growth = dimension_growth(schedule, LAM, COUNT)
    expected = kaplan_yorke_dimension(geometry.lyapunov_exponent(schedule, LAM), COUNT)
    assert growth.sum() == pytest.approx(expected, rel=1e-12)
    for t in range(12):  # the chain stopped early
        exponents = geometry.lyapunov_exponent(schedule.subsample(range(t, 13)), LAM)
        assert growth[t:].sum() == pytest.approx(kaplan_yorke_dimension(exponents, COUNT), rel=1e-12)


def test_workload_is_the_integral_of_one_over_the_threshold():
    fine = np.linspace(0.05, 1.5, 400001)
    total = np.concatenate([[0.0], np.cumsum(np.diff(fine) / np.sin((fine[1:] + fine[:-1]) / 2))])
    schedule = schedules.from_angles([0.05, 0.1, 0.7, 1.5])
    shares = np.diff(np.interp(schedule.angles, fine, total)) / total[-1]
    np.testing.assert_allclose(workload(schedule), shares, rtol=1e-8)


def test_equal_workload_is_steps_of_density_one_over_the_threshold():
    half = np.geomspace(math.tan(0.01), math.tan(0.7), 9)
    np.testing.assert_allclose(workload(schedules.from_angles(2 * np.arctan(half))), 1 / 8, rtol=1e-12)
    np.testing.assert_array_equal(workload(schedules.uniform_angle(4)), [1, 0, 0, 0])


@pytest.mark.parametrize(("model", "reported"), [("SD1.5", 1.15), ("SDXL", 0.86)])
def test_align_your_steps_does_not_share_the_workload_evenly(model, reported):
    assert variation(workload(schedules.from_sigma(AYS[model]))) == pytest.approx(reported, abs=0.005)


def test_variation_is_of_sizes_and_by_the_population_deviation():
    assert variation([1.0, -3.0]) == pytest.approx(0.5)
    assert variation([0.0, 0.0]) == 0.0


def test_min_snr_clips_at_gamma():
    schedule = schedules.from_sigma([0.1, 0.3, 2.0, math.inf])
    snr = 1 / schedule.sigma[1:3] ** 2
    np.testing.assert_allclose(min_snr_weight(schedule)[:2], np.minimum(snr, 5) / snr, rtol=1e-14)
    assert min_snr_weight(schedule)[-1] == 1.0
    small = schedules.from_sigma([0.1, 0.2, 0.3])
    np.testing.assert_allclose(min_snr_weight(small, gamma=2), 2 * small.sigma[1:] ** 2, rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weakest_link(schedules.uniform_angle(4), 0.1), "`budget`"),
        (lambda: weakest_link(schedules.uniform_angle(4), math.nan), "`budget`"),
        (lambda: min_snr_weight(schedules.linear(4), 0.0), "`gamma`"),
        (lambda: min_snr_weight(schedules.linear(4), math.inf), "`gamma`"),
        (lambda: variation([]), "`values`"),
        (lambda: variation([math.inf]), "`values`"),
        (lambda: lyapunov_contributions(schedules.linear(4), [-1.0]), "`lam`"),
        (lambda: dimension_growth(schedules.linear(4), [1.0], [0.5]), "`multiplicities`"),
        (lambda: balance(schedules.uniform_angle(1, 0.0, 1.0), [1.0]), "`values`"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
