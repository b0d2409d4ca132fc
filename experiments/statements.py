"""What the paper's section 4 says of trained networks, asked of the rows of one network or law with tests.

    noisy       |mean of kappa over the noisier half - 1| < 0.05             (reported 1.0000 to 1.0026)
    kappa       kappa of the cleanest step exceeds that mean by 0.02         (reported 1.2111)
    delta       delta falls with t: Spearman < 0                             (reported 0.0007 at t = 980, 0.1858 at 20)
    entropy     attention entropy and delta anti-correlate over the steps    (reported Spearman -1.000)
    contracted  kappa + delta < 1, a mean over points, at some step          (reported margins > 0 from t = 160 down)
    suppressed  S_kt >= 0, a mean over points and patches, at every step     (reported 16 of 16 patches)
    ordered     S_kt increases with lam_k at some step: Spearman > 0         (reported 0.953 near t = 601)
    released    margins increase with lam_k at every step                    (the order of release)
    slope       ln|eps - eps_Gauss| against ln cos phi over the noisiest fifth has a slope in 0.88..1.02 (reported 0.95)

Of each, data are for it at p < 0.05, against it at p < 0.05, or leave it open. p is of Student's t over the B points,
standard errors added where they belong to the same points, or of Spearman's correlation over T steps or M patches;
where one step of T was picked, p is times T (Bonferroni). `suppressed` and `released` are about every step: they stand
until a step is against them, `released` by a pair of patches out of order by five standard errors. Of all networks a
statement is confirmed if data are for it on each, and refuted if they are against it on one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtr

from pifs_sim.diffusion import rank_correlation

__all__ = ["STATEMENTS", "Answer", "asked", "together"]

Holds = Literal["yes", "no", "open"]
Verdict = Literal["confirmed", "refuted", "undecided"]
STATEMENTS = {  # name -> what is claimed, and the number that is measured
    "noisy": ("κ is within 0.05 of 1 in the noisier half", "mean κ"),
    "kappa": ("κ grows by more than 0.02 towards the clean end", "gain of κ"),
    "delta": ("δ grows towards the clean end", "Spearman of δ and t"),
    "entropy": ("attention entropy falls as δ grows", "Spearman"),
    "contracted": ("κ + δ < 1 at some step", "largest 1 − κ − δ"),
    "suppressed": ("mean suppression is not negative at any step", "least mean S"),
    "ordered": ("suppression grows with the patch's variance at some step", "largest Spearman"),
    "released": ("margins grow with the patch's variance at every step", "steps out of order"),
    "slope": ("the deviation from the Gaussian is of order cos φ", "slope"),
}
_LEVEL = 0.05
_AROUND, _GAIN, _SLOPE = 0.05, 0.02, (0.88, 1.02)


@dataclass(frozen=True)
class Answer:
    """Whether a statement holds, the number it is about, and the p-value that decided (1 where none did)."""

    holds: Holds
    number: float
    p: float


def _sided(excess: float, error: float, points: int) -> Answer:
    """Is a mean positive?"""
    statistic = excess / error if error > 0 else np.copysign(np.inf, excess)
    return _decided(excess, *(float(stdtr(points - 1, side * statistic)) for side in (-1, 1)))


def _decided(number: float, p_for: float, p_against: float) -> Answer:
    if p_for < _LEVEL:
        return Answer("yes", number, p_for)
    return Answer("no", number, p_against) if p_against < _LEVEL else Answer("open", number, min(p_for, p_against))


def _rank(first: Any, second: Any, sign: int) -> Answer:
    """Has Spearman's correlation that sign?"""
    found = rank_correlation(first, second)
    rho, p = float(np.nan_to_num(found.value)), float(np.nan_to_num(found.pvalue, nan=1.0))
    same = rho * sign > 0
    return _decided(rho, p if same else 1.0, 1.0 if same else p)


def asked(rows: Sequence[Mapping[str, Any]], points: int) -> dict[str, Answer]:
    """The statements' answers by the rows of one network or law, a row a step.

    Args:
        rows: t, kappa, delta and suppression with standard errors, rank_suppression with its p, reversed; entropy
            counts where `attention` is true, the slope with its interval where `of` is "network".
        points: B behind each mean.
    """
    ordered = sorted(rows, key=lambda row: int(row["t"]))
    T = len(ordered)
    of = {
        name: np.array([float(row[name]) for row in ordered])
        for name in ordered[0]
        if not isinstance(ordered[0][name], str)
    }
    half = slice(T // 2, None)
    noisy, error = float(of["kappa"][half].mean()), float(of["kappa_stderr"][half].mean())
    near = _sided(_AROUND - abs(noisy - 1), error, points)
    gain = float(of["kappa"][0]) - noisy
    grows = _sided(gain - _GAIN, error + float(of["kappa_stderr"][0]), points)
    found = {
        "noisy": Answer(near.holds, noisy, near.p),
        "kappa": Answer(grows.holds, gain, grows.p),
        "delta": _rank(of["t"], of["delta"], -1),
    }
    if ordered[0]["attention"]:
        found["entropy"] = _rank(of["entropy"], of["delta"], -1)
    margin, doubt = 1 - of["kappa"] - of["delta"], of["kappa_stderr"] + of["delta_stderr"]
    found["contracted"] = _some(margin, doubt, points)
    lowest = _some(-of["suppression"], of["suppression_stderr"], points)
    found["suppressed"] = Answer("no" if lowest.holds == "yes" else "yes", -lowest.number, lowest.p)
    best = int(of["rank_suppression"].argmax())
    rho, p = float(of["rank_suppression"][best]), min(1.0, T * float(of["rank_suppression_p"][best]))
    found["ordered"] = Answer("yes" if rho > 0 and p < _LEVEL else "open", rho, p)
    wrong = float(of["reversed"].sum())
    found["released"] = Answer("no" if wrong else "yes", wrong, 1.0)
    if ordered[0]["of"] == "network":
        low, high = of["slope_low"][0], of["slope_high"][0]
        inside, apart = _SLOPE[0] <= low and high <= _SLOPE[1], low > _SLOPE[1] or high < _SLOPE[0]
        found["slope"] = Answer("yes" if inside else "no" if apart else "open", float(of["slope"][0]), 1.0)
    return found


def _some(means: Any, errors: Any, points: int) -> Answer:
    """Is a mean positive at the step where that is surest, of all T?  The number is the largest mean."""
    statistics = np.divide(means, errors, out=np.copysign(np.inf, means), where=errors > 0)
    best = int(statistics.argmax())
    one = _sided(float(means[best]), float(errors[best]), points)
    p_for = min(1.0, len(means) * float(stdtr(points - 1, -statistics[best])))
    p_against = one.p if one.holds == "no" else 1.0  # at its best step still below 0: below at all
    return _decided(float(means.max()), p_for, p_against)


def together(answers: Sequence[Answer]) -> Verdict:
    """Of all networks: confirmed if each holds it, refuted if one is against it."""
    if any(answer.holds == "no" for answer in answers):
        return "refuted"
    return "confirmed" if answers and all(answer.holds == "yes" for answer in answers) else "undecided"
