"""A sweep of block maps: the formula in integers, the same bits from every backend, shapes and refusals."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pifs_sim.kernels import pifs_decode

BACKENDS = pytest.mark.parametrize("backend", ["reference", "cpu"])
SHAPES = st.tuples(st.integers(0, 3), st.integers(1, 40), st.sampled_from([(), (1,), (3,), (0,)]))


def drawn(seed: int, shape: Any, q: int, dtype: Any) -> tuple[Any, Any, Any, Any]:
    """x, sources, factors and offsets."""
    rng, (batch, d, columns) = np.random.default_rng(seed), shape
    x = rng.standard_normal((batch, d, *columns)).astype(dtype)
    return x, rng.integers(0, d, (q, d)), *rng.standard_normal((2, d)).astype(dtype)


@BACKENDS
@given(seed=st.integers(0, 999), shape=SHAPES, q=st.integers(0, 9))
def test_whole_numbers_give_the_formula_exactly(backend: Any, seed: int, shape: Any, q: int) -> None:
    rng, (batch, d, columns) = np.random.default_rng(seed), shape
    x, sources = rng.integers(-9, 10, (batch, d, *columns)), rng.integers(0, d, (q, d))
    factors, offsets = rng.integers(-9, 10, (2, d))
    found = pifs_decode.compute(x.astype(float), sources, factors.astype(float), offsets.astype(float), backend=backend)
    for b, i in np.ndindex(batch, d):
        expected = factors[i] * x[b, sources[:, i]].sum(axis=0) + offsets[i]
        assert np.array_equal(found[b, i], expected)


@given(seed=st.integers(0, 999), shape=SHAPES, q=st.integers(1, 9), dtype=st.sampled_from([np.float32, np.float64]))
@example(seed=0, shape=(2, 40_000, (3,)), q=4, dtype=np.float32)  # for several threads
def test_the_backends_agree_in_every_bit(seed: int, shape: Any, q: int, dtype: Any) -> None:
    x, sources, factors, offsets = drawn(seed, shape, q, dtype)
    for shifts in (offsets, None):
        law = pifs_decode.compute(x, sources, factors, shifts, backend="reference")
        found = pifs_decode.compute(x, sources, factors, shifts)
        assert law.dtype == found.dtype == dtype
        assert np.array_equal(found, law)


@given(seed=st.integers(0, 999))
def test_without_offsets_it_is_linear_and_keeps_zero(seed: int) -> None:
    x, sources, factors, offsets = drawn(seed, (2, 30, ()), 4, np.float64)
    zero = np.zeros_like(x)
    assert not pifs_decode.compute(zero, sources, factors).any()
    shifted = pifs_decode.compute(zero, sources, factors, offsets)
    assert np.array_equal(shifted, np.broadcast_to(offsets, x.shape))
    both = pifs_decode.compute(np.stack([x, x[::-1]], axis=2), sources, factors)
    assert np.array_equal(both[:, :, 0], pifs_decode.compute(x, sources, factors))
    assert np.array_equal(both[:, :, 1], both[::-1, :, 0])


def test_any_layout_is_accepted_and_nothing_is_written_to() -> None:
    x, sources, factors, offsets = drawn(3, (4, 30, (6,)), 4, np.float64)
    expected = pifs_decode.compute(x[::2, :, 1::2].copy(), sources, factors, offsets)
    views = x[::2, :, 1::2], np.asfortranarray(sources), np.repeat(factors, 2)[::2], offsets[::-1].copy()[::-1]
    for view in views:
        view.flags.writeable = False
    assert np.array_equal(pifs_decode.compute(*views), expected)


def test_arrays_of_other_libraries_take_the_reference() -> None:
    given = drawn(4, (2, 9, (2,)), 4, np.float32)
    found = pifs_decode.compute(*map(array_api_strict.asarray, given))
    assert isinstance(found, type(array_api_strict.asarray(given[0])))
    assert np.array_equal(np.asarray(found), pifs_decode.compute(*given))


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (0, np.ones(4), "x"),
        (0, np.ones((1, 4), int), "x"),
        (0, [[1.0] * 4], "x"),
        (0, np.ones((1, 5)), "sources"),
        (1, np.zeros((2, 4), np.int32), "sources"),
        (1, np.full((2, 4), 4), "sources"),
        (1, np.full((2, 4), -1), "sources"),
        (2, np.ones(3), "factors"),
        (2, np.ones(4, np.float32), "factors"),
        (3, np.ones((4, 1)), "offsets"),
    ],
)
def test_bad_arguments_are_refused_by_name(place: int, value: Any, named: str) -> None:
    given: list[Any] = [np.ones((1, 4)), np.zeros((2, 4), int), np.ones(4), np.ones(4)]
    given[place] = value
    with pytest.raises(ValueError, match=f"`{named}`"):
        pifs_decode.compute(*given, backend="cpu")
