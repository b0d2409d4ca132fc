"""A newcomer's run: every block of the tutorial, from top to bottom, in an empty folder, as the page shows it.

    python docs/newcomer.py            with this interpreter and its packages
    python docs/newcomer.py --fresh    in an environment of its own, made by the page's own line

Exit 1 if a command fails or an example prints something else.
"""

from __future__ import annotations

import argparse
import doctest
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["blocks", "run"]

HERE = Path(__file__).resolve().parent
BASH = re.compile(
    r"^\.\. code-block:: bash\n(?P<install> +:class: install\n)?\n(?P<lines>(?:   .*\n|\n(?=   ))+)", re.MULTILINE
)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The page in order: ("python", text with examples), ("bash", commands) and ("install", command)."""
    place = 0
    for match in BASH.finditer(text):
        yield "python", text[place : match.start()]
        lines = "".join(line[3:] if line.startswith("   ") else line for line in match["lines"].splitlines(True))
        yield ("install" if match["install"] else "bash"), lines
        place = match.end()
    yield "python", text[place:]


def run(page: Path) -> int:
    """Run a page's examples and commands in the current folder; the number of those that went wrong."""
    scripts = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    names: dict[str, Any] = {"__name__": "__main__"}
    failed = 0
    for kind, text in blocks(page.read_text(encoding="utf-8")):
        if kind == "python":
            test = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), 0)
            names = test.globs
            failed += doctest.DocTestRunner().run(test, clear_globs=False).failed
        elif kind == "bash":
            done = subprocess.run(["bash", "-euc", text], env=os.environ | {"PATH": scripts}, check=False)
            failed += done.returncode != 0
    return failed


def _fresh(page: Path) -> int:
    """Run the page's own line of installation on a copy of the project, then this script from that environment."""
    install = next(text for kind, text in blocks(page.read_text(encoding="utf-8")) if kind == "install")
    with tempfile.TemporaryDirectory() as folder:
        clone = ["git", "clone", "--quiet", "--depth", "1", HERE.parent.as_uri(), folder]
        subprocess.run(clone, check=True)
        subprocess.run(["bash", "-euc", install], cwd=folder, check=True)
        command = [f"{folder}/.venv/bin/python", str(Path(__file__).resolve()), str(page)]
        return subprocess.run(command, check=False).returncode


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="?", type=Path, default=HERE / "tutorial.rst")
    parser.add_argument("--fresh", action="store_true", help="in an environment of its own")
    chosen = parser.parse_args()
    page = chosen.page.resolve()
    if chosen.fresh:
        return _fresh(page)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        failed = run(page)
        os.chdir(HERE)
    print(f"{page.name}: {'all as shown' if not failed else f'{failed} differ'}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
