"""The studies that train networks: smoke grids, and verdicts on rows that were made up."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")
pytest.importorskip("safetensors", reason="safetensors is not installed (extra networks)")
pytest.importorskip("sklearn", reason="scikit-learn is not installed: no digits")

from experiments.studies import memorisation, pifs_regulariser  # noqa: E402
from tests.experiments.smoke import smoke  # noqa: E402
from theory import ledger  # noqa: E402

MODULES = {module.NAME: module for module in (memorisation, pifs_regulariser)}


@pytest.mark.parametrize("name", MODULES)
def test_the_smoke_grid_has_finite_rows_a_verdict_and_a_plot(name):
    module, rows = MODULES[name], smoke(name)
    assert all(list(row) == list(rows[0]) for row in rows)
    assert all(np.isfinite(value) for row in rows for value in row.values() if not isinstance(value, str))
    assert module.verdict(rows).answer in ("confirmed", "refuted", "undecided")
    assert set(module.CLAIMS) <= {*ledger.labels()}
    assert module.plot(rows).axes


def test_before_training_nothing_of_the_points_is_known_and_the_exact_law_has_less_freedom():
    rows = [row for row in smoke("memorisation") if row["points"] == 4 and row["place"] == "training"]
    first = [row for row in rows if row["step"] == 0]
    assert np.mean([row["gap"] for row in first]) > 0.5
    clean = min(first, key=lambda row: row["angle"])
    assert clean["exact"] == pytest.approx(0, abs=0.5)  # a point known: nothing of the noise is taken for data
    assert clean["normal"] > clean["exact"] + 3


def test_copies_are_samples_much_nearer_to_one_point_than_to_the_next():
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    samples = np.array([[0.1, 0.0], [0.3, 0.0], [0.4, 0.0], [1.0, 0.2]])
    assert memorisation.copies(samples, points) == 3 / 4


def test_the_regulariser_lowers_the_coupling_and_costs_operations():
    rows = smoke("pifs_regulariser")
    assert pifs_regulariser.effect(rows, "delta", 0.1).mean < 0
    assert pifs_regulariser.verdict(rows).numbers["cost"] > 1.5


def made_up(margin, error=0.0, seeds=5):
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        base = rng.standard_normal(3)
        for mu in (0.0, 0.1):
            noise = 0.01 * rng.standard_normal(3)
            row = dict.fromkeys(pifs_regulariser.OUTCOMES, 1.0) | {"coupling": mu, "seed": seed}
            row["margin"] = base[0] + noise[0] + margin * (mu > 0)
            row["validation"] = base[1] + noise[1] + error * (mu > 0)
            row["energy"] = base[2] + noise[2]
            rows.append(row)
    return rows


@pytest.mark.parametrize(
    ("margin", "error", "answer"), [(1.0, 0.0, "confirmed"), (0.0, 0.0, "refuted"), (1.0, 1.0, "undecided")]
)
def test_a_gain_that_costs_nothing_confirms_one_that_costs_does_not(margin, error, answer):
    assert pifs_regulariser.verdict(made_up(margin, error)).answer == answer


def test_intervals_cover_the_effect_at_their_rate():
    rng, hits, runs = np.random.default_rng(1), 0, 400
    for _ in range(runs):
        base, change = rng.standard_normal(5), 0.3 + 0.5 * rng.standard_normal(5)
        rows = [{"coupling": 0.0, "seed": i, "margin": base[i]} for i in range(5)]
        rows += [{"coupling": 0.1, "seed": i, "margin": base[i] + change[i]} for i in range(5)]
        found = pifs_regulariser.effect(rows, "margin", 0.1)
        hits += found.low <= 0.3 <= found.high
    assert hits / runs == pytest.approx(0.95, abs=5 * np.sqrt(0.95 * 0.05 / runs))


def course(gaps, copies, points):
    return [
        {
            "points": points,
            "place": place,
            "step": step,
            "angle": 0.5,
            "gap": gap,
            "copies": copied,
            "network": 1.0,
            "exact": 1.0,
            "normal": 1.0,
        }
        for place in ("training", "held out")
        for step, (gap, copied) in enumerate(zip(gaps, copies, strict=True))
    ]


@pytest.mark.parametrize(
    ("gaps", "copies", "answer"),
    [
        ([1.0, 0.8, 0.5, 0.3, 0.1], [0.0, 0.1, 0.3, 0.6, 0.9], "confirmed"),
        ([1.0, 0.9, 0.9, 0.8, 0.8], [0.0, 0.1, 0.2, 0.6, 0.9], "undecided"),
        ([1.0, 1.1, 1.2, 1.3, 1.4], [0.0, 0.1, 0.2, 0.6, 0.9], "refuted"),
    ],
)
def test_learning_by_heart_is_confirmed_where_gap_and_copies_go_together(gaps, copies, answer):
    assert memorisation.verdict(course(gaps, copies, 4)).answer == answer
