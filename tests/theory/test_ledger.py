"""The ledger as a whole: expectations hold, the committed page is current, every claim is well formed."""

import math
from pathlib import Path

import pytest

from theory import checks, ledger
from theory.claim import Status
from theory.proofs import assistant, enclosures, inequalities
from theory.proofs.engines import OPTIONAL

LABELS = [label for label in ledger.labels() if not label.startswith("reported-")]
REQUIRED = {
    "jacobian-form",
    "euclidean-contraction",
    "velocity-contraction",
    "collage-identity",
    "diagonal-expansion",
    "step-threshold",
    "moran",
    "lyapunov-gaussian",
    "kaplan-yorke",
    "crossover-window",
    "threshold-closed-form",
    "threshold-adds-hyperbolically",
    "weakest-link-is-first",
    "expansion-is-projection",
    "moran-values",
    "step-threshold-closed-form",
    "telescoping",
    "moran-above-one",
    "moran-minimum",
    "chain-law",
    "optimal-schedule-one-scale",
    "product-rule",
    "cosine-offset",
    "leading-eigenvalue-saturation",
}


@pytest.fixture(scope="module")
def entries():
    return ledger.run()


COMPLETE = assistant.available() and enclosures.available() and inequalities.available()
BY_COQ = {
    "chain-law",
    "lyapunov-gaussian",
    "moran",
    "moran-above-one",
    "moran-minimum",
    "optimal-schedule-one-scale",
    "patch-contraction",
    "telescoping",
    "weakest-link-is-first",
}


def statuses(entries, left_out=()):
    """Statuses, had some engines not been run."""
    found = {}
    claims = {e.label: checks.load(e.label).CLAIM for e in entries if not e.label.startswith("reported-")}
    evidence = {e.label: [x for x in e.evidence if x.engine not in left_out] for e in entries}
    lost = {e.label for e in entries if any(x.engine in left_out for x in e.evidence)}
    for label in ledger.order(claims):
        status = ledger.decide(claims[label], evidence[label], found)
        found[label] = Status.CHECKED if label in lost and status in (Status.PROVED, Status.CONDITIONAL) else status
    return found


def test_no_status_differs_from_its_expectation(entries):
    assert [e.label for e in entries if not e.as_expected] == []
    if COMPLETE:
        assert {e.label: e.status for e in entries} == {e.label: e.expected for e in entries}


@pytest.mark.skipif(not COMPLETE, reason="an engine is not installed")
def test_enough_is_proved_without_the_assistant_and_more_with_it(entries):
    alone, together = statuses(entries, ("coq",)), statuses(entries)
    assert sum(status == Status.PROVED for status in alone.values()) >= 16
    gained = {label for label, status in together.items() if status == Status.PROVED != alone[label]}
    assert gained >= BY_COQ


def test_nothing_proved_rests_on_an_unproved_claim(entries):
    found = {e.label: e.status for e in entries}
    for label in LABELS:
        if found[label] == Status.PROVED:
            assert {found[ancestor] for ancestor in checks.load(label).CLAIM.uses} <= {Status.PROVED}, label


def test_no_claim_is_open_and_every_worst_error_is_finite(entries):
    assert all(e.status != Status.OPEN for e in entries)
    assert all(e.worst_error is None or math.isfinite(e.worst_error) for e in entries)


@pytest.mark.skipif(not COMPLETE, reason="an engine is not installed")
def test_the_committed_ledger_is_what_the_code_computes(entries):
    committed = Path(ledger.__file__).with_name("LEDGER.md").read_text(encoding="utf-8")
    assert committed == ledger.render(entries), "run: pifs-sim validate --ledger theory/LEDGER.md"


def test_an_engine_that_was_not_run_lowers_the_status_and_breaks_no_expectation(monkeypatch):
    monkeypatch.setattr(inequalities, "available", lambda: False)
    found = {e.label: e for e in ledger.run(["telescoping", "collage", "chain-law"], quick=True)}
    assert found["expansion-is-projection"].status == Status.PROVED
    for label in ("telescoping", "collage", "chain-law"):
        entry = found[label]
        assert (entry.status, entry.supposed, entry.as_expected) == (Status.CHECKED, Status.PROVED, True)
        assert any(e.engine in OPTIONAL and e.outcome == "not run" for e in entry.evidence)
        assert "sympy (in part)" in entry.engines


def test_the_steps_of_a_proof_name_engines_and_what_they_decided(entries):
    [entry] = [e for e in entries if e.label == "weakest-link-is-first"]
    text = "\n".join(ledger.steps(entry))
    assert text.startswith("weakest-link-is-first: ")
    assert "sympy, passed: identity: L*_1 = (r_1 - 1)/|b_1|" in text
    if COMPLETE:
        assert "hypotheses alone: sat; with the conclusion negated: unsat" in text
        assert "forall (phi : nat -> R) (T : nat)" in text


def test_every_claim_of_the_first_floor_is_there():
    assert set(LABELS) >= REQUIRED


@pytest.mark.parametrize("label", LABELS)
def test_a_claim_file_is_well_formed(label):
    module = checks.load(label)
    claim = module.CLAIM
    assert claim.label == label
    assert module.__doc__
    assert claim.statement
    assert claim.scope
    assert claim.source
    assert set(claim.uses) <= set(LABELS)
    if claim.corrected_by is None:
        assert len(claim.mutants) >= 2
        assert claim.witness
    else:
        assert claim.corrected_by in LABELS
        assert claim.counterexamples
        assert claim.expects == Status.REFUTED


@pytest.mark.parametrize("label", [label for label in LABELS if checks.load(label).CLAIM.corrected_by is None])
def test_planting_any_mutant_turns_the_claim_red(label):
    module = checks.load(label)
    for name, mutant in module.CLAIM.mutants.items():
        found, _ = checks.check_property(module, mutant, ledger.EXAMPLES)
        assert found.outcome == "failed", f"{label}: {name} passes as the formula"
