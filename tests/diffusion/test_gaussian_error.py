"""The exact error on Gaussian data, against the linear chain itself: products of f_t in 50 digits and more.

Along variance lam the chain is x_T -> c_0 m + F (x_T - c_T m) with F = prod f_t(lam). From p_T the output has
variance N_T F^2, from N(0, I) it has F^2 and a mean off by -F c_T m; p_{phi_0} has variance N_0 and mean c_0 m.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from mpmath import mp, mpf

from pifs_sim.diffusion.geometry import gaussian_error
from pifs_sim.diffusion.schedules import cosine, from_angles, karras, linear, log_linear, uniform_angle
from tests.diffusion.oracle import HALF_PI, ExactSchedule
from tests.diffusion.wild import wild_angles

CHUNKS = [range(first, first + 20) for first in range(0, 200, 20)]


def assert_errors_are_exact(angles: np.ndarray, lam: float, start: Any, mean: float) -> None:
    """To 1e-13 of what an error of 1e-13 in ln q does, q the quotient of the deviations, and of the result.

    ln q is a difference of logarithms of the size `terms`; it moves KL by |q^2 - 1|, W2^2 by 2 N_0 q |1 - q|,
    and what the mean's offset adds to either by twice that, each times the error of ln q.
    """
    exact = ExactSchedule(angles)
    with mp.workdps(exact.digits):
        factor, first, last = exact.product(lam), exact.variance(lam, 0), exact.variance(lam, -1)
        square = factor**2 * (last if start == "marginal" else 1) / first
        offset = factor * exact.cos[-1] * mean if start == "normal" else mpf(0)
        log_q = mp.log(square) / 2 if square else -mp.inf
        kl = (square - 1 - 2 * log_q + offset**2 / first) / 2
        w2 = first * (mp.sqrt(square) - 1) ** 2 + offset**2
        terms = abs(log_q) + (abs(mp.log(last)) if start == "normal" else 0) if square else mpf(0)
        move_kl = terms * (abs(square - 1) + offset**2 / first)
        move_w2 = 2 * terms * (first * mp.sqrt(square) * abs(1 - mp.sqrt(square)) + offset**2)
        for metric, power, expected, move in (("kl", 1, kl, move_kl), ("w2", 2, w2, move_w2)):
            got = gaussian_error(from_angles(angles), lam, metric=metric, start=start, mean=mean)
            off = abs(mpf(got) ** power - expected) if got != expected else 0
            assert off <= 1e-13 * (expected + move), f"{metric} {got!r} at {lam!r} from {start}, off by {float(off)}"


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"{chunk[0]}-{chunk[-1]}")
@pytest.mark.parametrize(("start", "mean"), [("marginal", 0.0), ("normal", 0.0), ("normal", 3.0)])
def test_errors_of_wild_schedules_have_13_digits(chunk: range, start: str, mean: float) -> None:
    for number in chunk:
        rng = np.random.default_rng([2, number])
        for lam in (1.0, *10 ** rng.uniform(-12, 12, 2)):
            assert_errors_are_exact(wild_angles(number), float(lam), start, mean)


@pytest.mark.parametrize(
    "schedule",
    [linear(1000), cosine(1000), uniform_angle(50), karras(18, 0.002, 80.0), log_linear(10, 0.02, 80.0)],
    ids=lambda schedule: schedule.name,
)
@pytest.mark.parametrize(("start", "mean"), [("marginal", 0.0), ("normal", 0.5)])
@pytest.mark.parametrize("lam", [1e-6, 0.25, 1.0, 40.0, 1e6])
def test_errors_of_known_schedules_have_13_digits(schedule: Any, start: str, mean: float, lam: float) -> None:
    assert_errors_are_exact(schedule.angles, lam, start, mean)


@pytest.mark.parametrize("start", ["marginal", "normal"])
def test_errors_add_over_directions(start: Any) -> None:
    schedule, lam, mean = uniform_angle(6, 0.01, 1.5), np.array([0.1, 1.0, 20.0]), np.array([1.0, 0.0, 2.0])
    for metric, power in (("kl", 1), ("w2", 2)):
        pairs = zip(lam, mean, strict=True)
        parts = [gaussian_error(schedule, one, metric=metric, start=start, mean=its) for one, its in pairs]
        whole = gaussian_error(schedule, lam, metric=metric, start=start, mean=mean)
        assert whole**power == pytest.approx(sum(part**power for part in parts), rel=1e-13)


@pytest.mark.parametrize("metric", ["kl", "w2"])
@pytest.mark.parametrize("start", ["marginal", "normal"])
def test_multiplicities_count_equal_directions(metric: Any, start: Any) -> None:
    schedule = uniform_angle(6, 0.01, 1.5)
    repeated = gaussian_error(schedule, [0.1, 20.0, 20.0, 20.0], metric=metric, start=start)
    counted = gaussian_error(schedule, [0.1, 20.0, 7.0], [1, 3, 0], metric=metric, start=start)
    assert counted == pytest.approx(repeated, rel=1e-14)


@pytest.mark.parametrize("metric", ["kl", "w2"])
def test_the_mean_is_that_of_the_whole_eigenspace(metric: Any) -> None:
    """|mu| in a space of three directions: (2, 2, 1) in coordinates has size 3, and nothing is counted thrice."""
    schedule = uniform_angle(6, 0.01, 1.5)
    coordinates = gaussian_error(schedule, [20.0] * 3, metric=metric, start="normal", mean=[2.0, 2.0, 1.0])
    space = gaussian_error(schedule, [20.0], [3], metric=metric, start="normal", mean=[3.0])
    assert space == pytest.approx(coordinates, rel=1e-14)


def test_from_the_marginal_the_mean_has_no_effect() -> None:
    schedule = uniform_angle(6, 0.01, 1.5)
    assert gaussian_error(schedule, 4.0, mean=100.0) == gaussian_error(schedule, 4.0)


@pytest.mark.parametrize("metric", ["kl", "w2"])
def test_from_pi_over_2_both_starts_are_the_same(metric: Any) -> None:
    schedule, lam = uniform_angle(7), np.array([0.01, 1.0, 300.0])
    marginal = gaussian_error(schedule, lam, metric=metric)
    normal = gaussian_error(schedule, lam, metric=metric, start="normal", mean=[1.0, 2.0, 3.0])
    assert normal == pytest.approx(marginal, rel=1e-14)


def test_one_step_from_pi_over_2_to_zero_returns_the_mean() -> None:
    """All variance is lost: KL is infinite, and W2 is the data's standard deviation."""
    schedule = from_angles([0.0, HALF_PI])
    assert gaussian_error(schedule, [4.0, 5.0]) == math.inf
    assert gaussian_error(schedule, [4.0, 5.0], metric="w2") == pytest.approx(3.0, rel=1e-15)
    assert gaussian_error(schedule, [4.0, 5.0], metric="w2", start="normal", mean=[1.0, 1.0]) == pytest.approx(3.0)


def test_a_direction_that_is_not_there_adds_nothing_even_to_an_infinite_error() -> None:
    schedule = from_angles([0.0, HALF_PI])
    assert gaussian_error(schedule, [4.0], [0]) == 0.0
    assert gaussian_error(schedule, [4.0], [0], start="normal", mean=[2.0]) == 0.0


@pytest.mark.parametrize("start", ["marginal", "normal"])
@pytest.mark.parametrize("metric", ["kl", "w2"])
def test_directions_without_variance_are_reproduced_from_angle_zero(metric: Any, start: Any) -> None:
    schedule = from_angles([0.0, 0.4, 1.3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gaussian_error(schedule, [0.0, 0.0], metric=metric, start=start, mean=[1.0, 2.0]) == 0.0


def test_directions_without_variance_from_a_positive_angle_have_the_error_of_their_start() -> None:
    """The chain multiplies by sin phi_0/sin phi_T: exact from p_T, and from N(0, 1) too large by 1/sin phi_T."""
    schedule = from_angles([0.1, 0.4, 1.3])
    assert gaussian_error(schedule, 0.0) == 0.0
    ratio = 1 / math.sin(1.3) ** 2
    expected = (ratio - 1 - math.log(ratio)) / 2
    assert gaussian_error(schedule, 0.0, start="normal") == pytest.approx(expected, rel=1e-13)


def test_equal_angles_minimise_the_error_at_variance_one() -> None:
    rng, best = np.random.default_rng(5), gaussian_error(uniform_angle(8), 1.0)
    for _ in range(200):
        angles = np.sort(rng.uniform(0, HALF_PI, 7))
        assert gaussian_error(from_angles([0.0, *angles, HALF_PI]), 1.0) > best


def test_other_array_kinds_and_shapes_give_the_same_number() -> None:
    schedule, lam = cosine(12), np.array([[0.5, 1.0], [2.0, 9.0]])
    expected = gaussian_error(schedule, lam.ravel(), start="normal", mean=[1.0, 2.0, 3.0, 4.0])
    got = gaussian_error(schedule, lam, start="normal", mean=[[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(got, float)
    assert got == pytest.approx(expected, rel=1e-14)
    assert gaussian_error(schedule, strict.asarray(lam)) == pytest.approx(gaussian_error(schedule, lam), rel=1e-14)
    assert gaussian_error(schedule, np.empty(0)) == 0.0


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"lam": [-1.0]}, "lam"),
        ({"lam": [math.nan]}, "lam"),
        ({"lam": [1.0], "metric": "tv"}, "metric"),
        ({"lam": [1.0], "start": "uniform"}, "start"),
        ({"lam": [1.0], "multiplicities": [1, 2]}, "multiplicities"),
        ({"lam": [1.0], "multiplicities": 1}, "multiplicities"),
        ({"lam": [1.0], "multiplicities": [-1]}, "multiplicities"),
        ({"lam": [1.0], "multiplicities": [math.nan]}, "multiplicities"),
        ({"lam": [1.0], "multiplicities": [math.inf]}, "multiplicities"),
        ({"lam": [1.0], "multiplicities": ["one"]}, "multiplicities"),
        ({"lam": [1.0], "mean": [1.0, 2.0]}, "mean"),
        ({"lam": [1.0], "mean": [-1.0]}, "mean"),
        ({"lam": [1.0], "mean": [math.inf]}, "mean"),
        ({"lam": [1.0], "mean": [[1.0], [1.0, 2.0]]}, "mean"),
    ],
    ids=str,
)
def test_bad_arguments_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        gaussian_error(cosine(5), **arguments)
