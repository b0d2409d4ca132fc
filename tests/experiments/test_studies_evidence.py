"""The evidence on file is that of the studies as they are now, and so is the table made of it."""

import hashlib
import json
from pathlib import Path

import pytest

from experiments.plan import plan
from experiments.report import answers
from experiments.study import load
from theory import ledger, studies

VERDICTS = {found.study: found for found in studies.verdicts()}
COMMITTED = Path(ledger.__file__).with_name("evidence")


@pytest.mark.parametrize("name", VERDICTS)
def test_evidence_is_of_the_study_as_it_is(name):
    study, asked = load(name), plan(name, "paper")
    content = json.loads((COMMITTED / f"{name}.json").read_text(encoding="utf-8"))
    keys = sorted(task.key for task in asked.tasks())
    assert (content["version"], content["grid"], tuple(content["claims"])) == (study.VERSION, "paper", study.CLAIMS)
    assert content["runs"] == len(keys)
    assert content["keys_sha256"] == hashlib.sha256("\n".join(keys).encode()).hexdigest()


def test_the_committed_table_is_made_of_the_evidence():
    assert answers.TABLE.read_text(encoding="utf-8") == answers.table(), "run: python -m experiments.report.answers"


def test_the_ledger_names_each_study_with_its_answer():
    lines = "\n".join(studies.listed())
    for found in VERDICTS.values():
        assert f"**{found.study}**" in lines
        assert found in studies.about(found.claims[0])
    assert ledger.render([]).endswith(lines + "\n")
