from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from pifs_sim.diffusion import geometry
from pifs_sim.diffusion.geometry import _log_tangent_times_cosine
from pifs_sim.diffusion.schedules import from_angles


def test_the_threshold_of_a_step_from_pure_noise_is_exactly_1() -> None:
    for start in np.linspace(0.0, 1.5, 301):
        assert geometry.contraction_threshold(from_angles([start, math.pi / 2]))[-1] == 1.0


@pytest.mark.parametrize(
    "from_quarter", [0.0, 1e-15, -1e-12, 3e-9, -1e-6, 0.01, -0.3, 0.49, 0.51, 0.7, 0.78, -0.6, -0.78]
)
def test_ln_tan_keeps_its_digits_near_pi_over_4_and_far_from_it(from_quarter: float) -> None:
    angle = math.pi / 4 + from_quarter
    with mpmath.workdps(50):
        exact = float(mpmath.log(mpmath.tan(mpmath.mpf(angle))))
    assert _log_tangent_times_cosine(angle, 0.0) == pytest.approx(exact, rel=4e-15, abs=0)


def test_the_cosine_enters_as_its_logarithm() -> None:
    assert _log_tangent_times_cosine(1.2, 0.5) == pytest.approx(
        math.log(math.tan(1.2) * math.cos(0.5)), rel=1e-14, abs=0
    )
