"""One version everywhere, exact versions for every dependency, and a wheel of three packages."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pifs_sim

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ELSEWHERE = {"cupy-cuda12x", "cupy-cuda13x", "pifs-sim"}  # with a GPU, and the project itself


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints():
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {normal(name): version for name, version in pairs}


def test_the_version_is_the_same_everywhere():
    version = PROJECT["project"]["version"]
    assert pifs_sim.__version__ == version
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [version]
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(version)}( - \d{{4}}-\d\d-\d\d| \(unreleased\))", headings[0])


def test_the_command_says_its_version():
    done = subprocess.run([sys.executable, "-m", "experiments", "--version"], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["pifs-sim", PROJECT["project"]["version"]]


def test_a_released_version_is_dated_in_its_citation():
    heading = re.search(r"^## \S+ - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    dated = re.findall(r"^date-released: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert dated == ([heading[1]] if heading else [])


def test_every_dependency_has_an_exact_version_on_file():
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)]
    names = {normal(re.match(r"[\w.-]+", each)[0]) for each in wanted}
    assert len(names) > 30
    assert names - ELSEWHERE - set(constraints()) == set()


def test_constraints_name_versions_and_nothing_else():
    for name, version in constraints().items():
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
        assert re.fullmatch(r"\d[\w.]*", version)


def test_the_wheel_is_limited_to_three_packages():
    target = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert target["packages"] == ["pifs_sim", "theory", "experiments"]
    kept = [name.removeprefix("!") for name in target["exclude"] if name.startswith("!")]
    assert len(kept) >= 3
    for name in kept:
        assert (ROOT / name).is_file()
