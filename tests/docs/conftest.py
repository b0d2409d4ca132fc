"""The site, built once for all tests."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


class Page(HTMLParser):
    """Ids, links, pictures and what a page loads."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.loads, self.pictures, self.math = path, set(), [], [], [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids.update(value for name, value in attrs if name in ("id", "name") and value)
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("img", "script", "source", "iframe") and found.get("src"):
            self.loads.append(found["src"])
        if tag == "link" and found.get("rel") not in ("canonical",) and found.get("href"):
            self.loads.append(found["href"])
        if tag == "img":
            self.pictures.append(found)
        self.math += tag == "math"

    handle_startendtag = handle_starttag


def build(target, *options):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(target / "trees"), *options]
    command += [str(DOCS), str(target / "html")]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | QUIET, check=False)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The pages of a build in which every warning is an error."""
    for needed in ("sphinx", "sphinx_gallery", "furo"):
        pytest.importorskip(needed, reason="the docs extra is not installed")
    target = tmp_path_factory.mktemp("site")
    done = build(target)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stderr == ""
    pages = {path: Page(path) for path in sorted((target / "html").rglob("*.html"))}
    assert len(pages) > 60
    return target / "html", pages
