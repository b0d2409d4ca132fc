"""Coverage: which lines and branches of pifs_sim and theory their tests run, without GPU code.

`python -m experiments.coverage` runs the tests in PARTS, one process each, and writes experiments/results/coverage.md;
names of parts run only these again, `--report` none. Kernels' tests run once more with Python in place of Numba
(`experiments.interpreted`), which alone counts for cpu.py. Networks need PyTorch: `--torch` names a Python that has
it, and coverage. Hypothesis draws 15 examples a test, so that numbers are lower bounds. pyproject.toml's
[tool.coverage] says what is GPU code; why a file stays below the goal, experiments/results/coverage_notes.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PARTS", "Part", "main", "render", "tally"]

_RESULTS = Path(__file__).with_name("results")
NOTES, REPORT = _RESULTS / "coverage_notes.json", _RESULTS / "coverage.md"
FOLDER = Path(".coverage.parts")  # what each part leaves
GOAL = 0.95
_FEW = "not (wild or of_their_terms or exact_angles or 1e5_steps) or [0] or [0-49] or -0-19]"  # of hundreds
_SHORT = r"^SKIPPED \[(\d+)\] .*: (?:too long without a compiler|Python raises where)"
_INTERPRETED = ("-p", "experiments.interpreted", "-W", "ignore::RuntimeWarning")


@dataclass(frozen=True)
class Part:
    """Tests that run in one process."""

    tests: tuple[str, ...]
    options: tuple[str, ...] = ()
    omit: str = "*/cpu.py"  # in addition
    torch: bool = False


PARTS = {
    "diffusion": Part(("tests/diffusion",), ("-k", _FEW)),
    "dynamics": Part(("tests/dynamics",)),
    "fractals": Part(("tests/fractals",)),
    "kernels": Part(("tests/kernels",), ("--ignore=tests/kernels/cuda",)),
    "interpreted": Part(
        ("tests/kernels", "tests/dynamics/test_catalogue.py", "tests/dynamics/test_maps.py"),
        ("--ignore=tests/kernels/cuda", *_INTERPRETED),
        omit="",
    ),
    "testing": Part(("tests/testing",)),
    "theory": Part(("tests/theory",)),
    "networks": Part(("tests/networks", "tests/diffusion/test_exchange_live.py"), torch=True),
}


def tally(text: str) -> dict[str, int]:
    """Of pytest's last lines: tests passed, failed (errors too), skipped, and those cut short among them."""
    last = next((line for line in reversed(text.splitlines()) if re.search(r" in [\d.]+s", line)), "")
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", last)}
    short = sum(map(int, re.findall(_SHORT, text, re.MULTILINE)))
    failed = found.get("failed", 0) + found.get("error", 0) + found.get("errors", 0)
    skipped = found.get("skipped", 0) - short
    return {"passed": found.get("passed", 0), "failed": failed, "skipped": skipped, "cut short": short}


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(name: str, part: Part, python: str) -> None:
    """Run a part; leave its data, and what became of its tests."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob(f"{name}.*"):
        old.unlink()
    given = subprocess.run(
        [python, "-c", "import coverage; print(','.join(coverage.Coverage().get_option('run:omit')))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    omit = ",".join(filter(None, (given, part.omit)))
    command = [python, "-m", "coverage", "run", f"--omit={omit}", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP")}
    extra = {"COVERAGE_FILE": str(FOLDER / f"{name}.data"), "HYPOTHESIS_PROFILE": "mutation", **threads}
    began = _processor()
    done = subprocess.run(
        [*command, *part.options, *part.tests], env={**os.environ, **extra}, stdout=subprocess.PIPE, text=True
    )
    sys.stdout.write(done.stdout)
    facts = {**tally(done.stdout), "minutes": round((_processor() - began) / 60, 1)}
    (FOLDER / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")


def _measured() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What coverage says of each file, all parts together; and what became of each part."""
    environment = {**os.environ, "COVERAGE_FILE": str(FOLDER / "all")}
    data = sorted(str(path) for path in FOLDER.glob("*.data*"))
    for words in (["combine", "--keep", "-q", *data], ["json", "-q", "-o", str(FOLDER / "all.report")]):
        subprocess.run([sys.executable, "-m", "coverage", *words], env=environment, check=True)
    files = json.loads((FOLDER / "all.report").read_text(encoding="utf-8"))["files"]
    ran = {name: FOLDER / f"{name}.json" for name in PARTS}
    return files, {name: json.loads(path.read_text(encoding="utf-8")) for name, path in ran.items() if path.exists()}


def _package(path: str) -> str:
    """pifs_sim.diffusion for pifs_sim/diffusion/design/weights.py."""
    parts = path.split("/")
    return ".".join(parts[:2]) if len(parts) > 2 else parts[0]


def _shares(files: Sequence[Mapping[str, Any]]) -> tuple[int, float, int, float]:
    """Lines, their share that ran, branches, theirs."""
    lines, ran, branches, taken = (
        sum(file["summary"][key] for file in files)
        for key in ("num_statements", "covered_lines", "num_branches", "covered_branches")
    )
    return lines, ran / lines if lines else 1.0, branches, taken / branches if branches else 1.0


def _spans(lines: Sequence[int]) -> str:
    """3-5, 9 for 3, 4, 5, 9."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in spans)


def render(files: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], notes: Mapping[str, str]) -> str:
    """The report: a row for each package, each part, and each file below the goal."""
    lines = [
        "# Coverage",
        "",
        "Generated by `python -m experiments.coverage`; do not edit. GPU code (cuda.py, device.py and what is written "
        "in CUDA C++) is left out; bodies of compiled functions count where Python ran them.",
        "",
        "| package | lines | run | branches | taken |",
        "|---|---|---|---|---|",
    ]
    tops = ("pifs_sim", "theory")
    packages = sorted({_package(path) for path in files} - set(tops))
    for name in [*packages, *tops]:
        inside = [files[path] for path in files if name in (_package(path), path.split("/")[0])]
        if inside:
            many, ran, ways, taken = _shares(inside)
            title = f"**{name}, all**" if name in tops else name
            lines.append(f"| {title} | {many} | {ran:.1%} | {ways} | {taken:.1%} |")
    keys = ("passed", "failed", "skipped", "cut short", "minutes")
    lines += ["", "| part | passed | failed | skipped | cut short | CPU minutes |", "|---|---|---|---|---|---|"]
    for name in PARTS:
        cells = [str(parts[name][key]) for key in keys] if name in parts else ["not run", *4 * ["-"]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"## Files below {GOAL:.0%}",
        "",
        "| file | lines | branches | not run | why |",
        "|---|---|---|---|---|",
    ]
    for path, file in sorted(files.items()):
        _, ran, _, taken = _shares([file])
        if min(ran, taken) < GOAL:
            left = [_spans(file["missing_lines"]), ", ".join(f"{a}→{b}" for a, b in file["missing_branches"])]
            cells = [f"`{path}`", f"{ran:.1%}", f"{taken:.1%}", "; ".join(filter(None, left)), notes.get(path, "")]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 if tests failed or a package is below the goal, else 0."""
    parser = argparse.ArgumentParser(prog="coverage", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless given")
    parser.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument("--torch", default=sys.executable, metavar="PYTHON", help="for the part `networks`")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part is called {min(unknown)!r}")
    for name in [] if given.report else given.parts or PARTS:
        _run(name, PARTS[name], given.torch if PARTS[name].torch else sys.executable)
    files, parts = _measured()
    notes = json.loads(NOTES.read_text(encoding="utf-8")) if NOTES.exists() else {}
    REPORT.write_text(render(files, parts, notes), encoding="utf-8")
    shares = {
        top: _shares([f for path, f in files.items() if path.startswith(f"{top}/")]) for top in ("pifs_sim", "theory")
    }
    for top, (_, ran, _, taken) in shares.items():
        print(f"{top}: {ran:.1%} of lines, {taken:.1%} of branches")
    print(f"the report is {REPORT}")
    failed = any(part["failed"] for part in parts.values())
    return int(failed or any(min(ran, taken) < GOAL for _, ran, _, taken in shares.values()))


if __name__ == "__main__":
    sys.exit(main())
