"""Shares of steps in a density, fits of densities to schedules, and the published Align Your Steps tables."""

import math

import numpy as np
import pytest

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.design import optimal_schedule, variation, workload
from pifs_sim.diffusion.design.fits import FAMILIES, density_shares, fit_density, fit_family
from pifs_sim.diffusion.design.published import ALIGN_YOUR_STEPS, align_your_steps

ENDS = {"sigma_min": 0.02, "sigma_max": 80.0}
UNEVEN = schedules.from_sigma([0.01, 0.05, 0.3, 0.4, 7.0, 300.0])
CLOSED = {
    "log-linear": np.log,
    "angle": np.arctan,
    "workload": lambda sigma: np.log(np.tan(np.arctan(sigma) / 2)),
}


@pytest.mark.parametrize("family", CLOSED)
def test_shares_are_differences_of_the_primitive(family):
    expected = np.diff(CLOSED[family](UNEVEN.sigma))
    np.testing.assert_allclose(density_shares(UNEVEN, FAMILIES[family]), expected / expected.sum(), rtol=1e-12)


def test_shares_of_families_with_a_parameter_are_differences_of_the_primitive():
    sigma = UNEVEN.sigma
    for family, parameters, primitive in (
        ("karras", [1 / 7], sigma ** (1 / 7)),
        ("one-scale", [math.log(9.0)], np.arctan(sigma / 3)),
        ("two-scale", [math.log(9.0), math.log(9.0), 1.3], np.arctan(sigma / 3)),
        ("log-polynomial", [0.5, 0.0, 0.0], np.sqrt(sigma)),
    ):
        expected = np.diff(primitive) / (primitive[-1] - primitive[0])
        np.testing.assert_allclose(density_shares(UNEVEN, FAMILIES[family], parameters), expected, rtol=1e-11)


def test_workload_shares_are_those_of_the_criterion():
    np.testing.assert_allclose(density_shares(UNEVEN, FAMILIES["workload"]), workload(UNEVEN), rtol=1e-12)


@pytest.mark.parametrize(
    ("family", "schedule", "parameters"),
    [
        ("karras", schedules.karras(9, 0.02, 80.0, rho=5.0), [1 / 5]),
        ("one-scale", optimal_schedule([4.0], 9, **ENDS), [math.log(4.0)]),
        ("log-linear", schedules.log_linear(9, 0.02, 80.0), []),
    ],
)
def test_a_schedule_of_the_family_is_found(family, schedule, parameters):
    found = fit_family(schedule, family)
    np.testing.assert_allclose(found.parameters, parameters, atol=1e-9)
    np.testing.assert_allclose(found.shares, 1 / 9, rtol=1e-9)
    assert found.variation < 1e-9


def test_the_optimal_density_of_two_scales_is_a_two_scale_density():
    schedule = optimal_schedule([0.01, 9.0], 12, multiplicities=[40.0, 1.0], **ENDS)
    found = fit_family(schedule, "two-scale")
    assert found.variation < 1e-12
    np.testing.assert_allclose(found.parameters[:2], np.log([0.01, 9.0]), atol=1e-9)


@pytest.mark.parametrize("model", ALIGN_YOUR_STEPS)
def test_the_fit_is_as_uneven_as_it_says_and_no_neighbour_is_less(model):
    schedule = align_your_steps(model)
    found = fit_family(schedule, "two-scale")
    assert variation(found.shares) == pytest.approx(found.variation, abs=1e-12)
    for move in 1e-3 * np.vstack([np.eye(3), -np.eye(3)]):
        assert variation(density_shares(schedule, FAMILIES["two-scale"], found.parameters + move)) >= found.variation


@pytest.mark.parametrize(
    ("model", "stated"),
    [
        ("sd15", {"two-scale": 0.071, "one-scale": 0.175, "log-polynomial": 0.089, "karras": 0.482, "workload": 1.146}),
        ("sdxl", {"two-scale": 0.081, "one-scale": 0.319, "log-polynomial": 0.087, "karras": 0.382, "workload": 0.862}),
        ("svd", {"two-scale": 0.349, "one-scale": 0.741, "log-polynomial": 0.146}),
    ],
)
def test_the_published_tables_fit_as_recorded(model, stated):
    for family, value in stated.items():
        assert fit_family(align_your_steps(model), family).variation == pytest.approx(value, abs=5.1e-4)


def test_the_tables_run_from_the_clean_to_the_noisy_end():
    schedule = align_your_steps("sdxl")
    assert schedule.steps == 10
    np.testing.assert_allclose(schedule.sigma[[0, 1, -1]], [0.029, 0.113, 14.615], rtol=1e-14)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`schedule` must begin above 0 and end below pi/2, got angles from 0.0 and"):
        fit_family(schedules.uniform_angle(4), "angle")
    with pytest.raises(ValueError, match=r"`family` must be one of 'log-linear', .*, got 'cubic'"):
        fit_family(UNEVEN, "cubic")
    with pytest.raises(ValueError, match=r"`model` must be one of 'sd15', 'sdxl', 'svd', got 'sd3'"):
        align_your_steps("sd3")
    with pytest.raises(ValueError, match=r"`starts` must hold at least one start, got none"):
        fit_density(UNEVEN, FAMILIES["angle"], [])
