from __future__ import annotations

import json
import math

import numpy as np
import pytest

from theory.counterexamples import main
from theory.ledger import labels
from theory.search import Inequality, _shortest, lowest, stored, tightest, write
from theory.slacks import INEQUALITIES

PARABOLA = Inequality("x^2 + (y - 1/3)^2", ((-1.0, 2.0), (-1.0, 2.0)), lambda x: float(x[0] ** 2 + (x[1] - 1 / 3) ** 2))
BELOW = Inequality("the same less 0.1", PARABOLA.box, lambda x: PARABOLA.slack(x) - 0.1)


@pytest.mark.parametrize("label", sorted(INEQUALITIES))
def test_a_stored_case_has_its_slack_and_violates_nothing(label: str) -> None:
    case, inequality = stored()[label], INEQUALITIES[label]
    slack = inequality.slack(np.array(case.point))
    assert slack == pytest.approx(case.slack, rel=1e-6, abs=inequality.tolerance + 1e-9)
    assert slack >= -inequality.tolerance


@pytest.mark.parametrize("label", sorted(INEQUALITIES))
def test_a_stored_point_lies_in_its_box(label: str) -> None:
    low, high = np.transpose(INEQUALITIES[label].box)
    point = np.array(stored()[label].point)
    assert point.shape == low.shape
    assert np.all((low <= point) & (point <= high))


def test_every_inequality_is_that_of_a_claim() -> None:
    assert set(INEQUALITIES) <= set(labels())
    assert set(stored()) == set(INEQUALITIES)


def test_the_least_value_of_a_parabola_is_found() -> None:
    case = lowest(PARABOLA, 300, 0)
    assert case.slack < 1e-6
    assert case.point == pytest.approx((0.0, 1 / 3), abs=1e-3)
    assert case.evaluations <= 300


def test_a_negative_slack_is_found_and_its_point_is_short() -> None:
    case = lowest(BELOW, 120, 1)
    assert case.slack < -1e-9
    assert all(value == round(value, 2) for value in case.point)


def test_points_outside_the_assumptions_are_passed_over() -> None:
    half = Inequality("x^2 for x > 1/2", PARABOLA.box, lambda x: float(x[0] ** 2) if x[0] > 0.5 else math.nan)
    case = lowest(half, 200, 0)
    assert case.point[0] > 0.5
    assert case.slack == pytest.approx(0.25, rel=1e-2)


def test_the_same_seed_finds_the_same_case() -> None:
    assert lowest(PARABOLA, 90, 5) == lowest(PARABOLA, 90, 5)


def test_a_factor_two_in_place_of_three_is_refuted() -> None:
    true = INEQUALITIES["attention-coupling"]
    # 3 delta/(A + B) - 1 = s says delta/(A + B) = (s + 1)/3, so 2 delta/(A + B) - 1 = (2 s - 1)/3
    wrong = Inequality("2 delta/(A + B) - 1", true.box, lambda x: (2 * true.slack(x) - 1) / 3)
    assert lowest(wrong, 240, 0).slack < -0.1


def test_a_box_without_admissible_points_is_refused() -> None:
    with pytest.raises(ValueError, match="`inequality` has a box without a point"):
        lowest(Inequality("nothing", PARABOLA.box, lambda _: math.nan), 30, 0)


def test_too_small_a_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="`budget` is 23, expected at least 24"):
        lowest(PARABOLA, 23, 0)


def test_cases_of_other_labels_stay_on_file(tmp_path: object) -> None:
    path = tmp_path / "search.json"
    write([("b", lowest(PARABOLA, 30, 0))], path)
    write([("a", lowest(BELOW, 30, 0))], path)
    assert list(json.loads(path.read_text())) == ["a", "b"]


def test_a_claim_without_a_slack_has_no_tightest_case() -> None:
    assert tightest("jacobian-form") is None
    assert tightest("hutchinson") == stored()["hutchinson"]


def test_the_command_prints_a_row_for_each_label(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["criterion-weakest-link", "--budget", "24", "--dry"]) == 0
    assert "| criterion-weakest-link | " in capsys.readouterr().out


@pytest.mark.parametrize("slack", [0.25, -0.25])
def test_the_command_files_what_it_finds_and_its_status_tells_a_violation(
    slack: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filed: list[object] = []
    monkeypatch.setattr("theory.counterexamples.write", filed.extend)
    shifted = Inequality("x^2 + y + s", ((0.0, 1.0),) * 2, lambda x: float(x[0] ** 2 + x[1]) + slack)
    monkeypatch.setitem(INEQUALITIES, "hutchinson", shifted)
    assert main(["hutchinson", "--budget", "60"]) == (1 if slack < 0 else 0)
    [(label, case)] = filed
    assert (label, case.slack) == ("hutchinson", pytest.approx(slack, abs=1e-2))
    assert ("VIOLATED at" in capsys.readouterr().out) == (slack < 0)


def test_a_coordinate_that_cannot_be_shortened_is_kept() -> None:
    """Any rounding of 1/3 to at most 12 decimals, times 1e15, is worse by more than is allowed."""
    steep = Inequality("1e15 |x - 1/3|", ((0.0, 1.0),), lambda x: 1e15 * abs(float(x[0]) - 1 / 3))
    exact, short = np.array([1 / 3]), np.array([0.25])
    assert _shortest(steep, exact, 0.0)[0] == 1 / 3
    assert _shortest(Inequality("x", ((0.0, 1.0),), lambda x: abs(float(x[0]) - 0.25)), short, 0.0)[0] == 0.25


def test_the_command_refuses_an_unknown_label(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "unknown claim 'nonsense'" in capsys.readouterr().err
