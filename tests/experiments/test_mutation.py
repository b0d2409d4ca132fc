"""What the report says of a run of mutation testing, from a run made by hand."""

import ast
import json

import pytest

from experiments import mutation
from experiments.mutants import is_wording, mutants, undecorated

SOURCE = """
def x_double__mutmut_orig(n, word="n"):
    if n < 0:
        raise ValueError(f"`n` must not be negative, got {n}.")
    return n + n


def x_double__mutmut_1(n, word="n"):
    if n < 0:
        raise ValueError(None)
    return n + n


def x_double__mutmut_2(n, word="n"):
    if n < 0:
        raise ValueError(f"`n` must not be negative, got {n}.")
    return n - n


def x_double__mutmut_3(n, word="n"):
    if n <= 0:
        raise ValueError(f"`n` must not be negative, got {n}.")
    return n + n


def x_double__mutmut_4(n, word="XXnXX"):
    if n < 0:
        raise ValueError(f"`n` must not be negative, got {n}.")
    return n + n


class Twice:
    def xǁTwiceǁof__mutmut_orig(self, n):
        return 2 * n

    def xǁTwiceǁof__mutmut_1(self, n):
        return 3 * n

    def xǁTwiceǁof__mutmut_2(self, n):
        return 2 / n
"""
CODES = {
    "pkg.one.x_double__mutmut_1": 0,
    "pkg.one.x_double__mutmut_2": 1,
    "pkg.one.x_double__mutmut_3": 0,
    "pkg.one.x_double__mutmut_4": 33,
    "pkg.one.xǁTwiceǁof__mutmut_1": -24,
    "pkg.one.xǁTwiceǁof__mutmut_2": None,
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "mutants" / "pkg"
    made.mkdir(parents=True)
    (made / "one.py").write_text(SOURCE, encoding="utf-8")
    (made / "one.py.meta").write_text(json.dumps({"exit_code_by_key": CODES}), encoding="utf-8")
    return made.parent


def test_every_mutant_is_read_with_what_it_changes_and_what_became_of_it(folder):
    found = list(mutants(folder))
    assert [m.outcome for m in found] == ["survived", "killed", "survived", "no tests", "killed", "not run"]
    assert [m.wording for m in found] == [True, False, False, False, False, False]
    assert {m.module for m in found} == {"pkg/one.py"}
    assert (found[1].function, found[1].change) == ("double", "-    return n + n\n+    return n - n")
    assert found[4].key == "Twice.of: return 3 * n"


def test_the_score_leaves_out_wording_and_what_was_not_run(folder):
    page = mutation.render(list(mutants(folder)), {})
    assert "| pkg/one.py | 6 | 1 | 2 | 1 | 0 | 1 | 1 | 50.0% | 50.0% |" in page
    assert "| all | 6 | 1 | 2 | 1 | 0 | 1 | 1 | 50.0% | 50.0% |" in page


def test_survivors_are_listed_with_their_notes(folder):
    found = list(mutants(folder))
    bare = mutation.render(found, {})
    assert bare.count("- `pkg/one.py`") == 1
    assert "- `pkg/one.py`, `double`: not explained\n\n      -    if n < 0:\n      +    if n <= 0:" in bare
    explained = mutation.render(found, {"double: if n <= 0:": "nobody doubles 0"})
    assert "`double`: nobody doubles 0" in explained
    assert "| all | 6 | 1 | 2 | 1 | 1 | 1 | 1 | 50.0% | 66.7% |" in explained


def test_the_command_writes_the_report_and_fails_below_the_goal(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mutation, "NOTES", tmp_path / "absent.json")
    monkeypatch.setattr(mutation, "REPORT", tmp_path / "report.md")
    assert mutation.main(["--report", "--folder", str(folder)]) == 1
    assert "50.0% of 4 mutants killed" in capsys.readouterr().out
    assert "# Mutation testing" in (tmp_path / "report.md").read_text(encoding="utf-8")
    meta = folder / "pkg" / "one.py.meta"
    meta.write_text(json.dumps({"exit_code_by_key": dict.fromkeys(CODES, 1)}), encoding="utf-8")
    assert mutation.main(["--report", "--folder", str(folder)]) == 0


@pytest.mark.parametrize(
    ("before", "after", "wording"),
    [
        ("raise ValueError('n')", "raise ValueError(None)", True),
        ("raise ValueError('n')", "raise TypeError('n')", False),
        ("check('no such thing', n)", "check('XXno such thingXX', n)", True),
        ("check('no such thing', n)", "check(None, n)", True),
        ("check('no such thing', n)", "check('no such thing', None)", False),
        ("check('name', n)", "check('NAME', n)", False),
        ("x = 1", "x = 2", False),
    ],
)
def test_only_sentences_and_what_is_raised_are_wording(before, after, wording):
    assert is_wording(ast.parse(before), ast.parse(after)) is wording


PROPERTIES = '''
from functools import cached_property, lru_cache


class Square:
    side = 2

    @property
    def area(self):
        """Side by side."""
        return self.side**2

    @cached_property
    def once(self):
        return [self.area]

    @classmethod
    def made(cls):
        return cls()

    def after(self):
        return self.area + 1
'''


def test_properties_decorated_below_their_bodies_are_the_same():
    code = undecorated(PROPERTIES)
    assert "@property" not in code
    assert "@cached_property" not in code
    assert "    area = property(area)\n" in code
    assert "@classmethod" in code
    room = {}
    exec(code, room)
    square = room["Square"].made()
    assert (square.area, square.after(), type(square).area.__doc__) == (4, 5, "Side by side.")
    assert square.once is square.once


def test_modules_without_properties_stay_as_they_are():
    assert undecorated("x = 1\n\n\ndef f(a):\n    return a\n") == "x = 1\n\n\ndef f(a):\n    return a\n"
