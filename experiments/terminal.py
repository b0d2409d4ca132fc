"""What the command line shows and how it refuses: tables, progress bars, JSON, one-line errors."""

from __future__ import annotations

import difflib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from experiments.quantities import QUANTITIES

__all__ = [
    "DRAWINGS",
    "BadInput",
    "claim_table",
    "console",
    "plain_table",
    "print_json",
    "progress_bar",
    "quantity_table",
    "reading_input",
    "show_wide",
    "spoken",
    "unknown",
    "whole",
    "writable",
]


DRAWINGS = (".svg", ".png", ".pdf")
_OPTIONAL = ("arb", "coq", "z3")  # engines of proof that need not be installed
FORMAT = 1  # of all JSON objects; it rises when a key goes or changes its meaning


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
    """Standard output; as wide as it needs to be when it is not a terminal, and plain text where NO_COLOR is set."""
    system: Any = None if os.environ.get("NO_COLOR") else "auto"
    screen = Console(highlight=False, color_system=system)
    return screen if screen.is_terminal else Console(highlight=False, color_system=system, width=200)


def show_wide(table: Table) -> None:
    """Print a table of many columns, none cut: on a narrow terminal its lines go on in the next one."""
    screen = console()
    width = screen.measure(table, options=screen.options.update(max_width=1000)).maximum
    screen.width = max(width, screen.width)
    screen.print(table)


def _finite(value: Any) -> Any:
    """JSON has no infinity: null stands for a threshold that no variance reaches."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_json(command: str, facts: Mapping[str, Any]) -> None:
    """One JSON object on standard output, which begins with the command that it is of and the version of its form."""
    about = {"format": f"pifs-sim {command}", "version": FORMAT}
    narrow = not (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(about | _finite(facts), indent=2, ensure_ascii=narrow))


def writable(option: str, path: Path | None, endings: Sequence[str] = ()) -> None:
    """Refuse, before any work is done, a file that could not be written: folders are not created for it.

    Raises:
        BadInput: the path is a folder, lies in none that exists, or ends otherwise than in one of `endings`.
    """
    if path is None:
        return
    if endings and path.suffix.lower() not in endings:
        raise BadInput(f"{option} must end in {', '.join(endings[:-1])} or {endings[-1]}, got '{path}'.")
    if path.is_dir():
        raise BadInput(f"{option} must be a file, got the folder '{path}'.")
    if not path.parent.is_dir():
        raise BadInput(f"{option} must lie in a folder that exists, got '{path}'.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise BadInput(f"{option} must be a place that may be written to, got '{path}'.")


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
        remark = _remark(entry)
        error = "–" if entry.worst_error is None else f"{entry.worst_error:.1e}"
        engines = entry.engines or "none"
        cells = (entry.label, entry.source, entry.scope, f"{entry.status}{remark}", engines, error)
        table.add_row(*cells, f"{entry.seconds:.1f}", style="" if entry.as_expected else "bold red")
    return table


def _remark(entry: Any) -> str:
    """Why a status is not the expected one: which optional engines were not run, or nothing excuses it."""
    if entry.status == entry.expected:
        return ""
    if not entry.as_expected:
        return f" (expected {entry.expected})"
    absent = [e for e in entry.evidence if e.outcome == "not run" and e.engine in _OPTIONAL]
    by_quick = list(dict.fromkeys(e.engine for e in absent if "left out by --quick" in e.detail))
    others = list(dict.fromkeys(e.engine for e in absent if e.engine not in by_quick))
    said = [f"{', '.join(by_quick)} left out by --quick"] if by_quick else []
    said += [f"{', '.join(others)} not installed"] if others else []
    return f" ({'; '.join(said) or 'a claim that it uses lacks an engine'})"


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


def whole(option: str, text: str, least: int = 0, most: int = 10**15) -> int:
    """A count between bounds that may be written 1e6."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (value == value and abs(value) < 2**62 and value == int(value)):
        raise BadInput(f"{option} must be a whole number, like 1000000 or 1e6, got {text!r}.")
    if not least <= value <= most:
        raise BadInput(f"{option} must lie in {least}..{most:.15g}, got {text!r}.")
    return int(value)
