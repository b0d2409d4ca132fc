import numpy as np
import pytest
from scipy.linalg import sqrtm

from experiments.training_quality import contraction, energy_test, moments_distance
from pifs_sim.diffusion import Chain, exact_denoiser, patch_contraction, schedules
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics import Patches

RNG = np.random.default_rng(0)
MIXING = RNG.standard_normal((4, 4))


def test_the_distance_of_moments_is_that_of_the_normal_laws():
    x, y = RNG.standard_normal((50, 4)) @ MIXING, RNG.standard_normal((70, 4)) + 1
    S, T = (np.cov(sample.T, bias=True) for sample in (x, y))
    root = np.real(sqrtm(S))
    shared = np.trace(np.real(sqrtm(root @ T @ root)))
    wanted = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(S) + np.trace(T) - 2 * shared
    assert moments_distance(x, y) == pytest.approx(np.sqrt(wanted), rel=1e-8)


def test_a_shift_is_its_own_distance():
    x = RNG.standard_normal((50, 4))
    assert moments_distance(x, x + np.array([3, 0, 4, 0])) == pytest.approx(5, rel=1e-7)


def test_the_energy_distance_is_its_definition():
    x, y = RNG.standard_normal((30, 4)), RNG.standard_normal((20, 4)) + 0.5

    def mean(a, b):
        return np.linalg.norm(a[:, None] - b, axis=2).mean()

    found = energy_test(x, y, np.random.default_rng(1))
    assert found.distance == pytest.approx(2 * mean(x, y) - mean(x, x) - mean(y, y), rel=1e-6)


def test_samples_far_apart_are_told_apart_and_equal_ones_are_not():
    x = RNG.standard_normal((30, 4))
    assert energy_test(x, x + 3, np.random.default_rng(1)).p_value == 1 / 200
    same = energy_test(x, x.copy(), np.random.default_rng(1))
    assert same.distance == pytest.approx(0, abs=1e-7)  # the square root of roundings on the diagonal
    assert same.p_value == 1


def test_under_one_law_the_test_rejects_at_its_rate():
    rng = np.random.default_rng(2)
    found = [
        energy_test(*(rng.standard_normal((20, 3)) for _ in range(2)), rng, permutations=19).p_value <= 0.25
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 300))


def test_margins_are_those_of_the_exact_chain():
    law = Gaussian(np.zeros(4), MIXING @ MIXING.T)
    chain, patches = Chain(schedules.cosine(6), exact_denoiser(law)), Patches(4, 2)
    found = contraction(chain, law.sample(3, RNG), patches, rng=RNG)
    wanted = patch_contraction(chain, np.zeros((6, 1, 4)), patches)  # a normal law's Jacobian is one at all points
    np.testing.assert_allclose(found.kappa, wanted.kappa[:, 0])
    np.testing.assert_allclose(found.delta, wanted.delta[:, 0])
    np.testing.assert_allclose(found.row_sum, wanted.row_sum[:, 0])
