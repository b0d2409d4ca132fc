"""What people see: help that fits 80 columns, plain text where no terminal is, and targets refused before any work."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import typer

from experiments.cli import app
from experiments.terminal import BadInput, claim_table, console, plain_table, show_wide, whole, writable


def groups(group=None, path=()):
    """(words, command) of the program, of its groups and of all commands."""
    group = typer.main.get_command(app) if group is None else group
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from groups(command, (*path, name))


def test_help_fits_80_columns_is_whole_and_has_an_example(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for path, _ in groups():
        status, out, err = run(*path, "--help")
        assert (status, err) == (0, "")
        first, *others = out.splitlines()
        assert first.startswith(" ".join(("Usage: pifs-sim", *path)))
        assert all(len(line) <= 80 for line in others), path
        assert not any(line.endswith("...") for line in others), path
        assert "\x1b" not in out
        assert "Example: pifs-sim " + " ".join(path) in " ".join(out.split())


def test_completion_is_offered_for_the_program_by_its_name():
    environment = os.environ | {"_PIFS_SIM_COMPLETE": "complete_bash", "COMP_WORDS": "pifs-sim sch", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "experiments"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["schedule"]
    assert done.stderr == ""


def entry(status, expected, as_expected, *evidence):
    found = [SimpleNamespace(engine=e, outcome=o, detail=d) for e, o, d in evidence]
    return SimpleNamespace(
        **{"label": "x", "source": "s", "scope": "c", "engines": "sympy", "worst_error": None, "seconds": 0.1},
        **{"status": status, "expected": expected, "as_expected": as_expected, "evidence": found},
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (entry("PROVED", "PROVED", True), "PROVED"),
        (entry("OPEN", "PROVED", False), "OPEN (expected PROVED)"),
        (
            entry("CHECKED", "PROVED", True, ("coq", "not run", "moran of Moran.v: left out by --quick")),
            "CHECKED (coq left out by --quick)",
        ),
        (
            entry("CHECKED", "PROVED", True, ("z3", "not run", "z3 is not installed"), ("coq", "passed", "")),
            "CHECKED (z3 not installed)",
        ),
        (entry("CONDITIONAL", "PROVED", True), "CONDITIONAL (a claim that it uses lacks an engine)"),
    ],
)
def test_a_status_that_falls_short_says_why(row, words):
    (cell,) = claim_table([row]).columns[3].cells
    assert cell == words


def test_a_file_that_could_not_be_written_is_refused_before_any_work(tmp_path):
    writable("--plot", None)
    writable("--plot", tmp_path / "a.SVG", (".svg", ".png"))
    for path, words in (
        (tmp_path, "--plot must be a file, got the folder"),
        (tmp_path / "new" / "a.svg", "--plot must lie in a folder that exists"),
    ):
        with pytest.raises(BadInput, match=words):
            writable("--plot", path)
    with pytest.raises(BadInput, match=r"--plot must end in \.svg, \.png or \.pdf, got"):
        writable("--plot", tmp_path / "a.gif", (".svg", ".png", ".pdf"))


@pytest.mark.parametrize(
    "words",
    [
        ("schedule", "show", "cosine", "--plot", "new/a.svg"),
        ("schedule", "audit", "cosine", "--plot", "new/a.svg"),
        ("schedule", "design", "-o", "new/a.json"),
        ("schedule", "compare", "cosine", "karras", "--plot", "new/a.svg"),
        ("schedule", "spectrum", "absent.png", "-o", "new/a.npz"),
        ("schedule", "explore", "-o", "new/a.html"),
        ("dynamics", "spectrum", "henon", "--steps", "1e9", "--plot", "new/a.svg"),
        ("dynamics", "spectrum", "henon", "--steps", "1e9", "--checkpoint", "new/a.npz"),
        ("dynamics", "dimension", "henon", "--plot", "new/a.svg"),
        ("fractal", "encode", "absent.png", "-o", "new/a.pifs"),
        ("fractal", "decode", "absent.pifs", "-o", "new/a.png"),
        ("fractal", "draw", "koch", "-o", "new/a.png", "--points", "1e12"),
        ("regimes", "--plot", "new/a.svg"),
        ("regimes", "--table", "new/a.md"),
        ("validate", "--ledger", "new/L.md"),
        ("export", "probe", "-o", "new/a.csv"),
        ("bench", "geometry", "-o", "new/a.json"),
    ],
)
def test_no_command_makes_a_folder_for_its_file(run, refused, tmp_path, words):
    assert refused(run(*words), "must lie in a folder that exists, got 'new/")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fractal", "draw", "koch", "-o", "k.png", "--points", "0"), "--points must lie in 1..1000000000000, got '0'"),
        (("fractal", "draw", "koch", "-o", "k.xyz"), "--output must end in the format of a picture"),
        (
            ("fractal", "decode", "a.pifs", "-o", "k.png", "--iterations", "1000000000"),
            "--iterations must lie in 0..1000000, got '1000000000'",
        ),
        (("fractal", "dimension", "koch", "--points", "1e12"), "--points must lie in 1000..100000000, got '1e12'"),
        (("dynamics", "spectrum", "henon", "--orbits", "0"), "--orbits must lie in 1..10000000, got '0'"),
        (("schedule", "show", "cosine", "--sigma-min", "0.1"), "--sigma-min must come with karras or log_linear"),
        (("schedule", "show", "flow", "--sigma-max", "9"), "--sigma-max must come with karras or log_linear"),
    ],
)
def test_counts_and_options_out_of_place_are_refused_by_name(run, refused, words, said):
    assert refused(run(*words), said)


def test_a_count_is_a_whole_number_between_bounds():
    assert whole("--steps", "1e6") == 10**6
    for text in ("1.5", "nan", "many", "-1", "1e30"):
        with pytest.raises(BadInput, match="--steps must"):
            whole("--steps", text)


class Screen(io.StringIO):
    """A terminal of 80 columns."""

    def isatty(self):
        return True


def narrow(monkeypatch):
    """Standard output is that terminal, without colours."""
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    for name, value in (("COLUMNS", "80"), ("TERM", "xterm"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    return screen


def test_without_colour_a_terminal_gets_plain_text(monkeypatch):
    screen = narrow(monkeypatch)
    console().print("[bold]a[/bold]")
    assert screen.getvalue() == "a\n"


def test_a_wide_table_is_not_cut_on_a_narrow_terminal(monkeypatch):
    screen = narrow(monkeypatch)
    numbers = [f"{i / 7:.6f}" for i in range(20)]
    show_wide(plain_table("t", [[f"c{i}" for i in range(20)], numbers]))
    assert all(number in screen.getvalue() for number in numbers)
    assert "…" not in screen.getvalue()


def test_a_comparison_fits_80_columns(run, monkeypatch):
    monkeypatch.setattr("experiments.schedule_tables.console", lambda: console().__class__(width=80, highlight=False))
    status, out, _ = run("schedule", "compare", "karras", "cosine", "log_linear", "flow", "--spectrum", "4,1")
    assert status == 0
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "…" not in out
    assert "log_linear" in out
