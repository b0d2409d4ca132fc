"""A study's verdict as evidence: one JSON file that depends on the records alone, to be committed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import experiments
from experiments.plan import Plan
from experiments.store import Store, StoreError
from experiments.study import Verdict, load

__all__ = ["default_folder", "verdict", "write"]


def default_folder() -> Path:
    """theory/evidence in the checkout that this program runs from.

    Raises:
        ValueError: it runs from an installed package, which is no place for evidence.
    """
    root = Path(experiments.__path__[0]).parent
    if not (root / "pyproject.toml").exists():
        raise ValueError("--record writes to a source checkout, and this is none: give a folder by --evidence.")
    return root / "theory" / "evidence"


def verdict(store: Store, plan: Plan) -> Verdict:
    """What the study says of the plan's rows.

    Raises:
        StoreError: a run of the plan has no record.
    """
    missing = sum(1 for task in plan.tasks() if not store.has(task))
    if missing:
        raise StoreError(f"{plan.study} has no verdict on its {plan.grid} grid: {missing} of {len(plan)} runs lack.")
    found: Verdict = load(plan.study).verdict(store.rows(plan))
    return found


def write(store: Store, plan: Plan, folder: Path) -> Path:
    """Write <study>.json: version, claims, grid and its axes, hash of the keys, verdict and scope."""
    study, said = load(plan.study), verdict(store, plan)
    keys = sorted(task.key for task in plan.tasks())
    content: dict[str, Any] = {
        "study": plan.study,
        "version": plan.version,
        "claims": list(study.CLAIMS),
        "grid": plan.grid,
        "axes": {axis: list(values) for axis, values in plan.axes.items()},
        "backend": plan.backend,
        "tolerance": study.TOLERANCE,
        "runs": len(keys),
        "keys_sha256": hashlib.sha256("\n".join(keys).encode()).hexdigest(),
        "keys": [key[:12] for key in keys],
        "verdict": {"answer": said.answer, "text": said.text, "numbers": _rounded(dict(said.numbers))},
        "scope": "; ".join(f"{axis}: {_span(list(values))}" for axis, values in plan.axes.items()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plan.study}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _rounded(numbers: dict[str, Any]) -> dict[str, float]:
    """Six digits: what stays the same from machine to machine."""
    return {name: float(f"{float(value):.6g}") for name, value in numbers.items()}


def _span(values: list[Any]) -> str:
    """All values if they are few or words, else their ends."""
    if len(values) <= 6 or isinstance(values[0], str):
        return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    return f"{min(values):g} to {max(values):g} ({len(values)} values)"
