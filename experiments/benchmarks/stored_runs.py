"""A store of 1e5 runs: what `status` and `query` take as whole commands, and what memory a runner takes of it.

Goal: `status` and `query` at most 3 s once the index is made; the runner's memory is flat. The records are written
without flushes, and their rows are made up: neither is what is timed. A runner then looks for all of them, verifying
each, and computes some that are not there; its memory is read on the way.

    OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.stored_runs [--runs N] [--folder FOLDER] [--output FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.benchmarks.machine import publish
from experiments.engines import Inline
from experiments.plan import Plan, Task, plan
from experiments.runner import Tally, run
from experiments.store import Store, record
from experiments.store.index import opened

__all__ = ["main"]

STUDY, NEW, ROUNDS = "schedule_table", 1000, 5
_QUERY = f"select schedule, avg(mean), count(*) from {STUDY} group by schedule"


def _plan(runs: int) -> Plan:
    return plan(STUDY, "smoke", {"schedule": ["uniform_angle"], "steps": list(range(2, runs + 2))})


def _fill(store: Store, tasks: Iterator[Task]) -> None:
    """Put a record of each run in place."""
    about = json.dumps({"seconds": 1e-3}).encode()
    for number, task in enumerate(tasks):
        folder = store.folder(task.study, task.key)
        folder.mkdir(parents=True)
        files = record.encode(task, [{"mean": 1.0 / (number + 1), "first": 0.5}])
        for name, data in (*files.items(), ("provenance.json", about)):
            (folder / name).write_bytes(data)


def _resident() -> float:
    """MB that this process holds."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _runner(store: Store, tasks: Iterator[Task], every: int) -> list[tuple[int, float]]:
    """Settle the runs; how many were settled, and the memory then, now and again."""
    seen: list[tuple[int, float]] = []

    def tick(tally: Tally) -> None:
        if tally.settled >= (seen[-1][0] if seen else 0) + every:
            seen.append((tally.settled, _resident()))

    run(store, tasks, Inline(), tick=tick)
    return seen


def _command(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "experiments", *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Time, print, and write the results if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="records in the store")
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the store is made, and removed again")
    parser.add_argument("--output", type=Path, help="write the results to this file as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        store = Store.create(Path(scratch) / "store")
        asked = _plan(options.runs)
        store.remember(asked, 2)
        _fill(store, asked.tasks())
        began = time.perf_counter()
        with opened(store):
            indexed = time.perf_counter() - began
        place = ("--store", str(store.path))
        rows: list[dict[str, Any]] = []
        for name, words in {"status": ("status",), "query": ("query", _QUERY)}.items():
            taken = [_command(*words, *place) for _ in range(ROUNDS)]
            rows.append({"command": name, "best s": min(taken), "median s": sorted(taken)[ROUNDS // 2]})
        found = _runner(store, asked.tasks(), options.runs // 10)
        more = list(_plan(options.runs + NEW).tasks())[options.runs :]
        made = _runner(store, iter(more), NEW // 10)
        store.close()
    facts = {
        "runs": options.runs,
        "seconds to make the index": indexed,
        "MB as runs are found": ", ".join(f"{memory:.0f}" for _, memory in found),
        f"MB as {NEW} more are computed": ", ".join(f"{memory:.0f}" for _, memory in made),
    }
    publish(rows, facts, "A store of many runs", options.output)


if __name__ == "__main__":
    main()
