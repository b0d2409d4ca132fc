"""Skew products over an expanding map of the interval, whose exponents are known in closed form.

Kaplan-Yorke map: (2x mod 1, alpha y + cos 4 pi x), exponents ln 2 and ln alpha.

Generalised baker's map with a cut a and contractions l, r (l + r <= 1):
(x/a, l y) for x < a, ((x - a)/(1 - a), r y + 1 - r) otherwise. Lebesgue measure in x is invariant, so the exponents are
-(a ln a + (1 - a) ln(1 - a)) and a ln l + (1 - a) ln r.

Where x doubles (the Kaplan-Yorke map, and a = 1/2) it moves on the fractions y/p of `interval`, exactly. At other cuts
doubles alone would not do: with a = 1/4 orbits still fall on 0, once in 2e8 steps, and with any cut there are so few
doubles that cycles of 1e7 steps are usual. The expansion uses up the last bits of x; here new ones come from y, which
holds the past: x' = u + 2^-51 (z - u), u the image of x and z the last bits of y, 2^44 y mod 1. This is rounding, of
at most 2^-51 a step, by a rule that remembers, and (x, y) has too many states for short cycles. The map expands by
s = 1/max(a, 1 - a) at least, with full branches, so a true orbit takes the same branches and stays within
2^-51/(s - 1). Cuts that double nearly (within 2^-30 of 1/2) or hardly expand (within 2^-20 of 0 or 1) are refused.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from pifs_sim.dynamics.catalogue.entry import Array, Entry, real
from pifs_sim.dynamics.catalogue.interval import PRIME, fractions
from pifs_sim.dynamics.compiled import CompiledMap

__all__ = ["generalised_baker", "kaplan_yorke_map", "skinny_baker"]

_LAST_BITS, _ROUNDING = 2.0**44, 2.0**-51
_FARMER = "Farmer, Ott, Yorke 1983, Physica D 7, 153, doi:10.1016/0167-2789(83)90125-2"


@lru_cache(maxsize=32)
def _kaplan_yorke(alpha: float) -> CompiledMap:
    frequency = 4.0 * math.pi

    def step(x: Any, _: int) -> Any:
        y = 2.0 * np.floor(x[0] * PRIME + 0.5)
        return (y - PRIME if y >= PRIME else y) / PRIME, alpha * x[1] + math.cos(frequency * x[0])

    def jacobian(x: Any, _: int) -> Any:
        return (2.0, 0.0), (-frequency * math.sin(frequency * x[0]), alpha)

    return CompiledMap(step, jacobian, dim=2)


def kaplan_yorke_map(alpha: float = 0.2) -> Entry:
    """The Kaplan-Yorke map (x, y) -> (2x mod 1, alpha y + cos 4 pi x); exponents ln 2, ln alpha.

    Raises:
        ValueError: alpha outside (0, 1).

    Source: Kaplan, Yorke 1979, Lecture Notes in Mathematics 730, 204, doi:10.1007/BFb0064319.
    """
    alpha = real("alpha", alpha, "be above 0 and below 1", lambda value: 0.0 < value < 1.0)

    def x0(batch: int, rng: np.random.Generator) -> Array:
        return np.concatenate([fractions(batch, rng), rng.uniform(-1.0, 1.0, (batch, 1))], axis=1)

    return Entry(
        name="kaplan_yorke_map",
        parameters={"alpha": alpha},
        source="Kaplan, Yorke 1979, Lecture Notes in Mathematics 730, 204, doi:10.1007/BFb0064319",
        system=_kaplan_yorke(alpha),
        x0=x0,
        exponents=(math.log(2.0), math.log(alpha)),
        log_volume=math.log(2.0) + math.log(alpha),
    )


@lru_cache(maxsize=32)
def _baker(cut: float, left: float, right: float) -> CompiledMap:
    rest = 1.0 - cut
    if cut == 0.5:

        def step(x: Any, _: int) -> Any:
            y = 2.0 * np.floor(x[0] * PRIME + 0.5)
            below = x[0] < 0.5
            return (y if below else y - PRIME) / PRIME, left * x[1] if below else right * x[1] + (1.0 - right)
    else:

        def step(x: Any, _: int) -> Any:
            below = x[0] < cut
            u, z = x[0] / cut if below else (x[0] - cut) / rest, _LAST_BITS * x[1]
            return u + _ROUNDING * (z - np.floor(z) - u), left * x[1] if below else right * x[1] + (1.0 - right)

    def jacobian(x: Any, _: int) -> Any:
        below = x[0] < cut
        return (1.0 / cut if below else 1.0 / rest, 0.0), (0.0, left if below else right)

    return CompiledMap(step, jacobian, dim=2)


def _contraction(name: str, value: float) -> float:
    return real(name, value, "be above 0 and below 1", lambda number: 0.0 < number < 1.0)


def _is_cut(value: float) -> bool:
    from_half = abs(value - 0.5)
    return from_half == 0.0 or 2.0**-30 <= from_half <= 0.5 - 2.0**-20


def generalised_baker(cut: float = 0.4, left: float = 0.3, right: float = 0.5) -> Entry:
    """The generalised baker's map of the unit square.

    Args:
        cut: a, where x is cut: 1/2, or in [2^-20, 1 - 2^-20] and 2^-30 away from 1/2.
        left: contraction of y left of the cut.
        right: contraction of y right of it.

    Raises:
        ValueError: another cut, contractions outside (0, 1) or of sum above 1.

    Source: Farmer, Ott, Yorke 1983, Physica D 7, 153, doi:10.1016/0167-2789(83)90125-2.
    """
    cut = real("cut", cut, "be 1/2, or in [2^-20, 1 - 2^-20] and 2^-30 away from 1/2", _is_cut)
    left, right = _contraction("left", left), _contraction("right", right)
    if left + right > 1.0:
        raise ValueError(f"`left` + `right` must be at most 1, got {left!r} + {right!r}.")
    rest = 1.0 - cut

    def x0(batch: int, rng: np.random.Generator) -> Array:
        x = fractions(batch, rng) if cut == 0.5 else rng.random((batch, 1))
        return np.concatenate([x, rng.random((batch, 1))], axis=1)

    def inverse(x: Array) -> Array:
        below = x[:, 1] < (left + 1.0 - right) / 2.0  # the middle of the gap between the two images
        before = np.where(below, cut * x[:, 0], cut + rest * x[:, 0])
        return np.stack([before, np.where(below, x[:, 1] / left, (x[:, 1] - (1.0 - right)) / right)], axis=1)

    same = cut == 0.5 and left == right
    expansion = -(cut * math.log(cut) + rest * math.log1p(-cut))
    contraction = cut * math.log(left) + rest * math.log(right)
    return Entry(
        name="generalised_baker",
        parameters={"cut": cut, "left": left, "right": right},
        source=_FARMER,
        system=_baker(cut, left, right),
        x0=x0,
        exponents=(expansion, contraction),
        log_volume=expansion + contraction if same else None,
        constant_jacobian=same,
        inverse=inverse,
    )


def skinny_baker(ratio: float = 1 / 3) -> Entry:
    """The skinny baker's map: x doubles and y shrinks by `ratio`; exponents ln 2, ln ratio.

    Raises:
        ValueError: a ratio outside (0, 1/2].

    Source: Farmer, Ott, Yorke 1983, Physica D 7, 153, doi:10.1016/0167-2789(83)90125-2.
    """
    ratio = real("ratio", ratio, "be above 0 and at most 1/2", lambda value: 0.0 < value <= 0.5)
    baker = generalised_baker(0.5, ratio, ratio)
    exponents = (math.log(2.0), math.log(ratio))
    return Entry(
        name="skinny_baker",
        parameters={"ratio": ratio},
        source=_FARMER,
        system=baker.system,
        x0=baker.x0,
        exponents=exponents,
        log_volume=sum(exponents),
        constant_jacobian=True,
        inverse=baker.inverse,
    )
