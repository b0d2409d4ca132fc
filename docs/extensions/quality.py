"""Tables of the reports on tests, experiments/results/{coverage,mutation}.md, for the page on how code is tested."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

from extensions.generated import table, write

__all__ = ["setup", "shown"]

RESULTS = Path(__file__).parent.parent.parent / "experiments" / "results"
REPORTS = ("coverage", "mutation")


def shown(report: str) -> list[str]:
    """The first table of a report in Markdown, as reStructuredText.

    Raises:
        ValueError: there is no table in it.
    """
    found = re.search(r"^\|.+\|\n\|[-|: ]+\|\n(?:\|.+\|\n)+", report, re.MULTILINE)
    if not found:
        raise ValueError("the report has no table: write it again.")
    head, _, *body = [[cell.strip(" *`") for cell in line.strip("|").split("|")] for line in found.group().splitlines()]
    return table([dict(zip(head, cells, strict=True)) for cells in body], head)


def _write(app: Sphinx) -> None:
    for name in REPORTS:
        lines = shown((RESULTS / f"{name}.md").read_text(encoding="utf-8"))
        lines.append(f"All of it: ``experiments/results/{name}.md``.")
        write(Path(app.srcdir) / "generated" / f"{name}.txt", "\n".join(lines) + "\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write both before the sources are read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
