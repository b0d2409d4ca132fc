"""What the report says of coverage, from numbers made by hand; and the plugin by which Python runs kernels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import coverage

ROOT = Path(__file__).parents[2]
OUTPUT = """
ss.. [100%]
SKIPPED [2] tests/kernels/test_one.py:10: no GPU
SKIPPED [11] experiments/interpreted.py:47: too long without a compiler
SKIPPED [1] experiments/interpreted.py:80: Python raises where arithmetic goes on
1 failed, 27 passed, 14 skipped, 1 error in 108.14s (0:01:48)
"""


def file(lines, ran, branches, taken, missing=(), ways=()):
    summary = {
        "num_statements": lines, "covered_lines": ran, "num_branches": branches, "covered_branches": taken
    }  # fmt: skip
    return {"summary": summary, "missing_lines": list(missing), "missing_branches": list(ways)}


FILES = {
    "pifs_sim/__init__.py": file(10, 10, 0, 0),
    "pifs_sim/dynamics/maps.py": file(100, 90, 10, 9, [3, 4, 5, 9], [[8, 9]]),
    "pifs_sim/dynamics/catalogue/cat.py": file(100, 100, 10, 10),
    "theory/claims/moran.py": file(50, 50, 4, 4),
    "theory/claim.py": file(30, 30, 6, 5, (), [[2, -1]]),
}


def rows(text, first):
    return [line for line in text.splitlines() if line.startswith(f"| {first}")]


def test_tests_cut_short_are_told_from_skipped_ones():
    assert coverage.tally(OUTPUT) == {"passed": 27, "failed": 2, "skipped": 2, "cut short": 12}


def test_a_run_that_ends_before_its_summary_has_passed_nothing():
    assert set(coverage.tally("..s.\nSegmentation fault").values()) == {0}


def test_packages_hold_their_subpackages_and_totals_hold_all():
    text = coverage.render(FILES, {}, {})
    assert rows(text, "pifs_sim.dynamics ") == ["| pifs_sim.dynamics | 200 | 95.0% | 20 | 95.0% |"]
    assert rows(text, "theory.claims ") == ["| theory.claims | 50 | 100.0% | 4 | 100.0% |"]
    assert rows(text, "**pifs_sim, all") == ["| **pifs_sim, all** | 210 | 95.2% | 20 | 95.0% |"]
    assert rows(text, "**theory, all") == ["| **theory, all** | 80 | 100.0% | 10 | 90.0% |"]


def test_files_below_the_goal_in_lines_or_branches_say_what_is_left_and_why():
    text = coverage.render(FILES, {}, {"pifs_sim/dynamics/maps.py": "only on Windows"})
    assert rows(text, "`") == [
        "| `pifs_sim/dynamics/maps.py` | 90.0% | 90.0% | 3-5, 9; 8→9 | only on Windows |",
        "| `theory/claim.py` | 100.0% | 83.3% | 2→-1 |  |",
    ]


def test_a_part_that_was_not_run_is_said_to_be_so():
    ran = {"diffusion": {"passed": 7, "failed": 0, "skipped": 1, "cut short": 0, "minutes": 2.5}}
    text = coverage.render(FILES, ran, {})
    assert rows(text, "diffusion") == ["| diffusion | 7 | 0 | 1 | 0 | 2.5 |"]
    assert rows(text, "dynamics") == ["| dynamics | not run | - | - | - | - |"]


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        coverage.main(["--report", "kernel"])
    assert "no part is called 'kernel'" in capsys.readouterr().err


def test_python_runs_what_numba_compiles_and_a_test_that_takes_too_long_is_skipped(tmp_path):
    (tmp_path / "test_kernels.py").write_text(
        "from numba import njit, types\n"
        "from numba.extending import intrinsic\n"
        "seen = []\n"
        "@intrinsic\n"
        "def product(context, a, b):\n"
        "    return a(a, b), lambda context, builder, signature, args: builder.mul(*args)\n"
        "@njit\n"
        "def inner(n):\n"
        "    return product(n, n)\n"
        "@njit\n"
        "def outer(n):\n"
        "    seen.append(n)\n"  # which no compiler takes
        "    return inner(n) + 1\n"
        "@njit\n"
        "def long():\n"
        "    while True:\n"
        "        inner(2)\n"
        "def test_body():\n"
        "    assert outer(3) == 10\n"
        "    assert seen == [3]\n"
        "def test_long():\n"
        "    long()\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "experiments.interpreted"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--most-seconds=0.2", tmp_path], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    found = coverage.tally(done.stdout)
    assert found == {"passed": 1, "failed": 0, "skipped": 0, "cut short": 1}, done.stdout
