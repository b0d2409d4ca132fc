"""The ledger as a page: a section for each claim, from the claims themselves and the statuses in theory/LEDGER.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sympy import latex

from extensions.docstrings import escape, sentence
from extensions.generated import write
from theory import checks
from theory.reported import REPORTED

__all__ = ["atlas", "counts", "reported", "setup", "statuses"]

ROOT = Path(__file__).parent.parent.parent
ORDER = ("PROVED", "CHECKED", "CONDITIONAL", "REFUTED", "OPEN", "REPRODUCED", "NOT REPRODUCED", "NEEDS WEIGHTS")
TITLES = {
    "PROVED": (
        "Proved",
        "Every obligation of a proof is discharged by machine, every claim that it uses is proved; numbers and random "
        "points agree, and plausible wrong formulas are rejected.",
    ),
    "CHECKED": ("Checked", "The same without a complete proof: numbers, random points and rejected wrong formulas."),
    "CONDITIONAL": ("Conditional", "Proved from a claim that is not."),
    "REFUTED": ("Refuted", "A counterexample meets the assumptions; the claim that is true instead is named."),
    "OPEN": ("Open", "A check failed or did not finish."),
}
MEANINGS = {
    "REPRODUCED": "recomputed to the printed digits",
    "NOT REPRODUCED": "comes out otherwise, or its definition is not at hand",
    "NEEDS WEIGHTS": "measured on a trained network, which is not at hand",
}


def statuses(ledger: str) -> dict[str, tuple[str, str]]:
    """Label -> (status, engines) of the ledger's table."""
    rows = re.findall(r"^\| ([a-z][\w-]*) \| (.*) \|$", ledger, re.MULTILINE)
    found = {}
    for label, rest in rows:
        cells = re.split(r"(?<!\\) \| ", rest)
        if label != "label":
            found[label] = (cells[-2], cells[-1])
    return found


def spoken(text: str) -> str:
    """Plain text with its subscripts and powers set as such."""
    parts = re.split(r"([_^](?:\{[^{}]+\}|[A-Za-z0-9]+))", text)
    marks = [
        rf"\ :{'sub' if part[0] == '_' else 'sup'}:`{escape(part[1:].strip('{}'))}`\ " if i % 2 else escape(part)
        for i, part in enumerate(parts)
    ]
    return "".join(marks).strip()


def _role(status: str) -> str:
    return f":{status.lower().replace(' ', '-')}:`{status}`"


def _roles() -> list[str]:
    lines: list[str] = []
    for status in ORDER:
        name = status.lower().replace(" ", "-")
        lines += [f".. role:: {name}", f"   :class: status {name}", ""]
    return lines


def _reference(label: str) -> str:
    return f":ref:`{label} <claim-{label}>`"


def _formulas(claim: Any) -> list[str]:
    equation = claim.equation
    relations = equation if isinstance(equation, tuple) else () if equation is None else (equation,)
    return (
        [".. math::", "", *(f"   {latex(relation, ln_notation=True)}" for relation in relations), ""]
        if relations
        else []
    )


def _claim(claim: Any, found: tuple[str, str], report: bool) -> list[str]:
    label, (status, engines) = claim.label, found
    lines = [f".. _claim-{label}:", "", label, "~" * len(label), "", f"{_role(status)} {spoken(claim.statement)}", ""]
    lines += _formulas(claim)
    uses = [name for name in claim.uses if name != claim.corrected_by]
    facts = {
        "Corrected by": _reference(claim.corrected_by) if claim.corrected_by else "",
        "Assumes": sentence(claim.assumptions),
        "Scope": spoken(claim.scope),
        "Source": escape(claim.source),
        "Engines": escape(engines),
        "Uses": ", ".join(map(_reference, uses)),
        "Evidence": f"`report <../report/index.html#claim-{label}>`__"
        if report
        else f"``pifs-sim validate --claims {label}``",
    }
    return [*lines, ".. rst-class:: facts", "", *(f":{name}: {text}" for name, text in facts.items() if text), ""]


def atlas(ledger: dict[str, tuple[str, str]], *, report: bool) -> str:
    """The page of all claims, by status."""
    labels = [label for label in ledger if not label.startswith("reported-")]
    claims = {label: checks.load(label).CLAIM for label in labels}
    title = "The ledger: an atlas of claims"
    lines = [
        *_roles(),
        title,
        "=" * len(title),
        "",
        "Every claim of the paper and of this project, with what is known of it. Statements and formulas are those of "
        "the claims' own files, ``theory/claims``, and the statuses those of ``theory/LEDGER.md``: both are computed "
        "from evidence by ``pifs-sim validate``, which takes a minute and writes ``report/index.html``, with a graph "
        "of what rests on what and the evidence of every engine.",
        "",
    ]
    for status, (heading, meaning) in TITLES.items():
        mine = [label for label in labels if ledger[label][0] == status]
        if not mine:
            continue
        heading = f"{heading} ({len(mine)})"
        lines += [heading, "-" * len(heading), "", meaning, ""]
        for label in mine:
            lines += _claim(claims[label], ledger[label], report)
    return "\n".join(lines) + "\n"


def counts(ledger: dict[str, tuple[str, str]]) -> str:
    """One sentence: how many statements have which status."""
    number = Counter(status for status, _ in ledger.values())
    claims = sum(not label.startswith("reported-") for label in ledger)
    said = ", ".join(f"{number[status]} {status}" for status in ORDER if number[status])
    return f"The ledger has {claims} claims and {len(ledger) - claims} reported numbers: {said}.\n"


def reported(ledger: dict[str, tuple[str, str]]) -> str:
    """A table of the reported numbers: printed, computed here, status."""
    lines = [*_roles(), ".. list-table::", "   :header-rows: 1", "   :widths: 44 40 16", ""]
    rows: list[Sequence[str]] = [("what", "printed, and computed here", "status")]
    for row in REPORTED:
        status, detail, _ = row.decide()
        if str(status) != ledger[row.label][0]:
            raise ValueError(
                f"{row.label} is {status}, but {ledger[row.label][0]} in LEDGER.md: compute the ledger anew."
            )
        rows.append((f"{sentence(row.statement)} ({escape(row.scope)})", escape(detail), _role(str(status))))
    for first, second, third in rows:
        lines += [f"   * - {first}", f"     - {second}", f"     - {third}"]
    meanings = "; ".join(f"{status}: {meaning}" for status, meaning in MEANINGS.items())
    return "\n".join([*lines, "", f"{meanings}.", ""])


def _link(app: Sphinx, doctree: nodes.document) -> None:
    """A claim's label between backquotes leads to the claim."""
    for literal in list(doctree.findall(nodes.literal)):
        label = literal.astext()
        if label in app.config.claims_labels and not isinstance(literal.parent, nodes.reference):
            target = {"refdomain": "std", "reftype": "ref", "reftarget": f"claim-{label}", "refexplicit": True}
            link = addnodes.pending_xref("", refdoc=app.env.docname, refwarn=True, **target)
            literal.replace_self(link)
            link += literal


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "generated"
    ledger = statuses((ROOT / "theory" / "LEDGER.md").read_text(encoding="utf-8"))
    app.config.claims_labels = frozenset(label for label in ledger if not label.startswith("reported-"))
    write(folder / "atlas.rst", atlas(ledger, report=bool(app.config.claims_report)))
    write(folder / "counts.txt", counts(ledger))
    write(folder / "reported.txt", reported(ledger))


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.config.claims_report:
        target = Path(app.outdir) / "report" / "index.html"
        target.parent.mkdir(exist_ok=True)
        copyfile(app.config.claims_report, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """`-D claims_report=report/index.html` adds the page that `pifs-sim validate` wrote, and links to it."""
    app.add_config_value("claims_report", "", "env")
    app.add_config_value("claims_labels", frozenset(), "", frozenset)
    app.connect("doctree-read", _link)
    app.connect("builder-inited", _write)
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True}
