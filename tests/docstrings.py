"""Docstrings as data, read from the source: who is public, what a docstring covers, what a body takes and raises.

Nothing is imported, so that rooms are read whose packages are not installed. The doors are the modules that users
import from; the other modules' public names are for their neighbours.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOORS = (
    "pifs_sim.dynamics",
    "pifs_sim.dynamics.operators",
    "pifs_sim.dynamics.catalogue",
    "pifs_sim.fractals",
    "pifs_sim.fractals.gallery",
    "pifs_sim.diffusion",
    "pifs_sim.diffusion.schedules",
    "pifs_sim.diffusion.geometry",
    "pifs_sim.diffusion.measures",
    "pifs_sim.diffusion.denoisers",
    "pifs_sim.diffusion.design",
    "pifs_sim.diffusion.exchange",
    "pifs_sim.diffusion.spectra",
    "pifs_sim.networks",
    "pifs_sim.testing",
    "pifs_sim.testing.strategies",
)
ARRAYS = re.compile(r"ArrayLike|NDArray|ndarray|\w*Array\b|Vectors\b")
CHECK = re.compile(r"check(?!_memory)|reals$|real_array|same_kind|sequence_of_reals|increasing|batched|_needs|_valid")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A source file: its docstring, its `__all__`, its definitions and what its names were imported from."""

    name: str
    path: Path
    doc: str
    lines: tuple[str, ...]
    public: tuple[str, ...]
    defined: dict[str, ast.ClassDef | Function]
    imports: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Subject:
    """A public function, class or method, with the docstrings that speak for it: `own`, and `around` it."""

    name: str
    node: ast.ClassDef | Function
    module: Module
    own: str
    around: str = ""
    at_a_door: bool = field(default=False, compare=False)

    @property
    def scope(self):
        """All text that may describe it."""
        return f"{self.own}\n{self.around}"


def parsed(name, path):
    """A file as a module."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    public, imports, defined = (), {}, {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            public = tuple(ast.literal_eval(node.value))
        elif isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.ClassDef | Function):
            defined[node.name] = node
    return Module(name, path, ast.get_docstring(tree) or "", tuple(text.splitlines()), public, defined, imports)


@cache
def modules():
    """Name -> module, of the simulator and of the theory."""
    found = {}
    for path in sorted(path for package in ("pifs_sim", "theory") for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = parsed(name, path)
    return found


def resolved(module, name):
    """Where a module's name is defined: (module, node), or None if that is outside or no definition."""
    seen = modules().get(module)
    while seen and name not in seen.defined and name in seen.imports:
        home, name = seen.imports[name]
        seen = modules().get(home) if home != seen.name else None  # a module of the package
    return (seen, seen.defined[name]) if seen and name in seen.defined else None


@cache
def at_doors():
    """(module, name) of everything that users import, and of everything public in the theory."""
    rooms = [name for name in modules() if re.fullmatch(r"pifs_sim\.kernels\.\w+", name)]
    rooms = [name for name in rooms if modules()[name].path.name == "__init__.py"]
    theory = [name for name in modules() if re.match(r"theory(?!\.claims)", name)]
    found = set()
    for door in (*DOORS, *rooms, *theory):
        homes = (resolved(door, name) for name in modules()[door].public)
        found |= {(home[0].name, home[1].name) for home in homes if home}
    return found


@cache
def promises():
    """Method -> docstrings of it in protocols and in classes that others derive from."""
    found = {}
    bases = {
        getattr(base, "attr", getattr(base, "id", ""))
        for module in modules().values()
        for node in module.defined.values()
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }
    for module in modules().values():
        for node in module.defined.values():
            if isinstance(node, ast.ClassDef):
                protocol = any(getattr(base, "id", "") == "Protocol" for base in node.bases)
                for part in node.body:
                    if isinstance(part, Function) and (protocol or node.name in bases):
                        text = f"{ast.get_docstring(part) or ''}\n{ast.get_docstring(node) or ''}"
                        found[part.name] = f"{found.get(part.name, '')}\n{text}"
    return found


def _commented(module, node):
    """The fields of a class that have a comment beside them, which describes them."""
    for part in node.body if isinstance(node, ast.ClassDef) else ():
        comment = module.lines[part.lineno - 1].partition("#")[2] if isinstance(part, ast.AnnAssign) else ""
        if comment:
            yield f"{ast.unparse(part.target)}: {comment.strip()}"


def subjects(module):
    """The public functions, classes, methods and properties that a module defines."""
    door = modules().get(module.name.rpartition(".")[0]) if module.name.startswith("pifs_sim.kernels.") else None
    around = f"{module.doc}\n{door.doc if door else ''}"
    if door and "compute" in door.defined:
        around += f"\n{ast.get_docstring(door.defined['compute']) or ''}"
    for name in module.public:
        node = module.defined.get(name)
        if node is None:
            continue
        doc, public = ast.get_docstring(node) or "", (module.name, name) in at_doors()
        yield Subject(name, node, module, doc, "\n".join([around, *_commented(module, node)]), public)
        for part in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(part, Function) and not part.name.startswith("_"):
                text = f"{doc}\n{around}\n{promises().get(part.name, '')}"
                yield Subject(f"{name}.{part.name}", part, module, ast.get_docstring(part) or "", text, public)


def parameters(node):
    """Name -> annotation of what a function takes, or of a dataclass's public fields."""
    if isinstance(node, ast.ClassDef):
        fields = [part for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)]
        found = {part.target.id: ast.unparse(part.annotation) for part in fields}
        found = {name: kind for name, kind in found.items() if "ClassVar" not in kind}
        init = [part for part in node.body if isinstance(part, Function) and part.name == "__init__"]
        return parameters(init[0]) if init else {k: v for k, v in found.items() if not k.startswith("_")}
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    found = {each.arg: ast.unparse(each.annotation) if each.annotation else "" for each in arguments}
    return {name: kind for name, kind in found.items() if name not in ("self", "cls") and not name.startswith("_")}


@cache
def _raised(node):
    """Exceptions that a body raises by name, but for those of functions within it."""
    within = [part for part in ast.walk(node) if isinstance(part, Function) and part is not node]
    inner = {id(below) for part in within for below in ast.walk(part)}
    raises = [part.exc for part in ast.walk(node) if isinstance(part, ast.Raise) and id(part) not in inner]
    classes = [part.func if isinstance(part, ast.Call) else part for part in raises if part]
    names = {getattr(each, "attr", getattr(each, "id", "")) for each in classes}
    return {name for name in names if name[:1].isupper()}


def raised(subject, depth=2):
    """Exceptions that a subject's body raises, itself or by a check that it calls."""
    node = subject.node
    if isinstance(node, ast.ClassDef):
        body = [part for part in node.body if isinstance(part, Function) and part.name in ("__init__", "__post_init__")]
        return set().union(*(_reached(subject.module, part, depth) for part in body))
    return _reached(subject.module, node, depth)


def _reached(module, node, depth):
    found = set(_raised(node))
    if depth:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                home = resolved(module.name, part.func.id)
                if home and isinstance(home[1], Function) and CHECK.search(part.func.id):
                    found |= _reached(*home, depth - 1)
    return found
