"""Networks from safetensors files whose header says what they are.

A checkpoint's header holds strings: `architecture` and `arguments` (JSON) for `architectures.build`, `shape` (JSON
[H, W, C]), `predicts` and `condition` ("angle"), and what else its training wrote. Tensors are those of the module's
state, in any precision. A pickle file can run code when it is read, and is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from pifs_sim.networks.architectures import build
from pifs_sim.networks.denoiser import NetworkDenoiser

__all__ = [
    "PRECISIONS",
    "PathLike",
    "check_precision",
    "checked_path",
    "fill",
    "header",
    "listed",
    "load",
    "refuse_pickle",
]

PathLike = str | os.PathLike[str]

PRECISIONS = {"float32": torch.float32, "float64": torch.float64}

_PICKLES = {".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle"}
_ZIP = b"PK\x03\x04"  # what torch.save writes
_NEEDED = ("architecture", "arguments", "shape", "predicts", "condition")


def checked_path(path: PathLike, *, folder: bool) -> Path:
    """A local file or folder; ValueError for anything else, as nothing is downloaded."""
    found, kind = Path(path), "folder" if folder else "file"
    if not (found.is_dir() if folder else found.is_file()):
        raise ValueError(f"`path` must name a local {kind}, got '{path}': nothing is downloaded.")
    return found


def refuse_pickle(path: Path) -> None:
    """ValueError for a file that pickle would read."""
    with path.open("rb") as file:
        begins = file.read(4)
    if path.suffix.lower() in _PICKLES or begins == _ZIP:
        raise ValueError(f"'{path}' is a pickle file, which can run code when it is read: save it as safetensors.")


def check_precision(dtype: str) -> Any:
    """torch's type of that name; ValueError for another."""
    if dtype not in PRECISIONS:
        raise ValueError(f'`dtype` must be "float32" or "float64", got {dtype!r}.')
    return PRECISIONS[dtype]


def _opened(path: PathLike) -> tuple[dict[str, str], dict[str, Any]]:
    """Header and tensors of a safetensors file."""
    file = checked_path(path, folder=False)
    refuse_pickle(file)
    try:
        with safe_open(str(file), framework="pt") as content:
            return dict(content.metadata() or {}), {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
    except SafetensorError as problem:
        raise ValueError(f"'{file}' is not a readable safetensors file: {problem}.") from None


def _parsed(found: Mapping[str, str], where: PathLike) -> dict[str, Any]:
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        raise ValueError(f"'{where}' is no checkpoint of a network here: its header lacks {', '.join(missing)}.")
    out: dict[str, Any] = {}
    for name, text in found.items():
        try:
            out[name] = json.loads(text) if text[:1] in ("{", "[") else text
        except json.JSONDecodeError:
            raise ValueError(f"'{where}' has a header whose `{name}` is not JSON: {text[:60]!r}.") from None
    for name, kind in (("arguments", dict), ("shape", list)):
        if not isinstance(out[name], kind):
            raise ValueError(f"'{where}' has a header whose `{name}` is no JSON {kind.__name__}: {found[name][:60]!r}.")
    return out


def header(path: PathLike) -> dict[str, Any]:
    """What the checkpoint at `path` says of itself: its header, JSON parsed.

    Raises:
        ValueError: no local file, a pickle, not safetensors, or not a checkpoint of a network here.
    """
    return _parsed(_opened(path)[0], path)


def listed(names: list[str]) -> str:
    """The first five names in order, and how many more there are."""
    shown = ", ".join(sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def fill(module: Any, tensors: Mapping[str, Any], *, where: PathLike) -> None:
    """Put tensors into a module's state, all of them and no others, in its precision.

    Raises:
        ValueError: names that are missing or unexpected, or another shape.
    """
    state = module.state_dict()
    problems = {
        "lacks": [name for name in state if name not in tensors],
        "has unexpected": [name for name in tensors if name not in state],
    }
    for verb, names in problems.items():
        if names:
            raise ValueError(f"'{where}' does not match the network: it {verb} {listed(names)}.")
    for name, own in state.items():
        if tensors[name].shape != own.shape:
            got, expected = tuple(tensors[name].shape), tuple(own.shape)
            raise ValueError(f"'{where}' does not match the network: `{name}` has shape {got}, expected {expected}.")
    module.load_state_dict({name: tensors[name].to(own.dtype) for name, own in state.items()})


def load(path: PathLike, *, dtype: str = "float32", measure: Any = None, chunk: int = 64) -> NetworkDenoiser:
    """The network of a checkpoint as a denoiser.

    Args:
        path: a .safetensors file with the header of this module.
        dtype: "float32" or "float64", in which it then computes.
        measure: see `NetworkDenoiser`.
        chunk: see `NetworkDenoiser`.

    Raises:
        ValueError: no local file, a pickle, a header that lacks something or does not fit, tensors that are missing,
            unexpected or of another shape.
    """
    precision = check_precision(dtype)
    texts, tensors = _opened(path)
    found = _parsed(texts, path)
    if found["condition"] != "angle":
        raise ValueError(f"'{path}' must have the condition \"angle\", got {found['condition']!r:.60}.")
    module = build(found["architecture"], found["shape"], **found["arguments"]).to(precision)
    fill(module, tensors, where=path)
    return NetworkDenoiser(
        module.requires_grad_(False),
        tuple(found["shape"]),
        predicts=found["predicts"],
        condition=_exact,
        measure=measure,
        chunk=chunk,
    )


def _exact(angle: Any) -> Any:
    """The angles in float64, which the architectures take."""
    return angle
