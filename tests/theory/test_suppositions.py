"""Points at which a claim supposes nothing are refused by a sentence that says what is wrong there."""

import math

import numpy as np
import pytest

from pifs_sim.diffusion import schedules
from theory import checks

TO_NOISE = schedules.from_angles([0.0, 0.5, math.pi / 2])
BEFORE = schedules.from_angles([0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("label", "point", "message"),
    [
        ("step-threshold", {"schedule": TO_NOISE}, "ends at pi/2"),
        ("euclidean-contraction", {"schedule": TO_NOISE, "places": [0.5], "rotation": np.eye(1)}, "ends at pi/2"),
        ("euclidean-contraction", {"schedule": BEFORE, "places": [0.5], "rotation": np.eye(2)}, "has 1 entries"),
        ("moran-above-one", {"schedule": BEFORE, "refined": 0}, "`refined` is 0"),
        ("moran-above-one", {"schedule": TO_NOISE, "refined": 1}, "no root"),
        ("moran-minimum", {"schedule": BEFORE}, "2 steps from 0.0 to 1.0"),
        ("moran-minimum", {"schedule": schedules.from_angles([0.0, math.pi / 2])}, "1 steps"),
    ],
)
def test_a_point_outside_of_what_is_supposed_is_refused(label, point, message):
    with pytest.raises(ValueError, match=message):
        checks.load(label).supposes(**point)


def test_points_within_it_are_not():
    checks.load("step-threshold").supposes(schedule=BEFORE)
    checks.load("euclidean-contraction").supposes(schedule=BEFORE, places=[0.5, 2.0], rotation=np.eye(2))
    checks.load("moran-above-one").supposes(schedule=BEFORE, refined=1)
    checks.load("moran-minimum").supposes(schedule=TO_NOISE)
