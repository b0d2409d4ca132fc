"""What data decide of the statements of section 4, on rows for which the answers are known."""

import numpy as np
import pytest
from scipy import stats

from experiments.statements import STATEMENTS, Answer, asked, together

T, B = 20, 9
HALF = T // 2
RANDOM = np.random.default_rng(0).permutation(T) / T


def table(**columns):
    """Rows of a network of which every statement holds, but for what is given."""
    t = np.arange(1, T + 1)
    usual = {
        "t": t,
        "kappa": np.where(t <= HALF, 0.9, 1.0),
        "kappa_stderr": np.full(T, 1e-3),
        "delta": np.append(0.02 - RANDOM[:-1] / 100, 0.005),
        "delta_stderr": np.full(T, 1e-4),
        "suppression": np.full(T, 0.01),
        "suppression_stderr": np.full(T, 1e-3),
        "rank_suppression": np.linspace(0.9, 0.1, T),
        "rank_suppression_p": np.linspace(1e-6, 0.9, T),
        "entropy": 2 + RANDOM,
        "reversed": np.zeros(T, int),
        "attention": np.ones(T, int),
        "slope": np.full(T, 0.95),
        "slope_low": np.full(T, 0.9),
        "slope_high": np.full(T, 1.0),
    }
    usual["kappa"][0] = 1.1
    usual |= {name: np.broadcast_to(values, T) for name, values in columns.items()}
    return [{"of": "network"} | {name: float(values[i]) for name, values in usual.items()} for i in range(T)]


def test_every_statement_can_hold():
    found = asked(table(), B)
    assert list(found) == list(STATEMENTS)
    assert {answer.holds for answer in found.values()} == {"yes"}


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("noisy", {"kappa": 1.06}),
        ("noisy", {"kappa": 0.94}),
        ("kappa", {"kappa": 1.0}),
        ("delta", {"delta": np.linspace(0.0, 0.01, T)}),
        ("delta", {"delta": np.where(np.arange(T) == 0, 0.0, np.linspace(0.02, 0.01, T))}),  # it turns at the end
        ("entropy", {"entropy": RANDOM, "delta": 0.01 + RANDOM / 1e3}),
        ("contracted", {"kappa": 1.01}),
        ("suppressed", {"suppression": np.where(np.arange(T) == 3, -0.01, 0.01)}),
        ("released", {"reversed": np.arange(T) == 5}),
        ("slope", {"slope_low": 1.03, "slope_high": 1.1}),
        ("slope", {"slope_low": 0.7, "slope_high": 0.87}),
    ],
)
def test_data_are_against_a_statement_that_they_contradict(statement, columns):
    assert asked(table(**columns), B)[statement].holds == "no"


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("noisy", {"kappa_stderr": 0.1}),
        ("kappa", {"kappa_stderr": 0.1}),
        ("delta", {"delta_stderr": 1.0}),
        ("entropy", {"entropy": np.linspace(0.0, 1.0, T), "delta": np.linspace(0.02, 0.01, T)}),  # two trends
        ("contracted", {"delta_stderr": 1.0}),
        ("ordered", {"rank_suppression": -0.9}),
        ("slope", {"slope_low": 0.5, "slope_high": 1.5}),
    ],
)
def test_what_no_test_decides_is_open(statement, columns):
    assert asked(table(**columns), B)[statement].holds == "open"


def test_a_dip_of_suppression_within_its_error_is_not_against_it():
    dip = np.where(np.arange(T) == 3, -0.001, 0.01)
    assert asked(table(suppression=dip), B)["suppressed"].holds == "yes"


def test_p_is_of_students_t_over_the_points():
    found = asked(table(), B)["noisy"]
    assert found.p == pytest.approx(stats.t.sf(0.05 / 1e-3, B - 1), rel=1e-9)
    assert found.number == 1.0


def test_a_step_picked_of_many_pays_for_the_choice():
    found = asked(table(rank_suppression_p=np.where(np.arange(T) == 0, 0.04, 1.0)), B)["ordered"]
    assert (found.holds, found.p) == ("open", pytest.approx(0.8, rel=1e-12))
    dip = np.where(np.arange(T) == 3, -1.0, 1.0) * 2e-3
    single, many = stats.t.sf(2.0, B - 1), asked(table(suppression=dip), B)["suppressed"]
    assert single < 0.05
    assert many.holds == "yes"
    assert many.p == pytest.approx(T * single, rel=1e-9)


def test_a_smooth_course_is_worth_fewer_steps_than_it_has():
    smooth = np.cumsum(np.random.default_rng(1).standard_normal(T))
    answer = asked(table(entropy=-smooth, delta=0.02 + smooth / 1e3), B)["entropy"]
    ranks = stats.rankdata(smooth)
    follow = np.corrcoef(ranks[:-1], ranks[1:])[0, 1] ** 2
    assert answer.number == -1.0
    assert answer.holds == "yes" if T * (1 - follow) / (1 + follow) > 3 else "open"
    half = -smooth + np.random.default_rng(10).standard_normal(T)
    rho = stats.spearmanr(half, smooth).statistic
    follow = np.prod([np.corrcoef(r[:-1], r[1:])[0, 1] for r in map(stats.rankdata, (half, smooth))])
    worth = T * (1 - follow) / (1 + follow)
    assert 3 < worth < T
    p = stats.t.sf(-rho * np.sqrt((worth - 2) / (1 - rho**2)), worth - 2)
    assert asked(table(entropy=half, delta=0.02 + smooth / 1e3), B)["entropy"].p == pytest.approx(p, rel=1e-9)


def test_courses_that_alternate_are_worth_no_more_steps_than_they_have():
    trend = np.arange(T) / T
    swing = np.where(np.arange(T) % 2, 1.0, -1.0) * (2 + trend)
    answer = asked(table(entropy=swing, delta=0.02 + trend / 100), B)["entropy"]
    rho = stats.spearmanr(swing, trend).statistic
    p = stats.t.cdf(rho * np.sqrt((T - 2) / (1 - rho**2)), T - 2)
    assert answer.p == pytest.approx(min(p, 1 - p), rel=1e-9)


def test_without_errors_what_is_so_is_so_exactly_and_nothing_is_made_of_nothing():
    exact = asked(table(kappa=0.99, kappa_stderr=0, delta=0.0, delta_stderr=0), B)
    assert (exact["contracted"].holds, exact["contracted"].p) == ("yes", 0.0)
    nothing = asked(table(kappa=1.0, kappa_stderr=0, delta=0.0, delta_stderr=0), B)
    assert nothing["contracted"].holds == "open"
    assert nothing["delta"].holds == "open"


@pytest.mark.parametrize("statement", ["kappa", "delta", "suppressed"])
def test_chance_alone_decides_no_more_often_than_one_time_in_twenty_or_so(statement):
    rng = np.random.default_rng(3)
    draws = {"kappa": 1.0, "delta": 0.01, "suppression": 0.0}
    decided = 0
    for _ in range(400):
        sample = {name: mean + rng.standard_normal((T, B)) / 1e3 for name, mean in draws.items()}
        sample["kappa"][0] += 0.02  # at the border of the statement
        columns = {name: values.mean(axis=1) for name, values in sample.items()}
        columns |= {f"{name}_stderr": values.std(axis=1, ddof=1) / np.sqrt(B) for name, values in sample.items()}
        found = asked(table(**columns), B)[statement]
        decided += found.holds == ("no" if statement == "suppressed" else "yes")
    assert decided <= 32  # 20 expected at most; 32 are less likely than 1 in 200


def test_without_attention_nothing_is_said_of_entropy_and_of_a_law_nothing_of_the_slope():
    assert "entropy" not in asked(table(attention=0), B)
    law = [row | {"of": "mixture"} for row in table()]
    assert "slope" not in asked(law, B)


def test_the_order_of_rows_does_not_matter():
    assert asked(table()[::-1], B) == asked(table(), B)


def test_one_network_against_a_statement_refutes_it():
    yes, no, undecided = (Answer(holds, 0.0, 0.01) for holds in ("yes", "no", "open"))
    assert together([yes, yes]) == "confirmed"
    assert together([yes, undecided]) == "undecided"
    assert together([yes, undecided, no]) == "refuted"
    assert together([]) == "undecided"
