"""Power laws and two scales: exact ones are found exactly, and intervals hold what they should."""

import numpy as np
import pytest

from pifs_sim.diffusion.spectra import power_law, two_scales


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("exponent", [0.5, 2.0, 3.0])
def test_an_exact_power_law_is_found_exactly(exponent):
    lam = 5 * np.arange(1.0, 193) ** -exponent
    found = power_law(rng().permutation(np.append(lam, 0.0)), rng=rng(), resamples=50)
    assert found.exponent == pytest.approx(exponent, rel=1e-12)
    assert found.scale == pytest.approx(5, rel=1e-11)
    assert found.residual < 1e-12
    np.testing.assert_allclose(found.exponent_interval, exponent, rtol=1e-11)


def test_every_octave_of_ranks_counts_alike():
    k = np.arange(1.0, 1025)
    found = power_law(np.where(k < 32, k**-1, 32.0**-1 * (k / 32) ** -3), rng=rng(), resamples=2)
    x, y = np.log(k), -np.log(np.where(k < 32, k, 32 * (k / 32) ** 3))
    slope = np.polyfit(x, y, 1, w=np.sqrt(1 / k))[0]
    assert found.exponent == pytest.approx(-slope, rel=1e-10)
    assert 1.8 < found.exponent < 2.2  # half of the octaves have 1, half have 3


def test_the_interval_covers_the_exponent_of_noisy_power_laws():
    hits = 0
    for seed in range(60):
        noise = np.random.default_rng(seed)
        lam = np.sort(np.arange(1.0, 257) ** -2 * np.exp(0.1 * noise.standard_normal(256)))
        low, high = power_law(lam, rng=noise, resamples=200).exponent_interval
        hits += low <= 2 <= high
        assert high - low < 0.3
    assert hits >= 50  # nominally 57; a block bootstrap of few leading ranks is a little narrow


def test_two_scales_are_found_with_their_shares():
    lam = np.append(np.full(30, 100.0), np.full(90, 1e-3))
    found = two_scales(rng().permutation(lam), rng=rng(), resamples=400)
    assert found.high == pytest.approx(100, rel=1e-12)
    assert found.low == pytest.approx(1e-3, rel=1e-12)
    assert found.share == 0.25
    assert found.residual < 1e-12
    low, high = found.share_interval
    assert 0.05 < low < 0.25 < high < 0.5


def test_the_best_split_is_that_of_exhaustive_search():
    lam = np.sort(np.exp(2 * rng().standard_normal(40)))[::-1]
    y = np.log(lam)
    cost = [np.var(y[:n]) * n + np.var(y[n:]) * (40 - n) for n in range(1, 40)]
    n = int(np.argmin(cost)) + 1
    found = two_scales(lam, rng=rng(), resamples=2)
    assert found.share == n / 40
    np.testing.assert_allclose((found.high, found.low), (np.exp(y[:n].mean()), np.exp(y[n:].mean())), rtol=1e-12)
    assert found.residual == pytest.approx(np.sqrt(min(cost) / 40), rel=1e-10)


@pytest.mark.parametrize("fit", [power_law, two_scales])
def test_too_little_to_fit_is_refused(fit):
    with pytest.raises(ValueError, match="at least 8 variances > 0, got 7"):
        fit(np.append(np.ones(7), np.zeros(9)), rng=rng())
    with pytest.raises(ValueError, match="`lam`"):
        fit([-1.0] * 9, rng=rng())
    with pytest.raises(ValueError, match="`resamples` must be an integer of at least 2, got 1"):
        fit(np.ones(9), rng=rng(), resamples=1)
