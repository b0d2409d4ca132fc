"""What the ledger finds does not depend on how many processes look for it, nor on what they have imported."""

import dataclasses
import importlib

import pytest

from theory import checks, ledger, workers
from theory.claims import diagonal_expansion

CLAIMS = ["telescoping", "step-threshold", "kaplan-yorke", "ec-implies-pc", "reported-linear"]


def found(workers):
    """All evidence, but for the seconds."""
    return [dataclasses.replace(entry, seconds=0.0) for entry in ledger.run(CLAIMS, quick=True, workers=workers)]


def test_evidence_is_that_of_one_process():
    alone = found(1)
    assert {entry.label for entry in alone} >= set(CLAIMS)
    assert found(2) == alone


def test_examples_do_not_depend_on_what_is_imported(tmp_path, monkeypatch: pytest.MonkeyPatch):
    before = checks.check_property(diagonal_expansion, diagonal_expansion.CLAIM.formula, 60)[0]
    constants = ", ".join(repr(1 / n) for n in range(1, 400))
    (tmp_path / "full_of_constants.py").write_text(f"CONSTANTS = [{constants}]\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("full_of_constants")
    assert checks.check_property(diagonal_expansion, diagonal_expansion.CLAIM.formula, 60)[0] == before


@pytest.mark.parametrize(("methods", "method", "begun"), [(["spawn"], "spawn", 0), (["forkserver"], "forkserver", 1)])
def test_the_shared_import_begins_where_the_platform_can_fork(monkeypatch, methods, method, begun):
    forkserver = pytest.importorskip("multiprocessing.forkserver", reason="the platform cannot fork")
    calls = []
    monkeypatch.setattr(workers, "get_all_start_methods", lambda: methods)
    monkeypatch.setattr(forkserver, "ensure_running", lambda: calls.append("begun"))
    assert workers.context().get_start_method() == method
    workers.start()
    assert len(calls) == begun
