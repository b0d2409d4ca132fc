"""Finite-time Lyapunov spectra of chains on mixtures, point clouds and scale mixtures, over ensembles of starts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, exact_denoiser, geometry, marginals
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.diffusion.schedules import from_angles, uniform_angle
from pifs_sim.dynamics import lyapunov_spectrum
from pifs_sim.testing import strategies

SEEDS = st.integers(0, 2**32 - 1)
MIXTURE = Mixture([0.3, 0.5, 0.2], [[0.0, 1.0], [1.5, -1.0], [-1.0, -0.5]], [[0.1, 0.4], [0.5, 0.2], [0.3, 0.3]])
CLOUD = PointCloud([[0.0, 1.0], [1.5, -1.0], [-1.0, -0.5], [0.3, 0.2]], [0.4, 0.3, 0.2, 0.1])
SCALES = ScaleMixture([0.5, -0.5], [[1.0, 0.6], [0.6, 0.8]], [0.1, 1.0, 3.0], [0.3, 0.4, 0.3])
LAWS = pytest.mark.parametrize("law", [MIXTURE, CLOUD, SCALES], ids=["mixture", "cloud", "scales"])
NEEDLES = Mixture([0.5, 0.5], np.zeros((2, 2)), [[1.59, 0.01], [0.01, 1.59]])


def starts(chain: Chain, n: int, seed: int) -> Any:
    """n points of p_T."""
    return marginals(chain, n, np.random.default_rng(seed))[-1]


def log_values(chain: Chain, x: Any, **options: Any) -> Any:
    """ln of the singular values of every orbit's whole tangent map, (B, k)."""
    return lyapunov_spectrum(chain, x, chain.length, **options).per_orbit * chain.length


def dense_product(chain: Chain, x: Any) -> Any:
    """The whole tangent map, (B, d, d), by multiplying the steps' Jacobians."""
    product = np.broadcast_to(np.eye(chain.dim), (len(x), chain.dim, chain.dim))
    for n in range(chain.length):
        product, x = chain.jacobian(x, n).dense() @ product, chain.step(x, n)
    return product


@settings(max_examples=15)
@given(law=strategies.measures(), seed=SEEDS, steps=st.integers(1, 5))
def test_exponents_are_the_singular_values_of_the_product(law: Any, seed: int, steps: int) -> None:
    """Every value is at least sin(phi_0)/sin(phi_T) > 1/4 of a start at 0.3, so dense products keep their digits."""
    chain = Chain(uniform_angle(steps, 0.3, 1.4), exact_denoiser(law))
    x = 2 * np.random.default_rng(seed).standard_normal((2, law.dim))
    product = dense_product(chain, x)
    expected = np.log(np.linalg.svd(product, compute_uv=False))
    scale = np.linalg.norm(product, 2, axis=(1, 2)).max()
    assert_allclose(log_values(chain, x), expected, rtol=0, atol=1e-12 * scale * 4)


@pytest.mark.parametrize("law", [CLOUD, MIXTURE, SCALES, NEEDLES])
def test_no_exponent_is_below_the_contraction_floor(law: Any) -> None:
    """ln sin(phi_0)/sin(phi_T): a step's least singular value is that of the noise left."""
    schedule = uniform_angle(30, 0.02)
    found = log_values(Chain(schedule, exact_denoiser(law)), 3 * np.random.default_rng(1).standard_normal((50, 2)))
    assert found.min() >= math.log(schedule.sin[0]) - 1e-10


def test_two_points_have_the_slope_of_their_hyperbolic_tangent() -> None:
    """x_hat = a tanh(a x cos/sin^2) for the points +-a; the floor far away, where the denoiser knows but one point."""
    a, schedule = 0.8, uniform_angle(25, 0.1, 1.5)
    chain, x = Chain(schedule, exact_denoiser(PointCloud([[a], [-a]]))), np.array([[0.0], [0.2], [-1.0], [6e4]])
    expected, y = np.zeros(4), x[:, 0]
    for t in range(25, 0, -1):
        c, s, sin, turn = schedule.cos[t], schedule.sin[t], schedule.sin, math.sin(schedule.increments[t - 1])
        bend = 1 / np.cosh(np.minimum(np.abs(a * y * c / s**2), 300)) ** 2
        expected += np.log(sin[t - 1] / s + turn / s * c / s**2 * a**2 * bend)
        y = sin[t - 1] / s * y + turn / s * a * np.tanh(a * y * c / s**2)
    assert_allclose(log_values(chain, x)[:, 0], expected, rtol=0, atol=1e-12)
    assert expected[3] == pytest.approx(math.log(schedule.sin[0] / schedule.sin[-1]), rel=1e-12)


def test_a_product_law_has_the_exponents_of_its_parts() -> None:
    parts, schedule = [MIXTURE, PointCloud([[0.0], [1.0], [1.2]]), SCALES], uniform_angle(20, 0.05)
    chain = Chain(schedule, exact_denoiser(Product(parts)))
    x = starts(chain, 6, 2)
    cuts = zip(parts, np.split(x, [2, 3], axis=1), strict=True)
    apart = [log_values(Chain(schedule, exact_denoiser(part)), y) for part, y in cuts]
    expected = -np.sort(-np.concatenate(apart, axis=1), axis=1)
    assert_allclose(log_values(chain, x), expected, rtol=0, atol=1e-11)


def test_components_that_agree_have_the_exponents_of_the_geometry() -> None:
    lam, schedule = np.array([3.0, 0.5, 0.01]), uniform_angle(40)
    chain = Chain(schedule, exact_denoiser(Mixture([0.2, 0.8], np.ones((2, 3)), np.stack([lam, lam]))))
    found = lyapunov_spectrum(chain, starts(chain, 5, 3), 40)
    assert_allclose(found.exponents * 40, geometry.lyapunov_exponent(schedule, lam), rtol=0, atol=1e-11)
    assert_allclose(found.stderr, 0, atol=1e-12)


@LAWS
def test_exponents_add_up_to_the_volume(law: Any) -> None:
    chain = Chain(uniform_angle(15, 0.1), exact_denoiser(law))
    x = y = starts(chain, 20, 4)
    volume = np.zeros(20)
    for n in range(15):
        volume, y = volume + chain.jacobian(y, n).logabsdet(), chain.step(y, n)
    assert_allclose(log_values(chain, x).sum(axis=1), volume, rtol=0, atol=1e-10)


@LAWS
def test_volumes_change_as_densities_do_along_a_fine_chain(law: Any) -> None:
    """ln|det D Phi| = ln p_T(x_T) - ln p_0(x_0) for the exact flow, orbit by orbit: the median error halves with T."""
    off = []
    for steps in (80, 160):
        chain = Chain(uniform_angle(steps, 0.15, 1.5), exact_denoiser(law))
        x = starts(chain, 80, 5)
        density = [chain.denoiser.posterior(y, a).log_density for y, a in ((chain.run(x), 0.15), (x, 1.5))]
        off.append(np.median(np.abs(log_values(chain, x).sum(axis=1) - (density[1] - density[0]))))
    assert off[1] < 0.01
    assert off[1] == pytest.approx(off[0] / 2, rel=0.25)


@LAWS
def test_mean_volume_is_the_difference_of_entropies(law: Any) -> None:
    """From exact starts x_T ~ p_T: within 5 standard errors, and 1.5/T of a discretisation of T = 150 steps."""
    chain, rng = Chain(uniform_angle(150, 0.15, 1.5), exact_denoiser(law)), np.random.default_rng(6)
    volumes = log_values(chain, starts(chain, 400, 7)).sum(axis=1)
    entropies = []
    for angle in (0.15, 1.5):
        x = math.cos(angle) * law.sample(40000, rng) + math.sin(angle) * rng.standard_normal((40000, 2))
        entropies.append(-chain.denoiser.posterior(x, angle).log_density)
    spread = np.sqrt(volumes.var() / 400 + (entropies[0].var() + entropies[1].var()) / 40000)
    assert abs(volumes.mean() - entropies[0].mean() + entropies[1].mean()) <= 5 * spread + 1.5 / 150
    assert spread < 0.1


def nearest(points: np.ndarray) -> Any:
    """Entropy of the law of points (N, 2) from the distances to their fourth neighbours (Kozachenko, Leonenko 1987)."""
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    distances = cKDTree(points).query(points, 5)[0][:, 4]
    return digamma(len(points)) - digamma(4) + math.log(math.pi) + 2 * np.log(distances).mean()


@LAWS
def test_a_coarse_chains_volume_is_the_entropy_of_its_outputs(law: Any) -> None:
    """Four steps are far from the flow; the outputs' entropy comes from distances of neighbours, to 0.012 here."""
    chain = Chain(uniform_angle(4, 0.3, 1.4), exact_denoiser(law))
    x = starts(chain, 6000, 8)
    volume = log_values(chain, x).sum(axis=1).mean()
    assert volume == pytest.approx(nearest(chain.run(x)) - nearest(x), abs=0.03)


def test_errors_are_the_spread_of_ensembles() -> None:
    """50 ensembles of 25 orbits: the standard errors of exponents and dimension are those seen, to 25 %."""
    chain = Chain(uniform_angle(6, 0.1), exact_denoiser(Product([SCALES, Gaussian([0.0], [[2.5]])])))
    found = [lyapunov_spectrum(chain, starts(chain, 25, seed), 6) for seed in range(50)]
    exponents = np.array([spectrum.exponents for spectrum in found])
    errors = np.array([spectrum.stderr for spectrum in found]).mean(axis=0)
    assert_allclose(errors, exponents.std(axis=0, ddof=1), rtol=0.25)
    dimensions = np.array([spectrum.kaplan_yorke for spectrum in found])
    assert dimensions[:, 1].mean() == pytest.approx(dimensions[:, 0].std(ddof=1), rel=0.25)


def test_crossed_needles_have_dimensions_that_their_gaussian_has_not() -> None:
    """Every direction of the Gaussian contracts, d = 0; of the orbits one in seven has 0, half have 1.11 to 1.19.

    The dimension of the mean exponents is 1.14; the mean of the orbits' dimensions is another number, 1.03.
    """
    schedule = uniform_angle(200, 0.02)
    chain = Chain(schedule, exact_denoiser(NEEDLES))
    found = lyapunov_spectrum(chain, starts(chain, 600, 9), 200)
    assert geometry.lyapunov_exponent(schedule, 0.8) < 0
    assert found.kaplan_yorke.value == pytest.approx(1.14, abs=5 * found.kaplan_yorke.stderr)
    assert found.kaplan_yorke.stderr < 0.02
    seen = found.dimensions
    assert (seen == 0).mean() == pytest.approx(0.146, abs=5 * math.sqrt(0.146 * 0.854 / 600))
    assert_allclose(np.quantile(seen, [0.25, 0.5, 0.75]), [1.116, 1.145, 1.185], rtol=0, atol=0.02)
    assert seen.mean() == pytest.approx(1.03, abs=5 * seen.std() / math.sqrt(600))


def test_a_few_exponents_of_a_mixture_in_64_dimensions_are_the_first() -> None:
    rng = np.random.default_rng(10)
    law = Mixture(np.full(4, 0.25), rng.standard_normal((4, 64)), rng.uniform(0.01, 2, (4, 64)))
    chain = Chain(uniform_angle(12, 0.05), exact_denoiser(law))
    x = starts(chain, 2, 11)
    assert_allclose(log_values(chain, x, k=3), log_values(chain, x)[:, :3], rtol=0, atol=1e-11)


def test_a_cloud_from_angle_0_kills_what_its_points_do_not_span() -> None:
    """At phi_0 = 0 the chain ends on the segment of two points: rank 1 of 2."""
    chain = Chain(from_angles([0.0, 0.5, 1.0, 1.5]), exact_denoiser(PointCloud([[0.0, 0.0], [1.0, 1.0]])))
    found = lyapunov_spectrum(chain, np.array([[0.3, 0.1], [-0.2, 0.6]]), 3)
    assert found.rank == 1
