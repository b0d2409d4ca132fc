"""Angles at the float nearest pi/2, which lies 6.123e-17 below pi/2."""

import math

import numpy as np

from pifs_sim.diffusion.angles import HALF_PI, cos_sin, differences

LEFT = 6.123233995736766e-17


def test_the_last_difference_is_that_of_pi_over_2():
    before = math.nextafter(HALF_PI, 0)
    gap = HALF_PI - before
    assert differences(np.array([0.5, before, HALF_PI]))[-1] == gap + LEFT
    assert differences(np.array([before, HALF_PI]))[0] == gap + LEFT


def test_other_differences_are_those_of_the_floats():
    before = math.nextafter(HALF_PI, 0)
    assert differences(np.array([0.0, math.nextafter(before, 0), before]))[-1] == before - math.nextafter(before, 0)
    assert differences(np.array([0.0, 0.5, HALF_PI]))[0] == 0.5


def test_the_cosine_is_zero_at_the_float_nearest_pi_over_2_alone():
    cos, sin = cos_sin([0.0, math.nextafter(HALF_PI, 0), HALF_PI])
    assert cos.tolist() == [1.0, math.cos(math.nextafter(HALF_PI, 0)), 0.0]
    assert sin.tolist() == [0.0, 1.0, 1.0]


def test_cosines_and_sines_of_single_precision_are_double():
    angle = np.float32(0.7)
    cos, sin = cos_sin(angle)
    assert (cos, sin) == (math.cos(float(angle)), math.sin(float(angle)))
    assert cos.dtype == sin.dtype == np.float64
