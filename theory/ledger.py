"""The ledger: every claim's evidence, and the status that follows from it.

Evidence comes from SymPy (obligations), from the numbers (the formula against pifs_sim at the witnesses), from a
Hypothesis property (random points), and from the mutants (each must be rejected at several points). PROVED needs
all of it and every ancestor proved; without a complete proof a claim is CHECKED; a counterexample refutes it;
a vacuous or toothless claim is OPEN. Unknown and not-run never count as passed.
"""

from __future__ import annotations

import pkgutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

import theory.claims
from theory.admission import claims_for
from theory.checks import Evidence, Outcome, gather, load
from theory.claim import Claim, Status
from theory.proofs import assistant
from theory.proofs.engines import OPTIONAL, PROOF
from theory.reported import REPORTED, Reported
from theory.studies import listed
from theory.workers import context

__all__ = ["REPORTED", "Entry", "decide", "labels", "order", "render", "run", "steps"]


Progress = Callable[[int, int], None] | None

EXAMPLES = 60
QUICK_EXAMPLES = 12


@dataclass(frozen=True)
class Entry:
    """A claim or reported number, by its label, source, scope and statement, with its evidence and status.

    `expected` is the belief; `supposed` the status had all engines run; `seconds` what the evidence took.
    """

    label: str
    source: str
    scope: str
    statement: str
    status: Status
    expected: Status
    evidence: tuple[Evidence, ...]
    seconds: float
    supposed: Status  # had the engines that were not run agreed

    @property
    def as_expected(self) -> bool:
        """Whether the status is the author's belief, or falls short only because an optional engine was not run."""
        return self.expected in (self.status, self.supposed)

    @property
    def worst_error(self) -> float | None:
        """The largest error that a passing numerical check saw."""
        return max((e.worst_error for e in self.evidence if e.worst_error is not None), default=None)

    @property
    def engines(self) -> str:
        """The engines that support the status, for tables; "in part" where some obligation is not discharged."""
        names = []
        open_ = any(e.outcome != "passed" for e in self.evidence if e.engine in PROOF)
        for engine in dict.fromkeys(e.engine for e in self.evidence):
            outcomes = {e.outcome for e in self.evidence if e.engine == engine}
            if engine in PROOF and open_:
                outcomes.add("unknown")
            if outcomes == {"passed"} or engine == "counterexample":
                names.append(engine)
            elif "passed" in outcomes and "failed" not in outcomes:
                names.append(f"{engine} (in part)")
        return ", ".join(names)


def labels() -> list[str]:
    """Labels of all claims and reported numbers, sorted."""
    names = [m.name.replace("_", "-") for m in pkgutil.iter_modules(theory.claims.__path__)]
    return sorted(names) + [row.label for row in REPORTED]


def order(claims: Mapping[str, Claim]) -> list[str]:
    """Labels so that each follows the claims it uses; ValueError for a circle."""
    done: list[str] = []

    def visit(label: str, path: tuple[str, ...]) -> None:
        if label in path:
            raise ValueError(f"claims use each other in a circle: {' -> '.join((*path, label))}.")
        if label not in done:
            for ancestor in claims[label].uses if label in claims else ():
                visit(ancestor, (*path, label))
            if label in claims:
                done.append(label)

    for label in sorted(claims):
        visit(label, ())
    return done


def decide(claim: Claim, evidence: Sequence[Evidence], status_of: Mapping[str, Status]) -> Status:
    """The status that follows from a claim's evidence and its ancestors', `status_of` them by label."""
    outcomes = {engine: [e.outcome for e in evidence if e.engine == engine] for engine in {e.engine for e in evidence}}
    if any(e.outcome == "failed" for e in evidence):
        return Status.REFUTED if all(outcome == "passed" for outcome in outcomes.get("correction", [])) else Status.OPEN
    if not claim.witness or any(outcomes.get(e) != ["passed"] for e in ("numbers", "property", "mutants")):
        return Status.OPEN
    proof = [outcome for engine in PROOF for outcome in outcomes.get(engine, [])]
    if not proof or any(outcome != "passed" for outcome in proof):
        return Status.CHECKED
    proved = all(status_of[ancestor] == Status.PROVED for ancestor in claim.uses)
    return Status.PROVED if proved else Status.CONDITIONAL


def suppose(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence, had every optional engine that was not run agreed."""
    absent = [e.engine in OPTIONAL and e.outcome == "not run" for e in evidence]
    return [replace(e, outcome="passed") if skip else e for e, skip in zip(evidence, absent, strict=True)]


def _reported(label: str) -> Reported | None:
    return next((row for row in REPORTED if row.label == label), None)


def _reported_entry(row: Reported) -> Entry:
    began = time.perf_counter()
    status, detail, worst = row.decide()
    outcome: Outcome = "passed" if status == Status.REPRODUCED else "unknown"
    evidence = (Evidence("recomputed", outcome, detail, worst),)
    seconds = time.perf_counter() - began
    return Entry(row.label, row.source, row.scope, row.statement, status, row.expects, evidence, seconds, status)


def _examine(label: str, examples: int) -> tuple[list[Evidence], float]:
    """The evidence on one claim, and the seconds it took."""
    began = time.perf_counter()
    evidence = gather(load(label), examples)
    return evidence, time.perf_counter() - began


def _task(label: str, examples: int) -> Entry | tuple[list[Evidence], float]:
    row = _reported(label)
    return _examine(label, examples) if row is None else _reported_entry(row)


def _results(queue: Sequence[str], examples: int, workers: int) -> Iterator[tuple[str, Any]]:
    """What `_task` makes of every label, in the order in which they finish."""
    if min(workers, len(queue)) < 2:
        for label in queue:
            yield label, _task(label, examples)
        return
    with ProcessPoolExecutor(min(workers, len(queue)), mp_context=context()) as pool:
        futures = {pool.submit(_task, label, examples): label for label in queue}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _with_lemmas(found: Mapping[str, tuple[list[Evidence], float]]) -> dict[str, tuple[list[Evidence], float]]:
    """The evidence with the proof assistant's decisions, made for all claims at once."""
    lemmas = frozenset(e.lemma for evidence, _ in found.values() for e in evidence if e.lemma is not None)
    decisions = assistant.check(lemmas) if lemmas else {}

    def asked(e: Evidence) -> Evidence:
        if e.lemma is None:
            return e
        said = decisions[e.lemma]
        return replace(e, outcome=said.outcome, detail=said.detail, steps=said.steps)

    return {label: ([asked(e) for e in evidence], seconds) for label, (evidence, seconds) in found.items()}


def run(
    wanted: Sequence[str] | None = None, *, quick: bool = False, workers: int = 1, progress: Progress = None
) -> list[Entry]:
    """Gather evidence for the wanted claims (default: all) and everything they use, and compute each status.

    Args:
        wanted: labels; claims that they use are run too.
        quick: fewer random examples, and no proof assistant; symbolic obligations always run.
        workers: processes; the evidence does not depend on their number.
        progress: called with (done, total).

    Raises:
        ValueError: an unknown label, claims that use each other in a circle, or a claim file with a missing part, a
            label that another file has, an unknown ancestor, or a witness that violates the assumptions.
    """
    known = labels()
    unknown = [label for label in wanted or [] if label not in known]
    if unknown:
        raise ValueError(f"unknown claim {unknown[0]!r}.")
    rows = [row.label for row in REPORTED if wanted is None or row.label in wanted]
    claims = claims_for(set(wanted or known) - set(rows))
    queue = order(claims)
    results: dict[str, Any] = {}
    for label, result in _results([*rows, *queue], QUICK_EXAMPLES if quick else EXAMPLES, workers):
        results[label] = result
        if progress:
            progress(len(results), len(rows) + len(queue))
    found: dict[str, tuple[list[Evidence], float]] = {label: results[label] for label in queue}
    if not quick:
        found = _with_lemmas(found)
    status_of: dict[str, Status] = {}
    supposed: dict[str, Status] = {}
    entries = []
    for label in queue:
        claim, (evidence, seconds) = claims[label], found[label]
        status_of[label] = decide(claim, evidence, status_of)
        supposed[label] = decide(claim, suppose(evidence), supposed)
        facts = (claim.source, claim.scope, claim.statement, status_of[label], claim.expects, tuple(evidence))
        entries.append(Entry(label, *facts, seconds, supposed[label]))
    entries.sort(key=lambda entry: entry.label)
    entries += [results[label] for label in rows]
    return entries


def steps(entry: Entry) -> list[str]:
    """A claim's proof, for reading: each obligation with its engine, what came of it, and how."""
    lines = [f"{entry.label}: {entry.status} (expected {entry.expected})"]
    for number, e in enumerate([e for e in entry.evidence if e.engine in PROOF], 1):
        lines.append(f"  {number}. {e.engine}, {e.outcome}: {e.detail}")
        lines += [f"       {step}" for step in e.steps]
    return lines


def render(entries: Sequence[Entry]) -> str:
    """LEDGER.md of the entries: label, source, scope, status, engines; then studies; nothing that changes by run."""
    lines = [
        "# The ledger",
        "",
        "Generated by `pifs-sim validate --ledger theory/LEDGER.md`; do not edit. Statuses are computed from evidence.",
        "",
        "| label | source | scope | status | engines |",
        "|---|---|---|---|---|",
    ]
    for entry in entries:
        cells = (entry.label, entry.source, entry.scope, str(entry.status), entry.engines or "none")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, *listed()]) + "\n"
