"""What a benchmark ran on, medians of interleaved timings, and the table and file of its results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from experiments.outcome import surroundings

__all__ = ["arguments", "medians", "publish", "settings", "versions"]


def _threads() -> str:
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown: threadpoolctl is not installed"
    pools = [f"{pool['internal_api']} {pool['version']}: {pool['num_threads']}" for pool in threadpool_info()]
    return ", ".join(sorted(pools)) or "no thread pool"


def versions(names: Sequence[str]) -> str:
    """Peers with their versions, or that they are not installed."""

    def one(name: str) -> str:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            return f"no {name}"

    return ", ".join(map(one, names))


def settings() -> dict[str, str | int]:
    """Processor, cores, threads of the libraries loaded by now, and versions: no names of hosts, no dates."""
    return {
        "processor": surroundings()["device"],
        "cores": os.cpu_count() or 0,
        "threads": _threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def medians(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each task over `rounds` rounds, each of which runs every task once, after a warm-up round."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for i in range(rounds + 1):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if i:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def arguments(description: str | None, rounds: int) -> argparse.Namespace:
    """`rounds` and `output` from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds behind each median (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="write the results to this file as JSON")
    return parser.parse_args()


def publish(
    rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], title: str | None, output: Path | None
) -> None:
    """Print settings, facts and rows (columns by the keys of the first row); write them to `output` if given."""
    about = settings()
    print(title)
    for name, value in {**about, **facts}.items():
        print(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")
    cells = [list(rows[0]), *([f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if output:
        content = {"title": title, "settings": about, "facts": dict(facts), "rows": [dict(row) for row in rows]}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
