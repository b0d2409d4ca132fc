"""The Kaplan-Yorke dimension of a chain is the dimension of the set that its outputs fill.

False: a finite chain that stops at phi_0 > 0 keeps dimensions, so its outputs fill n whatever its exponents. Nor can
d_KY be the data's dimension: scaled by k, data from a start near pi/2 have all exponents raised by about ln k, so that
d_KY runs from 0 to n while no dimension of theirs changes. See `attractor-dimension`.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Chain, Schedule, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension
from theory.claim import Claim, Formula, Obligation, close
from theory.claims import attractor_dimension
from theory.claims.attractor_dimension import FLOOR, Dimensions, information, measure
from theory.marginals import Array, Law, normal_law

DATA = {"narrow": 0.5, "wide": 4.0, "needle": 0.01}
ANGLES = schedules.uniform_angle(6, 0.05)

CLAIM = Claim(
    label="attractor-is-kaplan-yorke",
    source="Dooms 2026, arXiv:2603.13069, section 5, as summarised",
    statement="The Kaplan–Yorke dimension of a chain's finite-time exponents is the dimension of the set that its "
    "outputs fill.",
    equation=sp.Eq(sp.Symbol("dim"), sp.Symbol("d_KY")),
    formula=Dimensions(FLOOR, information, kaplan_yorke_dimension),
    assumptions="exact denoiser, phi_0 > 0, x_T ~ p_T",
    scope="refuted for Gaussian data of any variances but the widest, and for Cantor's set",
    uses=("attractor-dimension",),
    witness={"wide normal data": {"data": ("wide",), "schedule": ANGLES}},
    corrected_by="attractor-dimension",
    counterexamples={
        "narrow normal data": {"data": ("narrow",), "schedule": ANGLES},
        "a wide direction and a needle's": {"data": ("wide", "needle"), "schedule": ANGLES},
        "Cantor's set": {"data": ("cantor",), "schedule": Schedule(np.arctan(np.geomspace(0.01, 20.0, 9)))},
    },
)

GIVEN: dict[str, Any] = {}


def prove(formula: Formula) -> Iterator[Obligation]:
    """That of the corrected statement."""
    return attractor_dimension.prove(formula)


@cache
def law(name: str) -> Law:
    """Cantor's set as 16 points, or a normal law on the line."""
    if name in DATA:
        return normal_law([0.0], [[DATA[name]]])
    points = measure(1 / 3, 0.5, 4)
    return points._replace(covariances=0 * points.covariances)


@cache
def observe(data: tuple[str, ...], schedule: Schedule) -> tuple[float, Array]:
    """The dimension that 2000 outputs show below phi_0, and the mean exponents, of a chain on independent directions.

    The share of pairs closer than r in every coordinate is the product of the coordinates' shares.
    """
    rng, count = np.random.default_rng(0), 2000
    dimension, exponents = 0.0, []
    for name in data:
        start = law(name).marginal(float(schedule.angles[-1]))
        spread = np.sqrt(start.covariances[:, 0, 0])
        pieces = rng.choice(len(start.weights), size=count, p=start.weights)
        x = (start.means[pieces, 0] + spread[pieces] * rng.standard_normal(count))[:, None]
        V, chain = np.ones((count, 1, 1)), Chain(schedule, law(name).denoiser)
        for step in range(schedule.steps):
            x, V = chain.tangent(x, step, V)
        exponents.append(float(np.log(V).mean()))
        y, radii = np.sort(x[:, 0]), schedule.sin[0] * np.array([0.1, 0.8])
        pairs = [np.searchsorted(y, y + radius).sum() - count * (count + 1) / 2 for radius in radii]
        dimension += math.log(pairs[1] / pairs[0]) / math.log(radii[1] / radii[0])
    return dimension, np.sort(exponents)[::-1]


def holds(formula: Dimensions, data: tuple[str, ...], schedule: Schedule) -> float:
    """The dimension of the outputs to 0.1 a direction."""
    dimension, exponents = observe(data, schedule)
    return close("dimension of the outputs", dimension, float(formula.output(exponents)), 0.1 * len(data), 1.0)
