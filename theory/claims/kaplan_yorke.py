"""The Kaplan-Yorke dimension d = j + (Lambda_1 + ... + Lambda_j)/|Lambda_{j+1}|, j the largest index with S_j >= 0.

It is the largest zero of the piecewise linear x -> S_x through the partial sums S_j of the sorted spectrum (d = n if
S_n >= 0; 0 if Lambda_1 < 0). With N+ directions of exponent >= 0, P the sum of their exponents, and k* the leading
negative one, the closed form N+ + P/|Lambda_{k*}| equals d iff P <= n_{k*} |Lambda_{k*}|, and overshoots otherwise.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation, close
from theory.instruments import EPS, centred_chain, growth_scale, tangent_product

j, partial, following = sp.symbols("j S_j Lambda_j+1", real=True)


def dimension(exponents: Sequence[Any], counts: Sequence[Any]) -> Any:
    """d of a spectrum in descending order: whole groups while the sum stays >= 0, then a fraction of the next."""
    whole, total = 0, 0
    for exponent, count in zip(exponents, counts, strict=True):
        if total + count * exponent < 0:
            return whole - total / exponent
        whole, total = whole + count, total + count * exponent
    return whole


def closed_form(exponents: Sequence[Any], counts: Sequence[Any]) -> Any:
    """N+ + P/|Lambda_{k*}|, or n without a negative exponent."""
    pairs = list(zip(exponents, counts, strict=True))
    positive = [(exponent, count) for exponent, count in pairs if exponent >= 0]
    whole, total = sum(count for _, count in positive), sum(exponent * count for exponent, count in positive)
    return whole if len(positive) == len(pairs) else whole - total / pairs[len(positive)][0]


def mori(exponents: Sequence[Any], counts: Sequence[Any]) -> Any:
    """N+ + N- P/(sum of the negative exponents' sizes): all contracting directions share the fraction."""
    pairs = list(zip(exponents, counts, strict=True))
    positive = [(exponent, count) for exponent, count in pairs if exponent >= 0]
    negative = pairs[len(positive) :]
    whole, total = sum(count for _, count in positive), sum(exponent * count for exponent, count in positive)
    lost = sum(exponent * count for exponent, count in negative)
    return whole - sum(count for _, count in negative) * total / lost if negative else whole


CLAIM = Claim(
    label="kaplan-yorke",
    source="Kaplan, Yorke 1979; Dooms 2026, arXiv:2603.13069, section 5; the condition is derived here",
    statement="The Kaplan–Yorke dimension d = j + (Λ_1 + … + Λ_j) / |Λ_{j+1}| is the largest zero of the interpolated "
    "partial sums; N⁺ + Σ_{λ_k>λ**} n_k Λ_k / |Λ_{k*}| equals it iff Σ_{λ_k>λ**} n_k Λ_k ≤ n_{k*} |Λ_{k*}|.",
    equation=sp.Eq(sp.Symbol("d"), j + partial / sp.Abs(following)),
    formula=dimension,
    assumptions="a spectrum of real exponents or -inf, with multiplicities",
    scope="any spectrum; measured on Gaussian chains",
    witness={
        "linear chain": {"schedule": schedules.linear(100), "groups": [(50.0, 1), (0.9, 2), (0.05, 3)]},
        "all expand": {"schedule": schedules.linear(100), "groups": [(50.0, 2), (9.0, 1)]},
        "all contract": {"schedule": schedules.uniform_angle(5), "groups": [(0.5, 1), (0.25, 2)]},
        "dead directions": {"schedule": schedules.uniform_angle(5), "groups": [(9.0, 1), (0.5, 1), (0.0, 2)]},
    },
    mutants={
        "the closed form": closed_form,
        "every contracting direction shares the fraction": mori,
        "multiplicities left out": lambda exponents, _: dimension(exponents, [1] * len(exponents)),
        "one index further": lambda exponents, counts: dimension(exponents, counts) + 1,
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(min_steps=2, max_steps=5),
    "groups": st.lists(st.tuples(strategies.variances(1e-2, 1e3), st.integers(1, 3)), min_size=1, max_size=4),
}


def overshoots(schedule: Schedule, groups: list[tuple[float, int]]) -> bool:
    """Whether the closed form and the dimension differ."""
    lam = sorted({group[0] for group in groups}, reverse=True)
    counts = [sum(count for value, count in groups if value == variance) for variance in lam]
    exponents = [float(value) for value in geometry.lyapunov_exponent(schedule, lam)]
    return bool(closed_form(exponents, counts) > dimension(exponents, counts) + 1e-9)


REGIONS: dict[str, Any] = {
    "the closed form overshoots": overshoots,
    "it agrees": lambda **point: not overshoots(**point),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """S(d) = 0; one expanding group whose sum P is within, or beyond, the reach of the next group."""
    a, b, c = sp.symbols("a b c", positive=True)
    m, n = sp.symbols("m n", positive=True, integer=True)
    beyond = ((2 * a + b, -a, -a - b - c), (1, 2, 1))
    yield Identity("S(d) = 0, P > n |Lambda|", b - (formula(*beyond) - 3) * (a + b + c))
    within = ((a, -(m * a + b) / n, -(m * a + b) / n - c), (m, n, 1))
    yield Identity("S(d) = 0, P <= n |Lambda|", m * a - (formula(*within) - m) * (m * a + b) / n)
    yield Identity("the closed form agrees within", closed_form(*within) - formula(*within))
    yield Positive("the closed form overshoots beyond", closed_form(*beyond) - dimension(*beyond))
    yield NotProved("spectra of any number of exponents", "induction over the exponents (a proof assistant)")


def kept_volume(factors: Any) -> float:
    """Dimension at which volumes neither grow nor shrink: the largest zero of their ln growth, interpolated."""
    with np.errstate(divide="ignore"):
        volumes = np.concatenate([[0.0], np.cumsum(np.log(np.sort(factors)[::-1]))])
    last = int(np.flatnonzero(volumes >= 0)[-1])
    return float(last if last == factors.size else last + volumes[last] / (volumes[last] - volumes[last + 1]))


def observe(schedule: Schedule, lam: Any) -> float:
    """Dimension at which the chain's tangent product keeps volumes, from its singular values."""
    return kept_volume(np.linalg.svd(tangent_product(centred_chain(schedule, lam)), compute_uv=False))


def rounding(schedule: Schedule, lam: Any, counts: Sequence[int], exponents: Sequence[float]) -> float:
    """Rounding of a dimension: that of the sum of the exponents over the slope at d.

    d jumps from 0 to 1 where the first exponent is 0, so its size bounds the slope too.
    """
    every, alive = np.repeat(exponents, counts), np.isfinite(exponents)
    slope = min(abs(every[min(int(dimension(exponents, counts)), every.size - 1)]), abs(every[0]))
    values, repeats = np.array(exponents)[alive], np.array(counts)[alive]
    loss = growth_scale(schedule, lam[alive]) / np.exp(values)
    return float(32 * EPS * (every.size + np.sum(repeats * (loss + np.abs(values))) / max(slope, 1e-300)))


def holds(formula: Formula, schedule: Schedule, groups: list[tuple[float, int]]) -> float:
    """The dimension measured from volumes and the library's are the formula's.

    Beyond the condition the closed form overshoots by (P - n|Lambda_{k*}|)(1/|Lambda_{k*}| - 1/|next|) or more.
    """
    lam = np.array(sorted({group[0] for group in groups}, reverse=True))
    counts = [sum(count for value, count in groups if value == variance) for variance in lam]
    exponents = [float(value) for value in geometry.lyapunov_exponent(schedule, lam)]
    expected, tolerance = float(formula(exponents, counts)), rounding(schedule, lam, counts, exponents)
    error = close("dimension from volumes", observe(schedule, np.repeat(lam, counts)), expected, tolerance, 1.0)
    close("library", kaplan_yorke_dimension(exponents, counts), expected, tolerance, 1.0)
    pairs = list(zip(exponents, counts, strict=True))
    (first, count), (second, _) = [*((-x, n) for x, n in pairs if x < 0), (np.inf, 0), (np.inf, 0)][:2]
    beyond = max(0.0, sum(x * n for x, n in pairs if x >= 0) - (first * count if count else np.inf))
    overshoot, least = closed_form(exponents, counts) - dimension(exponents, counts), beyond * (1 / first - 1 / second)
    if not (overshoot >= least - tolerance and (beyond > 0 or overshoot <= tolerance)):
        raise Violation(f"the closed form overshoots by {overshoot!r}, not by {least!r} or more")
    return error
