"""Numbers that the paper reports, recomputed: a row is REPRODUCED if every printed digit comes out.

Rows measured on trained networks, which are not at hand, read NEEDS WEIGHTS.

Source of the numbers: Dooms 2026, arXiv:2603.13069. CV is the population standard deviation over the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Schedule, design, geometry, schedules, spectra
from pifs_sim.diffusion.ranks import rank_correlation
from pifs_sim.dynamics import kaplan_yorke_dimension
from theory.claim import Status

__all__ = ["REPORTED", "Reported"]

_PAPER = "Dooms 2026, arXiv:2603.13069, reported"


@dataclass(frozen=True)
class Reported:
    """A reported row, its label, statement, scope and the status it `expects`: `printed` as in the source.

    `compute` gives the same quantities by this project. Rows measured on networks have no `compute`, but `beside`:
    what exact theory says of the same case.
    """

    label: str
    statement: str
    scope: str
    printed: tuple[str, ...]
    compute: Callable[[], tuple[float, ...]] | None
    expects: Status
    source: str = _PAPER
    beside: Callable[[], str] | None = None

    def decide(self) -> tuple[Status, str, float | None]:
        """Status, the computed figures beside the printed ones, and the largest relative difference, if any."""
        if self.compute is None:
            detail = f"printed {', '.join(self.printed)}; the trained network is not at hand"
            return Status.NEEDS_WEIGHTS, detail + (f"; {self.beside()}" if self.beside else ""), None
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


@cache
def _variances() -> npt.NDArray[np.float64]:
    return spectra.patch_spectrum(spectra.default_photograph(), 8).eigenvalues


def _balance(schedule: Schedule) -> tuple[float, float, float]:
    """CV of information gain and dimension growth on the photograph, and their rank correlation, but for step 1."""
    gain = design.information_gain(schedule, _variances())[1:]
    growth = design.dimension_growth(schedule, _variances())[1:]
    correlation = float(rank_correlation(gain, np.abs(growth)).value)
    return design.variation(gain), design.variation(growth), correlation


def _saturated(least: float, most: float, patch: int) -> Callable[[], tuple[float]]:
    """Sixteen patches, each with its leading variance in every direction, variances even between the two ends."""

    def compute() -> tuple[float]:
        exponents = geometry.lyapunov_exponent(schedules.linear(1000), np.linspace(most, least, 16))
        return (kaplan_yorke_dimension(exponents, [patch] * 16),)

    return compute


def _expansions() -> str:
    """f_t of the reported leading variances on the linear chain's every twentieth step."""
    chain = schedules.linear(1000).subsample(range(0, 1001, 20))
    factors = geometry.diagonal_expansion(chain, [18.7, 44.4])
    rows = (f"{t}: {factors[t // 20 - 1, 0]:.4f} to {factors[t // 20 - 1, 1]:.4f}" for t in _TIMES)
    return "f_t of normal data with such leading variances, on the linear chain, is " + "; ".join(rows)


def _timesteps(sigma: Sequence[float]) -> Callable[[], tuple[float, ...]]:
    """The timesteps of the scaled-linear chain whose sigma is nearest, in logarithm."""

    def compute() -> tuple[float, ...]:
        grid = np.log(schedules.scaled_linear(1000).sigma[1:])
        return tuple(float(np.abs(grid - np.log(s)).argmin()) for s in sigma)

    return compute


_TIMES = (980, 800, 600, 400, 220, 20)
_AYS = "Sabour, Fidler, Kreis 2024, arXiv:2404.14507, published tables"
_SD15 = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152)
_SDXL = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113)


def _network(name: str, statement: str, scope: str, *printed: str, beside: Callable[[], str] | None = None) -> Reported:
    return Reported(f"reported-{name}", statement, scope, printed, None, Status.NEEDS_WEIGHTS, beside=beside)


def _missed(name: str, statement: str, scope: str, printed: tuple[str, ...], compute: Any, **rest: Any) -> Reported:
    return Reported(f"reported-{name}", statement, scope, printed, compute, Status.NOT_REPRODUCED, **rest)


def _met(name: str, statement: str, scope: str, printed: tuple[str, ...], compute: Any, **rest: Any) -> Reported:
    return Reported(f"reported-{name}", statement, scope, printed, compute, Status.REPRODUCED, **rest)


REPORTED: tuple[Reported, ...] = (
    _table("linear", "linear beta, T = 1000", lambda: schedules.linear(1000), "0.805", "0.341", "0.00500"),
    _table("cosine", "cosine, offset 0, T = 1000", lambda: schedules.cosine(1000, 0.0), "0.637", "0.483", "0.00079"),
    _table(
        "cosine-offset", "cosine, offset 0.008, T = 1000", lambda: schedules.cosine(1000), "0.641", "0.474", "0.00321"
    ),
    _table("ddim-50", "cosine, offset 0, 50 steps", lambda: schedules.cosine(50, 0.0), "0.637", "0.483", "0.01571"),
    _missed(
        "moran-linear",
        "lam** = 1.0024 on the CIFAR-10 training chain (linear beta, T = 1000). The linear chain has 1.00376; "
        "1.0024 is what the cosine chains' lam** (1.00247 without offset, 1.00250 with) truncates to.",
        "linear beta, T = 1000",
        ("1.0024",),
        lambda: (geometry.moran_threshold(schedules.linear(1000)),),
    ),
    _met(
        "step-threshold",
        "lam*_t is about 1.002: the linear chain's least lam*_t.",
        "linear beta, T = 1000",
        ("1.002",),
        lambda: (float(geometry.step_threshold(schedules.linear(1000)).min()),),
    ),
    _met(
        "first-threshold",
        "The offset 0.008 raises L*_1 from 7.85e-4 to 3.21e-3.",
        "cosine, T = 1000, offset 0 and 0.008",
        ("7.85e-4", "3.21e-3"),
        lambda: tuple(
            float(geometry.contraction_threshold(schedules.cosine(1000, offset))[0]) for offset in (0.0, 0.008)
        ),
    ),
    _missed(
        "information-gain-linear",
        "CV of the information gain and of |change of d_t| along the chain, and their rank correlation (at least). "
        "Neither is defined in the summaries; computed here are I(x_0; x_s) - I(x_0; x_t) and the growth of the "
        "Kaplan-Yorke dimension, on a photograph's patches, where the second is 0 at most steps.",
        "linear beta, T = 1000",
        ("1.107", "0.836", "0.9998"),
        lambda: _balance(schedules.linear(1000)),
    ),
    _missed(
        "information-gain-cosine",
        "CV of the information gain and of |change of d_t| along the chain, and their rank correlation (at least); "
        "computed as for the linear schedule.",
        "cosine, offset 0.008, T = 1000",
        ("0.867", "0.570", "0.9998"),
        lambda: _balance(schedules.cosine(1000)),
    ),
    _met(
        "saturation-cifar10",
        "d saturates at 3072 when each of 16 patches has its leading variance, 18.7 to 44.4, in all 192 directions.",
        "linear beta, T = 1000; that normal data",
        ("3072",),
        _saturated(18.7, 44.4, 192),
    ),
    _met(
        "saturation-celeba",
        "The Gaussian d is 12288 when 16 patches have their leading variances, 38.7 to 231.7, in all 768 directions.",
        "linear beta, T = 1000; that normal data",
        ("12288",),
        _saturated(38.7, 231.7, 768),
    ),
    _network(
        "kappa-cifar10",
        "kappa at t = 980, 800, 600, 400, 220, 20: growing towards the data.",
        "CIFAR-10 DDPM, 8 x 8 patches, 50 steps",
        *("1.0004", "1.0002", "1.0000", "1.0026", "1.0325", "1.2111"),
        beside=_expansions,
    ),
    _network(
        "delta-cifar10",
        "delta at t = 980, 800, 600, 400, 220, 20.",
        "CIFAR-10 DDPM, 8 x 8 patches, 50 steps",
        *("0.0007", "0.0008", "0.0853", "0.1273", "0.0768", "0.1858"),
    ),
    _network(
        "attention-entropy",
        "Attention entropy (nats) at t = 980, 560, 160, 20, and its rank correlation with delta.",
        "CIFAR-10 DDPM",
        *("4.963", "4.662", "4.541", "4.063", "-1.000"),
        beside=lambda: "refuted as a law of exact denoisers (`entropy-coupling`)",
    ),
    _network(
        "contraction-margin",
        "Mean margin of (PC) at t = 700, 200, 160, 40, negative in 16, 14, 0, 0 of 16 patches.",
        "CIFAR-10 DDPM",
        *("-0.003942", "-0.000304", "0.001382", "0.006412"),
        beside=lambda: (
            "the margin is not 1 - kappa - delta of the reported table, which is -0.11 to -0.40 from t = 400 on"
        ),
    ),
    _network(
        "rank-variance-kappa",
        "Rank correlation of lam_k and kappa_k: negative at t = 240 and 260, 0.771 at t = 40.",
        "CIFAR-10 DDPM, 16 patches",
        "0.771",
        beside=lambda: "for normal data that is independent between patches it is 1 at every t",
    ),
    _network(
        "rank-variance-suppression",
        "Rank correlation of lam_k and S_k peaks at 0.953 near t = 601.",
        "CIFAR-10 DDPM, 16 patches",
        "0.953",
    ),
    _network(
        "score-deviation-slope",
        "Slope of ln of the score deviation against ln sqrt(alpha_bar): 0.95, confidence 0.88 to 1.02.",
        "CIFAR-10 DDPM",
        "0.95",
        beside=lambda: "1 is the order of a mean mismatch, 2 that of a covariance mismatch (`deviation-orders`)",
    ),
    _network(
        "celeba-suppressed-dimension",
        "Suppression-corrected threshold 500 and d_eff = 0, 16 of 16 signs.",
        "CelebA-HQ, leading variances 38.7 to 231.7",
        *("500", "0"),
    ),
    _missed(
        "ays-timesteps-sd15",
        "The published timesteps are those whose sigma is nearest to the published one; but 0.399 lies at 124.56.",
        "scaled-linear beta, T = 1000; SD1.5",
        ("999", "850", "736", "645", "545", "455", "343", "233", "124", "24"),
        _timesteps(_SD15),
        source=_AYS,
    ),
    _met(
        "ays-timesteps-sdxl",
        "The published timesteps are those whose sigma is nearest to the published one.",
        "scaled-linear beta, T = 1000; SDXL",
        ("999", "845", "730", "587", "443", "310", "193", "116", "53", "13"),
        _timesteps(_SDXL),
        source=_AYS,
    ),
)
