"""Generated sources: written where they changed, so that a second build is quick; tables in reStructuredText."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from extensions.docstrings import escape

__all__ = ["list_table", "number", "table", "write"]


def write(path: Path, text: str) -> None:
    """Write a file unless it holds that text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def number(value: Any) -> str:
    """A cell: three digits of a number, whole numbers whole."""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def list_table(head: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """A list-table of cells in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in (head, *body):
        lines += [f"   {'* ' if i == 0 else '  '}- {cell}" for i, cell in enumerate(cells)]
    return [*lines, ""]


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """A list-table of these columns of rows, plain text and numbers."""
    body = ([escape(number(row.get(column, ""))) for column in columns] for row in rows)
    return list_table([escape(column) for column in columns], body)
