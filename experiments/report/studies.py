"""A site for a store: an index of its studies with their answers, and a page for each, without network.

index.html              questions, answers, verdicts, counts
claims.html             the claims that they bear on
studies/<name>.html     verdict, plot, table, failures, provenance and the command, for each grid that was run
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template

from experiments.plan import Plan
from experiments.report.grids import badge, counted, section
from experiments.report.studied import Question, Result, question, read
from experiments.store import Store
from theory import checks, ledger

__all__ = ["write"]

_HERE = Path(__file__).parent
_ANSWERS = ("confirmed", "refuted", "undecided", "no verdict")


def write(store: Store, folder: Path) -> Path:
    """Write the site of a store and return the path of its index.html.

    Args:
        store: opened for reading.
        folder: created if absent; files of the same names are replaced.
    """
    asked: dict[str, list[Plan]] = {}
    for plan in store.plans():
        asked.setdefault(plan.study, []).append(plan)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "studies").mkdir(exist_ok=True)
    found: dict[str, tuple[Question, list[Result]]] = {}
    for name, plans in sorted(asked.items()):
        of = question(name)
        results = sorted((read(store, plan, of) for plan in plans), key=_rank)
        (folder / "studies" / f"{name}.html").write_text(_study(of, results, store.path), encoding="utf-8")
        # an index needs neither tables nor drawings, which for all studies at once may be large
        found[name] = of, [replace(result, rows=[], provenance=[], drawing="") for result in results]
    (folder / "claims.html").write_text(_claims(list(found.values())), encoding="utf-8")
    path = folder / "index.html"
    path.write_text(_index(list(found.values())), encoding="utf-8")
    return path


def _rank(result: Result) -> tuple[bool, int, str]:
    """Grids with a verdict first, then the larger."""
    return result.verdict is None, -len(result.plan), result.plan.name


def _page(title: str, body: str, script: str = "") -> str:
    template = Template((_HERE / "studies_page.html").read_text(encoding="utf-8"))
    tag = f"<script>\n{script}</script>\n" if script else ""
    return template.substitute(title=escape(title), body=body, script=tag)


def _statement(label: str) -> tuple[str, str]:
    """A claim's statement and source; empty for a label that the ledger does not have."""
    if label not in ledger.labels():
        return "", ""
    row = next((row for row in ledger.REPORTED if row.label == label), None)
    if row is not None:
        return row.statement, row.source
    claim = checks.load(label).CLAIM
    return claim.statement, claim.source


def _study(of: Question, results: Sequence[Result], store: Path) -> str:
    falsifier = "".join(f"<p>{escape(part)}</p>" for part in of.falsifier.split("\n\n") if part)
    falsifier = falsifier.replace("<p>Falsifier", "<p><b>Falsifier</b>", 1)
    lines = "".join(
        f'<li><a href="../claims.html#claim-{escape(label)}"><code>{escape(label)}</code></a> '
        f"{escape(_statement(label)[0])}</li>"
        for label in of.claims
    )
    trouble = f'<pre class="trouble" tabindex="0">{escape(of.traceback)}</pre>' if of.traceback else ""
    body = (
        '<header><nav aria-label="Site"><a href="../index.html">All studies</a></nav>'
        f'<h1>{escape(of.text)}</h1><p class="facts"><code>{escape(of.name)}</code></p>'
        f'<div class="falsifier">{falsifier}</div>{trouble}</header><main>'
        + "".join(section(of, result, store) for result in results)
        + (f'<h2>Claims in question</h2><ul class="claims">{lines}</ul>' if lines else "")
        + "</main>"
    )
    return _page(of.text, body, (_HERE / "studies_table.js").read_text(encoding="utf-8"))


def _entry(of: Question, results: Sequence[Result]) -> str:
    """The study's place in the index: the first grid's answer, and those of the others in a line."""
    first, *others = results
    facts = [f"<code>{escape(of.name)}</code>", *(counted(result) for result in results[:1])]
    facts += [f"{counted(result)}: {result.answer}" for result in others]
    return (
        f'<li class="study"><h2><a href="studies/{of.name}.html">{escape(of.text)}</a></h2>'
        f'<p class="answer">{badge(first.answer)}</p><p class="said">{escape(first.text)}</p>'
        f'<p class="facts">{" · ".join(facts)}</p></li>'
    )


def _claims(found: Sequence[tuple[Question, list[Result]]]) -> str:
    """The page of every claim that a study names, with its statement and the answers."""
    named: dict[str, list[tuple[Question, Result]]] = {}
    for of, results in found:
        for label in of.claims:
            named.setdefault(label, []).append((of, results[0]))
    sections = "".join(
        f'<section class="claim" id="claim-{escape(label)}"><h2><code>{escape(label)}</code></h2>{_stated(label)}<ul>'
        + "".join(
            f'<li>{badge(result.answer)} <a href="studies/{of.name}.html">{escape(of.name)}</a></li>'
            for of, result in pairs
        )
        + "</ul></section>"
        for label, pairs in sorted(named.items())
    )
    body = (
        '<header><nav aria-label="Site"><a href="index.html">All studies</a></nav><h1>The claims in question</h1>'
        "<p>A study answers its own question, which may be about several claims; "
        "what is known of a claim is in the ledger.</p></header>"
        f"<main>{sections}</main>"
    )
    return _page("pifs_sim: the claims in question", body)


def _stated(label: str) -> str:
    statement, source = _statement(label)
    if not statement:
        return "<p>Not in the ledger.</p>"
    return f"<p>{escape(statement)}<br><small>{escape(source)}</small></p>"


def _index(found: Sequence[tuple[Question, list[Result]]]) -> str:
    answers: Mapping[str, int] = Counter(results[0].answer for _, results in found)
    every = [result for _, results in found for result in results]
    runs, done, failed = (
        (sum(numbers) for numbers in zip(*((len(r.plan), r.done, len(r.failures)) for r in every), strict=True))
        if every
        else (0, 0, 0)
    )
    left = runs - done - failed
    summary = f"{len(found)} {'study' if len(found) == 1 else 'studies'}: " + ", ".join(
        f"{answers[answer]} {answer}" for answer in _ANSWERS if answers[answer]
    )
    summary = f"{summary}. {done} of {runs} runs done, {failed} failed{f', {left} left' if left > 0 else ''}."
    entries = "".join(_entry(of, results) for of, results in found)
    body = (
        f"<header><h1>What the studies say</h1><p>{summary if found else 'Nothing was asked of this store yet.'}</p>"
        '<nav aria-label="Site"><a href="claims.html">The claims in question</a></nav></header>'
        f'<main><ol class="studies">{entries}</ol></main>'
    )
    return _page("pifs_sim: what the studies say", body)
