"""The ledger refuses to run on a claim file that is not in order, and says which file and why."""

import sys
from types import ModuleType

import pytest
import sympy as sp
from hypothesis import strategies as st

from theory import checks, ledger
from theory.admission import admit, claims_for
from theory.claim import Claim, Status

X = sp.Symbol("x")
FACTS = {
    "label": "planted", "source": "s", "statement": "s", "equation": None, "formula": X**2, "assumptions": "x > 2",
    "scope": "s", "witness": {"three": {"x": 3.0}}, "mutants": {"cube": X**3, "double": 2 * X},
    "expects": Status.PROVED,
}  # fmt: skip


def module(name="planted", parts=(), **changes):
    """A claim file on x -> x^2, correct unless changed; `parts` are left out."""

    def supposes(x):
        if not x > 2:
            raise ValueError(f"`x` is {x}, expected more than 2.")

    made = ModuleType(f"theory.claims.{name}", "Squares.")
    found = {
        "CLAIM": Claim(**(FACTS | changes)), "GIVEN": {"x": st.floats(3, 9)}, "prove": lambda _: [],
        "observe": lambda x: x, "holds": lambda formula, x: 0.0, "supposes": supposes,  # noqa: ARG005
    }  # fmt: skip
    made.__dict__.update({name: part for name, part in found.items() if name not in parts})
    return made


@pytest.fixture
def plant(monkeypatch):
    """Put modules where the ledger looks for claims."""

    def put(*modules):
        for made in modules:
            monkeypatch.setitem(sys.modules, made.__name__, made)
        known = ledger.labels() + [made.__name__.split(".")[-1].replace("_", "-") for made in modules]
        monkeypatch.setattr(ledger, "labels", lambda: known)

    return put


def test_a_file_in_order_is_admitted():
    assert admit(module(), "planted").label == "planted"


@pytest.mark.parametrize("part", ["CLAIM", "GIVEN", "prove", "observe", "holds"])
def test_a_missing_part_is_named(part, plant):
    plant(module(parts=(part,)))
    with pytest.raises(ValueError, match=rf"theory/claims/planted.py: {part} is missing"):
        ledger.run(["planted"], quick=True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source": " "}, "`source` is empty"),
        ({"scope": ""}, "`scope` is empty"),
        ({"witness": {}}, "no witness"),
        ({"mutants": {"cube": X**3}}, "1 mutants, expected at least 2"),
        ({"expects": Status.REFUTED}, "believed false, but `corrected_by` names no claim"),
        ({"corrected_by": "moran"}, "no counterexample"),
        ({"corrected_by": "no-such"}, "'no-such', but there is no such claim"),
        ({"witness": {"y": {"y": 3.0}}}, r"at 'y': `holds` does not take \['y'\]"),
        ({"witness": {"one": {"x": 1.0}}}, "at 'one': the assumptions are violated: `x` is 1.0, expected more than 2"),
        ({"counterexamples": {"one": {"x": 1.0}}}, "at 'one': the assumptions are violated"),
        ({"uses": ("no-such",)}, "`uses` names 'no-such', but there is no such claim"),
    ],
)
def test_a_file_that_is_not_in_order_is_refused(changes, why, plant):
    plant(module(**changes))
    with pytest.raises(ValueError, match=f"theory/claims/planted.py: .*{why}"):
        ledger.run(["planted"], quick=True)


def test_a_missing_docstring_is_refused():
    made = module()
    made.__doc__ = ""
    with pytest.raises(ValueError, match=r"planted.py: the docstring is missing"):
        admit(made, "planted")


def test_a_label_used_twice_is_refused(plant):
    plant(module(), module("copy"))
    with pytest.raises(ValueError, match=r"copy.py: its label is 'planted', which belongs to theory/claims/planted.py"):
        ledger.run(["planted", "copy"], quick=True)


def test_a_circle_is_refused(plant):
    plant(module(uses=("other",)), module("other", label="other", uses=("planted",)))
    with pytest.raises(ValueError, match="circle: other -> planted -> other"):
        ledger.run(["planted"], quick=True)


def test_a_package_that_a_claim_imports_and_that_is_missing_is_not_taken_for_a_claim(monkeypatch):
    def load(label):
        raise ModuleNotFoundError(f"{label} imports it", name="no_such_package")

    monkeypatch.setattr("theory.admission.load", load)
    with pytest.raises(ModuleNotFoundError, match="planted imports it"):
        claims_for(["planted"])


def test_a_claim_that_nobody_has_is_refused_before_any_work():
    with pytest.raises(ValueError, match=r"^unknown claim 'no-such'\.$"):
        ledger.run(["moran", "no-such"], quick=True)


def test_progress_counts_the_claims_that_are_decided(plant):
    plant(module(uses=("other",)), module("other", label="other"))
    seen = []
    ledger.run(["planted"], quick=True, progress=lambda *now: seen.append(now))
    assert seen == [(1, 2), (2, 2)]


def test_claims_follow_those_they_use_and_others_are_passed_over():
    claims = {name: Claim(**(FACTS | {"label": name, "uses": uses})) for name, uses in
              {"a": ("c", "b"), "b": ("elsewhere",), "c": ("b",)}.items()}  # fmt: skip
    assert ledger.order(claims) == ["b", "c", "a"]


def test_a_witness_that_the_library_refuses_is_refused():
    def holds(formula, x):  # noqa: ARG001
        raise ValueError("`angles` must increase.")

    made = module()
    made.holds = holds
    with pytest.raises(ValueError, match=r"planted.py: witness 'three' is refused: `angles` must increase"):
        checks._numbers(made, made.CLAIM.witness)


@pytest.mark.parametrize("label", [label for label in ledger.labels() if not label.startswith("reported-")])
def test_the_claims_own_files_are_in_order(label):
    admit(checks.load(label), label)
