"""Mutants that mutmut made: what each changes, whether that is more than wording, and what became of it.

mutmut leaves decorated methods alone; `undecorated` moves the decorators of properties below their bodies, so that it
changes those too.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PLACE", "Mutant", "is_wording", "mutants", "undecorated"]

PLACE = Path("mutants")  # where mutmut leaves everything
_KILLED = {1, 3, 24, -24, 36, 152, 255}  # failed tests and time-outs
_SURVIVED, _UNTESTED = 0, 33
_PROPERTIES = ("property", "cached_property")


@dataclass(frozen=True)
class Mutant:
    """One changed function."""

    name: str  # mutmut's
    module: str  # a path
    function: str
    change: str  # "- old" and "+ new" lines
    code: int | None  # of the process that ran its tests
    wording: bool

    @property
    def outcome(self) -> str:
        """Killed, survived, no tests, not run, or an unknown exit."""
        if self.code is None:
            return "not run"
        return {_SURVIVED: "survived", _UNTESTED: "no tests"}.get(
            self.code, "killed" if self.code in _KILLED else f"exit {self.code}"
        )

    @property
    def key(self) -> str:
        """What a note is filed under: stays when other lines of the function change."""
        added = [line[1:].strip() for line in self.change.splitlines() if line.startswith("+")]
        return f"{self.function}: {' '.join(added)}"


class _Wordless(ast.NodeTransformer):
    """Leaves out what raises say, and puts one placeholder for every sentence (a string with a space)."""

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc.args = []
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("sentence") if isinstance(node.value, str) and " " in node.value.strip() else node


_SENTENCE, _NONE = (ast.dump(ast.Constant(value)) for value in ("sentence", None))


def is_wording(before: ast.AST, after: ast.AST) -> bool:
    """Whether two functions differ in sentences only; None in place of a sentence is such a change."""
    one, other = (ast.dump(_Wordless().visit(ast.parse(ast.unparse(node)))) for node in (before, after))
    lost = one.count(_SENTENCE) > other.count(_SENTENCE)
    return one == other or (lost and one.replace(_SENTENCE, _NONE) == other.replace(_SENTENCE, _NONE))


def mutants(folder: Path) -> Iterator[Mutant]:
    """What a run of mutmut left in its folder."""
    for meta in sorted(folder.glob("**/*.py.meta")):
        source = meta.with_suffix("")
        codes: Mapping[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        tree = ast.parse(source.read_text(encoding="utf-8"))
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for name, code in codes.items():
            mangled = name.rpartition(".")[2]
            stem, _, _ = mangled.rpartition("__mutmut_")
            before, after = functions[f"{stem}__mutmut_orig"], functions[mangled]
            before.name = after.name = stem
            old, new = (ast.unparse(node).splitlines() for node in (before, after))
            lines = difflib.unified_diff(old, new, lineterm="", n=0)
            change = "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
            function = re.sub(r"^x_?", "", stem).replace("ǁ", ".").strip(".")
            path = source.relative_to(folder).as_posix()
            yield Mutant(name, path, function, change, code, is_wording(before, after))


def undecorated(code: str) -> str:
    """The same module with `name = property(name)` below a method in place of `@property` above it."""
    lines, added = code.splitlines(), {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef) and len(node.decorator_list) == 1:
            (decorator,) = node.decorator_list
            if isinstance(decorator, ast.Name) and decorator.id in _PROPERTIES:
                lines[decorator.lineno - 1] = ""
                added[node.end_lineno] = f"{' ' * node.col_offset}{node.name} = {decorator.id}({node.name})"
    out = [text for place, line in enumerate(lines, 1) for text in (line, added.get(place)) if text is not None]
    return "\n".join(out) + "\n"
