"""A property that never reaches a region of its claim is vacuous there: the claim is open, not checked."""

from types import SimpleNamespace

import pytest
import sympy as sp
from hypothesis import strategies as st

from theory import checks, ledger
from theory.claim import Claim, NotProved, Status, close

X = sp.Symbol("x", positive=True)


def square(**regions):
    """A claim module on x -> x^2 for x in [2, 9]."""
    claim = Claim(
        "square",
        "test",
        "s",
        None,
        X**2,
        "",
        "",
        {"two": {"x": 2.5}},
        {"cube": X**3, "double": 2 * X + 1},
        Status.CHECKED,
    )

    def holds(formula, x):
        return close("square", x * x, float(formula.subs(X, x)), 1e-12)

    parts = {"holds": holds, "prove": lambda _: [NotProved("algebra", "nothing")], "GIVEN": {"x": st.floats(2, 9)}}
    return SimpleNamespace(CLAIM=claim, REGIONS=regions, **parts)


def evidence(module):
    return checks.check_property(module, module.CLAIM.formula, 30)[0]


def test_a_region_that_no_example_reaches_makes_the_property_unknown_and_the_claim_open():
    module = square(**{"above 3": lambda x: x > 3, "below 1": lambda x: x < 1})
    found = evidence(module)
    assert found.outcome == "unknown"
    assert found.detail.startswith("vacuous: never below 1; 30 examples; above 3: ")
    assert ledger.decide(module.CLAIM, checks.gather(module, 30), {}) == Status.OPEN


def test_examples_are_counted_in_every_region():
    module = square(all=lambda x: x >= 2, high=lambda x: x > 3)
    found, points = checks.check_property(module, X**2, 30)
    assert found.outcome == "passed"
    assert found.detail == f"30 examples; all: 30; high: {sum(point['x'] > 3 for point in points)}"
    assert ledger.decide(module.CLAIM, checks.gather(module, 30), {}) == Status.CHECKED


def test_errors_are_kept_example_by_example():
    found = evidence(square())
    assert len(found.errors) == 30
    assert max(found.errors) == found.worst_error


@pytest.mark.parametrize("label", ["patch-contraction", "ec-versus-pc", "kaplan-yorke", "l2-w1-bridge"])
def test_a_quick_run_reaches_the_regions_of_a_claim(label):
    module = checks.load(label)
    assert len(checks.regions(module)) > 1
    assert checks.check_property(module, module.CLAIM.formula, ledger.QUICK_EXAMPLES)[0].outcome == "passed"
