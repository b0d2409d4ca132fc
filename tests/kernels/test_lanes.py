"""What is emitted for vectors: powers of two to a rounding, products in tiles."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit, types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import Lanes
from pifs_sim.kernels.tiles import ROWS, add_products, samples

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
WIDTH = 8


def _powers(_context: Any, source: Any, target: Any, count: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code = Lanes(context, builder, WIDTH)
        place, result = (code.data(signature.args[i], arguments[i]) for i in (0, 1))
        with code.loop(arguments[2]) as i:
            code.store(code.load(place, code.times(i, WIDTH)).exp2(), result, code.times(i, WIDTH))
        return context.get_dummy_value()

    return types.void(source, target, count), emit


_emitted = intrinsic(_powers)


@njit
def _run(source: Any, target: Any) -> None:
    _emitted(source, target, source.size // WIDTH)


def powers(y: Any) -> Any:
    """2^y of a multiple of WIDTH numbers."""
    target = np.full_like(y, np.nan)
    _run(y, target)
    return target


@njit
def _add(table: Any, columns: Any, count: int, sums: Any, scale: Any, mode: Any) -> None:
    add_products(table, 0, columns, 0, count, sums, 0, scale, mode)


@DTYPES
def test_powers_of_two_are_within_two_roundings(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([-(10.0 ** rng.uniform(-9, 1.9, 3992)), [-0.5, -1.5, -99.5, -0.25, -3, -1e-30, -64, -98]])
    found = powers(y.astype(dtype))
    with mpmath.workdps(40):
        exact = [mpmath.mpf(2) ** mpmath.mpf(float(value)) for value in y.astype(dtype)]
        worst = max(abs(mpmath.mpf(float(a)) / b - 1) for a, b in zip(found, exact, strict=True))
    assert worst <= 2 * np.finfo(dtype).eps


@DTYPES
def test_whole_powers_are_exact_small_ones_stop_and_what_is_no_number_stays(dtype: Any) -> None:
    least = -100 if dtype == np.float32 else -900
    y = np.array([0, -1, -17, least, least - 1, -1e30, -np.inf, np.nan], dtype)
    expected = np.array([1, 0.5, 2.0**-17, *4 * [2.0**least], np.nan], dtype)
    assert np.array_equal(powers(y), expected, equal_nan=True)


@DTYPES
@pytest.mark.parametrize("mode", [(), (0,), (0, 0)], ids=["alone", "added", "added to a multiple"])
@given(count=st.integers(0, 300), seed=st.integers(0, 999))
def test_a_tile_is_a_product_of_matrices(dtype: Any, mode: tuple[int, ...], count: int, seed: int) -> None:
    """Whole numbers: exact in any order."""
    rng, W = np.random.default_rng(seed), samples(np.dtype(dtype).itemsize)
    A, B, S = (rng.integers(-9, 10, shape).astype(dtype) for shape in ((count, ROWS), (count, W), (ROWS, W)))
    scale = rng.integers(-9, 10, W).astype(dtype)
    found = S.ravel().copy() if mode else np.full(ROWS * W, np.nan, dtype)
    _add(A.ravel(), B.ravel(), count, found, scale, mode)
    start = 0 if not mode else S if len(mode) == 1 else scale * S
    assert np.array_equal(found.reshape(ROWS, W), start + A.T @ B)
