"""The ledger as a whole: expectations hold, the committed page is current, every claim is well formed."""

import math
from pathlib import Path

import pytest

from theory import checks, ledger
from theory.claim import Status

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


def test_no_status_differs_from_its_expectation(entries):
    assert {e.label: e.status for e in entries} == {e.label: e.expected for e in entries}


def test_no_claim_is_open_and_every_worst_error_is_finite(entries):
    assert all(e.status != Status.OPEN for e in entries)
    assert all(e.worst_error is None or math.isfinite(e.worst_error) for e in entries)


def test_the_committed_ledger_is_what_the_code_computes(entries):
    committed = Path(ledger.__file__).with_name("LEDGER.md").read_text(encoding="utf-8")
    assert committed == ledger.render(entries), "run: pifs-sim validate --ledger theory/LEDGER.md"


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
