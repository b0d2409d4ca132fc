"""Giving all n directions the leading variance makes d saturate at n; the full spectrum of image patches does not.

If lam_1 > lam**, n exponents Lambda(lam_1) > 0 have no negative partial sum: d = n, whatever the data. With each
direction's own variance d is about 10.5 of 192 for the 8 x 8 x 3 patches of a photograph (values in [-1, 1]).
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, close
from theory.claims import kaplan_yorke
from theory.instruments import chain_growth

n, leading = sp.symbols("n Lambda_1", positive=True)


def dimensions(exponents: Sequence[Any]) -> tuple[Any, Any]:
    """d with the leading exponent for all n directions, and d of the spectrum (descending)."""
    whole = len(exponents) if exponents[0] >= 0 else 0
    return whole, kaplan_yorke.dimension(exponents, [1] * len(exponents))


CLAIM = Claim(
    label="leading-eigenvalue-saturation",
    source="derived here; the saturated figure is Dooms 2026, arXiv:2603.13069, reported",
    statement="Giving all n directions the leading variance makes the dimension saturate, d = n, as soon as λ_1 > λ**; "
    "with the full spectrum the 8×8×3 patches of a photograph have d ≈ 10.5 of n = 192.",
    equation=sp.Eq(sp.Symbol("d"), sp.Piecewise((n, sp.Gt(*sp.symbols("lambda_1 lambda__**"))), (0, True))),
    formula=dimensions,
    assumptions="lam_1 the largest of n variances",
    scope="Gaussian data, exact denoiser; 10.5 on one photograph, T = 1000, linear and cosine schedule",
    uses=("lyapunov-gaussian", "kaplan-yorke"),
    witness={
        "photograph, linear": {"schedule": schedules.linear(1000), "lam": "photograph"},
        "photograph, cosine": {"schedule": schedules.cosine(1000), "lam": "photograph"},
        "all contract": {"schedule": schedules.linear(100), "lam": np.array([1.001, 0.5])},
    },
    mutants={
        "the full spectrum saturates too": lambda exponents: (dimensions(exponents)[0],) * 2,
        "the leading variance counted once": lambda exponents: (
            min(1, dimensions(exponents)[0]),
            dimensions(exponents)[1],
        ),
        "expanding directions only": lambda exponents: (dimensions(exponents)[0], sum(1 for x in exponents if x >= 0)),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(min_steps=2, max_steps=5),
    "lam": strategies.spectra(2, 6, 1e-2, 1e3),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Equal exponents have no negative partial sum, so d = n; a spectrum whose sum is negative has d < n."""
    a, b, c, j, weight = sp.symbols("a b c j w", positive=True)
    saturated, full = formula((a, -a - b, -a - b - c))
    yield Identity("d = n; S(d) = 0", saturated - 3 + weight * (a - (full - 1) * (a + b)))
    yield Positive("partial sums of n equal exponents", j * leading)
    yield Positive("d < 3 of that spectrum", 3 - sp.sympify(dimensions((a, -a - b, -a - b - c))[1]))
    yield NotProved("10.5 of 192", "no proof: it is a measurement on a photograph")


@cache
def photograph() -> Any:
    """Variances of the 8 x 8 x 3 patches of the photograph that matplotlib ships, descending, (192,)."""
    return patch_spectrum(default_photograph(), 8).eigenvalues


def observe(schedule: Schedule, lam: Any) -> tuple[float, float]:
    """Dimension at which the chain keeps volumes, on data with the leading variance alone and with all."""
    factors = chain_growth(schedule, lam)
    return kaplan_yorke.kept_volume(np.full(lam.size, factors[0])), kaplan_yorke.kept_volume(factors)


def _measured(schedule: Schedule, lam: Any) -> tuple[tuple[float, float], list[float], tuple[float, float]]:
    """`observe`, the library's exponents, and the rounding of both dimensions."""
    exponents = geometry.lyapunov_exponent(schedule, lam).tolist()
    clear = abs(exponents[0]) > 1e-6  # n or 0 then, whatever the rounding
    saturated = 0.0 if clear else kaplan_yorke.rounding(schedule, lam[:1], [lam.size], exponents[:1])
    full = kaplan_yorke.rounding(schedule, lam, [1] * lam.size, exponents)
    return observe(schedule, lam), exponents, (saturated, full)


@cache
def _of_photograph(schedule: Schedule) -> Any:
    return _measured(schedule, photograph())


def holds(formula: Formula, schedule: Schedule, lam: Any) -> float:
    """Both dimensions to the rounding of a sum over the slope at d; 10.5 on the photograph."""
    of_photograph = isinstance(lam, str)
    if of_photograph:
        measured, exponents, rounding = _of_photograph(schedule)
    else:
        measured, exponents, rounding = _measured(schedule, np.sort(lam)[::-1])
    saturated, full = formula(exponents)
    error = close("d with the leading variance", measured[0], saturated, rounding[0], 1.0)
    error = max(error, close("d with the full spectrum", measured[1], float(full), rounding[1], 1.0))
    if of_photograph:
        close("d of the photograph", full, 10.5, 0.05, 1.0)
    return error
