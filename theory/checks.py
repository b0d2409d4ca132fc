"""The checks that a claim's evidence comes from.

Obligations go to the proof engines; the formula is compared with pifs_sim at the witnesses and at Hypothesis' random
points; every mutant must be rejected at several of those points, and by a counterexample where z3 proves the formula.
Each finding is an `Evidence`; unknown and not-run are not passed.

A claim may name the REGIONS of its points that matter, as predicates of a point: a property whose examples never reach
one of them is vacuous there, and so not passed; the few examples of a quick run cannot tell.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from theory.claim import Claim, Formula, Identity, Implies, Lemma, Obligation, Violation
from theory.draws import unaided
from theory.proofs import inequalities
from theory.proofs.decision import Outcome
from theory.proofs.engines import decide
from theory.proofs.identities import is_zero

__all__ = ["Evidence", "Outcome", "check_property", "file_of", "gather", "load", "regions", "survivors"]

_TELLING = 30  # examples from which on a region that none reached makes a property vacuous
_REJECTIONS = 3  # a mutant must fail at this many points


@dataclass(frozen=True)
class Evidence:
    """One engine's finding: its outcome, in detail why, and the worst_error met, relative to its scale."""

    engine: str  # of proofs.engines.PROOF; "numbers", "property", "mutants", "counterexample", "recomputed"
    outcome: Outcome
    detail: str
    worst_error: float | None = None
    steps: tuple[str, ...] = ()  # of the proof
    lemma: Lemma | None = None  # what the proof assistant is asked
    errors: tuple[float, ...] = ()  # of the witnesses or examples, in order


def load(label: str) -> ModuleType:
    """The module of a claim; ModuleNotFoundError for an unknown label."""
    return importlib.import_module(f"theory.claims.{label.replace('-', '_')}")


def file_of(label: str) -> str:
    """Where the claim of that label is written."""
    return f"theory/claims/{label.replace('-', '_')}.py"


def _discharge(obligation: Obligation) -> Evidence:
    found = decide(obligation)
    lemma = obligation if isinstance(obligation, Lemma) else None
    return Evidence(found.engine, found.outcome, found.detail, steps=found.steps, lemma=lemma)


def _numbers(module: ModuleType, points: Mapping[str, Mapping[str, Any]]) -> Evidence:
    errors: list[float] = []
    for name, point in points.items():
        try:
            errors.append(module.holds(module.CLAIM.formula, **point))
        except Violation as violation:
            return Evidence("numbers", "failed", f"at {name}: {violation}")
        except ValueError as refusal:
            raise ValueError(f"{file_of(module.CLAIM.label)}: witness {name!r} is refused: {refusal}") from refusal
    return Evidence("numbers", "passed", f"{len(points)} witnesses", max(errors, default=None), errors=tuple(errors))


def check_property(module: ModuleType, formula: Formula, examples: int) -> tuple[Evidence, list[dict[str, Any]]]:
    """Run `holds` of a claim's module on random points; return the evidence and the points that were tried."""
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
        with unaided():
            check()
    except Violation as violation:
        return Evidence("property", "failed", f"{points[-1]!r}: {violation}"[:600]), points
    reached = {name: sum(bool(inside(**point)) for point in points) for name, inside in regions(module).items()}
    telling = examples >= _TELLING
    outcome: Outcome = "passed" if all(reached.values()) or not telling else "unknown"
    detail = "; ".join([f"{len(errors)} examples", *(f"{name}: {n}" for name, n in reached.items())])
    never = [name for name, n in reached.items() if not n]
    if never and telling:
        detail = f"vacuous: never {', never '.join(never)}; {detail}"
    return Evidence("property", outcome, detail, max(errors), errors=tuple(errors)), points


def regions(module: ModuleType) -> Mapping[str, Callable[..., bool]]:
    """The parts of a claim's points, by name, that the property in its module must reach: predicates of a point."""
    return getattr(module, "REGIONS", {})


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
    """Mutants in a module that fewer than three of the points reject, or that the proof engines do not reject.

    A mutant's first symbolic residual must not be zero, and of the implications that it changes z3 must refute one.
    """
    alive = []
    implied = _implications(module, module.CLAIM.formula) if inequalities.available() else set()
    for name, mutant in module.CLAIM.mutants.items():
        count = _rejections(module, mutant, points)
        if count < _REJECTIONS:
            alive.append(f"{name} (rejected at {count} points)")
        first = next(iter(module.prove(mutant)), None)
        if isinstance(first, Identity) and is_zero(first.residual):
            alive.append(f"{name} (its residual is zero)")
        changed = (
            {o for o in _implications(module, mutant) - implied if inequalities.expressible(o)} if implied else set()
        )
        if changed and not any(decide(obligation).outcome == "failed" for obligation in changed):
            alive.append(f"{name} (no counterexample to its implications)")
    return alive


def _implications(module: ModuleType, formula: Formula) -> set[Implies]:
    return {obligation for obligation in module.prove(formula) if isinstance(obligation, Implies)}


def _refutations(module: ModuleType) -> Iterator[Evidence]:
    """What a statement believed false says at its counterexamples."""
    for name, point in module.CLAIM.counterexamples.items():
        try:
            module.holds(module.CLAIM.formula, **point)
            yield Evidence("counterexample", "unknown", f"{name}: the statement holds there")
        except Violation as violation:
            yield Evidence("counterexample", "failed", f"{name}: {violation}")


def _correction(module: ModuleType) -> Evidence:
    """The corrected claim's formula, in the refuted claim's own check, at the same points."""
    claim: Claim = module.CLAIM
    formula = load(str(claim.corrected_by)).CLAIM.formula
    for name, point in claim.counterexamples.items():
        try:
            module.holds(formula, **point)
        except Violation as violation:
            return Evidence("correction", "unknown", f"{claim.corrected_by} at {name}: {violation}")
    return Evidence("correction", "passed", f"{claim.corrected_by} holds at the counterexamples")


def gather(module: ModuleType, examples: int) -> list[Evidence]:
    """All evidence on the claim of a module; for one believed false, its counterexamples."""
    claim: Claim = module.CLAIM
    if claim.corrected_by is not None:
        return [*_refutations(module), _correction(module)]
    found, points = check_property(module, claim.formula, examples)
    evidence = [_discharge(obligation) for obligation in module.prove(claim.formula)]
    evidence += [_numbers(module, claim.witness), found]
    alive = survivors(module, [*claim.witness.values(), *points])
    detail = f"survives: {'; '.join(alive)}" if alive else f"{len(claim.mutants)} rejected"
    evidence.append(Evidence("mutants", "unknown" if alive or len(claim.mutants) < 2 else "passed", detail))
    return evidence
