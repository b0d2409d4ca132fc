"""A schedule as a value: derived quantities, subsampling, shifting, immutability, equality, bad input."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp
from numpy.testing import assert_allclose

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.schedule import Schedule
from tests.diffusion.oracle import HALF_PI, ExactSchedule, errors, exact_angle, relative_errors
from tests.diffusion.wild import wild_angles

SCHEDULE = Schedule(np.array([0.0, 0.2, 0.7, 1.3, HALF_PI]), "five")
FEW = 1e-15  # four and a half roundings


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_derived_quantities_are_those_of_the_exact_angles(first: int) -> None:
    for number in range(first, first + 40):
        schedule, exact = Schedule(wild_angles(number)), ExactSchedule(wild_angles(number))
        with mp.workdps(exact.digits):
            phi = [exact_angle(float(value)) for value in schedule.angles]
            pairs = list(zip(exact.cos, exact.sin, strict=True))
            sigma = [s / c if c else mp.inf for c, s in pairs]
            ends = [mp.inf] * exact.to_half_pi
            expected = {
                "alpha_bar": [c**2 for c, _ in pairs],
                "noise_variance": [s**2 for _, s in pairs],
                "sigma": sigma,
                "increments": [after - before for before, after in itertools.pairwise(phi)],
                "r": exact.r + ends,
                "b": exact.b + [-value for value in ends],
            }
            logsnr = [-2 * mp.log(value) if value else mp.inf for value in sigma]
        for name, values in expected.items():
            worst = relative_errors(getattr(schedule, name), values).max()
            assert worst <= FEW, f"{name} of schedule {number} is off by {worst:.2e}"
        assert (errors(schedule.logsnr, logsnr) <= FEW * np.maximum(1, np.abs(schedule.logsnr))).all()
        assert schedule.steps == len(phi) - 1


def test_values_at_the_ends_are_exact() -> None:
    assert SCHEDULE.alpha_bar[[0, -1]].tolist() == [1.0, 0.0]
    assert SCHEDULE.noise_variance[[0, -1]].tolist() == [0.0, 1.0]
    assert SCHEDULE.sigma[[0, -1]].tolist() == [0.0, math.inf]
    assert SCHEDULE.logsnr[[0, -1]].tolist() == [math.inf, -math.inf]
    assert SCHEDULE.r[-1] == math.inf
    assert SCHEDULE.b[-1] == -math.inf


def test_the_last_increment_counts_what_the_float_of_pi_over_2_lacks() -> None:
    before = math.nextafter(HALF_PI, 0)
    schedule = Schedule(np.array([1.0, before, HALF_PI]))
    assert schedule.increments[-1] == pytest.approx(2.220446049250313e-16 + 6.123233995736766e-17, rel=1e-15)
    assert schedule.cos[1] == pytest.approx(2.220446049250313e-16 + 6.123233995736766e-17, rel=1e-15)


@pytest.mark.parametrize("indices", [[0, 4], [0, 1, 3], [1, 2], range(5), np.array([0, 2, 4]), np.array([1, 4], "u1")])
def test_subsampling_keeps_the_listed_angles(indices: Any) -> None:
    kept = SCHEDULE.subsample(indices)
    assert kept.angles.tolist() == SCHEDULE.angles[np.asarray(indices, dtype=int)].tolist()
    assert kept.steps == len(indices) - 1
    assert f"{len(indices) - 1} of 4" in kept.name


@pytest.mark.parametrize("shift", [0.0, 2 * math.log(2), -3.5, 40.0])
def test_a_shift_is_added_to_every_logsnr(shift: float) -> None:
    """tan phi is multiplied by exp(-shift/2), to the rounding of the new angle (1.2e-16, or of that size)."""
    schedule = Schedule(np.array([0.0, 1e-9, 0.2, 0.7, 1.3, 1.5707, HALF_PI]))
    shifted = schedule.shift(shift)
    assert (shifted.angles[0], shifted.angles[-1]) == (0.0, HALF_PI)
    expected = np.exp(-shift / 2) * schedule.sigma[1:-1]
    turn = 1.2e-16 * np.minimum(1, np.arctan(expected))
    allowed = turn * (expected + 1 / expected) + 1e-15 + 2e-16 * abs(shift)
    assert (np.abs(shifted.sigma[1:-1] / expected - 1) <= allowed).all()
    assert_allclose(shifted.logsnr[1:-1], schedule.logsnr[1:-1] + shift, rtol=0, atol=2 * allowed.max() + 1e-14)


def test_a_shift_by_nothing_returns_the_same_angles() -> None:
    assert_allclose(SCHEDULE.shift(0.0).angles, SCHEDULE.angles, rtol=3e-16, atol=0)


@pytest.mark.parametrize("name", ["angles", "name", "steps", "cos", "alpha_bar", "color"])
def test_attributes_cannot_be_assigned(name: str) -> None:
    schedule = Schedule(SCHEDULE.angles)
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        setattr(schedule, name, np.array([0.0, 1.0]))


def copies() -> dict[str, Callable[[Schedule], Schedule]]:
    return {
        "itself": lambda schedule: schedule,
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
        "pickle": lambda schedule: pickle.loads(pickle.dumps(schedule)),
        "replace": lambda schedule: dataclasses.replace(schedule),
    }


@pytest.mark.parametrize("made", copies().values(), ids=copies())
def test_a_copy_is_equal_and_as_immutable(made: Callable[[Schedule], Schedule]) -> None:
    original = Schedule(np.array([0.1, 0.4, HALF_PI]), "mine")
    assert original.cos.size == original.sin.size == original.increments.size + 1  # cached quantities travel too
    schedule = made(original)
    assert schedule == original
    assert hash(schedule) == hash(original)
    assert schedule.name == "mine"
    assert np.array_equal(schedule.increments, original.increments)
    for array in (schedule.angles, schedule.cos, schedule.sin, schedule.increments):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.05


def test_the_argument_is_copied() -> None:
    angles = np.array([0.1, 0.4, 1.0])
    schedule = Schedule(angles)
    angles[0] = 0.3
    assert schedule.angles[0] == 0.1
    assert angles.flags.writeable


def test_changing_a_derived_array_changes_nothing_else() -> None:
    schedule = Schedule(np.array([0.1, 0.4, 1.0]))
    before = schedule.alpha_bar.copy()
    for name in ("alpha_bar", "noise_variance", "sigma", "logsnr", "r", "b"):
        array = getattr(schedule, name)
        if array.flags.writeable:
            array[:] = 7.0
    assert np.array_equal(schedule.alpha_bar, before)


def test_schedules_are_equal_when_their_angles_are() -> None:
    one, other = Schedule([0.0, 1.0], "one"), Schedule(np.array([-0.0, 1.0]), "other")
    assert one == other
    assert len({one, other}) == 1
    assert one != Schedule([0.0, 1.0, 1.1])
    assert one != Schedule([0.0, math.nextafter(1.0, 2)])
    assert one != [0.0, 1.0]
    assert one != "one"


def test_angles_may_be_any_sequence_of_reals() -> None:
    for angles in ([0, 1], (0, 1), range(2), np.array([0, 1]), np.array([0, 1], dtype=np.float32)):
        schedule = Schedule(angles)
        assert schedule.angles.tolist() == [0.0, 1.0]
        assert schedule.angles.dtype == np.float64
    assert Schedule([0, 1]).name == "custom"
    assert "(mine, " in repr(Schedule([0, 1], "mine"))


ANGLES = {
    "one angle": [0.1],
    "none": [],
    "a number": 0.5,
    "two axes": [[0.0, 1.0]],
    "NaN": [0.0, math.nan],
    "below 0": [-1e-300, 1.0],
    "above pi/2": [0.0, math.nextafter(HALF_PI, 2)],
    "infinite": [0.0, math.inf],
    "falling": [0.2, 0.1],
    "equal": [0.1, 0.1],
    "equal zeros": [-0.0, 0.0],
    "text": ["a", "b"],
    "nothing": None,
    "complex": [0.0, 1j],
    "complex array": np.array([0.0, 1j]),
    "ragged": [[0.0], [0.1, 0.2]],
}


@pytest.mark.parametrize("build", [Schedule, schedules.from_angles], ids=lambda build: build.__name__)
@pytest.mark.parametrize("angles", ANGLES.values(), ids=ANGLES)
def test_bad_angles_are_refused_by_name(build: Callable[[Any], Schedule], angles: Any) -> None:
    with pytest.raises(ValueError, match="`angles`"):
        build(angles)


def test_the_message_names_the_first_bad_entry() -> None:
    with pytest.raises(ValueError, match=r"angles\[1\]=nan"):
        Schedule([0.0, math.nan, math.nan])
    with pytest.raises(ValueError, match=r"angles\[2\]=1\.6"):
        Schedule([0.0, 1.0, 1.6])
    with pytest.raises(ValueError, match=r"angles\[2\]=0\.1 after angles\[1\]=0\.2"):
        Schedule([0.0, 0.2, 0.1])


@pytest.mark.parametrize(
    "indices",
    [[0], [], 3, [0, 0], [2, 1], [0, 5], [-1, 2], [0, 1.5], [0.0, 2.0], [True, False], ["a", "b"], None, [[0], [1, 2]]],
    ids=str,
)
def test_bad_indices_are_refused_by_name(indices: Any) -> None:
    with pytest.raises(ValueError, match="`indices`"):
        SCHEDULE.subsample(indices)


@pytest.mark.parametrize("shift", [math.nan, math.inf, -math.inf, 1e5])
def test_a_bad_shift_is_refused_by_name(shift: float) -> None:
    with pytest.raises(ValueError, match="`logsnr`"):
        SCHEDULE.shift(shift)


def test_a_shift_that_makes_angles_coincide_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`logsnr`"):
        SCHEDULE.shift(-150.0)
