"""What the runner adds to a bare function, beside writing the same files by hand with the same encodings and flushes.

Goal: what the runner takes beyond the function is at most twice what a loop does that computes, encodes and writes the
same files. The files of a record are three: a table as Parquet, and two of JSON; each is flushed, and so are its
folder, the folder above, and the one above that when there is a new name in it. Rounds alternate; what the runner does
more is leases, checksums, provenance, looks at what is there, and the index.

    OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.runner [--output FILE]
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.benchmarks.machine import arguments, publish
from experiments.engines import Engine, Inline, Pool
from experiments.outcome import evaluate
from experiments.plan import Task, plan
from experiments.runner import run
from experiments.store import Store
from experiments.store.index import opened

__all__ = ["by_hand", "main"]

STUDY, RUNS = "schedule_table", 300
_TEXTS = "provenance.json", "record.json"


def _tasks() -> list[Task]:
    """Runs of a few steps each: the function takes next to nothing."""
    return list(plan(STUDY, "smoke", {"schedule": ["uniform_angle"], "steps": list(range(2, RUNS + 2))}).tasks())


def _flushed(path: Path, data: bytes | None) -> None:
    """Write a file, or take a folder, and flush it."""
    handle = os.open(path, os.O_RDONLY if data is None else os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    if data is not None:
        os.write(handle, data)
    os.fsync(handle)
    os.close(handle)


def by_hand(folder: Path, tasks: Iterable[Task], texts: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Compute each run, encode and write its files, and nothing else; `texts` are those of the JSON files."""
    for task in tasks:
        rows = evaluate(task).rows or []
        target = folder / task.key[:2] / task.key
        if not target.parent.exists():
            target.parent.mkdir()
            _flushed(folder, None)
        target.mkdir()
        sink = pa.BufferOutputStream()
        table = {name: [{**task.point, **row}[name] for row in rows] for name in {**task.point, **rows[0]}}
        pq.write_table(pa.table(table), sink, compression="zstd", use_dictionary=False, store_schema=False)
        _flushed(target / "rows.parquet", sink.getvalue().to_pybytes())
        for name, text in zip(_TEXTS, texts[task.key], strict=True):
            _flushed(target / name, text)
        _flushed(target, None)
        _flushed(target.parent, None)


def _run(place: Path, tasks: list[Task], engine: Engine) -> None:
    store = Store.create(place)
    run(store, tasks, engine)
    with opened(store):
        pass
    store.close()


def main() -> None:
    """Time, print, and write the results if asked to."""
    options, tasks = arguments(__doc__, rounds=5), _tasks()
    seconds: dict[str, list[float]] = {name: [] for name in ("function", "by hand", "runner", "runner, 1 worker")}
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        root = Path(scratch)
        _run(root / "first", tasks, Inline())
        store = Store.open(root / "first")
        texts = {}
        for task in tasks:
            files = store.files(task.study, task.key, _TEXTS)
            texts[task.key] = (files[_TEXTS[0]], files[_TEXTS[1]])
        for i in range(options.rounds):
            (root / f"hand{i}").mkdir()
            timed: dict[str, Callable[[], object]] = {
                "function": lambda: [evaluate(task) for task in tasks],
                "by hand": lambda i=i: by_hand(root / f"hand{i}", tasks, texts),  # type: ignore[misc]
                "runner": lambda i=i: _run(root / f"inline{i}", tasks, Inline()),  # type: ignore[misc]
                "runner, 1 worker": lambda i=i: _run(root / f"pool{i}", tasks, Pool(1)),  # type: ignore[misc]
            }
            for name, task_of in timed.items():
                began = time.perf_counter()
                task_of()
                seconds[name].append(time.perf_counter() - began)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    bare, hand, whole = (seconds[name] for name in ("function", "by hand", "runner"))
    ratios = [(r - f) / (h - f) for f, h, r in zip(bare, hand, whole, strict=True)]
    facts = {
        "runs": RUNS,
        "overhead of the runner over writing by hand (goal: 2)": statistics.median(ratios),
        "in each round": ", ".join(f"{ratio:.2f}" for ratio in ratios),
    }
    rows = [{"what": name, "ms a run": 1e3 * value / RUNS} for name, value in median.items()]
    publish(rows, facts, "The runner beside the bare function and the bare files", options.output)


if __name__ == "__main__":
    main()
