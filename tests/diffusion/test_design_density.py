"""The optimal density of steps: its fixed-point equation, its minimum, and how near it comes to the optimum."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion.design import chain_error, density, optimal_schedule
from pifs_sim.diffusion.design.density import density_angles
from pifs_sim.diffusion.design.directions import directions
from pifs_sim.diffusion.design.optimal import end_angles
from pifs_sim.testing import strategies

ENDS = {"sigma_min": 0.02, "sigma_max": 80.0}
K = np.arange(1.0, 193.0)
SPECTRA = {"k^-2": K**-2, "k^-3": K**-3, "wide": np.geomspace(1e-4, 1e3, 50)}


def simple_density(lam, weight, ends, nodes):
    """The fixed point on equal cells of phi, by the textbook sums, and the functional it minimises."""
    edges = np.linspace(*ends, nodes + 1)
    phi, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    slope = np.sqrt(lam) / (lam * np.cos(phi)[:, None] ** 2 + np.sin(phi)[:, None] ** 2)

    def functional(rho):
        integrals = (slope**2 / (rho / (rho.sum() * width))[:, None]).sum(axis=0) * width
        return weight @ integrals**2, integrals

    rho = np.ones(nodes)
    for _ in range(200):
        rho = np.sqrt(slope**2 @ (weight * functional(rho)[1]))
    return edges, rho, functional


@pytest.mark.parametrize("objective", ["kl", "w2"])
def test_the_shares_are_those_of_the_fixed_point_computed_simply(objective):
    lam, ends = np.array([0.01, 1.0, 30.0]), end_angles(**ENDS)
    spectrum = directions(lam, [3, 1, 2], objective, ends[0])
    edges, rho, _ = simple_density(lam, spectrum.weight, ends, 20000)
    shares = np.interp(density_angles(spectrum, ends, 8), edges, np.append(0.0, np.cumsum(rho)) / rho.sum())
    np.testing.assert_allclose(shares, np.arange(9) / 8, atol=2e-7)  # second order in cells of 8e-5


@settings(max_examples=20)
@given(st.lists(strategies.variances(1e-2, 1e2), min_size=2, max_size=4, unique=True), st.integers(0, 2**32 - 1))
def test_no_other_density_has_a_smaller_functional(lam, seed):
    lam = np.array(lam)
    _, rho, functional = simple_density(lam, np.ones(lam.size), (0.05, 1.5), 400)
    rng, least = np.random.default_rng(seed), functional(rho)[0]
    wave = sum(rng.normal() * np.cos(np.pi * k * np.arange(400) / 400) for k in range(1, 6))
    for size in (1e-3, 0.1, 1.0):
        assert functional(rho * np.exp(size * wave))[0] >= least * (1 - 1e-12)


@pytest.mark.parametrize("objective", ["kl", "w2"])
@pytest.mark.parametrize("name", SPECTRA)
def test_the_density_is_within_one_percent_of_the_optimum_from_ten_steps(name, objective):
    ratios = []
    for steps in (10, 20, 40):
        close, best = (
            chain_error(
                optimal_schedule(SPECTRA[name], steps, objective=objective, method=method, **ENDS),
                SPECTRA[name],
                objective=objective,
            )
            for method in ("density", "optimise")
        )
        ratios.append(close / best)
    assert 1 <= ratios[0] < 1.01
    assert ratios[2] - 1 <= (ratios[0] - 1) / 5 + 1e-7  # the excess falls towards 1/T^2


def test_two_distant_scales_put_five_steps_of_the_density_sixteen_percent_above_the_optimum():
    lam = [1e-3, 1e2]
    close, best = (
        chain_error(optimal_schedule(lam, 5, method=method, **ENDS), lam) for method in ("density", "optimise")
    )
    assert close / best == pytest.approx(1.1557, abs=1e-4)


def test_many_directions_are_condensed_without_moving_the_angles(monkeypatch):
    lam = np.geomspace(1e-4, 1e2, 2000)
    spectrum, ends = directions(lam, None, "kl", math.atan(0.02)), end_angles(**ENDS)
    condensed = density_angles(spectrum, ends, 8)
    monkeypatch.setattr(density, "_SCALES", 2000)
    np.testing.assert_allclose(condensed, density_angles(spectrum, ends, 8), rtol=2e-5)


@pytest.mark.parametrize(("lam", "sigmas"), [(1e-10, (0.02, 80.0)), (1e-300, (0.02, 80.0)), (1e12, (0.02, 80.0))])
def test_scales_far_from_the_noise_levels_have_the_density_of_one_scale(lam, sigmas):
    """Two nearly equal scales, so that the fixed point is computed: uniform in psi of either."""
    low, high = sigmas
    schedule = optimal_schedule([lam, lam * (1 + 1e-12)], 5, sigma_min=low, sigma_max=high)
    one = optimal_schedule([lam], 5, sigma_min=low, sigma_max=high)
    np.testing.assert_allclose(schedule.sigma, one.sigma, rtol=1e-7)


@settings(max_examples=30)
@given(
    st.lists(strategies.variances(1e-12, 1e12), min_size=1, max_size=3),
    st.sampled_from([0.0, 1e-6, 0.02, 1.0]),
    st.sampled_from([3.0, 1e6, math.inf]),
    st.integers(1, 30),
)
def test_any_spectrum_and_noise_levels_give_a_schedule_with_those_ends(lam, sigma_min, sigma_max, steps):
    schedule = optimal_schedule(lam, steps, sigma_min=sigma_min, sigma_max=sigma_max)
    assert schedule.steps == steps
    assert tuple(schedule.angles[[0, -1]]) == (math.atan(sigma_min), math.atan(sigma_max))
