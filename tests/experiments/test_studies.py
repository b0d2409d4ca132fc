"""Every study on its smoke grid: verdict, columns, claims and plot."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import experiments.studies
from experiments.study import load
from tests.experiments.smoke import smoke
from theory import ledger

CASES = {  # study: answer on the smoke grid, and one of its numbers
    "schedule_table": ("confirmed", "largest gap", 0.004673958417144852),
    "moran_threshold_scaling": ("confirmed", "largest gap", 0.0026565645718383823),
    "schedule_sculpts_dimension": ("confirmed", "largest span", 19.149602979762033),
    "deviation_orders": ("refuted", "largest slope", 1.9999944418800817),
    "two_regimes": ("refuted", "kappa grows", 0.2),
    "release_order": ("refuted", "largest share", 7 / 19),
    "entropy_coupling": ("refuted", "most", 0.9929824561403509),
    "attention_hard_limit": ("confirmed", "least power", 0.8925705593570973),
    "collage_tightness": ("confirmed", "largest", 0.627566390217929),
    "w1_bridge_tightness": ("confirmed", "least ratio", 0.011368813324794167),
    "ensemble_dimension": ("confirmed", "median d_eff/d", 0.744938510948225),
    "attractor_dimension": ("refuted", "largest gap, repeated", 2.0),
    "optimal_schedules": ("confirmed", "largest excess", 0.15569530867363723),
    "resolution_shift": ("refuted", "largest W2 slope", 0.6351658001645405),
    "minsnr_balance": ("refuted", "median excess", 0.2641788669105116),
    "ays_distance": ("refuted", "two-scale, sdxl", 0.08068807003095292),
    "lyapunov_vs_entropy": ("confirmed", "largest gap", 0.0901677317900331),
}


def test_every_study_has_a_case():
    found = {path.stem for path in Path(experiments.studies.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(CASES) == {name for name in found if not hasattr(load(name), "NEEDS")}


def test_loading_all_studies_loads_nothing_that_only_runs_and_plots_need():
    """So `pifs-sim run` is quick where there is nothing to compute."""
    code = "import sys; from experiments.study import load, names; [*map(load, names())]; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"matplotlib", "numba", "sympy", "scipy.linalg", "scipy.optimize", "scipy.sparse", "scipy.stats", "torch"}
    assert slow & set(said.stdout.split()) == set()


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
