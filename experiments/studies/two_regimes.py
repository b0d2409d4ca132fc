"""Has every chain two regimes: coupling between patches at high noise, growth within them at low noise?

Falsifier: a law on which, at every chain, kappa - 1 exceeds delta over the noisiest fifth of the steps (expansion comes
from within patches), or kappa is smaller over the cleanest fifth than over the noisiest (it does not grow), or the
posterior weights keep more than half of their entropy (they do not localise).
kappa_t = max_k |[J Phi_t]_kk|, delta_t = max_k sum_{j != k} |[J Phi_t]_kj|, S_t = mean_k S_kt, means over p_t.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import (
    AttentionDenoiser,
    Chain,
    Schedule,
    exact_denoiser,
    marginals,
    patch_contraction,
    schedules,
    suppression,
)
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, ScaleMixture
from pifs_sim.diffusion.spectra import default_photograph
from pifs_sim.dynamics import Patches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "denoiser", "plot", "run", "schedule_of", "verdict"]

NAME = "two_regimes"
VERSION = 1
CLAIMS = ("two-regimes", "low-noise-expansion", "crossover-window", "reported-kappa-cifar10", "reported-delta-cifar10")
_LAWS = ["gaussian", "mixture", "scale mixture", "points", "attention"]
_PHOTOGRAPH = ["photograph: mixture", "photograph: scale-mixture", "photograph: points"]
GRIDS = {
    "smoke": {"law": _LAWS, "schedule": ["cosine"], "steps": [20], "samples": [16]},
    "paper": {
        "law": _LAWS + _PHOTOGRAPH,
        "schedule": ["cosine", "linear", "log-linear"],
        "steps": [20, 50],
        "samples": [64],
    },
}
TOLERANCE = 1e-6
_PATCHES = Patches(16, 4)
_PARTS = ("coupling leads", "kappa grows", "weights localise")


def schedule_of(name: str, steps: int) -> Schedule:
    """Cosine to pi/2; every n-th of 1000 linear steps; or sigma from 0.02 to 80, even in its logarithm."""
    if name == "linear":
        return schedules.linear(1000).subsample(np.round(np.linspace(0, 1000, steps + 1)).astype(int))
    if name == "log-linear":
        return schedules.log_linear(steps, 0.02, 80)
    return schedules.cosine(steps, 0.008, max_beta=None)


@lru_cache(maxsize=8)
def denoiser(law: str) -> tuple[Any, Patches]:
    """The denoiser of a law, and its patches: sixteen places on a line of correlation 0.9, or an image's 2 x 2 patches.

    "attention" is self-attention, which is no law's exact denoiser.
    """
    if law.startswith("photograph: "):
        from experiments import laws  # 0.1 s to import, and only needed here

        fitted = laws.fitted(law.removeprefix("photograph: "), default_photograph(), 4)
        return exact_denoiser(fitted.measure), fitted.patches
    if law == "attention":
        return AttentionDenoiser(_PATCHES), _PATCHES
    rng, d = np.random.default_rng(0), _PATCHES.dim
    covariance = 4 * 0.9 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    measure: Any = Gaussian(np.zeros(d), covariance)
    if law == "mixture":
        inner = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        means = np.sqrt(0.7) * measure.sample(len(inner), rng)
        measure = Mixture(np.full(6, 1 / 6), means, inner[:, None, None] * covariance)
    elif law == "scale mixture":
        scales, weights = np.array([0.0625, 0.25, 1.0, 4.0]), np.array([0.3, 0.25, 0.25, 0.2])
        measure = ScaleMixture(np.zeros(d), covariance, scales / (weights @ scales), weights)
    elif law == "points":
        measure = PointCloud(measure.sample(200, rng))
    return exact_denoiser(measure), _PATCHES


def run(*, law: str, schedule: str, steps: int, samples: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Means over p_t, or over self-attention's own samples, a row for each step with phi_t < pi/2."""
    from scipy.special import entr  # 0.1 s to import, and only needed here

    source, patches = denoiser(law)
    chain = Chain(schedule_of(schedule, steps), source)
    if law == "attention":
        x = chain.trajectory(rng.standard_normal((samples, chain.dim)))[1:]
        ends = chain.run(rng.standard_normal((2000, chain.dim)))
        reference: Any = Gaussian(ends.mean(axis=0), np.cov(ends.T))
    else:
        x, reference = marginals(chain, samples, rng), None
    norms = patch_contraction(chain, x, patches)
    less = suppression(chain, x, patches, reference=reference)
    rows: list[dict[str, Scalar]] = []
    for t in range(1, chain.length + 1):
        angle = float(chain.schedule.angles[t])
        posterior = source.posterior(x[t - 1], angle)
        entropy = posterior.entropy if law == "attention" else entr(posterior.weights).sum(axis=-1)
        row: dict[str, Scalar] = {
            "t": t,
            "angle": angle,
            "floor": float(chain.schedule.sin[t - 1] / chain.schedule.sin[t]),
        }
        for name, values in (
            ("kappa", norms.kappa[t - 1]),
            ("delta", norms.delta[t - 1]),
            ("row sum", norms.row_sum[t - 1]),
            ("suppression", less[t - 1]),
            ("entropy", entropy),
        ):
            row[name] = float(np.mean(values))
        if chain.schedule.cos[t] > 0:
            rows.append(row)
    return rows


def _parts(rows: Sequence[Row]) -> dict[str, bool]:
    """Which parts of the claim one chain has; a law without weights has nothing to localise."""
    rows = sorted(rows, key=lambda row: int(row["t"]))
    fifth = max(1, len(rows) // 5)
    clean, noisy = (
        {name: float(np.mean([row[name] for row in part])) for name in ("kappa", "delta", "entropy")}
        for part in (rows[:fifth], rows[-fifth:])
    )
    found = (
        noisy["kappa"] - 1 < noisy["delta"],
        clean["kappa"] > noisy["kappa"],
        noisy["entropy"] == 0 or clean["entropy"] < 0.5 * noisy["entropy"],
    )
    return dict(zip(_PARTS, found, strict=True))


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if every chain has all parts, refuted if some law lacks a part on all its chains."""
    chains: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        chains.setdefault((row["law"], row["schedule"], row["steps"]), []).append(row)
    found = {case: _parts(mine) for case, mine in chains.items()}
    names = list(dict.fromkeys(case[0] for case in found))
    held = {part: [law for law in names if all(f[part] for c, f in found.items() if c[0] == law)] for part in _PARTS}
    lost = {
        part: [law for law in names if not any(f[part] for c, f in found.items() if c[0] == law)] for part in _PARTS
    }
    told = [f"{part} on {len(held[part])} of {len(names)} laws" for part in _PARTS]
    against = [f"{part}: {', '.join(lost[part])}" for part in _PARTS if lost[part]]
    text = f"At every chain {', '.join(told)}; at none {'; '.join(against) if against else 'of them fails'}."
    numbers = {part: float(np.mean([f[part] for f in found.values()])) for part in _PARTS}
    numbers["largest delta"] = max(float(row["delta"]) for row in rows)
    numbers["largest kappa"] = max(float(row["kappa"]) for row in rows)
    whole = all(all(f.values()) for f in found.values())
    return Verdict("confirmed" if whole else "refuted" if against else "undecided", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """kappa - 1, delta, S and entropy over the angle, of the chain with most steps by the first schedule."""
    figure, axes = figures.canvas(9.6, rows=4)
    most, first = max(int(row["steps"]) for row in rows), rows[0]["schedule"]
    names = list(dict.fromkeys(str(row["law"]) for row in rows))
    for i, law in enumerate(names):
        mine = [row for row in rows if row["law"] == law and row["steps"] == most and row["schedule"] == first]
        mine.sort(key=lambda row: int(row["t"]))
        angle, colour = [row["angle"] for row in mine], figures.COLOURS[i % len(figures.COLOURS)]
        style = "-" if i < 5 else "--"
        for axis, name in zip(axes, ("kappa", "delta", "suppression", "entropy"), strict=True):
            values = np.array([row[name] for row in mine]) - (name == "kappa")
            axis.plot(angle, values, style, color=colour, label=law, linewidth=1.3)
    for axis, label in zip(axes, ("κ − 1", "δ", "suppression S", "entropy (nats)"), strict=True):
        axis.set(ylabel=label)
    axes[0].set_yscale("symlog", linthresh=0.01)
    axes[0].set_title(f"{first}, T = {most}", fontsize=8)
    axes[1].set(yscale="log", ylim=(1e-4, 2))
    axes[3].set(xlabel="angle φ_t (clean → noise)")
    axes[2].legend(fontsize=6, ncols=2, loc="upper right")
    return figure
