"""Docstrings, which are plain text, as reStructuredText: formulas are set, names linked, nothing else is changed.

A paragraph is escaped as it stands, so that the stars and bars of mathematics are no markup. A block that is set in is
a formula where every part of every line is one, else it is shown as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sphinx.application import Sphinx

from extensions.formulas import display, pieces

__all__ = ["escape", "sentence", "setup", "to_rst"]

SECTION = re.compile(r"(Args|Arguments|Attributes|Raises|Returns|Yields):$")
ENTRY = re.compile(r"(\*{0,2}[\w, ]+?)( \([^)]*\))?: (.*)$", re.DOTALL)


def escape(text: str) -> str:
    """Text as it stands, safe from being read as markup."""
    return re.sub(r"([\\*`|_])", r"\\\1", text.replace("||", "‖"))


def _code(text: str) -> str:
    name = re.fullmatch(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*", text)
    return f":py:obj:`{text}`" if name else f"``{text}``"


def _link(text: str) -> str:
    scheme, _, number = text.partition(":")
    base = "https://arxiv.org/abs/" if scheme == "arXiv" else "https://doi.org/"
    return f"`{text} <{base}{number}>`__"


def sentence(text: str) -> str:
    """Plain text of a docstring as inline markup."""
    text = " ".join(text.split())
    head, source, tail = text.partition("Source:")
    if not source and text.startswith("Source of"):
        head, tail = "", text
    marks = [("\\ :math:`" + piece.latex + "`\\ " if piece.kind == "math" else
              "\\ " + _code(piece.text) + "\\ " if piece.kind == "code" else
              "\\ " + _link(piece.text) + "\\ " if piece.kind == "link" else escape(piece.text))
             for piece in pieces(head)]  # fmt: skip
    cited = [
        ("\\ " + _link(part) + "\\ ") if i % 2 else escape(part)
        for i, part in enumerate(re.split(r"(arXiv:\d{4}\.\d{4,5}|doi:10\.\S*[\w)])", tail))
    ]
    return ("".join(marks) + source + "".join(cited)).removeprefix("\\ ").removesuffix("\\ ").strip()


def _block(lines: list[str]) -> list[str]:
    """An indented block: formulas, or as it was typed."""
    stripped = [line.strip() for line in lines]
    joined = [re.sub(r",$", "", line) for line in stripped]
    drawn = [display(line) for line in joined]
    if all(drawn):
        return [".. math::", "", *(f"   {latex}" for latex in drawn), ""]
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return [".. code-block:: text", "", *(f"   {line[indent:]}" for line in lines), ""]


def _groups(lines: list[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []


def _entries(lines: list[str]) -> Iterator[str]:
    """Entries of a section, each with the lines that continue it."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    entry = lines[0].strip()
    for line in lines[1:]:
        if len(line) - len(line.lstrip()) > indent:
            entry += " " + line.strip()
        else:
            yield entry
            entry = line.strip()
    yield entry


def _section(name: str, lines: list[str]) -> list[str]:
    if name in ("Returns", "Yields"):
        return [f":{name.lower()}: {sentence(' '.join(lines))}", ""]
    out = [f"{name}:"]
    for entry in _entries(lines):
        match = ENTRY.match(entry)
        out.append(f"    {match[1]}: {sentence(match[3])}" if match else f"    {sentence(entry)}")
    return [*out, ""]


def to_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText with Google's sections, for napoleon."""
    out: list[str] = []
    verbatim = False
    for group in _groups(lines):
        section = SECTION.match(group[0])
        if group[0].startswith((" ", "\t")):
            if verbatim:
                out += [".. code-block:: python", "", *(f"   {line[4:]}" for line in group), ""]
            else:
                out += _block(group)
        elif section and len(group) > 1:
            out += _section(section[1], group[1:])
        elif group[0].startswith(">>>"):
            out += [*group, ""]
        else:
            text = " ".join(group)
            verbatim = text.endswith("::")
            out += [sentence(text.removesuffix(":") if verbatim else text), ""]
            continue
        verbatim = False
    return out


def _data(value: Any) -> list[str]:
    """A constant by what it holds, in place of its type's own docstring."""
    shown = ", ".join(map(repr, value)) if isinstance(value, (tuple, Mapping)) else repr(value)
    return [f"{'Keys: ' if isinstance(value, Mapping) else ''}``{shown}``", ""]


def _process(_app: Sphinx, what: str, _name: str, obj: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = _data(obj) if what == "data" else to_rst(lines)


def _skip(_app: Sphinx, _what: str, _name: str, obj: Any, _skip: bool, _options: Any) -> bool | None:
    alias = "Alias for field number" in (getattr(obj, "__doc__", None) or "")
    return True if alias else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Read docstrings so, before napoleon does its part."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}
