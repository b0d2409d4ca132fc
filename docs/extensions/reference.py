"""The reference: a page for every public module, with each public name once, generated before a build."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from extensions import generated

__all__ = ["documented", "setup"]

ARRAY_LIKE = re.compile(
    r"[~\w.]*_?Buffer \| [~\w.]*_SupportsArray\[[^|]*\] \| [~\w.]*_NestedSequence\[[^|]*\] \| "
    r"complex \| bytes \| str \| [~\w.]*_NestedSequence\[complex \| bytes \| str\]"
)
NDARRAY = re.compile(r"[~\w.]*ndarray\[tuple\[[^\]]*\], [~\w.]*dtype\[([^\]]*)\]\]")
PACKAGES = {
    "pifs_sim.dynamics": "Systems and what is measured on them",
    "pifs_sim.dynamics.operators": "Structured linear operators",
    "pifs_sim.dynamics.catalogue": "Textbook maps",
    "pifs_sim.fractals": "Iterated function systems and image coding",
    "pifs_sim.fractals.gallery": "Classical sets",
    "pifs_sim.diffusion": "Chains, suppression, release",
    "pifs_sim.diffusion.schedules": "Constructors of schedules",
    "pifs_sim.diffusion.geometry": "The model-free quantities",
    "pifs_sim.diffusion.measures": "Data laws",
    "pifs_sim.diffusion.denoisers": "Denoisers",
    "pifs_sim.diffusion.design": "Design of schedules",
    "pifs_sim.diffusion.exchange": "Exchange with diffusers and ComfyUI",
    "pifs_sim.diffusion.spectra": "Spectra of images and latents",
    "pifs_sim.testing": "Checks for other people's test suites",
    "pifs_sim.testing.strategies": "Hypothesis strategies",
}


def _rooms() -> list[str]:
    import pifs_sim.kernels as kernels

    return [f"pifs_sim.kernels.{module.name}" for module in pkgutil.iter_modules(kernels.__path__) if module.ispkg]


def _home(names: dict[str, Any]) -> dict[int, str]:
    """Where an object that several modules export is documented: in the first, the packages' own before others."""
    homes: dict[int, str] = {}
    for full, value in names.items():
        if callable(value):
            homes.setdefault(id(value), full)
    return homes


def documented() -> dict[str, Any]:
    """Every public name, "module.name", and its value; modules are left out."""
    found = {}
    for module in (*PACKAGES, *_rooms()):
        loaded = importlib.import_module(module)
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if not inspect.ismodule(value):
                found[f"{module}.{name}"] = value
    return found


def _entry(module: str, name: str, value: Any, home: str) -> list[str]:
    full = f"{module}.{name}"
    if home != full:
        return [f"``{name}`` is :py:obj:`{home}`.", ""]
    if inspect.isclass(value):
        return [f".. autoclass:: {full}", "   :members:", ""]
    kind = "function" if callable(value) else "data"
    return [f".. auto{kind}:: {full}", *(["   :no-value:"] if kind == "data" else []), ""]


def _page(module: str, title: str, names: dict[str, Any], homes: dict[int, str]) -> str:
    heading = f"``{module}``"
    lines = [heading, "=" * len(heading), "", f"*{title}.*" if title else "", "", f".. automodule:: {module}", ""]
    for full, value in names.items():
        if full.rpartition(".")[0] == module:
            home = homes.get(id(value), full) if callable(value) else full
            lines += _entry(module, full.rpartition(".")[2], value, home)
    return "\n".join(lines) + "\n"


def _index(modules: list[str]) -> str:
    rooms = [module for module in modules if ".kernels." in module]
    packages = [module for module in modules if module not in rooms]
    lines = [
        "Reference",
        "=========",
        "",
        "Every public name, from its docstring. Formulas are those of the docstrings, set.",
        "",
    ]
    for caption, chosen in (("Packages", packages), ("Kernels", rooms)):
        lines += [".. toctree::", "   :maxdepth: 1", f"   :caption: {caption}", ""]
        lines += [f"   {module.removeprefix('pifs_sim.')} <{module}>" for module in chosen]
        lines += [""]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write the pages; those that stay the same are not touched."""
    names = documented()
    homes = _home(names)
    pages = {module: _page(module, PACKAGES.get(module, ""), names, homes) for module in (*PACKAGES, *_rooms())}
    pages["index"] = _index(list(pages))
    for module, text in pages.items():
        generated.write(folder / f"{module}.rst", text)
    for stale in set(folder.glob("*.rst")) - {folder / f"{module}.rst" for module in pages}:
        stale.unlink()


def _plain(_app: Sphinx, *described: Any) -> tuple[str | None, str | None]:
    """Types as the code writes them: ArrayLike and NDArray, not what NumPy makes of them."""
    signature, returned = described[-2:]
    return _names(signature), _names(returned)


def _names(text: str | None) -> str | None:
    if text is None:
        return None
    text = ARRAY_LIKE.sub("ArrayLike", text)
    return NDARRAY.sub(r"NDArray[\1]", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write docs/generated/reference before the sources are read."""
    app.connect("autodoc-process-signature", _plain)
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / "generated" / "reference"))
    return {"parallel_read_safe": True}
