"""One grid of a study as a section of its page: verdict, plot, table, failures, provenance, and the command."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from experiments.report.again import commits, recipe
from experiments.report.studied import Question, Result

__all__ = ["badge", "counted", "section"]

_MOST_ROWS = 20_000  # that a page carries
_MOST_FAILURES = 100
_EXACT = 2**53  # the largest integer up to which JavaScript has all


def badge(answer: str) -> str:
    """The answer on its colour."""
    return f'<span class="badge {answer.replace(" ", "-")}">{answer}</span>'


def counted(result: Result) -> str:
    """Grid, runs, and how many of them failed or are left."""
    runs, failed = len(result.plan), len(result.failures)
    parts = [
        f"{result.grid} grid, {runs} {'run' if runs == 1 else 'runs'}",
        f"{failed} failed" if failed else "none failed",
    ]
    left = runs - result.done - failed
    return ", ".join([*parts, f"{left} left"] if left > 0 else parts)


def section(of: Question, result: Result, store: Path) -> str:
    """The section of a page."""
    name = result.plan.name
    numbers = "" if result.verdict is None else _numbers(result.verdict.numbers)
    backend = "" if result.plan.backend == "cpu" else f", backend {result.plan.backend}"
    return (
        f'<section class="grid" id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{badge(result.answer)} <small>{escape(counted(result) + backend)}</small></h2>'
        f'<p class="verdict">{escape(result.text)}</p>{numbers}{_plot(of, result)}{_raised(result.raised)}'
        f"{_table(of, result)}{_failures(result)}{_provenance(result)}{_again(of, result, store)}</section>"
    )


def _numbers(numbers: Mapping[str, float]) -> str:
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{float(value):.5g}</dd></div>" for name, value in numbers.items())
    return f'<dl class="tiles">{cells}</dl>' if cells else ""


def _plot(of: Question, result: Result) -> str:
    """The drawing with a title and a description for those who do not see it."""
    if not result.drawing:
        return ""
    name = f"plot-{result.plan.name}"
    caption = (of.module.plot.__doc__ or "").strip().partition("\n\n")[0]
    start, _, rest = result.drawing.partition(">")
    text = f"{' '.join(caption.split())} {result.answer.capitalize()}: {result.text}".strip()
    drawn = (
        f'{start} role="img" aria-labelledby="{name}-name {name}-text">'
        f'<title id="{name}-name">{escape(of.text)}</title>'
        f'<desc id="{name}-text">{escape(text)}</desc>{rest}'
    )
    return f'<figure class="drawn">{drawn}<figcaption>{escape(caption)}</figcaption></figure>'


def _trace(text: str, label: str) -> str:
    return f'<pre tabindex="0" role="region" aria-label="{escape(label)}">{escape(text)}</pre>'


def _raised(raised: Sequence[str]) -> str:
    return "".join(
        f"<details><summary>What the study raised: {escape(text.strip().splitlines()[-1])}</summary>"
        f"{_trace(text, 'Traceback of the study')}</details>"
        for text in raised
    )


def _cell(value: Any) -> Any:
    """What JSON and JavaScript hold without loss: infinities and large integers as strings."""
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value) if isinstance(value, int) and abs(value) > _EXACT else value


def _table(of: Question, result: Result) -> str:
    """The rows as JSON, which the script shows in pages, sorts and saves."""
    if not result.rows:
        return ""
    columns, rows, plan = list(result.rows[0]), result.rows[:_MOST_ROWS], result.plan
    numeric = [
        all(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows) for name in columns
    ]
    said = result.verdict
    content = {
        "study": plan.study,
        "question": of.text,
        "version": plan.version,
        "grid": plan.grid,
        "backend": plan.backend,
        "verdict": said and {"answer": said.answer, "text": said.text},
        "axes": list(plan.axes),
        "columns": columns,
        "numeric": numeric,
        "rows": [[_cell(row[name]) for name in columns] for row in rows],
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    short = len(result.rows) - len(rows)
    note = (
        f"<p>Here are the first {len(rows)} of {len(result.rows)} rows; all are given by "
        f"<code>pifs-sim export {plan.study} --format csv -o {plan.study}.csv</code> on the store.</p>"
        if short
        else ""
    )
    return (
        f'<h3 id="{plan.name}-table">Table</h3>{note}<div class="table"><p class="tools">'
        '<button type="button" data-save="csv">Save CSV</button> '
        '<button type="button" data-save="json">Save JSON</button>'
        ' <span role="status" class="where"></span></p>'
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{plan.name}-table"><table></table></div>'
        '<p class="pages" hidden><button type="button" data-to="first">First</button> '
        '<button type="button" data-to="previous">Previous</button> <button type="button" data-to="next">Next</button> '
        '<button type="button" data-to="last">Last</button></p>'
        "<noscript><p>The table is shown by a script of this page; scripts are off.</p></noscript>"
        f'<script type="application/json">{text}</script></div>'
    )


def _failures(result: Result) -> str:
    if not result.failures:
        return ""
    listed = "".join(
        f"<details><summary>{escape(_point(failure.task.point))}: {escape(failure.message)}</summary>"
        f"<p>{escape(failure.kind)}, after {failure.seconds:.3g} s; run <code>{failure.task.key[:12]}</code></p>"
        f"{_trace(failure.traceback, 'Traceback') if failure.traceback else ''}</details>"
        for failure in result.failures[:_MOST_FAILURES]
    )
    more = len(result.failures) - _MOST_FAILURES
    rest = f"<p>And {more} more: <code>pifs-sim query 'from failures'</code></p>" if more > 0 else ""
    return f'<h3>Failed runs</h3><div class="failures">{listed}{rest}</div>'


def _point(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis} = {value}" for axis, value in point.items())


def _listed(values: Sequence[Any]) -> str:
    """The values, or the first and last of many."""
    shown = [json.dumps(value, ensure_ascii=False) for value in values]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:4], "…", f"{shown[-1]} ({len(shown)} values)"])


def _provenance(result: Result) -> str:
    """Where and with what the records were made, one line for each way."""
    ways = Counter(
        (
            ", ".join(f"{name} {number}" for name, number in content.get("versions", {}).items()),
            content.get("commit") or "",
            content.get("backend", ""),
            content.get("device", ""),
        )
        for content in result.provenance
    )
    lines = "".join(
        f"<div><dt>{count} {'run' if count == 1 else 'runs'}</dt><dd>{escape(versions)}; "
        f"{_commit(commit)}; backend {escape(backend)}; {escape(device)}</dd></div>"
        for (versions, commit, backend, device), count in ways.most_common()
    )
    seconds = [float(content.get("seconds", 0)) for content in result.provenance]
    if seconds:
        lines += f"<div><dt>seconds</dt><dd>{sum(seconds):.3g} in all, {max(seconds):.3g} the longest run</dd></div>"
    keys = hashlib.sha256("\n".join(sorted(task.key for task in result.plan.tasks())).encode()).hexdigest()
    lines += f"<div><dt>study</dt><dd>version {result.plan.version}; {len(result.rows)} rows</dd></div>"
    axes = "; ".join(f"{axis}: {_listed(values)}" for axis, values in result.plan.axes.items())
    lines += f"<div><dt>axes</dt><dd>{escape(axes)}</dd></div>"
    lines += f"<div><dt>SHA-256 of keys</dt><dd><code>{keys}</code></dd></div>"
    return f'<h3>Provenance</h3><dl class="facts-list">{lines}</dl>'


def _commit(commit: str) -> str:
    if not commit:
        return "no commit known"
    clean = commit.removesuffix("-dirty")
    return f"commit <code>{escape(clean)}</code>" + (" with changes" if clean != commit else "")


def _again(of: Question, result: Result, store: Path) -> str:
    command, batch = recipe(result.plan, of, store)
    file = f"<p>With <code>batch.toml</code>:</p>{_trace(batch, 'batch.toml')}" if batch else ""
    tolerance = float(getattr(of.module, "TOLERANCE", 0))
    elsewhere = f", on another machine within {tolerance:g} relatively" if tolerance else ""
    made = commits(result.provenance)
    where = f" at {_commit(made[0])}" if made else ""
    return (
        f"<h3>Run it again</h3><p>In a checkout{where}. A store that has the records is only read; an empty one gets "
        f"the same records{elsewhere}.</p>{_trace(command, 'Command')}{file}"
    )
