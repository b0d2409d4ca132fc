"""The atlas: a section for each claim, the graph of what rests on what, and the reported numbers in a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from latex2mathml.converter import convert
from sympy import latex

from experiments.report import findings
from experiments.report.findings import css_class, prose
from experiments.report.graph import Node, draw
from theory import checks, ledger
from theory.claim import Claim, Status
from theory.ledger import Entry

__all__ = ["links", "parts"]

_MEANINGS = {
    Status.PROVED: "every obligation of a proof discharged by machine, every claim that it uses proved; numbers and "
    "random points agree, and wrong formulas are rejected",
    Status.CHECKED: "the same without a complete proof",
    Status.CONDITIONAL: "proved from a claim that is not",
    Status.REFUTED: "a counterexample meets the assumptions; what is true instead is named",
    Status.OPEN: "a check failed or did not finish, or rejects no wrong formula",
    Status.REPRODUCED: "a reported number, recomputed to the printed digits",
    Status.NOT_REPRODUCED: "a reported number that comes out otherwise",
    Status.NEEDS_WEIGHTS: "measured on a trained network, which is not at hand",
}

_LONG = 26  # letters; such a formula may have to be scrolled on a small screen, so that the keyboard must reach it


@dataclass(frozen=True)
class _Shown:
    """Claims on the page, and who uses and who corrects whom."""

    claims: Mapping[str, Claim]
    used_by: Mapping[str, list[str]]
    corrects: Mapping[str, list[str]]


def _shown(labels: Sequence[str]) -> _Shown:
    claims = {label: checks.load(label).CLAIM for label in labels}
    used_by: dict[str, list[str]] = {label: [] for label in claims}
    corrects: dict[str, list[str]] = {label: [] for label in claims}
    for label, claim in claims.items():
        for other in claim.uses:
            if other != claim.corrected_by:
                used_by[other].append(label)
        if claim.corrected_by in corrects:
            corrects[claim.corrected_by].append(label)
    return _Shown(claims, used_by, corrects)


def links(labels: Iterable[str]) -> str:
    """Links to claims or reported numbers of the page."""
    return ", ".join(f'<a href="#claim-{label}"><code>{label}</code></a>' for label in labels)


def _badge(status: str) -> str:
    return f'<span class="status {css_class(status)}">{status}</span>'


def _verdict(entry: Entry) -> str:
    """The status, and the author's belief where that differs."""
    surprise = "" if entry.as_expected else f' <b class="surprise">expected {entry.expected}</b>'
    return _badge(entry.status) + surprise


def _facts(claim: Claim, shown: _Shown) -> str:
    rows = {
        "Corrected by": links([claim.corrected_by] if claim.corrected_by else []),
        "Assumes": prose(claim.assumptions),
        "Scope": prose(claim.scope),
        "Source": prose(claim.source),
        "Witnesses": prose("; ".join(claim.witness)),
        "Uses": links(label for label in claim.uses if label != claim.corrected_by),
        "Used by": links(shown.used_by[claim.label]),
        "Corrects": links(shown.corrects[claim.label]),
    }
    listed = "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in rows.items() if text)
    return f"<dl>{listed}</dl>"


def _formula(claim: Claim) -> str:
    equation = claim.equation
    relations = equation if isinstance(equation, tuple) else () if equation is None else (equation,)
    drawn = []
    for relation in relations:
        text = latex(relation, ln_notation=True)
        long = len(re.sub(r"\\[a-zA-Z]+|[{}^_ ]", "", text)) >= _LONG
        focus = ' tabindex="0" role="group" aria-label="Formula"' if long else ""
        drawn.append(f'<div class="formula"{focus}>{convert(text, display="block")}</div>')
    return "".join(drawn)


def _claim(entry: Entry, shown: _Shown) -> str:
    claim, label = shown.claims[entry.label], entry.label
    evidence = entry.evidence
    return (
        f'<section class="claim {css_class(entry.status)}" id="claim-{label}" aria-labelledby="name-{label}">'
        f'<h3><a id="name-{label}" href="#claim-{label}">{label}</a> {_verdict(entry)} '
        f'<a class="back" href="#node-{label}" aria-label="{label} in the graph">in the graph</a></h3>'
        f'<div class="columns"><div><p class="statement">{prose(entry.statement)}</p>{_formula(claim)}'
        f'{_facts(claim, shown)}</div><div class="evidence">{findings.measured(evidence)}'
        f"{findings.searched(claim)}{findings.mutants(claim, evidence)}{findings.counterexamples(claim, evidence)}"
        f"{findings.proof(evidence)}{findings.studied(label)}</div></div></section>"
    )


def _reported(entry: Entry) -> str:
    """A row of the table of reported numbers: printed and computed figures side by side."""
    (found,) = entry.evidence
    pairs = re.findall(r"printed (\S+?), computed ([^;\s]+)", found.detail)
    figures = "".join(f"<span>{printed}</span><span>{computed}</span>" for printed, computed in pairs)
    said = f'<div class="pairs">{figures}</div>' if pairs else prose(found.detail)
    worst = "" if found.worst_error is None else f"{float(f'{found.worst_error:.1g}'):g}"
    label = entry.label
    return (
        f'<tr class="claim {css_class(entry.status)}" id="claim-{label}"><th scope="row"><code>{label}</code></th>'
        f"<td>{prose(entry.statement)}<br><small>{prose(entry.scope)}. {prose(entry.source)}.</small></td>"
        f'<td>{said}</td><td class="n">{worst}</td><td>{_verdict(entry)}</td></tr>'
    )


def _filters(counts: Mapping[Status, int]) -> tuple[str, str]:
    """Check boxes with the words' meanings, and the sheet by which each hides what has its status.

    A claim that is linked to stays.
    """
    boxes = "".join(
        f'<label><input type="checkbox" id="show-{css_class(status)}" checked autocomplete="off"> {_badge(status)} '
        f"{count}</label><span>{_MEANINGS[status]}</span>"
        for status, count in counts.items()
    )
    rules = "\n".join(
        f":root:has(#show-{css_class(status)}:not(:checked)) {{ .claim.{css_class(status)}:not(:target) "
        f"{{ display: none; }} .node.{css_class(status)} {{ opacity: .15; }} }}"
        for status in counts
    )
    return boxes, rules


def parts(entries: Sequence[Entry]) -> dict[str, str]:
    """HTML of the atlas: `graph`, `filters`, `claims`, `reported` (rows of a table), and the `sheet` of styles."""
    rows = {row.label for row in ledger.REPORTED}
    stated = [entry for entry in entries if entry.label not in rows]
    shown = _shown([entry.label for entry in stated])
    nodes = {}
    for entry in stated:
        claim = shown.claims[entry.label]
        nodes[entry.label] = Node(entry.status, entry.statement, claim.uses, claim.corrected_by)
    graph, marks = draw(nodes)
    counts = Counter(entry.status for entry in entries)
    boxes, rules = _filters({status: counts[status] for status in Status if counts[status]})
    return {
        "graph": graph,
        "filters": boxes,
        "claims": "".join(_claim(entry, shown) for entry in stated),
        "reported": "".join(_reported(entry) for entry in entries if entry.label in rows),
        "sheet": f"{marks}\n{rules}",
    }
