"""Is gamma = 5 the min-SNR weight that makes the steps' growth most even?

Falsifier: a chain and a spectrum on which the weights min(SNR, gamma)/SNR with gamma = 5 leave the information gains of
the steps (nats, `information_gain`) with a coefficient of variation more than a tenth above that of the best gamma, or
growths of the Kaplan-Yorke dimension likewise. The first step, whose gain may be infinite, is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures, heuristics, named
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "minsnr_balance"
VERSION = 1
CLAIMS = ("min-snr", "min-snr-five")
GRIDS = {
    "smoke": {
        "chain": ["linear", "scaled_linear", "cosine"],
        "steps": [200],
        "data": ["photograph", "variance 1", "variance 10"],
    },
    "paper": {
        "chain": ["linear", "scaled_linear", "cosine", "karras", "log_linear", "flow"],
        "steps": [100, 1000],
        "data": ["photograph", "k^-1", "k^-2", "k^-3", "variance 0.1", "variance 1", "variance 10", "variance 100"],
    },
}
TOLERANCE = 1e-6
_GAMMA = np.geomspace(1e-5, 1e6, 221)  # beyond the SNR of nearly all steps, at both ends
_OFFERED = 5.0
_MODES = 192


@functools.cache
def _photograph() -> FloatArray:
    return patch_spectrum(default_photograph(), 8).eigenvalues


def _spectrum(data: str) -> FloatArray:
    """Variances: "photograph", 64 k^-p for k = 1..192 as "k^-p", or one alone as "variance x"."""
    if data == "photograph":
        return _photograph()
    if data.startswith("k^-"):
        return np.asarray(64 * np.arange(1.0, _MODES + 1) ** -float(data[3:]))
    if data.startswith("variance "):
        return np.array([float(data[9:])])
    raise ValueError(f'`data` must be "photograph", "k^-p" or "variance x", got {data!r}.')


def run(*, chain: str, steps: int, data: str, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Best gamma on a grid of twenty a decade, and the variation of growth there, at 5 and without a weight."""
    del rng
    gamma = np.concatenate([_GAMMA, [_OFFERED, np.inf]])
    made = heuristics.weights(named.schedule(chain, steps), data, _spectrum(data), gamma)
    found: dict[str, Scalar] = {}
    for what, variation in (("information", made.information), ("dimension", made.dimension)):
        weighted = variation[:-2]
        found |= {
            f"{what}: best gamma": float(_GAMMA[int(np.argmin(weighted))]),
            f"{what}: least": float(weighted.min()),
            f"{what}: at 5": float(variation[-2]),
            f"{what}: no weight": float(variation[-1]),
        }
    return [found]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if 5 is within a tenth of the least variation of information everywhere, refuted if in under half."""
    best = np.array([float(row["information: best gamma"]) for row in rows])
    excess = np.array([float(row["information: at 5"]) / float(row["information: least"]) - 1 for row in rows])
    saved = np.array([float(row["information: at 5"]) / float(row["information: no weight"]) for row in rows])
    grown = [row for row in rows if float(row["dimension: least"]) > 0]
    helped = [row for row in grown if float(row["dimension: at 5"]) <= 0.9 * float(row["dimension: no weight"])]
    near = int((excess <= 0.1).sum())
    ends = int(((best <= _GAMMA[0]) | (best >= _GAMMA[-1])).sum())
    text = (
        f"The best gamma has the median {np.median(best):.2g} and in {ends} cases lies at an end of the grid, "
        f"{_GAMMA[0]:g} (as good as 1/SNR) or {_GAMMA[-1]:g} (as good as none); 5 is within a tenth of the least "
        f"variation of information in {near} of {len(rows)} cases (median excess {np.median(excess):.0%}), and "
        f"leaves {np.median(saved):.0%} of what no weight has. Growth of dimension is made more even by a tenth in "
        f"{len(helped)} of {len(grown)} cases."
    )
    numbers = {
        "median best gamma": float(np.median(best)),
        "share within a tenth": near / len(rows),
        "median excess": float(np.median(excess)),
        "median share of no weight": float(np.median(saved)),
    }
    answer = "confirmed" if near == len(rows) else "undecided" if 2 * near >= len(rows) else "refuted"
    return Verdict(answer, text, numbers)  # type: ignore[arg-type]


def plot(rows: Sequence[Row]) -> Figure:
    """Best gamma by spectrum, and the variation at 5 by the least, a mark for each chain and number of steps."""
    figure, (above, below) = figures.canvas(5.8, rows=2)
    figure.subplots_adjust(bottom=0.14, top=0.9)
    data = list(dict.fromkeys(str(row["data"]) for row in rows))
    chains = list(dict.fromkeys(str(row["chain"]) for row in rows))
    for chain, colour in zip(chains, figures.COLOURS, strict=False):
        mine = [row for row in rows if row["chain"] == chain]
        place = [data.index(str(row["data"])) + 0.12 * (chains.index(chain) - (len(chains) - 1) / 2) for row in mine]
        best = [row["information: best gamma"] for row in mine]
        ratio = [float(row["information: at 5"]) / float(row["information: least"]) for row in mine]
        above.plot(place, best, "o", color=colour, markersize=4, label=chain)
        below.plot(place, ratio, "o", color=colour, markersize=4)
    above.axhline(_OFFERED, color="black", linewidth=0.8)
    above.set(yscale="log", ylabel="best γ (line: 5)", xticks=range(len(data)), xticklabels=[])
    below.set(yscale="log", ylabel="variation at 5 by the least", xticks=range(len(data)))
    below.set_xticklabels(data, fontsize=7, rotation=25, ha="right")
    above.legend(fontsize=7, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure
