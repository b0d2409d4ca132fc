"""How to run a plan again: the command, and the batch file where the command's options do not say it all."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from experiments.plan import Plan
from experiments.report.studied import Question

__all__ = ["commits", "recipe"]


def commits(provenance: list[dict[str, Any]]) -> list[str]:
    """Commits that the runs were made at, the most frequent first."""
    known = [str(content["commit"]) for content in provenance if content.get("commit")]
    return sorted(set(known), key=lambda commit: (-known.count(commit), commit))


def recipe(asked: Plan, of: Question, store: Path) -> tuple[str, str]:
    """The command, and the text of batch.toml that it reads; no text where a grid's name is enough."""
    text = "" if of.gives(asked) else _batch(asked)
    words = ["pifs-sim", "run", "batch.toml" if text else asked.study]
    words += [] if text else ["--grid", asked.grid]
    words += ["--store", str(store)]
    words += ["--studies", str(of.folder)] if of.folder else []
    return shlex.join(words), text


def _batch(asked: Plan) -> str:
    """The plan as TOML, whose strings, numbers and lists are those of JSON."""
    values = {axis: json.dumps(list(found), ensure_ascii=False) for axis, found in asked.axes.items()}
    lines = [f"studies = {json.dumps([asked.study])}", f"grid = {json.dumps(asked.grid)}"]
    lines += [] if asked.backend == "cpu" else [f"backend = {json.dumps(asked.backend)}"]
    lines += ["", f"[overrides.{asked.study}]", *(f"{axis} = {found}" for axis, found in values.items())]
    return "\n".join(lines) + "\n"
