"""What the engines found of a claim, as lists: errors of points, wrong formulas, counterexamples, proof steps."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from experiments.report.strip import strip
from theory.checks import Evidence
from theory.claim import Claim
from theory.proofs.engines import PROOF
from theory.search import tightest
from theory.slacks import INEQUALITIES
from theory.studies import about

__all__ = ["counterexamples", "css_class", "measured", "mutants", "proof", "prose", "searched", "studied"]

_POINTS = ("numbers", "property")
_SIGNS = {"passed": "✓", "failed": "✗", "unknown": "?", "not run": "–"}
_LETTERS = 160  # of a point's value


def css_class(word: str) -> str:
    """The class of what has a status or an outcome."""
    return word.replace(" ", "-")


def prose(text: str) -> str:
    """Escaped, with `labels` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _item(outcome: str, text: str) -> str:
    sign = f'<span class="sign" aria-hidden="true">{_SIGNS[outcome]}</span>'
    return f'<li class="{css_class(outcome)}">{sign} {text}</li>'


def _list(items: Sequence[str], title: str = "") -> str:
    head = f"<h4>{title}</h4>" if title else ""
    return f'{head}<ul class="findings">{"".join(items)}</ul>' if items else ""


def measured(evidence: Sequence[Evidence]) -> str:
    """What the checks at witnesses and at random points saw, and their errors drawn."""
    found = [e for e in evidence if e.engine in _POINTS]
    worst = {e.engine: e.worst_error for e in found if e.worst_error is not None and math.isfinite(e.worst_error)}
    items = [
        _item(
            e.outcome,
            f"<b>{e.engine}</b> {e.outcome}: {escape(e.detail)}"
            + (f", worst error {e.worst_error:.2g}" if e.worst_error is not None else ""),
        )
        for e in found
    ]
    errors = [error for e in found for error in e.errors if math.isfinite(error)]
    return _list(items) + (strip(errors, worst) if worst else "")


def searched(claim: Claim) -> str:
    """The least slack of the claim's inequality that the search on file found, and where."""
    case = tightest(claim.label)
    if case is None:
        return ""
    inequality = INEQUALITIES[claim.label]
    held = case.slack >= -inequality.tolerance
    text = (
        f"<b>least slack</b> {case.slack:.2g} of {escape(inequality.says)}, by {escape(case.by)}, after "
        f"{case.evaluations} evaluations: {'no violation' if held else 'a violation'}, to within "
        f"{inequality.tolerance:.0e}<br>"
        f'<code class="point">{", ".join(f"{x:.5g}" for x in case.point)}</code>'
    )
    return _list([_item("passed" if held else "failed", text)], "Search for a counterexample")


def studied(label: str) -> str:
    """What studies on file say of questions about the claim."""
    items = [
        f"<li><b>{escape(found.study)}</b> {found.answer}, on {found.runs} runs: {escape(found.text)}</li>"
        for found in about(label)
    ]
    return _list(items, "Studies of questions about it")


def mutants(claim: Claim, evidence: Sequence[Evidence]) -> str:
    """Each wrong formula, and whether the checks reject it."""
    found = next((e.detail for e in evidence if e.engine == "mutants"), None)
    if found is None:
        return ""
    items = []
    for name in claim.mutants:
        alive = re.search(re.escape(name) + r" \(([^)]*)\)", found) if found.startswith("survives") else None
        word = f"<b>survives</b> ({escape(alive[1])})" if alive else "<b>rejected</b>"
        items.append(_item("failed" if alive else "passed", f"{escape(name)}: {word}"))
    return _list(items, "Wrong formulas")


def _point(point: Mapping[str, Any]) -> str:
    values = {name: " ".join(repr(value).split()) for name, value in point.items()}
    cut = (f"{name} = {v if len(v) <= _LETTERS else v[:_LETTERS] + ' …'}" for name, v in values.items())
    return escape(", ".join(cut))


def counterexamples(claim: Claim, evidence: Sequence[Evidence]) -> str:
    """Where a refuted statement fails and how, and how the corrected claim fares there; other findings too."""
    items = []
    for e in evidence:
        if e.engine in (*PROOF, *_POINTS, "mutants"):
            continue
        name = next((name for name in claim.counterexamples if e.detail.startswith(f"{name}: ")), None)
        if e.engine == "counterexample" and name is not None:
            what = escape(e.detail[len(name) + 2 :])
            point = _point(claim.counterexamples[name])
            items.append(_item(e.outcome, f'<b>{escape(name)}</b>: {what}<br><code class="point">{point}</code>'))
        else:
            items.append(_item(e.outcome, f"<b>{escape(e.engine)}</b> {e.outcome}: {prose(e.detail)}"))
    return _list(items, "Counterexamples" if claim.counterexamples else "Other checks")


def proof(evidence: Sequence[Evidence]) -> str:
    """The obligations with what came of each and by which steps, folded, under a line that counts them by engine."""
    found = [e for e in evidence if e.engine in PROOF]
    if not found:
        return ""
    items = []
    for e in found:
        steps = "".join(f"<li><code>{escape(step)}</code></li>" for step in e.steps)
        listed = f"<ol>{steps}</ol>" if steps else ""
        items.append(_item(e.outcome, f"<b>{escape(e.engine)}</b> {e.outcome}: {prose(e.detail)}{listed}"))
    done = Counter(e.engine for e in found if e.outcome == "passed")
    by = ", ".join(f"{engine} {count}" for engine, count in done.items())
    line = f"Proof: {done.total()} of {len(found)} obligations discharged{f' ({by})' if by else ''}"
    return f"<details><summary>{line}</summary>{_list(items)}</details>"
