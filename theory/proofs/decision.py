"""What an engine says of an obligation: an outcome, and the steps by which it came to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Decision", "Outcome", "verdict"]

Outcome = Literal["passed", "failed", "unknown", "not run"]


@dataclass(frozen=True)
class Decision:
    """An engine's finding on one obligation: the outcome, its detail, the steps to it."""

    engine: str
    outcome: Outcome
    detail: str
    steps: tuple[str, ...] = ()


def verdict(answer: bool | None) -> Outcome:
    """What an answer means. True: passed, False: failed, None: unknown."""
    return "unknown" if answer is None else "passed" if answer else "failed"
