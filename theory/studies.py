"""Verdicts of studies on file: theory/evidence/<study>.json, as `pifs-sim run --grid paper --record` writes them.

A study answers its own question, within its grid, on some claims: evidence on them, never a proof, and no part of a
status. An answer of "refuted" refutes what the question asks, which may be more than a claim says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Verdict", "about", "listed", "verdicts"]

_FOLDER = Path(__file__).with_name("evidence")


@dataclass(frozen=True)
class Verdict:
    """What a study said of a grid of runs, its answer, with the numbers in a text; `scope` are the axes' values."""

    study: str
    claims: tuple[str, ...]
    grid: str
    runs: int
    answer: str
    text: str
    scope: str


@cache
def verdicts() -> tuple[Verdict, ...]:
    """All that are on file, by study."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.json"))]
    return tuple(_verdict(content) for content in contents if "study" in content)


def _verdict(content: dict[str, Any]) -> Verdict:
    said = content["verdict"]
    facts = (content["grid"], content["runs"], said["answer"], said["text"], content["scope"])
    return Verdict(content["study"], tuple(content["claims"]), *facts)


def about(label: str) -> tuple[Verdict, ...]:
    """Those that bear on the claim or reported number of that label."""
    return tuple(verdict for verdict in verdicts() if label in verdict.claims)


def listed() -> Iterator[str]:
    """The ledger's lines on studies: none without evidence on file."""
    if verdicts():
        yield from ("", "## Studies", "", "Evidence on the claims named, from a grid of runs; no part of a status.", "")
    for found in verdicts():
        claims = ", ".join(f"`{label}`" for label in found.claims)
        yield f"- **{found.study}** ({claims}): {found.answer}, {found.grid} grid, {found.runs} runs. {found.text}"
