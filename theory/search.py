"""Counterexample search: the slack of an inequality, a function on a box, pushed down by four methods in turn.

A third of the evaluations go to Hypothesis with target(-slack), a third to differential evolution, a sixth each to
dual annealing and to the simplex method from the least point found. What is least is rounded to as few digits as keep
it so: within the tolerance where the slack is not negative, below it where it is. Seeds decide everything.
`python -m theory.counterexamples` runs it and writes theory/evidence/search.json.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, Phase, given, seed, settings, target
from hypothesis import strategies as st
from scipy.optimize import differential_evolution, dual_annealing, minimize

__all__ = ["STORE", "Case", "Inequality", "lowest", "stored", "tightest", "write"]

Array = npt.NDArray[np.float64]
STORE = Path(__file__).with_name("evidence") / "search.json"
_OUTSIDE = 1e3  # the slack where the assumptions fail: finite, as methods take differences
_DIGITS = 12  # of the coordinates, at most: a stored point is read back as it was


@dataclass(frozen=True)
class Inequality:
    """A statement "slack(x) >= 0 for all x in the box".

    Args:
        says: what the slack is, relative to what.
        box: (low, high) of each coordinate.
        slack: of a point (n,); nan where the point does not meet the assumptions.
        tolerance: the error of the slack's computation: above -tolerance it is not negative.
    """

    says: str
    box: tuple[tuple[float, float], ...]
    slack: Callable[[Array], float]
    tolerance: float = 1e-9


@dataclass(frozen=True)
class Case:
    """The least slack found: at which point, by which method, from which seed, after how many evaluations in all."""

    slack: float
    by: str
    evaluations: int
    seed: int
    point: tuple[float, ...]


class _Spent(Exception):
    """The method's evaluations are used up."""


class _Counted:
    """The slack with the least point seen."""

    def __init__(self, inequality: Inequality) -> None:
        self.inequality, self.count, self.limit = inequality, 0, 0
        self.least, self.point, self.by, self.method = math.inf, np.empty(0), "", ""

    def __call__(self, x: Any) -> float:
        if self.count >= self.limit:
            raise _Spent
        self.count += 1
        low, high = np.transpose(self.inequality.box)
        point = np.clip(np.asarray(x, dtype=np.float64), low, high).round(_DIGITS)
        slack = self.inequality.slack(point)
        if slack < self.least:
            self.least, self.point, self.by = slack, point, self.method
        return slack if math.isfinite(slack) else _OUTSIDE

    def spend(self, method: str, evaluations: int, run: Callable[[], Any]) -> None:
        """Run one method until it ends or has spent its evaluations."""
        self.method, self.limit = method, self.count + evaluations
        try:
            run()
        except _Spent:
            return


def _targeted(slack: _Counted, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.target),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*(st.floats(low, high) for low, high in slack.inequality.box)))
    def aim(point: tuple[float, ...]) -> None:
        target(-slack(point))

    aim()


def lowest(inequality: Inequality, budget: int, number: int) -> Case:
    """The least slack that a search finds.

    Args:
        inequality: what is searched.
        budget: evaluations of the slack, at least 24.
        number: seed.

    Raises:
        ValueError: a budget below 24, or no point of the box met the assumptions.
    """
    if budget < 24:
        raise ValueError(f"`budget` is {budget}, expected at least 24.")
    slack, box = _Counted(inequality), list(inequality.box)
    rng, many = np.random.default_rng(number), budget  # the count of evaluations ends each
    slack.spend("Hypothesis", budget // 3, lambda: _targeted(slack, budget // 3, number))
    slack.spend("evolution", budget // 3, lambda: differential_evolution(slack, box, maxiter=many, rng=rng, tol=0.0))
    slack.spend("annealing", budget // 6, lambda: dual_annealing(slack, box, maxiter=many, rng=rng))
    if not math.isfinite(slack.least):
        raise ValueError("`inequality` has a box without a point that meets the assumptions.")
    options = {"maxfev": many, "xatol": 1e-10, "fatol": 1e-13}
    start = slack.point
    slack.spend("simplex", budget // 6, lambda: minimize(slack, start, method="Nelder-Mead", options=options))
    point = _shortest(inequality, slack.point, slack.least)
    return Case(inequality.slack(point), slack.by, slack.count, number, tuple(point.tolist()))


def _shortest(inequality: Inequality, point: Array, least: float) -> Array:
    """The point with as few decimals in each coordinate as leave a violation one, and any slack within 1e-3 of it."""
    limit = -inequality.tolerance if least < -inequality.tolerance else least + inequality.tolerance + 1e-3 * abs(least)
    for i, (low, high) in enumerate(inequality.box):
        for digits in range(_DIGITS):
            shorter = point.copy()
            shorter[i] = min(max(round(float(point[i]), digits), low), high)
            if inequality.slack(shorter) <= limit:
                point = shorter
                break
    return point


@cache
def stored() -> dict[str, Case]:
    """The tightest cases on file, by label."""
    found = json.loads(STORE.read_text(encoding="utf-8"))
    return {label: Case(**{**case, "point": tuple(case["point"])}) for label, case in found.items()}


def tightest(label: str) -> Case | None:
    """The tightest case on file of the claim of that label; None if its inequality was not searched."""
    return stored().get(label)


def write(cases: Iterable[tuple[str, Case]], path: Path = STORE) -> None:
    """Put cases on file; those of other labels stay."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    after = before | {label: asdict(case) for label, case in cases}
    path.write_text(json.dumps(dict(sorted(after.items())), indent=1) + "\n", encoding="utf-8")
    stored.cache_clear()
