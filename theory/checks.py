"""The checks that a claim's evidence comes from.

Obligations go to SymPy; the formula is compared with pifs_sim at the witnesses and at Hypothesis' random points; every
mutant must be rejected at several of those points. Each finding is an `Evidence`; unknown and not-run are not passed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, settings

from theory.claim import Claim, Formula, Identity, Obligation, Positive, Violation
from theory.proofs.identities import is_positive, is_zero

__all__ = ["Evidence", "Outcome", "check_property", "gather", "load", "survivors"]

Outcome = Literal["passed", "failed", "unknown", "not run"]

_REJECTIONS = 3  # a mutant must fail at this many points


@dataclass(frozen=True)
class Evidence:
    """One engine's finding."""

    engine: str  # "sympy", "numbers", "property", "mutants", "counterexample", "recomputed"
    outcome: Outcome
    detail: str
    worst_error: float | None = None


def load(label: str) -> ModuleType:
    """The module of a claim; ModuleNotFoundError for an unknown label."""
    return importlib.import_module(f"theory.claims.{label.replace('-', '_')}")


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
    """Mutants that fewer than three of the points reject, or whose first symbolic residual is zero."""
    alive = []
    for name, mutant in module.CLAIM.mutants.items():
        count = _rejections(module, mutant, points)
        if count < _REJECTIONS:
            alive.append(f"{name} (rejected at {count} points)")
        first = next(iter(module.prove(mutant)), None)
        if isinstance(first, Identity) and is_zero(first.residual):
            alive.append(f"{name} (its residual is zero)")
    return alive


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
    """All evidence on a claim; for one believed false, its counterexamples."""
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
