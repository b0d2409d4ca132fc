"""What the quantities take and return: shapes, precision, array kinds, bad variances."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.diffusion import geometry
from pifs_sim.diffusion.schedules import cosine, from_angles, linear, uniform_angle

FUNCTIONS = [geometry.diagonal_expansion, geometry.log_expansion, geometry.lyapunov_exponent]
STRICT = type(strict.asarray(0.0))
SCHEDULE = cosine(20)
LAM = np.array([[1e-3, 0.5, 1.0], [2.0, 30.0, 1e6]])

every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)


def leading(function: Callable[..., Any], steps: int) -> tuple[int, ...]:
    return () if function is geometry.lyapunov_exponent else (steps,)


@every_function
def test_every_entry_is_the_value_at_its_own_variance(function: Callable[..., Any]) -> None:
    """Blocks, shapes and neighbours change nothing; only the order of the sum may (a few roundings)."""
    whole = function(SCHEDULE, LAM)
    assert whole.shape == (*leading(function, 20), 2, 3)
    assert whole.dtype == np.float64
    for index in np.ndindex(2, 3):
        alone = function(SCHEDULE, float(LAM[index]))
        assert np.shape(alone) == leading(function, 20)
        assert np.allclose(whole[..., *index], alone, rtol=1e-14, atol=0)


@every_function
def test_a_number_and_an_array_without_axes_give_the_same(function: Callable[..., Any]) -> None:
    number, array = function(SCHEDULE, 3.0), function(SCHEDULE, np.array(3.0))
    assert np.array_equal(number, array)
    assert np.array_equal(number, function(SCHEDULE, 3))
    assert np.array_equal(number, function(SCHEDULE, np.int64(3)))
    assert np.array_equal(number, np.asarray(function(SCHEDULE, [3.0]))[..., 0])


@every_function
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_no_variances_give_an_empty_result(function: Callable[..., Any], shape: tuple[int, ...]) -> None:
    result = function(SCHEDULE, np.empty(shape))
    assert result.shape == (*leading(function, 20), *shape)
    assert result.dtype == np.float64


@every_function
def test_more_variances_than_a_block_holds_are_all_computed(function: Callable[..., Any]) -> None:
    lam = np.geomspace(1e-6, 1e6, 40_000)
    got = function(uniform_angle(7), lam)
    for i in (0, 16_383, 16_384, 39_999):
        assert np.allclose(got[..., i], function(uniform_angle(7), lam[i]), rtol=1e-14, atol=0)


@every_function
def test_single_precision_stays_single_and_is_accurate_to_it(function: Callable[..., Any]) -> None:
    """Errors are of a few float32 roundings (6e-8) of terms of order 1, the logarithms' included."""
    single = function(SCHEDULE, LAM.astype(np.float32))
    assert single.dtype == np.float32
    expected = function(SCHEDULE, LAM.astype(np.float32).astype(np.float64))
    assert np.allclose(single, expected, rtol=2e-6, atol=1e-6 if function is not geometry.diagonal_expansion else 0)
    assert function(SCHEDULE, np.float32(2.0)).dtype == np.float32
    assert function(SCHEDULE, np.ones(2, dtype=np.float16)).dtype == np.float64


def test_a_long_sum_in_single_precision_does_not_drift() -> None:
    """1e5 equal terms, added one by one in float32, would lose three digits."""
    schedule = uniform_angle(100_000)
    expected = geometry.lyapunov_exponent(schedule, 10.0)
    got = geometry.lyapunov_exponent(schedule, np.full(2, 10.0, dtype=np.float32))
    assert np.allclose(got, expected, rtol=3e-6, atol=0)


@every_function
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_of_another_kind_come_back_as_that_kind(function: Callable[..., Any], dtype: str) -> None:
    lam = strict.asarray(LAM, dtype=getattr(strict, dtype))
    with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()):
        result = function(SCHEDULE, lam)
        alone = function(SCHEDULE, strict.asarray(2.0, dtype=getattr(strict, dtype)))
        zero = function(from_angles([0.1, 0.5]), strict.zeros((2,), dtype=getattr(strict, dtype)))
    assert isinstance(result, STRICT)
    assert isinstance(alone, STRICT)
    assert result.dtype == getattr(strict, dtype)
    assert alone.shape == leading(function, 20)
    assert np.array_equal(np.asarray(result), function(SCHEDULE, LAM.astype(dtype)))
    assert np.allclose(np.asarray(zero), function(from_angles([0.1, 0.5]), 0.0), rtol=1e-6, atol=0)


@every_function
def test_the_argument_is_not_written_to(function: Callable[..., Any]) -> None:
    lam = LAM.copy()
    lam.flags.writeable = False
    function(SCHEDULE, lam)
    assert np.array_equal(lam, LAM)


@every_function
@pytest.mark.parametrize(
    "lam",
    [-1.0, -1e-300, math.nan, math.inf, -math.inf, [1.0, -2.0], [[1.0, math.nan]], "one", None, [[1.0], [1.0, 2.0]]],
    ids=str,
)
def test_variances_that_are_not_finite_and_non_negative_are_refused(function: Callable[..., Any], lam: Any) -> None:
    with pytest.raises(ValueError, match="`lam`"):
        function(SCHEDULE, lam)


@every_function
@pytest.mark.parametrize("lam", [np.array([1 + 1j]), np.array(["one"]), np.array([{}]), 1j], ids=repr)
def test_arrays_that_are_not_real_numbers_are_refused(function: Callable[..., Any], lam: Any) -> None:
    with pytest.raises(ValueError, match="`lam`"):
        function(SCHEDULE, lam)


@every_function
def test_the_message_shows_the_bad_variance(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"`lam`.*-2\.5"):
        function(SCHEDULE, [1.0, -2.5, 3.0])
    with pytest.raises(ValueError, match=r"`lam`.*-2\.5"):
        function(SCHEDULE, strict.asarray([1.0, -2.5, 3.0]))


@pytest.mark.parametrize("angles", [[0.0, 0.5, 1.0], [0.0, 0.5, math.pi / 2], [0.0, math.pi / 2]])
@pytest.mark.parametrize("lam", [0.0, np.zeros(2), np.array([0.0, 1.0]), np.float32(0)], ids=repr)
def test_variance_zero_from_angle_zero_is_minus_infinity_without_a_warning(angles: list[float], lam: Any) -> None:
    schedule = from_angles(angles)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        factors = geometry.diagonal_expansion(schedule, lam)
        logs = geometry.log_expansion(schedule, lam)
        total = geometry.lyapunov_exponent(schedule, lam)
    assert np.all(factors[0][np.asarray(lam) == 0] == 0.0)
    assert np.all(logs[0][np.asarray(lam) == 0] == -math.inf)
    assert np.all(total[np.asarray(lam) == 0] == -math.inf)
    assert np.isfinite(logs[1:]).all()


def test_one_step_from_zero_to_pi_over_2_maps_everything_to_the_mean() -> None:
    schedule = from_angles([0.0, math.pi / 2])
    assert np.array_equal(geometry.diagonal_expansion(schedule, np.array([1e-12, 1.0, 1e12])), np.zeros((1, 3)))
    assert np.array_equal(geometry.log_expansion(schedule, np.array([1e-12, 1.0, 1e12])), np.full((1, 3), -math.inf))
    assert geometry.lyapunov_exponent(schedule, 1.0) == -math.inf


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_angles_whose_squares_underflow_still_have_their_ratios(dtype: type) -> None:
    tiny = 1e-200 if dtype is np.float64 else 1e-30
    schedule = from_angles([tiny, 2 * tiny, 0.5])
    lam = np.array([0.0, 1.0], dtype=dtype)
    assert np.allclose(geometry.diagonal_expansion(schedule, lam)[0], [0.5, 1.0], rtol=1e-6)
    assert np.allclose(geometry.log_expansion(schedule, lam)[0], [math.log(0.5), 0.0], rtol=1e-6)
    assert np.allclose(geometry.contraction_threshold(schedule)[0], 1.5 * tiny, rtol=1e-15, atol=0)
    assert np.allclose(geometry.step_threshold(schedule)[0], 4 / 3, rtol=1e-15)


@given(lam=st.floats(1e-12, 1e12), factor=st.floats(1.0001, 1e6), steps=st.integers(1, 40))
def test_the_exponent_changes_sign_at_the_moran_threshold_alone(lam: float, factor: float, steps: int) -> None:
    schedule = linear(steps)
    threshold = geometry.moran_threshold(schedule)
    assert threshold > 1
    assert geometry.lyapunov_exponent(schedule, threshold * factor) > 0
    assert geometry.lyapunov_exponent(schedule, threshold / factor) < 0
    assert (geometry.lyapunov_exponent(schedule, lam) > 0) == (lam > threshold)
