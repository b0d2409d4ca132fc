"""The classical sets, each with its IFS and its exact dimension, or honest bounds where none is known.

Each function makes an `Entry`; `get` finds one by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pifs_sim.dynamics.catalogue.entry import by_name
from pifs_sim.fractals.gallery import affine, similar
from pifs_sim.fractals.gallery.affine import barnsley_fern, bedford_mcmullen
from pifs_sim.fractals.gallery.entry import Cube, Entry
from pifs_sim.fractals.gallery.similar import (
    cantor,
    cantor_dust,
    carpet,
    dragon,
    golden,
    koch,
    levy,
    menger,
    overlapping,
    sierpinski,
    sierpinski_right,
    tetrahedron,
    vicsek,
)

__all__ = [
    "NAMES",
    "Cube",
    "Entry",
    "barnsley_fern",
    "bedford_mcmullen",
    "cantor",
    "cantor_dust",
    "carpet",
    "dragon",
    "get",
    "golden",
    "koch",
    "levy",
    "menger",
    "overlapping",
    "sierpinski",
    "sierpinski_right",
    "tetrahedron",
    "vicsek",
]

_SETS: Mapping[str, Callable[..., Entry]] = MappingProxyType(
    {name: getattr(module, name) for module in (affine, similar) for name in module.__all__}
)

NAMES = tuple(sorted(_SETS))


def get(name: str, **values: Any) -> Entry:
    """The entry of this name.

    Raises:
        ValueError: an unknown name, or a value that the set refuses.
    """
    found: Entry = by_name(_SETS, name, "a set of the gallery")(**values)
    return found


def __dir__() -> list[str]:
    return list(__all__)
