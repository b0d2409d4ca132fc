"""A law's profile is what the library says of it, and on Gaussian data what the theory says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from experiments.laws import Law
from experiments.profiles import profile, rows
from experiments.tables import cells, markdown, sentences, summary
from pifs_sim.diffusion import Chain, exact_denoiser, geometry, marginals, patch_contraction, schedules, suppression
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud
from pifs_sim.dynamics import Patches, kaplan_yorke_dimension
from tests.diffusion.test_patchwise import PATCHES, TILTED, two_bumps

SCHEDULE = schedules.uniform_angle(6, 0.05, 1.4)


def made(measure, patches=PATCHES, samples=8, orbits=0, schedule=SCHEDULE):
    law = Law("law", measure, patches, "made by hand")
    return profile(law, schedule, samples=samples, rng=np.random.default_rng(0), orbits=orbits)


def test_a_gaussian_s_profile_is_the_theory_s():
    found = made(Gaussian(np.ones(4), TILTED), orbits=2)
    assert_allclose(found.lam, [2.0, 1.9])
    assert_allclose(found.quotients, np.broadcast_to(found.coupled_expansion[:, None], (6, 8, 2)), rtol=1e-13)
    assert_allclose(found.suppression, found.own_suppression, atol=1e-14)
    assert not found.entropy.any()
    exponents = geometry.lyapunov_exponent(SCHEDULE, np.linalg.eigvalsh(TILTED))
    dimension = kaplan_yorke_dimension(exponents)
    assert found.dimensions["gaussian"] == pytest.approx(dimension)
    assert found.dimensions["effective"]["value"] == pytest.approx(dimension, abs=1e-9)
    assert found.dimensions["products"]["value"] == pytest.approx(dimension, abs=1e-9)
    assert np.array_equal(found.monotonicity.holds, np.tan(SCHEDULE.angles[1:]) ** 2 < 27.4)  # all but the last
    table = rows(found)
    assert [row["t"] for row in table] == list(range(1, 7))
    assert_allclose([row["suppression_full"] for row in table], 0, atol=1e-14)


def test_a_mixture_s_profile_is_the_library_s_with_the_same_points():
    measure = two_bumps(3)
    found, chain = made(measure), Chain(SCHEDULE, exact_denoiser(measure))
    x = marginals(chain, 8, np.random.default_rng(0))
    norms, table = patch_contraction(chain, x, PATCHES), rows(found)
    for name, values in (("kappa", norms.kappa), ("delta", norms.delta), ("margin", norms.margin)):
        assert_allclose([row[name] for row in table], values.mean(axis=1), rtol=1e-14)
        assert_allclose([row[f"{name}_stderr"] for row in table], values.std(axis=1, ddof=1) / np.sqrt(8), rtol=1e-12)
    assert_allclose(found.suppression, suppression(chain, x, PATCHES), atol=1e-13)
    assert_allclose(found.own_suppression, suppression(chain, chain.trajectory(x[-1])[1:], PATCHES), atol=1e-13)
    weights = chain.denoiser.posterior(x[2], float(SCHEDULE.angles[3])).weights
    assert_allclose(found.entropy[2], -np.sum(weights * np.log(weights), axis=1), rtol=1e-12)
    assert table[5]["violations"] == norms.violations[5]


def test_entropy_falls_from_the_logarithm_of_the_number_of_points_to_none():
    cloud = PointCloud(5 * np.random.default_rng(0).standard_normal((20, 4)))
    found = made(cloud, schedule=schedules.uniform_angle(6, 0.0))
    assert_allclose(found.entropy[-1], np.log(20), rtol=1e-12)
    assert_allclose(found.entropy[0], 0, atol=1e-3)
    assert found.dimensions["effective"]["value"] == 0  # the last step to a point kills every direction


def test_the_summary_counts_what_the_table_shows():
    found = made(two_bumps(3), samples=16)
    facts, head, *body = summary(found), *cells(found)
    assert facts["tested_steps"] == 6
    assert facts["kappa_largest"]["value"] == max(row["kappa"] for row in rows(found))
    assert head[:3] == ["t", "φ_t", "κ"]
    assert [row[0] for row in body] == ["6", "5", "4", "3", "2", "1"]
    assert f"{rows(found)[5]['kappa']:.4f}" == body[0][2]
    page = markdown([found], "command")
    assert "Made by `command`." in page
    assert all(f"- {line}" in page for line in sentences(found))
    assert page.count("\n| ") == 8


def test_one_patch_and_one_sample_leave_out_what_they_cannot_say():
    found = made(Mixture(np.ones(1), np.zeros((1, 2)), np.ones(1)), patches=Patches(2, 2), samples=1)
    assert found.monotonicity is None
    assert "tested_steps" not in summary(found)
    assert "ρ(λ,m)" not in cells(found)[0]
    assert all(np.isnan(row["kappa_stderr"]) for row in rows(found))
    assert len(sentences(found)) >= 3


def test_progress_reaches_the_end():
    seen = []
    law = Law("law", Gaussian(np.zeros(4), TILTED), PATCHES, "made by hand")
    profile(law, SCHEDULE, samples=2, rng=np.random.default_rng(0), progress=lambda *counts: seen.append(counts))
    assert seen[-1] == (30, 30)
    assert [done for done, _ in seen] == list(range(1, 31))
