"""The bridge from L2 distances of denoisers to W2 of outputs: in the plane, against samples, and how tight it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Gaussian
from theory.claims.l2_w1_bridge import MOVED, PIECES, SHIFTED, Laws, bridge, observe, one_chain
from theory.instruments import affine_jacobian
from theory.marginals import two_normals


def wasserstein(means: Any, covariances: Any) -> float:
    """W2 of two normal laws (Dowson, Landau 1982, J. Multivariate Anal. 12, 450-455)."""
    root = sqrtm(covariances[0])
    cross = sqrtm(root @ covariances[1] @ root).real
    shift = float(np.sum((means[0] - means[1]) ** 2))
    return float(np.sqrt(shift + np.trace(covariances[0] + covariances[1] - 2 * cross)))


def affine(chain: Chain, t: int) -> tuple[Any, Any]:
    """A and b of the step from phi_t."""

    def step(x: Any) -> Any:
        return chain.step(x, chain.length - t)

    return affine_jacobian(step, chain.dim), step(np.zeros((1, chain.dim)))[0]


def tightness(laws: Laws, schedule: Schedule) -> float:
    """W2 over the bound."""
    (_, w2), pair = observe(laws, schedule)
    return float(w2 / bridge(pair))


@pytest.mark.parametrize("steps", [1, 3, 12])
@pytest.mark.parametrize("seed", range(4))
def test_normal_laws_in_the_plane_keep_the_bound(steps: int, seed: int) -> None:
    """Exactly: outputs are normal, the gaps second moments of affine maps, the constants largest singular values."""
    rng, schedule = np.random.default_rng(seed), schedules.uniform_angle(steps, 0.1, 1.4)
    roots, centres = rng.standard_normal((2, 2, 2)), 0.5 * rng.standard_normal((2, 2))
    first, second = (
        Chain(schedule, exact_denoiser(Gaussian(m, A @ A.T + 0.05 * np.eye(2))))
        for m, A in zip(centres, roots, strict=True)
    )
    data, (c, s) = second.denoiser.measure, (schedule.cos[-1], schedule.sin[-1])
    laws = [(c * data.mean, c**2 * np.asarray(data.covariance) + s**2 * np.eye(2))] * 2
    constants, gaps = [], []
    for t in range(steps, 0, -1):
        (A, a), (B, b) = affine(first, t), affine(second, t)
        mean, covariance = laws[1]
        off = (A - B) @ mean + a - b
        gaps.append(float(np.sqrt(off @ off + np.trace((A - B) @ covariance @ (A - B).T))))
        constants.append(np.linalg.norm(A, 2))
        laws = [(M @ m + v, M @ C @ M.T) for (M, v), (m, C) in zip([(A, a), (B, b)], laws, strict=True)]
    bound = sum(np.prod(constants[k + 1 :]) * gap for k, gap in enumerate(gaps))
    distance = wasserstein(*zip(*laws, strict=True))
    assert distance <= bound * (1 + 1e-9)
    assert distance > 0.25 * bound
    if steps == 1:  # the coupling of the bound is that of one start, not the best one
        assert bound <= 1.5 * distance


def test_monotone_coupling_is_that_of_sorted_samples() -> None:
    laws, schedule = Laws(PIECES, MOVED), schedules.uniform_angle(6, 0.2)
    (w1, w2), _ = observe(laws, schedule)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100000, 1))  # p_T at pi/2
    first, second = (np.sort(Chain(schedule, law.denoiser).run(x)[:, 0]) for law in (PIECES, MOVED))
    assert np.abs(first - second).mean() == pytest.approx(w1, rel=0.02)
    assert np.sqrt(np.mean((first - second) ** 2)) == pytest.approx(w2, rel=0.02)


def test_the_bound_is_tight_for_smooth_data_and_loose_for_sharp_pieces() -> None:
    """W2 over the bound: 0.93 with a normal law's constants, 0.36 with those of pieces, nothing with sharp ones."""
    fine, short = schedules.uniform_angle(40, 0.05), schedules.uniform_angle(40, 0.2)
    sharp = [two_normals(0.5, [-1.0, 1.0], [0.01, 0.01]), two_normals(0.4, [-1.0, 1.2], [0.01, 0.01])]
    assert tightness(Laws(SHIFTED, MOVED), fine) == pytest.approx(0.925, abs=0.005)
    assert tightness(Laws(PIECES, MOVED), short) == pytest.approx(0.360, abs=0.005)
    assert 0 < tightness(Laws(*sharp), fine) < 1e-4


def test_the_pairing_of_one_chain_fails_between_a_narrow_and_a_wide_law() -> None:
    """By the factor 2.5 in two steps, 56 in 32: a narrow chain never sees where the wide one goes."""
    narrow, wide = two_normals(0.5, [0.0, 0.0], [1e-6, 1e-6]), two_normals(0.5, [0.0, 0.0], [9.0, 9.0])
    ratios = []
    for steps in (2, 8, 32):
        (_, w2), pair = observe(Laws(narrow, wide), schedules.uniform_angle(steps, 0.0, 1.3))
        assert w2 <= bridge(pair) * (1 + 1e-9)
        ratios.append(w2 / one_chain(pair))
    assert ratios == pytest.approx([2.53, 13.2, 55.7], rel=0.01)
