"""Batch means: exact sums, and standard errors that are known for independent and for correlated series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.dynamics.averages import BatchMeans, standard_error


def fill(means: BatchMeans, series: np.ndarray) -> BatchMeans:
    """A series (N, B, k) step by step."""
    for value in series:
        means.add(value, 1)
    return means


@given(steps=st.integers(1, 700), length=st.integers(1, 9), batch=st.integers(1, 3), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_means_are_over_all_steps(steps: int, length: int, batch: int, seed: int) -> None:
    """However many batches were joined, and with the batch in hand."""
    series = np.random.default_rng(seed).standard_normal((steps, batch, 2))
    means = fill(BatchMeans(length), series)
    assert means.steps == steps
    assert_allclose(means.per_orbit(), series.mean(axis=0), rtol=0, atol=1e-13)
    assert len(means.sums) < 64
    assert 1 <= means.room <= means.length
    full = means.length * len(means.sums)
    assert full == steps - means.rest_steps
    parts = series[:full].reshape(len(means.sums), means.length, batch, 2)
    assert_allclose(means.means(), parts.mean(axis=1), rtol=0, atol=1e-13)
    at, history = means.history()
    for n, row in zip(at, history, strict=True):
        assert_allclose(row, series[:n].mean(axis=(0, 1)), rtol=0, atol=1e-13)


def test_steps_may_be_added_together() -> None:
    series = np.random.default_rng(0).standard_normal((600, 2, 3))
    one, other = BatchMeans(4), BatchMeans(4)
    fill(one, series)
    n = 0
    while n < 600:
        count = min(other.room, 600 - n)
        other.add(series[n : n + count].sum(axis=0), count)
        n += count
    assert_allclose(one.means(), other.means(), rtol=0, atol=1e-13)
    assert one.length == other.length


def test_the_error_of_independent_numbers_is_theirs() -> None:
    """s/sqrt(n); the correlation found by chance widens it by less than 3 in 10 for 64 numbers."""
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(300):
        y = rng.standard_normal((64, 1, 1))
        ratios.append(standard_error(y)[0] / (y.std(ddof=1) / 8))
    assert min(ratios) == pytest.approx(1, abs=1e-12)  # a negative correlation is not used
    assert 1 < np.mean(ratios) < 1.15


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_error_of_a_series_with_memory_covers_its_mean(memory: float) -> None:
    """y_n = a y_{n-1} + e_n has a mean of 0, and a sum whose spread is 1/(1 - a) times that of e."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        e = rng.standard_normal(2000)
        y, series = 0.0, np.empty(2000)
        for n, value in enumerate(e):
            y = memory * y + value
            series[n] = y
        means = BatchMeans(2000 // 48)
        for part in series[: 48 * means.length].reshape(48, -1):
            means.add(np.array([[part.sum()]]), len(part))
        error = means.standard_error()[0]
        held += abs(means.per_orbit()[0, 0]) <= 1.96 * error
    assert 0.9 <= held / 400 <= 0.99


def test_orbits_that_differ_for_ever_show_in_the_error() -> None:
    """Two orbits with means -1 and 1 that never mix: their mean is known to 1, however long they are."""
    y = np.broadcast_to(np.array([-1.0, 1.0])[:, None], (50, 2, 1))
    assert standard_error(y)[0] == pytest.approx(1.0)


def test_combinations_have_the_error_of_their_series() -> None:
    rng = np.random.default_rng(3)
    series = rng.standard_normal((256, 2, 3))
    series[:, :, 2] = -series[:, :, 0]
    means = fill(BatchMeans(8), series)
    assert means.standard_error(np.array([1.0, 0.0, 1.0])) == 0
    alone = means.standard_error()
    assert means.standard_error(np.array([0.0, 2.0, 0.0])) == pytest.approx(2 * alone[1])


def test_steps_beyond_the_last_full_batch_shrink_the_error() -> None:
    """The mean is over all steps, so the error of the full batches' mean is too large by sqrt(steps/full steps)."""
    series = np.random.default_rng(5).standard_normal((45, 1, 1))
    means = fill(BatchMeans(10), series)
    full = fill(BatchMeans(10), series[:40])
    assert means.standard_error() == pytest.approx(full.standard_error() * (40 / 45) ** 0.5)


def test_constants_and_dead_directions_have_no_error() -> None:
    y = np.ones((40, 2, 2))
    y[:, :, 1] = -np.inf
    assert np.array_equal(standard_error(y), [0.0, 0.0])
    means = fill(BatchMeans(2), y)
    assert means.standard_error(np.array([1.0, 0.0])) == 0


def test_failed_orbits_are_left_out() -> None:
    rng = np.random.default_rng(4)
    y = rng.standard_normal((40, 3, 1))
    y[7:, 1] = np.nan
    assert standard_error(y)[0] == standard_error(y[:, ::2])[0]
    assert np.isnan(standard_error(y[:, 1:2])[0])
    means = fill(BatchMeans(1), y)
    assert_allclose(means.history()[1], np.cumsum(y[:, ::2], axis=0).mean(axis=1) / np.arange(1, 41)[:, None])


def test_too_few_numbers_have_no_error() -> None:
    assert np.isnan(standard_error(np.ones((1, 1, 1)))[0])
    assert np.isnan(standard_error(np.empty((0, 2, 1)))[0])
    assert standard_error(np.array([[[0.0], [1.0]]]))[0] == pytest.approx(0.5)
