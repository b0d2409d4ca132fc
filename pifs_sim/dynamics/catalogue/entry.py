"""A map with its parameters, its source, and what is known of it without measuring."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.dimension import Estimate, kaplan_yorke_dimension
from pifs_sim.dynamics.display import shown
from pifs_sim.dynamics.system import System

__all__ = ["Entry", "Reference", "by_name", "log_size", "real"]

Array = npt.NDArray[np.float64]
Named = TypeVar("Named")


@dataclass(frozen=True)
class Reference:
    """Trusted measured values.

    Attributes:
        exponents: descending, each with its standard error.
        kaplan_yorke: the Kaplan-Yorke dimension.
        sigma: the mean over N steps has a standard error of about sigma/sqrt(N).
    """

    exponents: tuple[Estimate, ...]
    kaplan_yorke: Estimate
    sigma: float


@dataclass(frozen=True)
class Entry:
    """A system of the catalogue.

    Attributes:
        name: what `catalogue.get` calls it.
        parameters: the values it was made with.
        source: author, year, journal or book, doi.
        system: the map, for points (B, d).
        x0: x0(batch, rng) gives random starting points (batch, d) that stay bounded, for the default parameters at
            least.
        exponents: all d exponents exactly, per step, descending, for almost every start; or None.
        reference: trusted measured values, or None.
        log_volume: ln|det Df|, where it is the same at every point; or None.
        constant_jacobian: whether Df is the same at every point, up to the signs of its rows. The exponents are then
            reached to rounding once the frame is aligned.
        inverse: f^-1 on points (B, d), or None where f is not invertible or its inverse is not written down.
    """

    name: str
    parameters: Mapping[str, Any]
    source: str
    system: System
    x0: Callable[[int, np.random.Generator], Array] = field(repr=False)
    exponents: tuple[float, ...] | None = None
    reference: Reference | None = None
    log_volume: float | None = None
    constant_jacobian: bool = False
    inverse: Callable[[Array], Array] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        values = "".join(f"{key}={shown(value)}, " for key, value in self.parameters.items())
        return f"Entry({self.name}, {values}d={self.system.dim})"

    @property
    def exponent_sum(self) -> float | None:
        """The sum of all exponents exactly, or None."""
        if self.log_volume is not None or self.exponents is None:
            return self.log_volume
        return math.fsum(self.exponents) if min(self.exponents) > -math.inf else -math.inf

    @property
    def kaplan_yorke(self) -> Estimate | None:
        """The Kaplan-Yorke dimension: exact (standard error 0), or the measured reference, or None."""
        if self.exponents is not None:
            return Estimate(kaplan_yorke_dimension(self.exponents), 0.0)
        return None if self.reference is None else self.reference.kaplan_yorke


def by_name(known: Mapping[str, Named], name: str, what: str) -> Named:
    """The one of that name; ValueError with the nearest names, which are `what`."""
    if name in known:
        return known[name]
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.4)
    raise ValueError(
        f"`name` must be {what}, got {name!r}; {'near it' if near else 'there'} are: {', '.join(near or known)}."
    )


def log_size(value: float) -> float:
    """ln|value|, -inf at 0."""
    return math.log(abs(value)) if value else -math.inf


def real(name: str, value: Any, rule: str = "be finite", holds: Callable[[float], bool] = math.isfinite) -> float:
    """`value` as a float; ValueError unless it is a finite number for which `rule` holds."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"`{name}` must be a number, got {value!r}.") from None
    if not (math.isfinite(number) and holds(number)):
        raise ValueError(f"`{name}` must {rule}, got {value!r}.")
    return number
