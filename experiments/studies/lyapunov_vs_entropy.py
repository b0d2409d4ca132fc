"""Is the sum of a chain's Lyapunov exponents the entropy that it adds, E ln|det D Phi| = h(Phi_# p_T) - h(p_T)?

Falsifier: a mixture and a chain whose mean logarithm of volume, along the orbits of an ensemble x ~ p_T, differs from
the gain of entropy of the same ensemble by more than five standard errors and what the estimator of entropies lacks.
Entropies are those of points alone, by the distance r_i of the k-th nearest neighbour,

    h = psi(n) - psi(k) + ln V_d + (d/n) sum_i ln r_i,

which knows nothing of the tangent map (Kozachenko, Leonenko 1987). Its bias is measured on exact draws of p_{phi_0},
whose entropy is known from its density; the chain's own error is h(Phi_# p_T) - h(p_{phi_0}).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Chain, exact_denoiser, product_spectrum, schedules
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.measures import Mixture, ScaleMixture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "lyapunov_vs_entropy"
VERSION = 1
CLAIMS = ("volume-is-entropy", "sum-rule")
_LAWS = ["normal", "two normals", "crossed", "three in the plane", "scales", "four in space"]
GRIDS = {
    "smoke": {"law": ["normal", "two normals", "crossed", "four in space"], "steps": [3, 20], "points": [2000]},
    "paper": {"law": _LAWS, "steps": [2, 5, 10, 20, 50], "points": [20000]},
}
TOLERANCE = 1e-6
_FIRST, _NEIGHBOUR, _BLOCKS, _ORBITS = 0.05, 4, 10, 100


def _law(name: str) -> Mixture | ScaleMixture:
    if name == "normal":
        return Mixture([1.0], [[0.5, -0.2]], [[[2.0, 0.6], [0.6, 0.4]]])
    if name == "two normals":
        return Mixture([0.6, 0.4], [[-2.5], [2.5]], [0.3, 0.3])
    if name == "crossed":
        return Mixture([0.5, 0.5], [[0.0, 0.0], [0.0, 0.0]], [[1.59, 0.01], [0.01, 1.59]])
    if name == "three in the plane":
        return Mixture([0.5, 0.3, 0.2], [[-1.5, 0.0], [1.0, 1.5], [1.5, -1.5]], [[0.2, 0.5], [0.4, 0.1], [0.05, 0.05]])
    if name == "scales":
        return ScaleMixture([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], [0.1, 1.0, 4.0], [0.5, 0.35, 0.15])
    if name == "four in space":
        corners = [[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]
        return Mixture([0.25] * 4, corners, [0.1, 0.2, 0.1, 0.4])
    raise ValueError(f"`law` must be one of {', '.join(_LAWS)}, got {name!r}.")


def _entropy(x: FloatArray) -> float:
    """Entropy of the law of the points (n, d), nats."""
    from scipy.spatial import cKDTree  # 0.1 s to import, and only needed here
    from scipy.special import digamma, gammaln

    n, d = x.shape
    distance = cKDTree(x).query(x, k=_NEIGHBOUR + 1)[0][:, -1]
    ball = d / 2 * math.log(math.pi) - float(gammaln(d / 2 + 1))
    return float(digamma(n) - digamma(_NEIGHBOUR) + ball + d * np.log(distance).mean())


def _volumes(chain: Chain, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ln|det D Phi| along every orbit (n,), and the outputs (n, d)."""
    total = np.zeros(len(x))
    for n in range(chain.length):
        total += chain.jacobian(x, n).logabsdet()
        x = chain.step(x, n)
    return total, x


def run(*, law: str, steps: int, points: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Mean ln of volume, gain of entropy, their gap over ten blocks with its error, the estimator's bias; nats."""
    data = _law(law)
    denoiser = exact_denoiser(data)
    schedule = schedules.uniform_angle(steps, _FIRST)
    chain = Chain(schedule, denoiser)
    x = rng.standard_normal((points, data.dim))
    volume, y = _volumes(chain, x)
    blocks = np.arange(points) % _BLOCKS
    gain = np.array([_entropy(y[blocks == b]) - _entropy(x[blocks == b]) for b in range(_BLOCKS)])
    gap = np.array([volume[blocks == b].mean() for b in range(_BLOCKS)]) - gain
    exact = float(schedule.cos[0]) * data.sample(points, rng) + float(schedule.sin[0]) * rng.standard_normal(x.shape)
    surprise = -denoiser.posterior(exact, float(schedule.angles[0])).log_density
    bias = [_entropy(exact[blocks == b]) - float(surprise[blocks == b].mean()) for b in range(_BLOCKS)]
    exponents = product_spectrum(chain, x[:_ORBITS], rng=rng).exponents
    return [
        {
            "dimension": data.dim,
            "volume": float(volume.mean()),
            "entropy": float(gain.mean()),
            "gap": float(gap.mean()),
            "error": float(gap.std(ddof=1)) / math.sqrt(_BLOCKS),
            "bias": float(np.mean(bias)),
            "exponents of some": float(exponents.sum()),
            "volume of some": float(volume[:_ORBITS].mean()),
            "chain less data": float(volume.mean() + data.dim / 2 * math.log(2 * math.pi * math.e) - surprise.mean()),
        }
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if every gap is below five errors and the estimator's bias there; refuted if over half are not."""
    gap, error, bias = (np.abs([float(row[what]) for row in rows]) for what in ("gap", "error", "bias"))
    within = int((gap <= 5 * error + bias).sum())
    worst = rows[int(np.argmax(gap))]
    summed = max(abs(float(row["exponents of some"]) - float(row["volume of some"])) for row in rows)
    most = max(int(row["steps"]) for row in rows)
    fine = max(abs(float(row["chain less data"])) for row in rows if int(row["steps"]) == most)
    text = (
        f"The mean ln of volume is the gain of entropy within five errors and the estimator's bias in {within} of "
        f"{len(rows)} cases, the largest gap {gap.max():.2g} nats ({worst['law']}, T = {worst['steps']}, bias "
        f"{float(worst['bias']):.2g}); exponents sum to it within {summed:.1g}. At T = {most} the outputs' entropy is "
        f"within {fine:.2g} nats of the data's."
    )
    numbers = {"largest gap": float(gap.max()), "cases within": float(within), "sum rule": summed, "fine chain": fine}
    answer = "confirmed" if within == len(rows) else "refuted" if 2 * within < len(rows) else "undecided"
    return Verdict(answer, text, numbers)  # type: ignore[arg-type]


def plot(rows: Sequence[Row]) -> Figure:
    """Gap with five errors over the steps, and the outputs' entropy less the data's."""
    figure, (above, below) = figures.canvas(6.2, rows=2)
    figure.subplots_adjust(top=0.91)
    for i, (law, colour) in enumerate(zip(_LAWS, figures.COLOURS, strict=False)):
        mine = sorted((row for row in rows if row["law"] == law), key=lambda row: int(row["steps"]))
        steps = np.array([float(row["steps"]) for row in mine]) * 1.03 ** (i - 2.5)
        gap, error, rest = (np.array([float(r[what]) for r in mine]) for what in ("gap", "error", "chain less data"))
        above.errorbar(steps, gap, 5 * error, fmt="o", color=colour, markersize=3, linewidth=1, label=law)
        below.plot(steps, np.abs(rest), "o-", color=colour, markersize=3)
    above.axhline(0, color="black", linewidth=0.8)
    above.set(xscale="log", ylabel="E ln|det DΦ| − gain of entropy (nats)")
    below.set(xscale="log", yscale="log", xlabel="steps T", ylabel="|h(outputs) − h(data)| (nats)")
    ticks = sorted({int(row["steps"]) for row in rows})
    for axes in (above, below):
        axes.minorticks_off()
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
    above.legend(fontsize=7, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure
