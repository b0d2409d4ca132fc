"""Studies of dimensions, schedules, heuristics and volumes: their smoke grids, and closed forms of their runs."""

import math

import numpy as np
import pytest

from experiments.study import load
from pifs_sim.diffusion import geometry, schedules
from tests.experiments.smoke import smoke


def run(name, **point):
    return load(name).run(rng=np.random.default_rng(0), **point)


def test_one_scale_has_uniform_angles_for_its_density_and_its_optimum():
    (row,) = run("optimal_schedules", spectrum="one scale", steps=7, error="kl", sigma_min=0.02)
    assert row["density"] == pytest.approx(1.0, rel=1e-9)
    assert row["arctan-uniform"] == pytest.approx(1.0, rel=1e-9)
    cosine = math.cos((math.atan(80.0) - math.atan(0.02)) / 7) ** 14  # c^2 of variance 1
    assert row["least"] == pytest.approx((cosine - 1 - math.log(cosine)) / 2, rel=1e-9)


def test_power_laws_ask_for_one_less_half_their_exponent():
    for row in run("resolution_shift", picture="k^-1"):
        assert row["kl"] == pytest.approx(0.5 * row["rule"], abs=0.02)


def test_equal_steps_of_ln_sigma_need_no_weight_where_the_noise_is_small():
    (row,) = run("minsnr_balance", chain="log_linear", steps=50, data="variance 1e12")
    assert row["information: no weight"] < 1e-6  # a step adds (Delta logSNR)/2 nats
    assert row["information: least"] == pytest.approx(row["information: no weight"], abs=1e-12)
    assert row["information: at 5"] > 0.1


def test_log_linear_tables_are_log_linear():
    module = load("ays_distance")
    table = schedules.log_linear(10, 0.03, 14.0)
    assert module._fit(table, "log-linear").variation < 1e-12
    assert module._fit(table, "karras").variation < 1e-9
    uniform = schedules.uniform_angle(10, 0.03, 1.5)
    assert module._fit(uniform, "log-polynomial per angle").variation < 1e-9


def test_a_normal_laws_volume_is_the_sum_of_its_exponents():
    (row,) = run("lyapunov_vs_entropy", law="normal", steps=4, points=400)
    lam = np.linalg.eigvalsh([[2.0, 0.6], [0.6, 0.4]])
    exact = geometry.lyapunov_exponent(schedules.uniform_angle(4, 0.05), lam).sum()
    assert row["volume"] == pytest.approx(float(exact), rel=1e-12)


def test_entropies_of_points_are_those_of_their_law():
    points = np.random.default_rng(0).uniform(0.0, 3.0, (40000, 1))
    assert load("lyapunov_vs_entropy")._entropy(points) == pytest.approx(math.log(3.0), abs=0.01)  # s/sqrt(n) = 0.003


def test_information_dimension_of_even_points_on_a_line_is_one():
    line = (np.arange(2.0**14) + 0.5)[:, None] / 2**14
    assert load("attractor_dimension")._information(line, (2.0**-8, 1.0)) == pytest.approx(1.0, abs=0.02)


def test_dimensions_of_patches_by_the_paper_s_way_saturate():
    for row in smoke("ensemble_dimension"):
        assert row["leading"] == row["n"] == row["size"] ** 2
        assert row["gaussian"] < row["n"]
