"""What the paper's section 4 says of trained networks, asked of the rows of one network or law with tests.

    noisy       |mean of kappa over the noisier half - 1| < 0.05             (reported 1.0000 to 1.0026)
    kappa       kappa of the cleanest step exceeds that mean by 0.02         (reported 1.2111)
    delta       delta of the cleanest step exceeds that of the noisiest      (reported 0.1858 at t = 20, 0.0007 at 980)
    entropy     attention entropy and delta anti-correlate over the steps    (reported Spearman -1.000)
    contracted  kappa + delta < 1, a mean over points, at some step          (reported margins > 0 from t = 160 down)
    suppressed  S_kt >= 0, a mean over points and patches, at every step     (reported 16 of 16 patches)
    ordered     S_kt increases with lam_k at some step: Spearman > 0         (reported 0.953 near t = 601)
    released    margins increase with lam_k at every step                    (the order of release)
    slope       ln|eps - eps_Gauss| against ln cos phi over the noisiest fifth has a slope in 0.88..1.02 (reported 0.95)

Of each, data are for it at p < 0.05, against it at p < 0.05, or leave it open. p is of Student's t over the B points,
standard errors added where they belong to the same points, or of Spearman's correlation. Steps follow each other and
are no independent observations: `entropy` has n (1 - r)/(1 + r) of them, r >= 0 the product of the ranks' correlations
with the next step (Bartlett 1935). Where one step of T was picked, p is times T (Bonferroni). Four are special:
`suppressed` and `released` are about every step and stand until a step is against them, `released` by a pair of patches
out of order by five standard errors; data are never against `ordered`, which is about some step; `slope` compares
95 % intervals. Of all networks a statement is confirmed if data are for it on each, and refuted if they are against it
on one; nothing is taken off for the number of networks. Standard errors of 0 are those of a law whose Jacobian is the
same everywhere: what holds then holds exactly, and p is 0.
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
    "delta": ("δ is larger at the clean end than at the noisy one", "gain of δ"),
    "entropy": ("attention entropy falls as δ grows", "Spearman"),
    "contracted": ("κ + δ < 1 at some step", "largest 1 − κ − δ"),
    "suppressed": ("mean suppression is not negative at any step", "least mean S"),
    "ordered": ("suppression grows with the patch's variance at some step", "largest Spearman"),
    "released": ("margins grow with the patch's variance at every step", "steps out of order"),
    "slope": ("the deviation's slope lies in the reported 0.88 to 1.02", "slope"),
}
_LEVEL = 0.05
_AROUND, _GAIN, _SLOPE = 0.05, 0.02, (0.88, 1.02)


@dataclass(frozen=True)
class Answer:
    """Whether a statement holds, the number it is about, and the p-value that decided (1 where none did)."""

    holds: Holds
    number: float
    p: float


def _statistic(excess: Any, error: Any) -> Any:
    """Student's t: infinite where there is no error, but 0 where there is no excess either."""
    excess, error = np.broadcast_arrays(np.asarray(excess, dtype=float), error)
    exact = np.where(excess == 0, 0.0, np.copysign(np.inf, excess))
    return np.divide(excess, error, out=exact, where=error > 0)


def _sided(excess: float, error: float, points: int) -> Answer:
    """Is a mean positive?"""
    return _decided(excess, *(float(stdtr(points - 1, side * _statistic(excess, error))) for side in (-1, 1)))


def _decided(number: float, p_for: float, p_against: float) -> Answer:
    if p_for < _LEVEL:
        return Answer("yes", number, p_for)
    return Answer("no", number, p_against) if p_against < _LEVEL else Answer("open", number, min(p_for, p_against))


def _together(first: Any, second: Any) -> Answer:
    """Do two courses anti-correlate, by Spearman's correlation and as many steps as they are worth?"""
    found = float(rank_correlation(first, second).value)
    if np.isnan(found):  # one of them is constant
        return Answer("open", 0.0, 1.0)
    ranks = [np.argsort(np.argsort(course)) for course in (first, second)]
    follow = max(0.0, float(np.prod([np.corrcoef(rank[:-1], rank[1:])[0, 1] for rank in ranks])))
    worth = len(ranks[0]) * (1 - follow) / (1 + follow)
    if worth <= 3:
        return Answer("open", found, 1.0)
    statistic = -found * np.sqrt((worth - 2) / max(1 - found**2, 1e-300))
    return _decided(found, *(float(stdtr(worth - 2, side * statistic)) for side in (-1, 1)))


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
        "delta": _sided(
            float(of["delta"][0] - of["delta"][-1]), float(of["delta_stderr"][0] + of["delta_stderr"][-1]), points
        ),
    }
    if ordered[0]["attention"]:
        found["entropy"] = _together(of["entropy"], of["delta"])
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
    """Is a mean positive at some step?  p is of the step where that is surest; the number is the largest mean."""
    statistics = _statistic(means, errors)
    best = int(statistics.argmax())
    p_for = min(1.0, len(means) * float(stdtr(points - 1, -statistics[best])))
    p_against = float(stdtr(points - 1, statistics[best]))  # at its best step below 0: at all steps
    return _decided(float(means.max()), p_for, p_against)


def together(answers: Sequence[Answer]) -> Verdict:
    """Of all networks: confirmed if each holds it, refuted if one is against it."""
    if any(answer.holds == "no" for answer in answers):
        return "refuted"
    return "confirmed" if answers and all(answer.holds == "yes" for answer in answers) else "undecided"
