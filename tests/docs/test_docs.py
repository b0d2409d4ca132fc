"""The site builds without a warning and without network, its links resolve, and what it shows runs as shown."""

import doctest
import os
import re
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.conftest import DOCS, QUIET, ROOT

pytest.importorskip("sphinx_gallery", reason="the docs extra is not installed")
pytest.importorskip("furo", reason="the docs extra is not installed")
sys.path.append(str(DOCS))


def test_links_inside_resolve(site):
    _, pages = site
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids
            ):
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(site):
    folder, pages = site
    for page in pages.values():
        assert [link for link in page.loads if urlsplit(link).scheme not in ("", "data")] == []
    for sheet in folder.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text
        assert "url(http" not in text.replace('"', "").replace("'", "")


def test_every_picture_has_words_that_stand_for_it(site):
    """But thumbnails: their links have names, which would be read twice."""
    for path, page in site[1].items():
        for picture in page.pictures:
            thumbnail = "_thumb" in picture["src"]
            assert thumbnail or len(picture.get("alt") or "") > 10, f"{path.name}: {picture['src']}"


def test_every_public_name_is_in_the_reference(site):
    from extensions.reference import documented

    shown = set().union(*(page.ids for page in site[1].values()))
    homes = {id(value) for name, value in documented().items() if name in shown}
    missing = [name for name, value in documented().items() if name not in shown and id(value) not in homes]
    assert missing == []


def test_every_claim_has_its_place_and_formulas_are_set(site):
    folder, pages = site
    atlas = pages[folder / "generated" / "atlas.html"]
    claims = {path.stem.replace("_", "-") for path in (ROOT / "theory" / "claims").glob("[a-z]*.py")}
    assert {f"claim-{label}" for label in claims} <= atlas.ids
    assert atlas.math > 100
    assert pages[folder / "generated" / "reference" / "pifs_sim.diffusion.geometry.html"].math > 50


def test_there_are_fifteen_examples_each_with_a_picture(site):
    folder, pages = site
    examples = [path for path in pages if path.parent == folder / "generated" / "gallery" and path.name[0].isdigit()]
    assert len(examples) >= 15
    assert all(any("sphx_glr" in picture["src"] for picture in pages[path].pictures) for path in examples)


def test_a_newcomer_finds_the_tutorial_as_shown(tmp_path):
    command = [sys.executable, str(DOCS / "newcomer.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | QUIET, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "all as shown" in done.stdout


@pytest.mark.parametrize("page", sorted((DOCS / "howto").glob("*.rst")), ids=lambda path: path.stem)
def test_examples_of_the_guides_print_what_they_show(page):
    assert doctest.testfile(str(page), module_relative=False).failed == 0


def shown_commands():
    """Subcommand -> the options that the pages show with it."""
    found = {}
    for page in [*DOCS.glob("*.rst"), *DOCS.glob("howto/*.rst")]:
        for line in re.findall(
            r"^ +pifs-sim (.+)$|``pifs-sim ([^`]+)``", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            words = (line[0] or line[1]).split()
            command = tuple(words[: 2 if words[0] in ("schedule", "dynamics", "fractal") else 1])
            found.setdefault(command, set()).update(word for word in words if word.startswith("--"))
    return found


@pytest.mark.parametrize("command", shown_commands(), ids=" ".join)
def test_commands_that_the_pages_show_have_the_options_they_show(command):
    called = [sys.executable, "-m", "experiments", *command, "--help"]
    done = subprocess.run(called, capture_output=True, text=True, env=os.environ | QUIET, check=False)
    assert done.returncode == 0
    assert {option for option in shown_commands()[command] if option not in done.stdout} == set()


@pytest.mark.parametrize("notebook", sorted((DOCS / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_run_and_are_kept_without_outputs(notebook, tmp_path):
    pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed")
    nbformat = pytest.importorskip("nbformat")
    cells = nbformat.read(notebook, as_version=4).cells
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
    script = (
        "import sys, nbformat; from nbclient import NotebookClient; "
        "NotebookClient(nbformat.read(sys.argv[1], as_version=4), timeout=120).execute()"
    )
    command = [sys.executable, "-c", script, str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | QUIET, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
