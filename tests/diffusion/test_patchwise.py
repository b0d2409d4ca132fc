"""Block norms along chains, against dense linear algebra on differences of the step."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, marginals, patch_contraction, schedules
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product
from pifs_sim.dynamics import Patches

PATCHES = Patches(4, 2)
TILTED = np.diag([2.0, 0.5, 1.9, 1.5])
TILTED[0, 3] = TILTED[3, 0] = 1.7
SCHEDULE = schedules.uniform_angle(5, 0.05, 1.3)


def two_bumps(seed=0, d=4):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((3, d, d)) / 2
    means = 2 * rng.standard_normal((3, d))
    return Mixture(np.array([0.5, 0.3, 0.2]), means, roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(d))


def jacobians(chain, x, h=1e-5):
    """Jacobians of the steps by central differences, (T, B, d, d), to about h^2."""
    found = np.empty((*x.shape, x.shape[-1]))
    for t in range(1, chain.length + 1):
        for i, e in enumerate(np.eye(chain.dim)):
            up, down = (chain.step(x[t - 1] + sign * h * e, chain.length - t) for sign in (1, -1))
            found[t - 1, :, :, i] = (up - down) / (2 * h)
    return found


@pytest.mark.parametrize("law", [Gaussian(np.ones(4), TILTED), two_bumps()], ids=["Gaussian", "mixture"])
def test_norms_are_those_of_the_blocks_of_the_step_s_jacobian(law):
    chain = Chain(SCHEDULE, exact_denoiser(law))
    x = marginals(chain, 3, np.random.default_rng(0))
    found, J = patch_contraction(chain, x, PATCHES), jacobians(chain, x)
    blocks = np.linalg.norm(J.reshape(5, 3, 2, 2, 2, 2).swapaxes(3, 4), 2, axis=(-2, -1))
    own, others = np.diagonal(blocks, axis1=2, axis2=3), blocks.sum(axis=3) - np.diagonal(blocks, axis1=2, axis2=3)
    assert_allclose(found.own, own, atol=1e-8)
    assert_allclose(found.coupling, others, atol=1e-8)
    assert_allclose(found.kappa, own.max(axis=-1), atol=1e-8)
    assert_allclose(found.delta, others.max(axis=-1), atol=1e-8)
    assert_allclose(found.norm, np.linalg.norm(J, 2, axis=(-2, -1)), atol=1e-8)


def test_the_jacobian_of_a_step_is_the_operator_that_tangent_applies():
    chain = Chain(SCHEDULE, exact_denoiser(two_bumps(1)))
    x = marginals(chain, 3, np.random.default_rng(1))
    for n in range(chain.length):
        points = x[chain.length - 1 - n]
        assert_allclose(
            chain.jacobian(points, n).dense(), chain.tangent(points, n, np.broadcast_to(np.eye(4), (3, 4, 4)))[1]
        )
    with pytest.raises(ValueError, match="`n`"):
        chain.jacobian(x[0], 5)


def test_independent_patches_do_not_couple():
    parts = (two_bumps(2, d=2), two_bumps(3, d=2))
    chain = Chain(SCHEDULE, exact_denoiser(Product(parts)))
    x = marginals(chain, 4, np.random.default_rng(2))
    found = patch_contraction(chain, x, PATCHES)
    assert np.array_equal(found.coupling, np.zeros((5, 4, 2)))
    alone = [Chain(SCHEDULE, exact_denoiser(part)) for part in parts]
    for k, part in enumerate(alone):
        norms = [part.jacobian(x[t - 1, :, 2 * k : 2 * k + 2], 5 - t).norm() for t in range(1, 6)]
        assert_allclose(found.own[:, :, k], norms, rtol=1e-13)


def test_from_pi_over_2_every_step_is_a_multiple_of_the_identity():
    schedule = Schedule([0.3, 0.9, math.pi / 2])
    chain = Chain(schedule, exact_denoiser(two_bumps(4)))
    found = patch_contraction(chain, marginals(chain, 2, np.random.default_rng(0)), PATCHES)
    assert_allclose(found.own[1], math.sin(0.9), rtol=1e-15)
    assert np.array_equal(found.coupling[1], np.zeros((2, 2)))


def test_points_far_apart_pull_to_the_nearest_with_the_contraction_floor():
    """Near the data a cloud's posterior is one point: J = (sin phi_s/sin phi_t) I."""
    cloud = PointCloud(np.array([[0.0, 0.0, 0.0, 0.0], [50.0, 0.0, 0.0, 50.0]]))
    schedule = schedules.uniform_angle(4, 0.05, 0.4)
    chain = Chain(schedule, exact_denoiser(cloud))
    found = patch_contraction(chain, marginals(chain, 3, np.random.default_rng(0)), PATCHES)
    floor = schedule.sin[:-1] / schedule.sin[1:]
    assert_allclose(found.own, np.broadcast_to(floor[:, None, None], (4, 3, 2)), rtol=1e-14)
    assert_allclose(found.coupling, 0, atol=1e-14)
    assert np.array_equal(found.violations, np.zeros(4))


def test_margins_and_counts_are_those_of_the_norms():
    cloud = PointCloud(np.random.default_rng(5).standard_normal((6, 4)))
    chain = Chain(SCHEDULE, exact_denoiser(cloud))
    found = patch_contraction(chain, marginals(chain, 40, np.random.default_rng(3)), PATCHES)
    assert np.array_equal(found.margin, 1 - (found.kappa + found.delta))
    assert np.all(found.margin <= found.row_margin + 1e-15)
    assert_allclose(found.row_margin, found.patch_margin.min(axis=-1), atol=1e-15)
    assert np.array_equal(found.violations, (found.kappa + found.delta >= 1).sum(axis=1))
    assert np.array_equal(found.row_violations, (found.patch_margin <= 0).any(axis=-1).sum(axis=1))
    assert np.array_equal(found.patch_violations, (found.patch_margin <= 0).sum(axis=1))
    assert 0 < found.row_violations.sum() < 200
    assert np.all(found.norm <= found.row_sum * (1 + 1e-14))  # symmetric: the 2-norm is at most the block-max norm


def test_a_gaussian_has_the_same_norms_everywhere():
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.zeros(4), TILTED)))
    found = patch_contraction(chain, marginals(chain, 3, np.random.default_rng(4)), PATCHES)
    assert found.own.shape == (5, 3, 2)
    assert_allclose(np.ptp(found.own, axis=1), 0, atol=1e-15)


def test_progress_counts_the_steps():
    seen = []
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.zeros(4), TILTED)))
    patch_contraction(chain, np.zeros((5, 1, 4)), PATCHES, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(t, 5) for t in range(1, 6)]


def test_bad_input_is_refused_by_name():
    chain = Chain(SCHEDULE, exact_denoiser(Gaussian(np.zeros(4), TILTED)))
    with pytest.raises(ValueError, match="`x`"):
        patch_contraction(chain, np.zeros((1, 4)), PATCHES)
    with pytest.raises(ValueError, match="`patches`"):
        patch_contraction(chain, np.zeros((5, 1, 4)), Patches(6, 2))
