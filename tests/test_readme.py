"""README.md says what is true: its examples run as printed, its commands and names exist."""

import doctest
import re
from collections import Counter
from pathlib import Path

from pifs_sim.diffusion import Schedule, geometry

README = Path(__file__).parent.parent / "README.md"
LEDGER = README.parent / "theory" / "LEDGER.md"


def test_the_examples_print_what_the_page_shows():
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted >= 10
    assert result.failed == 0


def test_each_of_the_two_commands_sets_itself_up():
    text = README.read_text(encoding="utf-8")
    for name in ("validate", "tests"):
        (command,) = re.findall(rf"<!-- {name} -->\n```bash\n(.+)\n```", text)
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")


def test_every_name_in_the_table_of_symbols_exists():
    text = README.read_text(encoding="utf-8")
    for name in re.findall(r"`geometry\.(\w+)`", text):
        assert name in geometry.__all__
    for name in re.findall(r"`(?:schedule)?\.(\w+)`", text):
        assert hasattr(Schedule([0.1, 0.2]), name)


def test_the_counts_are_those_of_the_ledger():
    text = " ".join(README.read_text(encoding="utf-8").split())
    rows = [line.split(" | ") for line in LEDGER.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    found = Counter(row[3] for row in rows)
    claims = found["PROVED"] + found["CHECKED"] + found["REFUTED"]
    coq = sum("coq" in row[4].rstrip(" |").split(", ") for row in rows)
    assert f"Of {claims} claims {found['PROVED']} are proved ({coq} of them by Coq" in text
    assert f"{found['CHECKED']} checked by measurement, and {found['REFUTED']} refuted" in text
    assert f"Of {len(rows) - claims} reported numbers {found['REPRODUCED']} are reproduced" in text
    assert f"{found['NOT REPRODUCED']} are not; {found['NEEDS WEIGHTS']} need the weights" in text
