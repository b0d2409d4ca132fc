"""Maps of the interval, and the arithmetic that keeps 2x mod 1 alive.

Doubling a binary float shifts its bits: from any double, 2x mod 1 is 0 after at most 1074 steps, and after 53 from
one that a generator draws. The orbit that is computed is not a typical one but the exception. So these maps live on
the points y/p, y = 1..p-1, with p the odd prime 2^51 - 165, for which 2 is a primitive root. The nearest double to
y/p gives y back exactly (x p differs from y by less than 3/8), and doubling or folding y is exact in doubles, since
2p < 2^52. So what is computed is, up to the rounding of y/p, a true periodic orbit of the map, of length p - 1 (of
(p - 1)/2 for the tent map), which visits every point (every even y) once. Points between are moved to the nearest
y/p. All this needs doubles: float32 does not separate the points.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from pifs_sim.dynamics.catalogue.entry import Array, Entry, log_size, real
from pifs_sim.dynamics.compiled import CompiledMap

__all__ = ["BELOW_ONE", "PRIME", "doubling", "fractions", "logistic", "logistic_exponent", "tent"]

PRIME = 2.0**51 - 165.0
BELOW_ONE = 1.0 - 2.0**-53


def fractions(batch: int, rng: np.random.Generator) -> Array:
    """Random points y/p, (batch, 1)."""
    return rng.integers(1, int(PRIME), (batch, 1)) / PRIME


def _open(batch: int, rng: np.random.Generator) -> Array:
    return rng.uniform(0.01, 0.99, (batch, 1))


@lru_cache(maxsize=1)
def _doubling() -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        y = 2.0 * np.floor(x[0] * PRIME + 0.5)
        return ((y - PRIME if y >= PRIME else y) / PRIME,)

    def jacobian(x: Any, _: int) -> Any:  # noqa: ARG001
        return ((2.0,),)

    return CompiledMap(step, jacobian, dim=1)


def doubling() -> Entry:
    """The doubling map x -> 2x mod 1, on the points y/p; exponent ln 2.

    Source: Renyi 1957, Acta Math. Acad. Sci. Hung. 8, 477, doi:10.1007/BF02020331.
    """
    return Entry(
        name="doubling",
        parameters={},
        source="Renyi 1957, Acta Math. Acad. Sci. Hung. 8, 477, doi:10.1007/BF02020331",
        system=_doubling(),
        x0=fractions,
        exponents=(math.log(2.0),),
        log_volume=math.log(2.0),
        constant_jacobian=True,
    )


@lru_cache(maxsize=32)
def _tent(mu: float) -> CompiledMap:
    if mu == 2.0:

        def step(x: Any, _: int) -> Any:
            y = 2.0 * np.floor(x[0] * PRIME + 0.5)
            return ((2.0 * PRIME - y if y >= PRIME else y) / PRIME,)
    else:

        def step(x: Any, _: int) -> Any:
            return (mu * min(x[0], 1.0 - x[0]),)

    def jacobian(x: Any, _: int) -> Any:
        return ((mu if x[0] < 0.5 else -mu,),)

    return CompiledMap(step, jacobian, dim=1)


def tent(mu: float = 2.0) -> Entry:
    """The tent map x -> mu min(x, 1 - x); exponent ln mu. For mu = 2 on the points y/p.

    Raises:
        ValueError: mu outside (1, 2].

    Source: Collet, Eckmann 1980, Iterated Maps on the Interval as Dynamical Systems, Birkhaeuser.
    """
    mu = real("mu", mu, "be above 1 and at most 2", lambda value: 1.0 < value <= 2.0)
    return Entry(
        name="tent",
        parameters={"mu": mu},
        source="Collet, Eckmann 1980, Iterated Maps on the Interval as Dynamical Systems, Birkhaeuser",
        system=_tent(mu),
        x0=fractions if mu == 2.0 else _open,
        exponents=(math.log(mu),),
        log_volume=math.log(mu),
        constant_jacobian=True,
    )


@lru_cache(maxsize=32)
def _logistic(r: float) -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        return (min(r * x[0] * (1.0 - x[0]), BELOW_ONE),)

    def jacobian(x: Any, _: int) -> Any:
        return ((r * (1.0 - 2.0 * x[0]),),)

    return CompiledMap(step, jacobian, dim=1)


def logistic_exponent(r: float) -> float | None:
    """The exponent of the logistic map where it is known in closed form, else None.

    ln r for r <= 1 (the fixed point 0), ln|2 - r| for r <= 3 (the fixed point 1 - 1/r), ln|4 + 2r - r^2|/2 for
    r <= 1 + sqrt 6 (the cycle of two), ln 2 for r = 4.
    """
    if r == 4.0:
        return math.log(2.0)
    if r <= 3.0:
        return log_size(r if r <= 1.0 else 2.0 - r)
    return log_size(4.0 + (2.0 - r) * r) / 2.0 if r <= 1.0 + math.sqrt(6.0) else None


def logistic(r: float = 4.0) -> Entry:
    """The logistic map x -> r x (1 - x); see `logistic_exponent` for what is known.

    At r = 4 a double within 2^-28 of 1/2 would be rounded to 1 and stay at 0 ever after, once in 2e8 steps: the image
    is rounded to the double below 1 instead. Orbits of doubles still end in a cycle, most of
    them in one of 5638349 steps after some 1e7: many orbits are better than a longer one.

    Raises:
        ValueError: r outside (0, 4].

    Source: May 1976, Nature 261, 459, doi:10.1038/261459a0; r = 4: Ulam, von Neumann 1947, Bull. Am. Math. Soc. 53,
    1120.
    """
    r = real("r", r, "be above 0 and at most 4", lambda value: 0.0 < value <= 4.0)
    known = logistic_exponent(r)
    return Entry(
        name="logistic",
        parameters={"r": r},
        source="May 1976, Nature 261, 459, doi:10.1038/261459a0",
        system=_logistic(r),
        x0=_open,
        exponents=None if known is None else (known,),
    )
