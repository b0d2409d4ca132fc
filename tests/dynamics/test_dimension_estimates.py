from __future__ import annotations

import math

import numpy as np
import pytest

from pifs_sim.dynamics.dimension import kaplan_yorke_dimension, kaplan_yorke_estimate


def _estimate(exponents: list[float], dim: int | None = None) -> tuple[float, float, list[float]]:
    """Value, the error where that of a gradient is the sum of its squares, and the gradients asked for."""
    asked = []

    def error(gradient: np.ndarray) -> float:
        asked.append(gradient.tolist())
        return float(gradient @ gradient)

    found = kaplan_yorke_estimate(np.array(exponents), len(exponents) if dim is None else dim, error)
    return found.value, found.stderr, asked


def test_the_error_is_that_of_the_linear_part() -> None:
    value, stderr, asked = _estimate([1.0, 0.5, -2.0, -3.0])
    assert value == 2.75
    assert asked == [[0.5, 0.5, 0.375, 0.0]]
    assert stderr == 0.5**2 + 0.5**2 + 0.375**2


@pytest.mark.parametrize("exponents", [[1.0, 0.5, -2.0, -3.0], [0.3, -0.1, -0.9], [2.0, -0.5, -0.75, -1.0, -4.0]])
def test_the_gradient_is_that_of_the_dimension(exponents: list[float]) -> None:
    _, _, (gradient,) = _estimate(exponents)
    h = 1e-6
    for i, slope in enumerate(gradient):
        moved = np.array(exponents) + h * np.eye(len(exponents))[i] * np.array([[1.0], [-1.0]])
        difference = kaplan_yorke_dimension(moved[0]) - kaplan_yorke_dimension(moved[1])
        assert slope == pytest.approx(difference / (2 * h), abs=1e-8)


def test_a_sum_of_zero_still_counts() -> None:
    assert _estimate([1.0, -1.0, -2.0]) == (2.0, 0.5, [[0.5, 0.5, 0.0]])


def test_a_single_positive_exponent_before_a_negative_one_counts() -> None:
    assert _estimate([1.0, -4.0]) == (1.25, 0.25**2 + 0.0625**2, [[0.25, 0.0625]])


def test_contraction_in_every_direction_has_the_dimension_0_without_error() -> None:
    assert _estimate([-0.5, -1.0]) == (0.0, 0.0, [])


def test_growth_in_every_direction_has_the_full_dimension_without_error() -> None:
    assert _estimate([1.0, 0.5]) == (2.0, 0.0, [])
    assert _estimate([1.0, -1.0]) == (2.0, 0.0, [])


def test_a_dead_direction_stops_the_sum_without_error() -> None:
    assert _estimate([1.0, -math.inf, -math.inf]) == (1.0, 0.0, [])


@pytest.mark.parametrize(("exponents", "dim"), [([1.0, 0.5], 3), ([1.0, math.nan], 2), ([math.nan, -1.0], 2)])
def test_what_the_exponents_do_not_decide_is_nan(exponents: list[float], dim: int) -> None:
    value, stderr, asked = _estimate(exponents, dim)
    assert math.isnan(value)
    assert math.isnan(stderr)
    assert asked == []


def test_leading_exponents_with_a_negative_sum_decide_it() -> None:
    assert _estimate([1.0, -2.0], 5) == (1.5, 0.5**2 + 0.25**2, [[0.5, 0.25]])


def test_exponents_in_single_precision_are_taken_as_they_are() -> None:
    single = np.array([0.1, 0.2, -0.7, -0.9], dtype=np.float32)
    assert kaplan_yorke_dimension(single) == kaplan_yorke_dimension(single.astype(np.float64))
