"""Studies of trained networks on their smoke grids: a verdict of some kind, its numbers, columns, claims and plot."""

from pathlib import Path

import numpy as np
import pytest

import experiments.studies
from experiments.study import lacking, load
from tests.experiments.smoke import smoke
from theory import ledger

CASES = (
    "attention_or_convolution",
    "designed_schedule_on_network",
    "dncnn_chain",
    "exact_laws_elsewhere",
    "memorisation",
    "network_regimes",
    "pifs_regulariser",
)


@pytest.fixture(params=CASES)
def name(request):
    missing = lacking(request.param)
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (extra training)")
    return request.param


def test_every_study_of_networks_has_a_case():
    found = {path.stem for path in Path(experiments.studies.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(CASES) == {name for name in found if hasattr(load(name), "NEEDS")}


def test_the_smoke_grid_has_a_verdict_with_finite_numbers(name):
    found = load(name).verdict(smoke(name))
    assert found.answer in ("confirmed", "refuted", "undecided")
    assert found.text.endswith(".")
    assert found.numbers
    assert np.isfinite(list(found.numbers.values())).all()


def test_rows_have_the_same_finite_columns(name):
    rows = smoke(name)
    assert all(list(row) == list(rows[0]) for row in rows)
    assert all(np.isfinite(value) for row in rows for value in row.values() if not isinstance(value, str))


def test_claims_are_in_the_ledger_and_the_plot_can_be_drawn(name):
    assert set(load(name).CLAIMS) <= {*ledger.labels()}
    assert name == load(name).NAME
    assert load(name).plot(smoke(name)).axes
