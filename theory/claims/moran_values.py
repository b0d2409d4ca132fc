"""The global expansion thresholds lam** of the standard schedules of 1000 steps, to 1e-15.

The growth prod_t f_t(lam) increases with lam (see `expansion-is-projection`), so that a value is within 1e-15 of lam**
if the growth is below 1 by 1e-15 below it and above 1 by 1e-15 above. Both are certified in ball arithmetic with the
schedules' own definitions: with c_t = sqrt(alpha_bar_t), s_t = sqrt(1 - alpha_bar_t) and a step from t to t - 1,
f_t = (lam c_{t-1} c_t + s_{t-1} s_t)/(lam c_t^2 + s_t^2). The 1.0024 reported for one chain is the cosine chain's
lam**, truncated, with or without offset, and not the linear chain's.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, geometry, schedules
from theory.claim import Certified, Claim, Formula, Obligation, Status, close
from theory.instruments import chain_growth

STEPS = 1000
WITHIN = Fraction(1, 10**15)
VALUES = {
    "linear": "1.0037585689996966",
    "scaled linear": "1.0037346872315968",
    "cosine": "1.0024975529564944",
    "uniform": "1.0024704505390752",
    "linear, every 20th step": "1.0757033393346477",
}
SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "linear": lambda: schedules.linear(STEPS),
    "scaled linear": lambda: schedules.scaled_linear(STEPS),
    "cosine": lambda: schedules.cosine(STEPS),
    "uniform": lambda: schedules.uniform_angle(STEPS),
    "linear, every 20th step": lambda: schedules.linear(STEPS).subsample(np.arange(0, STEPS + 1, 20)),
}


def value(name: str) -> Fraction:
    """The stated lam**."""
    return Fraction(VALUES[name])


def leading_order(name: str) -> float:
    """1 + sum Delta^2/(v_T - v_0)."""
    schedule = SCHEDULES[name]()
    return 1 + float(np.sum(schedule.increments**2) / np.ptp(schedule.noise_variance[[0, -1]]))


CLAIM = Claim(
    label="moran-values",
    source="derived here",
    statement="At T = 1000 the global expansion threshold λ** is 1.003758569 (linear), 1.003734687 (scaled linear), "
    "1.002497553 (cosine, offset 0.008, β ≤ 0.999), 1.002470451 (uniform angles) and 1.075703339 (every 20th step of "
    "the linear chain), each to 1e-15 in the file.",
    equation=sp.Eq(sp.Symbol("lambda__**"), sp.Float(VALUES["linear"], 17), evaluate=False),
    formula=value,
    assumptions="the five schedules as defined, T = 1000",
    scope="Gaussian data, exact denoiser, these five chains",
    uses=("expansion-is-projection",),
    witness={name: {"name": name} for name in VALUES},
    mutants={
        "the reported 1.0024": lambda _: 1.0024,
        "leading order in the steps": leading_order,
        "the least lam*_t": lambda name: float(geometry.step_threshold(SCHEDULES[name]()).min()),
        "printed to six decimals": lambda name: round(float(value(name)), 6),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {"name": st.sampled_from(sorted(VALUES))}


def alpha_bar(arb: Any, name: str) -> list[Any]:
    """Signal shares of the schedule's definition, as balls, t = 0..T; of the angles k pi/2T for the uniform one."""
    kind = name.split(",")[0]
    if kind == "uniform":
        return [(k * arb.pi() / (2 * STEPS)).cos() ** 2 for k in range(STEPS)] + [arb(0)]
    if kind == "cosine":

        def curve(t: int) -> Any:
            return ((arb(t) / STEPS + arb(8) / 1000) / (1 + arb(8) / 1000) * arb.pi() / 2).cos() ** 2

        betas = [arb.min(1 - curve(t) / curve(t - 1), arb(999) / 1000) for t in range(1, STEPS + 1)]
    else:
        ends = (arb(1) / 10000, arb(2) / 100) if kind == "linear" else (arb(85) / 100000, arb(12) / 1000)
        low, high = ends if kind == "linear" else (end.sqrt() for end in ends)
        line = [low + (high - low) * k / (STEPS - 1) for k in range(STEPS)]
        betas = line if kind == "linear" else [x**2 for x in line]
    shares = list(accumulate((1 - beta for beta in betas), mul, initial=arb(1)))
    return shares[:: 20 if "20th" in name else 1]


@cache
def directions(arb: Any, name: str) -> Sequence[tuple[Any, Any]]:
    """(c_t, s_t), t = 0..T."""
    return [(a.sqrt(), (1 - a).sqrt()) for a in alpha_bar(arb, name)]


def logarithm(arb: Any, name: str, lam: Any) -> Any:
    """ln of the growth."""
    total, pairs = arb(0), directions(arb, name)
    for (c, s), (d, t) in pairwise(pairs):
        total += ((lam * c * d + s * t) / (lam * d * d + t * t)).log()
    return total


def slope(arb: Any, name: str, lam: Any) -> Any:
    """Its derivative with respect to lam."""
    total, pairs = arb(0), directions(arb, name)
    for (c, s), (d, t) in pairwise(pairs):
        total += t * d * (t * c - d * s) / ((lam * d * d + t * t) * (lam * c * d + s * t))
    return total


def prove(formula: Formula) -> Iterator[Obligation]:
    """The growth is below 1 just below the value, above 1 just above it, and increases from 1 to 1.1."""
    for name in VALUES:
        root = Fraction(formula(name))

        def at(arb: Any, place: Fraction, name: str = name) -> Any:
            return logarithm(arb, name, arb(place.numerator) / place.denominator)

        below, above = root - WITHIN, root + WITHIN
        yield Certified(f"{name}: the growth at lam** - 1e-15 is below 1", lambda arb, at=at, x=below: -at(arb, x))
        yield Certified(f"{name}: the growth at lam** + 1e-15 exceeds 1", lambda arb, at=at, x=above: at(arb, x))
        yield Certified(
            f"{name}: it increases on [1, 1.1]", lambda arb, lam, name=name: slope(arb, name, lam), ((1.0, 1.1),)
        )


@cache
def observe(name: str) -> tuple[float, Any]:
    """The library's root, and the growth of the chain itself at it."""
    schedule = SCHEDULES[name]()
    root = geometry.moran_threshold(schedule)
    return root, chain_growth(schedule, root)


def holds(formula: Formula, name: str) -> float:
    """The library's root is the value to a few roundings, and the chain keeps size there."""
    root, growth = observe(name)
    close("growth at the library's root", growth, 1.0, 1e-12)
    return close("lam**", root, float(formula(name)), 4e-15)
