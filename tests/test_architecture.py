"""The house keeps its shape: arrows go down, no circles, no file over 300 lines. Nothing is imported here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pifs_sim", "theory", "experiments")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# room -> the rooms that it may import from (itself always)
ARROWS = {
    "pifs_sim": set(),
    "pifs_sim.kernels": set(),
    "pifs_sim.dynamics": {"pifs_sim", "pifs_sim.kernels"},
    "pifs_sim.diffusion": {"pifs_sim", "pifs_sim.kernels", "pifs_sim.dynamics"},
    "pifs_sim.fractals": {"pifs_sim", "pifs_sim.kernels", "pifs_sim.dynamics"},
    "pifs_sim.networks": {"pifs_sim", "pifs_sim.kernels", "pifs_sim.dynamics", "pifs_sim.diffusion"},
    "pifs_sim.testing": {
        "pifs_sim.fractals",
        "pifs_sim",
        "pifs_sim.kernels",
        "pifs_sim.dynamics",
        "pifs_sim.diffusion",
    },
    "theory": {
        "pifs_sim.fractals",
        "pifs_sim",
        "pifs_sim.kernels",
        "pifs_sim.dynamics",
        "pifs_sim.diffusion",
        "pifs_sim.testing",
    },
    "experiments": {
        "pifs_sim.fractals",
        "pifs_sim.networks",
        "pifs_sim",
        "pifs_sim.kernels",
        "pifs_sim.dynamics",
        "pifs_sim.diffusion",
    },
}
ARROWS["experiments.cli"] = ARROWS["experiments"] | {"experiments", "theory"}
ARROWS["experiments.report"] = ARROWS["experiments.cli"]
ARROWS["experiments.cli"] = ARROWS["experiments.cli"] | {"experiments.report"}
ARROWS["experiments.__main__"] = {"experiments.cli"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def room(module):
    """The longest key of ARROWS that the module lies in."""
    parts = module.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next(prefix for prefix in prefixes if prefix in ARROWS)


def imported(path):
    """Modules of this project that a file imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return {name for name in found if name in MODULES}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_go_down_only(path):
    here = room(module_name(path))
    for name in imported(path):
        assert room(name) == here or room(name) in ARROWS[here], f"{module_name(path)} must not import {name}"


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: imported(path) - {name} for name, path in MODULES.items()}
    done, trail = set(), []

    def visit(name):
        assert name not in trail, f"circle: {' -> '.join([*trail[trail.index(name) :], name])}"
        if name in done:
            return
        trail.append(name)
        for other in sorted(graph[name]):
            # a package's __init__ that re-exports its own modules is no circle
            if not name.startswith(f"{other}."):
                visit(other)
        trail.pop()
        done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: path.name)
def test_no_file_exceeds_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_the_guards_see_what_they_guard():
    assert "theory.claim" in imported(MODULES["theory.ledger"])
    assert room("experiments.report.page") == "experiments.report"
    assert "pifs_sim.dynamics" not in ARROWS["pifs_sim.dynamics"]
    assert len(FILES) > 20


@pytest.mark.parametrize("module", ["pifs_sim", "pifs_sim.diffusion", "pifs_sim.dynamics"])
def test_importing_the_simulator_loads_no_heavy_library(module):
    code = f"import sys, {module}; print(*sorted({{'sympy', 'matplotlib', 'hypothesis', 'typer'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
