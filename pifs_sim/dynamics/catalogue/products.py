"""Products A_n ... A_2 A_1 of independent random matrices whose exponents are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pifs_sim.dynamics.catalogue.entry import Entry
from pifs_sim.dynamics.cocycle import Cocycle

__all__ = ["gaussian_products"]


def _digamma_half(m: int) -> float:
    """psi(m/2), from psi(1/2) or psi(1) upwards by psi(z + 1) = psi(z) + 1/z."""
    start = -np.euler_gamma - (2.0 * math.log(2.0) if m % 2 else 0.0)
    return math.fsum([start, *(2.0 / j for j in range(2 - m % 2, m, 2))])


def gaussian_products(dim: int = 3, seed: int = 0) -> Entry:
    """Products of d x d matrices with independent standard normal entries, anew at each step and for each orbit.

    lambda_i = (ln 2 + psi((d - i + 1)/2))/2, i = 1..d. Orbits start at the origin, which is fixed.

    Args:
        dim: d.
        seed: of the matrices.

    Raises:
        ValueError: dim or seed not an integer, dim < 1, seed < 0.

    Source: Newman 1986, Commun. Math. Phys. 103, 121, doi:10.1007/BF01464284.
    """
    for name, value, least in (("dim", dim, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"`{name}` must be an integer of at least {least}, got {value!r}.")
    d = int(dim)

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
        return rng.standard_normal((*shape, d, d))

    return Entry(
        name="gaussian_products",
        parameters={"dim": d, "seed": int(seed)},
        source="Newman 1986, Commun. Math. Phys. 103, 121, doi:10.1007/BF01464284",
        system=Cocycle.random(draw, dim=d, seed=int(seed)),
        x0=lambda batch, _: np.zeros((batch, d)),
        exponents=tuple((math.log(2.0) + _digamma_half(d - i)) / 2.0 for i in range(d)),
    )
