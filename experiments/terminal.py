"""What the command line shows and how it refuses: tables, progress bars, JSON, one-line errors."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from experiments.quantities import QUANTITIES

__all__ = [
    "BadInput",
    "claim_table",
    "console",
    "plain_table",
    "print_json",
    "progress_bar",
    "quantity_table",
    "reading_input",
    "spoken",
    "unknown",
    "whole",
]


class BadInput(Exception):
    """What the user typed or named cannot be used; the message is one sentence."""


@contextmanager
def reading_input() -> Iterator[None]:
    """Errors about the user's input become `BadInput`; use it around nothing else."""
    try:
        yield
    except ValueError as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(spoken(error)) from None


def spoken(error: OSError) -> str:
    """An error of the system without its number: 'photo.png': no such file or directory."""
    if error.strerror is None:
        return str(error)
    if error.filename is None:  # a full disk
        return f"{error.strerror[:1].lower()}{error.strerror[1:]}."
    return f"'{error.filename}': {error.strerror[:1].lower()}{error.strerror[1:]}."


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, on a terminal only."""
    screen = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def console() -> Console:
    """Standard output; as wide as it needs to be when it is not a terminal."""
    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=200)


def _finite(value: Any) -> Any:
    """JSON has no infinity: null stands for a threshold that no variance reaches."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def unknown(kind: str, name: str, known: Sequence[str]) -> BadInput:
    """The refusal of an unknown name, with the nearest known ones."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(known)}."
    return BadInput(f"unknown {kind} {name!r}: {hint}")


def claim_table(entries: Sequence[Any]) -> Table:
    """The ledger's entries, one a row; an unexpected status stands out."""
    table = Table(title="Claims", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in ("label", "source", "scope", "status", "evidence", "worst error", "seconds"):
        table.add_column(column, justify="right" if column in ("worst error", "seconds") else "left", overflow="fold")
    for entry in entries:
        surprise = "" if entry.status == entry.expected else f" (expected {entry.expected})"
        error = "–" if entry.worst_error is None else f"{entry.worst_error:.1e}"
        engines = entry.engines or "none"
        cells = (entry.label, entry.source, entry.scope, f"{entry.status}{surprise}", engines, error)
        table.add_row(*cells, f"{entry.seconds:.1f}", style="bold red" if surprise else "")
    return table


def plain_table(title: str, cells: Sequence[Sequence[str]]) -> Table:
    """A head and rows of cells, aligned right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in cells[0]:
        table.add_column(name, justify="right")
    for row in cells[1:]:
        table.add_row(*row)
    return table


def quantity_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Rows of `quantities`, one a column."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("quantity")
    for row in rows:
        table.add_column(row["schedule"], justify="right")
    for key, name in QUANTITIES.items():
        if key in rows[0]:
            table.add_row(name, *(f"{row[key]:.9g}" for row in rows))
    return table


def whole(text: str) -> int:
    """A count that may be written 1e6."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (value == value and abs(value) < 2**62 and value == int(value)):
        raise BadInput(f"a count must be a whole number, like 1000000 or 1e6, got {text!r}.")
    return int(value)
