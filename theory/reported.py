"""Numbers that the paper reports, recomputed: a row is REPRODUCED if every printed digit comes out.

Source of the numbers: Dooms 2026, arXiv:2603.13069. CV is the population standard deviation over the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from pifs_sim.diffusion import Schedule, geometry, schedules
from theory.claim import Status

__all__ = ["REPORTED", "Reported"]

_PAPER = "Dooms 2026, arXiv:2603.13069, reported"


@dataclass(frozen=True)
class Reported:
    """A reported row: `printed` as in the source, `compute` the same quantities by this project."""

    label: str
    statement: str
    scope: str
    printed: tuple[str, ...]
    compute: Callable[[], tuple[float, ...]]
    expects: Status
    source: str = _PAPER

    def decide(self) -> tuple[Status, str, float]:
        """Status, the computed figures beside the printed ones, and the largest relative difference."""
        values = self.compute()
        pairs = list(zip(self.printed, values, strict=True))
        agree = all(abs(Decimal(value) - Decimal(text)) <= _half_unit(text) for text, value in pairs)
        detail = "; ".join(f"printed {text}, computed {value:.9g}" for text, value in pairs)
        worst = max(abs(value / float(text) - 1) for text, value in pairs)
        return (Status.REPRODUCED if agree else Status.NOT_REPRODUCED), detail, worst


def _half_unit(text: str) -> Decimal:
    exponent = Decimal(text).as_tuple().exponent
    return Decimal(10) ** int(exponent) / 2


def _row(schedule: Callable[[], Schedule]) -> Callable[[], tuple[float, ...]]:
    def compute() -> tuple[float, ...]:
        threshold = geometry.contraction_threshold(schedule())
        return float(threshold.mean()), float(np.std(threshold) / threshold.mean()), float(threshold[0])

    return compute


def _table(name: str, what: str, schedule: Callable[[], Schedule], *printed: str) -> Reported:
    statement = f"{what}: mean, coefficient of variation and first value of L*_t."
    return Reported(f"reported-{name}", statement, what, printed, _row(schedule), Status.REPRODUCED)


REPORTED: tuple[Reported, ...] = (
    _table("linear", "linear beta, T = 1000", lambda: schedules.linear(1000), "0.805", "0.341", "0.00500"),
    _table("cosine", "cosine, offset 0, T = 1000", lambda: schedules.cosine(1000, 0.0), "0.637", "0.483", "0.00079"),
    _table(
        "cosine-offset", "cosine, offset 0.008, T = 1000", lambda: schedules.cosine(1000), "0.641", "0.474", "0.00321"
    ),
    _table("ddim-50", "cosine, offset 0, 50 steps", lambda: schedules.cosine(50, 0.0), "0.637", "0.483", "0.01571"),
    Reported(
        "reported-moran-linear",
        "lam** = 1.0024 on the CIFAR-10 training chain (linear beta, T = 1000). The linear chain has 1.00376; "
        "1.0024 is what the cosine chains' lam** (1.00247 without offset, 1.00250 with) truncates to.",
        "linear beta, T = 1000",
        ("1.0024",),
        lambda: (geometry.moran_threshold(schedules.linear(1000)),),
        Status.NOT_REPRODUCED,
    ),
)
