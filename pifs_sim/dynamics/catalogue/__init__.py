"""Textbook maps with their parameters, sources, and what is known exactly.

Each function makes an `Entry`: a system, where to start it, and its exponents in closed form or trusted measured
values with their errors. `get` finds one by name. Maps are compiled when first used, once for each set of parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pifs_sim.dynamics.catalogue.bakers import generalised_baker, kaplan_yorke_map, skinny_baker
from pifs_sim.dynamics.catalogue.entry import Entry, Reference, by_name
from pifs_sim.dynamics.catalogue.interval import doubling, logistic, tent
from pifs_sim.dynamics.catalogue.lattices import circulant_lattice, logistic_lattice
from pifs_sim.dynamics.catalogue.planar import cat, henon, holmes_cubic, ikeda, lozi, standard_map
from pifs_sim.dynamics.catalogue.products import gaussian_products

__all__ = [
    "NAMES",
    "Entry",
    "Reference",
    "cat",
    "circulant_lattice",
    "doubling",
    "gaussian_products",
    "generalised_baker",
    "get",
    "henon",
    "holmes_cubic",
    "ikeda",
    "kaplan_yorke_map",
    "logistic",
    "logistic_lattice",
    "lozi",
    "parameters",
    "skinny_baker",
    "standard_map",
    "tent",
]


def __dir__() -> list[str]:
    return list(__all__)


_MAPS: Mapping[str, Callable[..., Entry]] = MappingProxyType(
    {name: globals()[name] for name in __all__ if name.islower() and name not in ("get", "parameters")}
)

NAMES = tuple(_MAPS)


def _constructor(name: str) -> Callable[..., Entry]:
    return by_name(_MAPS, name, "a map of the catalogue")


def parameters(name: str) -> dict[str, Any]:
    """The parameters of a map and their defaults.

    Raises:
        ValueError: an unknown name.
    """
    return {key: value.default for key, value in inspect.signature(_constructor(name)).parameters.items()}


def get(name: str, **values: Any) -> Entry:
    """The entry of this name, with these parameters.

    Raises:
        ValueError: an unknown name or parameter, or a value that the map refuses.
    """
    known = parameters(name)
    for key in values:
        if key not in known:
            raise ValueError(f"`{key}` is no parameter of {name}; it has {', '.join(known) or 'none'}.")
    return _MAPS[name](**values)
