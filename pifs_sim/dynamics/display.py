"""How objects show themselves: in one line on a terminal, as a small table in a notebook.

A line names the class and its parts: numbers with 4 digits, short vectors in full, larger arrays by dtype and shape.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

__all__ = ["number", "one_line", "shown", "table"]

_SHORT = 4  # entries of a vector, parts of a sequence
_WIDE = 72  # characters of one part


def number(value: float, digits: int = 4) -> str:
    """A number in few characters, as 1.2e4, 3.2e-3, ∞ or 0.5."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "∞" if value > 0 else "-∞"
    text = f"{value:.{digits}g}" if value == 0 or 0.01 <= abs(value) < 10_000 else f"{value:.{digits - 1}e}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def shown(value: Any) -> str:
    """A part of an object in at most 72 characters or so."""
    if isinstance(value, bool | str | int):
        text = repr(value)
        return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
    if isinstance(value, float):
        return number(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return _array(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _short(value)
    if isinstance(value, list | tuple):
        brackets = "[]" if isinstance(value, list) else "()"
        inside = ", ".join(map(shown, value[:_SHORT])) if len(value) <= _SHORT else ""
        kind = f"{len(value)} entries" if len(value) > _SHORT or len(inside) > _WIDE else inside
        return f"{brackets[0]}{kind}{',' * (len(value) == 1 and brackets == '()')}{brackets[1]}"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key}={shown(part)}" for key, part in value.items())
        return f"{{{inside}}}" if len(inside) <= _WIDE else f"{{{len(value)} entries}}"
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else _short(value)


def _array(value: Any) -> str:
    shape = tuple(value.shape)
    kind = str(value.dtype).rpartition(".")[2]
    if len(shape) <= 1 and math.prod(shape) <= _SHORT and ("float" in kind or "int" in kind):
        entries = [number(float(value))] if not shape else [number(float(value[i])) for i in range(shape[0])]
        return f"[{', '.join(entries)}]" if shape else entries[0]
    return f"{kind} {'×'.join(map(str, shape)) or 'number'}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDE and "\n" not in text and " at 0x" not in text else f"{type(value).__name__}(…)"


def one_line(self: Any) -> str:
    """A `__repr__`: the class and its fields that are shown and not None, each in few characters."""
    if is_dataclass(self):
        names: Iterable[str] = [field.name for field in fields(self) if field.repr]
    else:
        names = self._fields
    parts = ((name, getattr(self, name)) for name in names)
    inside = ", ".join(f"{name}={shown(part)}" for name, part in parts if part is not None)
    return f"{type(self).__name__}({inside})"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """HTML of a table whose first column names the rows; readable aloud: a caption, and scopes of headers."""
    say = html.escape
    columns = "".join(f'<th scope="col">{say(cell)}</th>' for cell in head)
    lines = [
        f'<tr><th scope="row">{say(row[0])}</th>{"".join(f"<td>{say(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    ]
    top = [f"<caption>{say(caption)}</caption>", f"<thead><tr>{columns}</tr></thead>"]
    return "\n".join(["<table>", *top, "<tbody>", *lines, "</tbody>", "</table>"])
