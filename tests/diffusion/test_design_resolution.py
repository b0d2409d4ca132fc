"""A picture's modes at several resolutions, and the best shift of a schedule."""

import numpy as np
import pytest

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.design import chain_error, optimal_schedule
from pifs_sim.diffusion.design.resolution import best_shift, mode_spectrum

PICTURE = np.random.default_rng(5).normal(size=(20, 16, 3))


def test_modes_hold_the_energy_of_the_middle_square_but_its_mean():
    variances, counts = mode_spectrum(PICTURE, 16)
    middle = PICTURE[2:18]
    energy = ((middle - middle.mean(axis=(0, 1))) ** 2).sum()
    assert variances @ counts == pytest.approx(energy, rel=1e-12)
    assert counts.sum() == 3 * (16 * 16 - 1)


def test_fixed_modes_grow_with_the_square_of_the_resolution():
    fine, coarse = mode_spectrum(PICTURE, 16), mode_spectrum(PICTURE, 8)
    np.testing.assert_allclose(coarse.variances[:6], fine.variances[:6] / 4, rtol=1e-13)  # shells within both squares
    np.testing.assert_array_equal(coarse.multiplicities[:6], fine.multiplicities[:6])


def test_a_single_cosine_is_one_mode():
    size, k = 32, 5
    wave = np.cos(np.pi * k * (np.arange(size) + 0.5) / size)
    variances, counts = mode_spectrum(np.repeat(wave[:, None], size, axis=1), size)
    expected = np.zeros(variances.size)
    expected[k - 1] = size * size / 2 / counts[k - 1]
    np.testing.assert_allclose(variances, expected, atol=1e-12)


@pytest.mark.parametrize("objective", ["kl", "w2"])
@pytest.mark.parametrize("factor", [0.3, 5.0])
def test_the_best_shift_of_an_optimum_follows_a_scale_of_all_variances(objective, factor):
    lam = np.array([0.1, 3.0])
    best = optimal_schedule(lam, 6, sigma_min=0.0, sigma_max=np.inf, objective=objective, method="optimise")
    assert best_shift(best, factor**2 * lam, objective=objective) == pytest.approx(-2 * np.log(factor), abs=1e-4)


def test_the_best_shift_is_better_than_its_neighbours():
    schedule, lam = schedules.uniform_angle(7), np.array([0.2, 1.0, 50.0])
    shift = best_shift(schedule, lam)
    errors = [chain_error(schedule.shift(shift + move), lam) for move in (-0.01, 0.0, 0.01)]
    assert min(errors) == errors[1]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`pixels` must be an integer in 2..16, got 17"):
        mode_spectrum(PICTURE, 17)
    with pytest.raises(ValueError, match=r"`picture` must be finite, of shape .*, got shape \(3,\)"):
        mode_spectrum(np.zeros(3), 2)
    with pytest.raises(ValueError, match=r"`picture` must be finite"):
        mode_spectrum(np.full((4, 4), np.nan), 2)
    with pytest.raises(ValueError, match=r"`schedule` must have its best shift within 16, got one at -16.0"):
        best_shift(schedules.uniform_angle(5), [1e20])
