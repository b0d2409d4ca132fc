"""Runs what a store lacks: whatever is killed, and whenever, nothing is lost but what was being computed.

Each task is looked up, leased, computed by an engine, and kept. The runner alone writes; the order of tasks, the
number of workers and other runners on the same store decide who computes a record, never what is in it.
"""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import experiments
from experiments.engines import Engine
from experiments.outcome import Outcome
from experiments.plan import Task
from experiments.store import Damaged, Store

__all__ = ["Tally", "commit", "run"]

_SHOWN = 1000  # failures and damages that a tally names; the store has all of them
_PAUSE = 0.1  # seconds between looks at what other runners have


@dataclass
class Tally:
    """Counts of runs: found in the store, computed now, computed meanwhile by other runners, failed."""

    found: int = 0
    computed: int = 0
    elsewhere: int = 0
    failed: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """Runs that have a record or a failure."""
        return self.found + self.computed + self.elsewhere + self.failed


def commit() -> str | None:
    """The commit of the checkout that this program runs from, "-dirty" if changed; None outside one."""
    root = Path(experiments.__path__[0]).parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None


def run(
    store: Store,
    tasks: Iterable[Task],
    engine: Engine,
    *,
    tally: Tally | None = None,
    retry_failed: bool = False,
    tick: Callable[[Tally], object] | None = None,
) -> Tally:
    """Settle the tasks: each ends with a record in the store, or a failure; `tick` sees the counts as they grow.

    The counts are added to `tally` if there is one, for who may be interrupted.

    Raises:
        StoreError: the store can no longer be written to; what was kept before is sound.
    """
    batch = _Batch(store, engine, Tally() if tally is None else tally, retry_failed)
    source: Iterator[Task] = iter(tasks)
    try:
        while True:
            more = batch.feed(source)
            if engine.busy():
                for outcome in engine.collect():
                    batch.keep(outcome)
            elif batch.waiting:
                time.sleep(_PAUSE)
            elif not more:
                break
            if not more and batch.waiting:
                again, batch.waiting = batch.waiting, deque()
                source = chain(again)
            if tick is not None:
                tick(batch.tally)
    finally:
        engine.close()
        store.leases.close()
    return batch.tally


class _Batch:
    """The tasks of one runner on their way."""

    def __init__(self, store: Store, engine: Engine, tally: Tally, retry_failed: bool) -> None:
        self.tally = tally
        self.waiting: deque[Task] = deque()  # leased by other runners: no more than these have workers
        self._seen: set[str] = set()  # keys in `waiting`, or that were
        self._store, self._engine, self._retry = store, engine, retry_failed
        self._commit: str | None = None
        self._first = True

    def feed(self, source: Iterator[Task]) -> bool:
        """Give the engine what it has room for; whether there may be more."""
        until = time.monotonic() + 0.5  # then look at what is running
        while self._engine.room() > 0 and time.monotonic() < until:
            task = next(source, None)
            if task is None:
                return False
            self._consider(task)
        return True

    def _consider(self, task: Task) -> None:
        waited = task.key in self._seen
        if self._there(task):
            self.tally.found += not waited
            self.tally.elsewhere += waited
        elif self._store.failed(task.key) and (waited or not self._retry):
            self._fail(f"{task.study} {dict(task.point)}: failed before")
        elif not self._store.lease(task):
            self._seen.add(task.key)
            self.waiting.append(task)
        elif self._store.has(task):  # written between the look and the lease
            self._store.leases.release(task.key)
            self.tally.elsewhere += 1
        else:
            self._seen.discard(task.key)
            self._engine.submit(task)

    def _there(self, task: Task) -> bool:
        try:
            return self._store.check(task)
        except Damaged as damage:
            aside = self._store.set_aside(task.study, task.key)
            if len(self.tally.damaged) < _SHOWN:
                self.tally.damaged.append(f"{task.study} {dict(task.point)}: {damage}; set aside as {aside}")
            return False

    def keep(self, outcome: Outcome) -> None:
        """Write what came of a run and give its lease back."""
        task = outcome.task
        self.tally.seconds += outcome.seconds
        if outcome.rows is not None:
            self._store.write(task, outcome.rows, self._provenance(outcome))
            self.tally.computed += 1
        elif outcome.failure is not None:
            self._store.fail(outcome.failure)
            self._fail(f"{task.study} {dict(task.point)}: {outcome.failure.message}")
        self._store.leases.release(task.key)

    def _fail(self, what: str) -> None:
        self.tally.failed += 1
        if len(self.tally.failures) < _SHOWN:
            self.tally.failures.append(what)

    def _provenance(self, outcome: Outcome) -> dict[str, Any]:
        if self._first:
            self._commit, self._first = commit(), False
        seconds = round(outcome.seconds, 6)
        return {**outcome.surroundings, "commit": self._commit, "backend": outcome.task.backend, "seconds": seconds}
