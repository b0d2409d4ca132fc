"""Studies of dimensions, schedules, heuristics and volumes: their smoke grids, and closed forms of their runs."""

import math
from functools import cache

import numpy as np
import pytest

from experiments.study import generator, key, load, points
from pifs_sim.diffusion import geometry, schedules
from theory import ledger

CASES = {  # study: answer on the smoke grid, and one of its numbers
    "ensemble_dimension": ("confirmed", "median d_eff/d", 0.744938510948225),
    "attractor_dimension": ("refuted", "largest gap, repeated", 2.0),
    "optimal_schedules": ("confirmed", "largest excess", 0.15569530867363723),
    "resolution_shift": ("refuted", "largest W2 slope", 0.6351658001645405),
    "minsnr_balance": ("refuted", "median excess", 0.2641788669105116),
    "ays_distance": ("refuted", "two-scale, sdxl", 0.08068807003095292),
    "lyapunov_vs_entropy": ("confirmed", "largest gap", 0.0901677317900331),
}


@cache
def smoke(name):
    """The rows of the smoke grid, with their points."""
    module = load(name)
    return [
        {**point, **row}
        for point in points(module, "smoke")
        for row in module.run(**point, rng=generator(key(module, point)))
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_smoke_grid_has_its_verdict(name):
    answer, number, value = CASES[name]
    found = load(name).verdict(smoke(name))
    assert found.answer == answer
    assert found.numbers[number] == pytest.approx(value, rel=load(name).TOLERANCE)


@pytest.mark.parametrize("name", CASES)
def test_rows_have_the_same_finite_columns(name):
    rows = smoke(name)
    assert all(list(row) == list(rows[0]) for row in rows)
    assert all(np.isfinite(value) for row in rows for value in row.values() if not isinstance(value, str))


@pytest.mark.parametrize("name", CASES)
def test_claims_are_in_the_ledger_and_the_plot_can_be_drawn(name):
    module = load(name)
    assert set(module.CLAIMS) <= {*ledger.labels()}
    assert name == module.NAME
    assert module.plot(smoke(name)).axes


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
