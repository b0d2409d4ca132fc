"""The engines answer rightly, and admit what they cannot decide; statuses follow from evidence."""

from types import SimpleNamespace

import pytest
import sympy as sp
from hypothesis import strategies as st

from theory import checks, draws, ledger, studies
from theory.claim import Claim, Identity, Implies, NotProved, Positive, Status, Violation, close
from theory.formulas import LAM, PHI_S, PHI_T, evaluate
from theory.proofs import inequalities
from theory.proofs.identities import is_positive, is_zero
from theory.reported import Reported


def test_true_identities_in_angles_and_half_angles_are_zero():
    assert is_zero(sp.sin(PHI_T) ** 2 + sp.cos(PHI_T) ** 2 - 1) is True
    assert is_zero(sp.tan(PHI_T / 2) - sp.sin(PHI_T) / (1 + sp.cos(PHI_T))) is True
    assert is_zero(sp.sin((PHI_S + PHI_T) / 2) ** 2 - (1 - sp.cos(PHI_S + PHI_T)) / 2) is True


def test_a_false_identity_is_refused_even_when_the_difference_is_small():
    assert is_zero(sp.sin(PHI_T) ** 2 + sp.cos(PHI_T) ** 2 - 1 - sp.Rational(1, 10**6)) is False
    assert is_zero(LAM * sp.Rational(1, 10**20)) is False


def test_an_undecidable_identity_is_unknown_not_passed():
    assert is_zero(sp.Function("g")(PHI_T) - sp.Function("g")(PHI_S)) is None


def test_positivity_needs_the_whole_region():
    assert is_positive(Positive("", sp.sin(PHI_T) - sp.sin(PHI_S), (PHI_S, PHI_T))) is True
    assert is_positive(Positive("", sp.sin(PHI_S) - sp.sin(PHI_T), (PHI_S, PHI_T))) is None
    assert is_positive(Positive("", sp.sin(PHI_S), (PHI_S, PHI_T))) is None  # zero at phi_s = 0
    assert is_positive(Positive("", sp.sin(PHI_S), (PHI_S, PHI_T), from_zero=False)) is True
    assert is_positive(Positive("", 1 - LAM)) is None


def test_symbols_of_unknown_sign_leave_positivity_undecided():
    a = sp.Symbol("a", real=True)
    assert is_positive(Positive("", LAM + a**2)) is None
    assert is_positive(Positive("", LAM + LAM**2)) is True


def test_formulas_are_evaluated_beyond_double_precision():
    value = evaluate((1 - sp.cos(PHI_T)) / PHI_T**2, {PHI_T: [1e-7]})
    assert value[0] == pytest.approx(0.5, rel=1e-14)
    assert evaluate(1 / sp.cos(PHI_T), {PHI_T: [sp.pi.evalf(17)]})[0] == pytest.approx(-1)


def test_close_refuses_nan_and_reports_the_worst_entry():
    assert close("x", [1.0, 2.0], [1.0, 2.0 + 1e-12], 1e-11) == pytest.approx(5e-13, rel=1e-3)
    with pytest.raises(Violation, match="observed"):
        close("x", [1.0, float("nan")], [1.0, 2.0], 1e9)
    with pytest.raises(Violation, match="error"):
        close("x", [1.0], [1.1], 1e-3)
    assert close("x", [float("inf")], [float("inf")], 0.0) == 0.0


def square(**changes):
    """A claim module on x -> x^2, correct unless changed."""
    x = sp.Symbol("x", positive=True)

    def holds(formula, x_value):
        return close("square", x_value * x_value, float(formula.subs(x, x_value)), 1e-12)

    facts = {
        "label": "square", "source": "test", "statement": "s", "equation": None, "formula": x**2, "assumptions": "",
        "scope": "", "witness": {"two": {"x_value": 2.5}}, "mutants": {"cube": x**3, "double": 2 * x},
        "expects": Status.PROVED,
    }  # fmt: skip
    claim = Claim(**(facts | {k: v for k, v in changes.items() if k in facts or k in ("uses", "corrected_by")}))
    obligations = changes.get("obligations", lambda formula: [Identity("i", formula - x**2)])
    return SimpleNamespace(CLAIM=claim, GIVEN={"x_value": st.floats(2.1, 9)}, holds=holds, prove=obligations)


def status(module, known=None):
    return ledger.decide(module.CLAIM, checks.gather(module, 20), known or {})


def test_a_claim_with_proof_numbers_property_and_teeth_is_proved():
    assert status(square()) == Status.PROVED


def test_an_obligation_that_no_engine_discharges_leaves_the_claim_checked():
    assert status(square(obligations=lambda _: [NotProved("induction", "an assistant")])) == Status.CHECKED
    assert status(square(obligations=lambda _: [])) == Status.CHECKED


def test_an_unproved_ancestor_makes_a_proof_conditional():
    assert status(square(uses=("a",)), {"a": Status.CHECKED}) == Status.CONDITIONAL
    assert status(square(uses=("a",)), {"a": Status.PROVED}) == Status.PROVED


def test_a_wrong_formula_is_refuted():
    x = sp.Symbol("x", positive=True)
    assert status(square(formula=x**2 + sp.Rational(1, 1000))) == Status.REFUTED


def test_a_claim_without_witness_or_teeth_is_open():
    x = sp.Symbol("x", positive=True)
    assert status(square(witness={})) == Status.OPEN
    assert status(square(mutants={"cube": x**3})) == Status.OPEN
    assert status(square(mutants={"cube": x**3, "the same": x * x})) == Status.OPEN


@pytest.mark.skipif(not inequalities.available(), reason="z3 is not installed")
def test_a_wrong_formula_whose_implications_hold_as_well_is_no_tooth():
    """That x^2 > x for x > 1 is true of x^3 too, of x/2 it is not."""
    x = sp.Symbol("x", positive=True)
    module = square(
        mutants={"cube": x**3, "half": x / 2}, obligations=lambda formula: [Implies("grows", (x > 1,), formula > x)]
    )
    points = [{"x_value": value} for value in (2.5, 3.0, 4.0)]
    assert checks.survivors(module, points) == ["cube (no counterexample to its implications)"]


def test_without_studies_on_file_the_ledger_has_no_lines_on_them(monkeypatch):
    assert list(studies.listed())[1] == "## Studies"
    monkeypatch.setattr(studies, "verdicts", tuple)
    assert list(studies.listed()) == []
    assert studies.about("moran") == ()


def test_examples_do_not_depend_on_the_constants_of_imported_modules(monkeypatch):
    internal = draws.providers
    constants = internal._get_local_constants
    with draws.unaided():
        assert internal._get_local_constants is internal.Constants
    assert internal._get_local_constants is constants
    monkeypatch.delattr(internal, "_get_local_constants")  # as in versions that draw none
    with draws.unaided():
        assert not hasattr(internal, "_get_local_constants")


def test_claims_that_use_each_other_in_a_circle_are_an_error():
    one, two = square(uses=("b",)).CLAIM, square(uses=("a",)).CLAIM
    with pytest.raises(ValueError, match="circle"):
        ledger.order({"a": one, "b": two})


def test_a_reported_number_is_reproduced_to_its_printed_digits_and_no_others():
    def row(*values):
        return Reported("r", "s", "", ("0.805", "0.00500"), lambda: values, Status.REPRODUCED).decide()[0]

    assert row(0.80549, 0.005004) == Status.REPRODUCED
    assert row(0.80551, 0.005) == Status.NOT_REPRODUCED
    assert row(0.805, 0.00501) == Status.NOT_REPRODUCED
