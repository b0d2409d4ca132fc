"""The classical sets, each with its IFS and its exact dimension, or honest bounds where none is known.

Each function makes an `Entry`; `get` finds one by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

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
    {
        function.__name__: function
        for function in (
            barnsley_fern,
            bedford_mcmullen,
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
    }
)

NAMES = tuple(_SETS)


def get(name: str, **values: Any) -> Entry:
    """The entry of this name.

    Raises:
        ValueError: an unknown name, or a value that the set refuses.
    """
    if name not in _SETS:
        near = difflib.get_close_matches(str(name), NAMES, n=3, cutoff=0.4)
        raise ValueError(
            f"`name` must be a set of the gallery, got {name!r}; {'near it' if near else 'there'} are: "
            f"{', '.join(near or NAMES)}."
        )
    return _SETS[name](**values)
