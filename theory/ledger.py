"""The ledger: every claim's evidence, and the status that follows from it.

Evidence comes from SymPy (obligations), from the numbers (the formula against pifs_sim at the witnesses), from a
Hypothesis property (random points), and from the mutants (each must be rejected at several points). PROVED needs
all of it and every ancestor proved; without a complete proof a claim is CHECKED; a counterexample refutes it;
a vacuous or toothless claim is OPEN. Unknown and not-run never count as passed.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, settings

import theory.claims
from theory.claim import Claim, Formula, Identity, Obligation, Positive, Status, Violation
from theory.proofs.identities import is_positive, is_zero
from theory.reported import REPORTED, Reported

__all__ = [
    "REPORTED",
    "Entry",
    "Evidence",
    "check_property",
    "decide",
    "gather",
    "labels",
    "load",
    "order",
    "render",
    "run",
    "survivors",
]

Outcome = Literal["passed", "failed", "unknown", "not run"]
Progress = Callable[[int, int], None] | None

EXAMPLES = 60
QUICK_EXAMPLES = 12
_REJECTIONS = 3  # a mutant must fail at this many points


@dataclass(frozen=True)
class Evidence:
    """One engine's finding."""

    engine: str  # "sympy", "numbers", "property", "mutants", "counterexample", "recomputed"
    outcome: Outcome
    detail: str
    worst_error: float | None = None


@dataclass(frozen=True)
class Entry:
    """A claim or reported number with its evidence and status."""

    label: str
    source: str
    scope: str
    statement: str
    status: Status
    expected: Status
    evidence: tuple[Evidence, ...]
    seconds: float

    @property
    def worst_error(self) -> float | None:
        """The largest error that a passing numerical check saw."""
        return max((e.worst_error for e in self.evidence if e.worst_error is not None), default=None)

    @property
    def engines(self) -> str:
        """The engines that passed, for tables."""
        return ", ".join(dict.fromkeys(e.engine for e in self.evidence if e.outcome == "passed"))


def labels() -> list[str]:
    """Labels of all claims and reported numbers, sorted."""
    names = [m.name.replace("_", "-") for m in pkgutil.iter_modules(theory.claims.__path__)]
    return sorted(names) + [row.label for row in REPORTED]


def load(label: str) -> ModuleType:
    """The module of a claim; ModuleNotFoundError for an unknown label."""
    return importlib.import_module(f"theory.claims.{label.replace('-', '_')}")


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


def _discharge(obligation: Obligation) -> Evidence:
    if isinstance(obligation, Identity):
        verdict, what = is_zero(obligation.residual), "identity"
    elif isinstance(obligation, Positive):
        verdict, what = is_positive(obligation), "inequality"
    else:
        return Evidence("sympy", "not run", f"{obligation.name}: needs {obligation.needs}")
    outcome: Outcome = "unknown" if verdict is None else "passed" if verdict else "failed"
    return Evidence("sympy", outcome, f"{what}: {obligation.name}")


def _numbers(module: ModuleType, points: Mapping[str, Mapping[str, Any]]) -> Evidence:
    worst: float | None = None
    for name, point in points.items():
        try:
            error = module.holds(module.CLAIM.formula, **point)
        except Violation as violation:
            return Evidence("numbers", "failed", f"at {name}: {violation}")
        worst = error if worst is None else max(worst, error)
    return Evidence("numbers", "passed", f"{len(points)} witnesses", worst)


def check_property(module: ModuleType, formula: Formula, examples: int) -> tuple[Evidence, list[dict[str, Any]]]:
    """Run `holds` on random points; return the evidence and the points that were tried."""
    points: list[dict[str, Any]] = []
    errors: list[float] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(**module.GIVEN)
    def check(**point: Any) -> None:
        points.append(point)
        errors.append(module.holds(formula, **point))

    try:
        check()
    except Violation as violation:
        return Evidence("property", "failed", f"{points[-1]!r}: {violation}"[:600]), points
    return Evidence("property", "passed", f"{len(errors)} examples", max(errors)), points


def _rejections(module: ModuleType, formula: Formula, points: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for point in points:
        try:
            module.holds(formula, **point)
        except Violation:
            count += 1
            if count == _REJECTIONS:
                break
    return count


def survivors(module: ModuleType, points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Mutants that fewer than three of the points reject, or whose first symbolic residual is not refuted."""
    alive = []
    for name, mutant in module.CLAIM.mutants.items():
        count = _rejections(module, mutant, points)
        if count < _REJECTIONS:
            alive.append(f"{name} (rejected at {count} points)")
        first = next(iter(module.prove(mutant)), None)
        if isinstance(first, Identity) and is_zero(first.residual):
            alive.append(f"{name} (its residual is zero)")
    return alive


def gather(module: ModuleType, examples: int) -> list[Evidence]:
    """All evidence on a claim; for one believed false, its counterexamples."""
    claim: Claim = module.CLAIM
    if claim.corrected_by is not None:
        evidence = []
        for name, point in claim.counterexamples.items():
            try:
                module.holds(claim.formula, **point)
                evidence.append(Evidence("counterexample", "unknown", f"{name}: the statement holds there"))
            except Violation as violation:
                evidence.append(Evidence("counterexample", "failed", f"{name}: {violation}"))
        return evidence
    found, points = check_property(module, claim.formula, examples)
    evidence = [_discharge(obligation) for obligation in module.prove(claim.formula)]
    evidence += [_numbers(module, claim.witness), found]
    alive = survivors(module, [*claim.witness.values(), *points])
    detail = f"survives: {'; '.join(alive)}" if alive else f"{len(claim.mutants)} rejected"
    evidence.append(Evidence("mutants", "unknown" if alive or len(claim.mutants) < 2 else "passed", detail))
    return evidence


def decide(claim: Claim, evidence: Sequence[Evidence], status_of: Mapping[str, Status]) -> Status:
    """The status that follows from a claim's evidence and its ancestors' statuses."""
    outcomes = {engine: [e.outcome for e in evidence if e.engine == engine] for engine in {e.engine for e in evidence}}
    if any(e.outcome == "failed" for e in evidence):
        return Status.REFUTED
    if not claim.witness or any(outcomes.get(e) != ["passed"] for e in ("numbers", "property", "mutants")):
        return Status.OPEN
    proof = outcomes.get("sympy", [])
    if not proof or any(outcome != "passed" for outcome in proof):
        return Status.CHECKED
    proved = all(status_of[ancestor] == Status.PROVED for ancestor in claim.uses)
    return Status.PROVED if proved else Status.CONDITIONAL


def _reported_entry(row: Reported) -> Entry:
    began = time.perf_counter()
    status, detail, worst = row.decide()
    outcome: Outcome = "passed" if status == Status.REPRODUCED else "unknown"
    evidence = (Evidence("recomputed", outcome, detail, worst),)
    seconds = time.perf_counter() - began
    return Entry(row.label, row.source, row.scope, row.statement, status, row.expects, evidence, seconds)


def run(wanted: Sequence[str] | None = None, *, quick: bool = False, progress: Progress = None) -> list[Entry]:
    """Gather evidence for the wanted claims (default: all) and everything they use, and compute each status.

    Args:
        wanted: labels; claims that they use are run too.
        quick: fewer random examples; symbolic obligations always run.
        progress: called with (done, total).

    Raises:
        ValueError: an unknown label, or claims that use each other in a circle.
    """
    known = labels()
    unknown = [label for label in wanted or [] if label not in known]
    if unknown:
        raise ValueError(f"unknown claim {unknown[0]!r}.")
    rows = [row for row in REPORTED if wanted is None or row.label in wanted]
    names = {row.label for row in REPORTED}
    modules = {label: load(label) for label in known if label not in names}
    chosen = {label for label in (wanted or known) if label in modules}
    while more := {a for label in chosen for a in modules[label].CLAIM.uses} - chosen:
        chosen |= more
    queue = order({label: modules[label].CLAIM for label in chosen})
    total, entries = len(queue) + len(rows), list[Entry]()
    status_of: dict[str, Status] = {}
    for label in queue:
        began = time.perf_counter()
        claim: Claim = modules[label].CLAIM
        evidence = gather(modules[label], QUICK_EXAMPLES if quick else EXAMPLES)
        status_of[label] = decide(claim, evidence, status_of)
        entry = Entry(
            label, claim.source, claim.scope, claim.statement, status_of[label], claim.expects, tuple(evidence), 0.0
        )
        entries.append(replace(entry, seconds=time.perf_counter() - began))
        if progress:
            progress(len(entries), total)
    entries.sort(key=lambda entry: entry.label)
    for row in rows:
        entries.append(_reported_entry(row))
        if progress:
            progress(len(entries), total)
    return entries


def render(entries: Sequence[Entry]) -> str:
    """LEDGER.md: label, source, scope, status, engines; nothing that changes from run to run."""
    lines = [
        "# The ledger",
        "",
        "Generated by `pifs-sim validate --ledger theory/LEDGER.md`; do not edit. Statuses are computed from evidence.",
        "",
        "| label | source | scope | status | engines |",
        "|---|---|---|---|---|",
    ]
    for entry in entries:
        cells = (entry.label, entry.source, entry.scope, str(entry.status), entry.engines or "counterexample")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
