"""Is the entropy of attention, or of posterior weights, anti-correlated with the coupling delta_t along a chain?

Falsifier: a law whose rank correlation of the means of H_t and delta_t over the steps is positive beyond its interval.
Points x_t = c x_0 + s eps have one x_0 and eps for all t; the interval is that of 200 resamplings of them (2.5 and
97.5 %). The same correlation down to the step of the largest delta_t, and from it on, says where a sign comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments import figures
from experiments.studies.two_regimes import denoiser, schedule_of
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import AttentionDenoiser, Chain, exact_denoiser, patch_contraction, rank_correlation
from pifs_sim.diffusion.measures import PointCloud
from pifs_sim.dynamics import Patches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "entropy_coupling"
VERSION = 1
CLAIMS = ("entropy-coupling", "coupling-needs-entropy", "reported-attention-entropy")
_LAWS = ["mixture", "scale mixture", "points", "a dozen points", "attention", "hot attention"]
_PHOTOGRAPH = ["photograph: mixture", "photograph: scale-mixture", "photograph: points"]
GRIDS = {
    "smoke": {"law": _LAWS, "schedule": ["cosine"], "steps": [20], "samples": [16]},
    "paper": {
        "law": _LAWS + _PHOTOGRAPH,
        "schedule": ["cosine", "linear", "log-linear"],
        "steps": [50],
        "samples": [64],
    },
}
TOLERANCE = 1e-6
_RESAMPLINGS = 200
_LEAST = 4  # steps of a part

Array = npt.NDArray[np.float64]


def _source(law: str) -> tuple[Any, Patches]:
    source, patches = denoiser("points" if law == "a dozen points" else law.removeprefix("hot "))
    if law == "a dozen points":
        source = exact_denoiser(PointCloud(source.measure.points[:12]))
    elif law == "hot attention":
        source = AttentionDenoiser(patches, temperature=1e4)
    return source, patches


def _measured(chain: Chain, patches: Patches, samples: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """H and delta, (T, B), at x_t = c x_0 + s eps; normal patches are the data of self-attention."""
    from scipy.special import entr  # 0.1 s to import, and only needed here

    measure = getattr(chain.denoiser, "measure", None)
    data = rng.standard_normal((samples, chain.dim)) if measure is None else measure.sample(samples, rng)
    cos, sin = chain.schedule.cos[1:, None, None], chain.schedule.sin[1:, None, None]
    x = cos * data + sin * rng.standard_normal((samples, chain.dim))
    entropy = []
    for points, angle in zip(x, chain.schedule.angles[1:].tolist(), strict=True):
        posterior: Any = chain.denoiser.posterior(points, angle)
        own = posterior.entropy.mean(axis=1) if measure is None else entr(posterior.weights).sum(axis=1)
        entropy.append(own)
    return np.array(entropy), np.asarray(patch_contraction(chain, x, patches).delta)


def _correlation(entropy: Array, coupling: Array) -> tuple[float, float]:
    """Spearman's of two series and its p; 0 and 1 where one of them is constant."""
    found = rank_correlation(entropy, coupling)
    rho, p = float(found.value), float(found.pvalue)
    return (rho, p) if np.isfinite(rho) else (0.0, 1.0)


def _parts(coupling: Array) -> Iterator[tuple[str, slice]]:
    """The whole chain, and both sides of the largest delta, which belongs to both; entry t-1 for step t."""
    peak = int(coupling.argmax())
    yield "whole chain", slice(None)
    yield "noise to peak", slice(peak, None)
    yield "peak to data", slice(0, peak + 1)


def run(*, law: str, schedule: str, steps: int, samples: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Rank correlation of the means over the points, with its interval, for each part of at least four steps."""
    source, patches = _source(law)
    chain = Chain(schedule_of(schedule, steps), source)
    entropy, delta = _measured(chain, patches, samples, rng)
    below = chain.schedule.cos[1:] > 0
    entropy, delta = entropy[below], delta[below]
    drawn = rng.integers(samples, size=(_RESAMPLINGS, samples))
    again = np.stack([entropy[:, drawn].mean(axis=2), delta[:, drawn].mean(axis=2)])
    series, coupling = entropy.mean(axis=1), delta.mean(axis=1)
    rows: list[dict[str, Scalar]] = []
    for part, chosen in _parts(coupling):
        if len(series[chosen]) < _LEAST:
            continue
        rho, p = _correlation(series[chosen], coupling[chosen])
        resampled = [_correlation(*again[:, chosen, i])[0] for i in range(_RESAMPLINGS)]
        low, high = np.quantile(resampled, [0.025, 0.975])
        rows.append(
            {
                "part": part,
                "rho": rho,
                "low": float(min(low, rho)),
                "high": float(max(high, rho)),
                "p": p,
                "count": len(series[chosen]),
                "entropy range": float(np.ptp(series[chosen])),
                "peak": float(coupling.max()),
            }
        )
    return rows


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if the intervals of all whole chains are below 0, refuted if one is above it."""
    whole = [row for row in rows if row["part"] == "whole chain"]
    positive = [row for row in whole if float(row["low"]) > 0]
    negative = [row for row in whole if float(row["high"]) < 0]
    least, most = (pick(whole, key=lambda row: float(row["rho"])) for pick in (min, max))
    up, down = ([row for row in rows if row["part"] == part] for part in ("noise to peak", "peak to data"))
    signs = sum(float(row["high"]) < 0 for row in up), sum(float(row["low"]) > 0 for row in down)
    text = (
        f"Whole chains: below 0 in {len(negative)} and above in {len(positive)} of {len(whole)}, from "
        f"{float(least['rho']):.3f} ({least['law']}, {least['schedule']}) to {float(most['rho']):.3f} ({most['law']}, "
        f"{most['schedule']}); negative from noise to the largest delta in {signs[0]} of {len(up)}, positive from "
        f"there on in {signs[1]} of {len(down)}."
    )
    numbers = {
        "least": float(least["rho"]),
        "most": float(most["rho"]),
        "below 0": len(negative) / len(whole),
        "above 0": len(positive) / len(whole),
    }
    answer: Any = "confirmed" if len(negative) == len(whole) else "refuted" if positive else "undecided"
    return Verdict(answer, text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Rank correlations with their intervals: whole chains, and both sides of the largest delta."""
    names = list(dict.fromkeys(str(row["law"]) for row in rows))
    chains = list(dict.fromkeys(str(row["schedule"]) for row in rows))
    parts = ("whole chain", "noise to peak", "peak to data")
    figure, axes = figures.canvas(2.4 + 0.8 * len(names), rows=3)
    figure.subplots_adjust(left=0.34)
    for axis, part in zip(axes, parts, strict=True):
        for i, (schedule, colour) in enumerate(zip(chains, figures.COLOURS, strict=False)):
            mine = [row for row in rows if row["part"] == part and row["schedule"] == schedule]
            place = [names.index(row["law"]) + 0.22 * (i - (len(chains) - 1) / 2) for row in mine]
            for y, row in zip(place, mine, strict=True):
                axis.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.2)
            axis.plot([row["rho"] for row in mine], place, "o", color=colour, markersize=3, label=schedule)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set(xlim=(-1.05, 1.05), ylim=(len(names) - 0.4, -0.6), title=part)
        axis.set_yticks(range(len(names)), names, fontsize=7)
        axis.title.set_fontsize(8)
    axes[0].legend(fontsize=7)
    axes[2].set(xlabel="Spearman's ρ of entropy and δ over the steps")
    return figure
