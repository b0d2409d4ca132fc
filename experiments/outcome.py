"""What one run gives: rows, or the reason why there are none.

Rows are scalars under the same names; NaN anywhere is a failure. The random numbers come from the run's key.
"""

from __future__ import annotations

import functools
import inspect
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from experiments.plan import RESERVED, Task
from experiments.study import generator, load

__all__ = ["Failure", "Outcome", "evaluate", "surroundings"]

_LARGEST = 2**63


@dataclass(frozen=True)
class Failure:
    """Why a run gave no record; kind: exception, nan, rows, timeout, memory or death."""

    task: Task
    kind: str
    message: str
    traceback: str
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """Rows or a failure, the seconds taken, and the versions and device it ran with."""

    task: Task
    seconds: float
    rows: list[dict[str, Any]] | None = None
    failure: Failure | None = None
    surroundings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def failed(cls, task: Task, kind: str, message: str, *, trace: str = "", seconds: float = 0.0) -> Outcome:
        """A run that gave no rows."""
        return cls(task, seconds, failure=Failure(task, kind, message, trace, seconds))


def evaluate(task: Task, *, begin: Callable[[], object] = lambda: None) -> Outcome:
    """Run a study at a point in this process; `begin` is called once the study is loaded.

    Whatever the study raises becomes a failure, except what ends the process.
    """
    start = time.perf_counter()
    try:
        study = load(task.study)
        begin()
        start = time.perf_counter()
        given: dict[str, Any] = {**task.point, "rng": generator(task.key)}
        if "backend" in inspect.signature(study.run).parameters:
            given["backend"] = task.backend
        returned = study.run(**given)
        seconds = time.perf_counter() - start
        rows = _checked(returned, task)
    except _Refused as refusal:
        return Outcome.failed(task, refusal.kind, str(refusal), seconds=time.perf_counter() - start)
    except MemoryError as error:
        message = f"the run needs more memory than it may take: {error}".rstrip(": ") + "."
        return _failed(task, "memory", message, start)
    except Exception as error:  # the study's own fault, kept with its traceback: the batch goes on
        return _failed(task, "exception", f"{type(error).__name__}: {error}", start)
    return Outcome(task, seconds, rows, surroundings=surroundings())


def _failed(task: Task, kind: str, message: str, start: float) -> Outcome:
    seconds = time.perf_counter() - start
    return Outcome.failed(task, kind, message, trace=traceback.format_exc(), seconds=seconds)


class _Refused(Exception):
    """What a run returned cannot be kept."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _checked(returned: Any, task: Task) -> list[dict[str, Any]]:
    """The rows with plain scalars in them."""
    if not isinstance(returned, list) or not returned or not all(isinstance(row, dict) for row in returned):
        raise _Refused("rows", f"run must return a list of at least one dict, got {str(returned)[:80]!r}.")
    rows = [
        {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        for row in returned
    ]
    names = list(rows[0])
    for row in rows:
        if list(row) != names:
            raise _Refused("rows", f"every row must have the columns {', '.join(map(str, names))}, got {list(row)}.")
    taken = [*RESERVED, *(axis.lower() for axis in task.point)]
    for name in names:
        if not isinstance(name, str) or name.lower() in taken:
            raise _Refused(
                "rows", f"column {name!r} must be a string, unlike axes and other columns, and not reserved."
            )
        taken.append(name.lower())
        _check_column(name, [row[name] for row in rows])
    return rows


def _check_column(name: str, values: list[Any]) -> None:
    for value in values:
        if not isinstance(value, str | int | float | bool):
            raise _Refused("rows", f"column {name!r} must hold numbers, strings or booleans, got {value!r:.80}.")
        if value != value:
            raise _Refused("nan", f"column {name!r} is NaN.")
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise _Refused("rows", f"column {name!r} must hold integers of 64 bits, got {value}.")
    kinds = {"number" if type(value) in (int, float) else type(value).__name__ for value in values}
    if len(kinds) > 1:
        raise _Refused("rows", f"column {name!r} must hold values of one type, got {' and '.join(sorted(kinds))}.")


@functools.cache
def surroundings() -> dict[str, Any]:
    """Versions and processor of this process."""
    versions = {"python": platform.python_version()}
    for package in ("pifs-sim", "numpy", "scipy", "numba"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"versions": versions, "device": _processor()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
