"""`--json`: one object of every command, with its format, its version, and the keys that docs/howto/json.rst names."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import experiments.studies
from experiments.cli import app
from tests.experiments.drive import PROBES

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "json.rst"
ROW = re.compile(r"^   \* - ``(?P<command>[^`]+)``\n     - (?P<keys>(?:.*\n)(?:       .*\n)*)", re.MULTILINE)
FLAT = "schedule", "steps", "contraction_threshold_first", "moran_threshold"


def documented():
    """Command -> the keys that are always there."""
    found = {}
    for row in ROW.finditer(PAGE.read_text(encoding="utf-8")):
        always = re.sub(r"\([^)]*\)", "", row["keys"].partition(";")[0])
        found[row["command"]] = set(re.findall(r"``([\w-]+)``", always))
    found["schedule audit"] = found["schedule audit"] - {"show", "angles"} | set(FLAT)
    return found


def commands(group=None, path=()):
    """(words, command) of every command that is no group."""
    group = typer.main.get_command(app) if group is None else group
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def read(result, command):
    status, out, _ = result
    assert status == 0
    found = json.loads(out)
    assert list(found)[:2] == ["format", "version"]
    assert (found["format"], found["version"]) == (f"pifs-sim {command}", 1)
    assert documented()[command] <= set(found)
    return found


def test_every_command_has_json_and_is_on_the_page():
    names = {words for words, command in commands() if "--json" in [o for p in command.params for o in p.opts]}
    assert names == {words for words, _ in commands()}
    assert names | {"run --dry-run"} == set(documented())


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("schedule show", ("cosine", "--steps", "5")),
        ("schedule audit", ("karras", "--steps", "4", "--spectrum", "4,1")),
        ("schedule design", ("--steps", "3", "--spectrum", "4,1")),
        ("schedule compare", ("karras", "cosine", "--steps", "4", "--spectrum", "4,1")),
        ("schedule explore", ("--spectrum", "4,1")),
        ("dynamics list", ()),
        ("dynamics spectrum", ("cat", "--steps", "100")),
        ("dynamics dimension", ("cat", "--points", "1e4")),
        ("fractal dimension", ("koch", "--points", "1e4")),
        ("fractal draw", ("koch", "-o", "k.png", "--points", "1000", "--size", "32")),
        ("bench", ()),
        ("doctor", ()),
    ],
)
def test_a_command_says_its_format_and_its_documented_keys(run, command, options):
    read(run(*command.split(), *options, "--json"), command)


def test_commands_on_pictures_say_theirs(run, tmp_path):
    y, x = np.mgrid[0:32, 0:32]
    pixels = np.uint8(128 + 100 * np.sin(x / 5) * np.cos(y / 7) + np.random.default_rng(0).uniform(0, 9, (32, 32)))
    Image.fromarray(pixels).save(tmp_path / "p.png")
    read(run("fractal", "encode", "p.png", "-o", "p.pifs", "--json"), "fractal encode")
    read(run("fractal", "info", "p.pifs", "--json"), "fractal info")
    assert read(run("fractal", "decode", "p.pifs", "-o", "q.png", "--json"), "fractal decode")["height"] == 32
    read(run("schedule", "spectrum", "p.png", "--size", "4", "--json"), "schedule spectrum")
    few = ("--patches", "2", "--steps", "2", "--samples", "2")
    read(run("regimes", "--measure", "gaussian", "--image", "p.png", *few, "--json"), "regimes")


def test_commands_on_a_store_say_theirs(run, monkeypatch):
    for package in ("pyarrow", "duckdb", "pydantic"):
        pytest.importorskip(package, reason="the extra batch is not installed")
    monkeypatch.setattr(experiments.studies, "__path__", [*experiments.studies.__path__, PROBES])
    read(run("run", "probe", "--dry-run", "--json"), "run --dry-run")
    read(run("run", "probe", "--workers", "0", "--json"), "run")
    read(run("status", "--json"), "status")
    read(run("query", "select 1 as a", "--json"), "query")
    assert read(run("export", "probe", "-o", "p.csv", "--format", "csv", "--json"), "export")["as"] == "csv"
