"""Studies of regimes, release, attention, collages and the bridge: smoke grids, and closed forms of their runs."""

import numpy as np
import pytest

from experiments.studies import release_order, w1_bridge_tightness
from experiments.study import generator, key, load
from pifs_sim.diffusion import geometry, schedules
from pifs_sim.dynamics import block_norms
from tests.experiments.smoke import smoke


def test_gaussian_block_norms_are_those_of_its_affine_steps():
    module = load("two_regimes")
    denoiser, patches = module.denoiser("gaussian")
    sigma, angles = denoiser.measure.covariance, schedules.cosine(20, 0.008, max_beta=None).angles
    for row in (row for row in smoke("two_regimes") if row["law"] == "gaussian"):
        (s, t), one = angles[row["t"] - 1 : row["t"] + 1], np.eye(len(sigma))
        mixed = np.cos(s) * np.cos(t) * sigma + np.sin(s) * np.sin(t) * one
        jacobian = mixed @ np.linalg.inv(np.cos(t) ** 2 * sigma + np.sin(t) ** 2 * one)
        found = block_norms(jacobian, patches)
        expected = [found.kappa[0], found.delta[0], found.row_sum[0]]
        assert [row["kappa"], row["delta"], row["row sum"]] == pytest.approx(expected, rel=1e-9)


def test_quotients_of_normal_patches_are_the_diagonal_expansion():
    chain = schedules.cosine(20, 0.0, max_beta=None)
    for lam in (0.3, 4.0, 50.0):
        found = release_order.quotients(release_order.patch_law(lam, 0.0), chain)
        assert np.allclose(found, geometry.diagonal_expansion(chain, np.array(lam)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("kurtosis", [-1.99, -1.0, 0.0, 3.0, 24.0])
def test_patches_have_their_variance_and_kurtosis(kurtosis):
    law = release_order.patch_law(4.0, kurtosis)
    centres, variances = law.means[:, 0], law.components.variances.reshape(len(law.weights), -1)[:, 0]
    fourth = law.weights @ (centres**4 + 6 * centres**2 * variances + 3 * variances**2)
    assert float(law.covariance[0, 0]) == pytest.approx(4.0, rel=1e-12)
    assert fourth / 16 - 3 == pytest.approx(kurtosis, abs=1e-12)


def test_margins_of_normal_patches_decrease_at_every_step():
    rows = [row for row in smoke("release_order") if row["kurtosis"] == 0]
    assert all(row["decreasing"] == 1 for row in rows)
    assert all(row["increasing"] == 0 for row in rows)


@pytest.mark.parametrize("name", ["uniform angle", "log-linear"])
def test_outputs_of_centred_normal_laws_are_as_far_apart_as_their_exponents_say(name):
    (row,) = w1_bridge_tightness.run(pair="narrow | wide", schedule=name, steps=6, rng=np.random.default_rng(0))
    chain = schedules.uniform_angle(6) if name == "uniform angle" else schedules.log_linear(6, 0.02, 80)
    spread = np.sqrt(3 * np.cos(chain.angles[-1]) ** 2 + np.sin(chain.angles[-1]) ** 2)
    first, second = np.exp(geometry.lyapunov_exponent(chain, np.array([0.2, 3.0])))
    assert row["w2"] == pytest.approx(spread * abs(first - second), rel=1e-9)
    assert row["tightness"] == pytest.approx(1, rel=1e-9)


def test_attention_to_two_points_nears_the_nearest_as_the_logistic_function_says():
    module, angle = load("attention_hard_limit"), 0.8
    rows = module.run(kind="codebook", domains=2, size=1, angle=angle, states=4000, rng=np.random.default_rng(3))
    a, b = np.random.default_rng(3).standard_normal(2)
    x = np.linspace(-8, 8, 200001)
    lead = np.abs(np.cos(angle) * (b - a) * (x - np.cos(angle) * (a + b) / 2)) / np.sin(angle) ** 2
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    expected = [np.trapezoid(density / (1 + np.exp(np.minimum(lead / row["temperature"], 700))), x) for row in rows]
    found = [row["mean"] / rows[0]["mean"] for row in rows]
    counted = 16000 * min(row["undecided"] for row in rows)  # ranges that decide the coldest mean
    assert found == pytest.approx(np.array(expected) / expected[0], rel=5 / np.sqrt(counted))


def test_a_chain_attains_its_one_step_identity_and_no_other_bound_is_attained():
    for row in smoke("collage_tightness"):
        if row["kind"] == "chain":
            assert row["distance"] == pytest.approx(row["bound"], rel=1e-12)
        else:
            assert row["distance"] < row["bound"]


def test_the_same_key_gives_the_same_rows():
    module = load("collage_tightness")
    point = {"kind": "hard PIFS", "level": 0.5, "size": 4, "draws": 4}
    again = [{**point, **row} for row in module.run(**point, rng=generator(key(module, point)))]
    assert again == [row for row in smoke("collage_tightness") if row["kind"] == "hard PIFS" and row["level"] == 0.5]
