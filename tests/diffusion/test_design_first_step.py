"""The longest first step within a schedule's global expansion threshold."""

import math

import pytest

from pifs_sim.diffusion import geometry, schedules
from pifs_sim.diffusion.design.first_step import longest_first_step


@pytest.mark.parametrize("schedule", [schedules.cosine(50), schedules.cosine(20, max_beta=None), schedules.linear(100)])
def test_the_threshold_and_ends_are_kept_and_the_first_step_is_longer(schedule):
    best = longest_first_step(schedule)
    assert geometry.moran_threshold(best) == pytest.approx(geometry.moran_threshold(schedule), rel=1e-12)
    assert (best.steps, best.angles[0], best.angles[-1]) == (schedule.steps, 0.0, schedule.angles[-1])
    assert geometry.contraction_threshold(best)[0] > geometry.contraction_threshold(schedule)[0]


def test_it_is_its_own_best():
    best = longest_first_step(schedules.cosine(30))
    assert longest_first_step(best).angles[1] == pytest.approx(best.angles[1], rel=1e-9)


def test_the_published_offset_is_near_the_best_of_one_hundred_steps():
    shares = []
    for offset in (0.006, 0.008, 0.0105):
        schedule = schedules.cosine(100, offset)
        least = geometry.contraction_threshold(schedule)[0]
        shares.append(least / geometry.contraction_threshold(longest_first_step(schedule))[0])
    assert max(shares) == shares[1] == pytest.approx(0.9949, abs=5e-5)


def test_bad_input_is_named():
    for schedule in (schedules.karras(5, 0.02, 80.0), schedules.uniform_angle(1), schedules.uniform_angle(2)):
        with pytest.raises(
            ValueError, match=r"`schedule` must begin at 0 and have two steps and a finite lam\*\*, got"
        ):
            longest_first_step(schedule)
    assert geometry.moran_threshold(schedules.uniform_angle(2)) == math.inf
