"""Does attention near a PIFS step with hard pairing as its temperature falls, and how fast?

Falsifier: at a typical state the soft weights do not decay like e^(-lead/tau), lead = logit of the best domain less
that of the second at temperature 1; or the mean distance of the estimates over states does not fall like tau, the share
of states with lead < tau. The Jacobians are compared too: those of frozen weights ("random PIFS") near the hard ones
like the estimates, but attention's own weights move, by up to 1/(4 tau), on that share of states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import AttentionDenoiser
from pifs_sim.dynamics import Patches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "attention_hard_limit"
VERSION = 1
CLAIMS = ("attention-is-soft-pifs", "attention-coupling", "ddim-is-pifs")
_KINDS = ["self-attention", "mapped attention", "codebook", "random PIFS"]
GRIDS = {
    "smoke": {"kind": _KINDS, "domains": [4], "size": [2], "angle": [0.8], "states": [2000]},
    "paper": {"kind": _KINDS, "domains": [4, 8], "size": [2, 4], "angle": [0.6, 1.0], "states": [8000]},
}
TOLERANCE = 1e-6
_TEMPERATURES = 10.0 ** (-np.arange(9) / 4)  # 1 to 0.01
_RANGES = 4
_TOGETHER = 1000  # states whose Jacobians are formed at once

Array = npt.NDArray[np.float64]
Measured = tuple[Array, Array, Array]  # distance and what is left of the weights, of every range; distance of Jacobians


def _attention(kind: str, domains: int, size: int, rng: np.random.Generator) -> Callable[[float], AttentionDenoiser]:
    if kind == "codebook":
        book = rng.standard_normal((domains, size))
        return lambda tau: AttentionDenoiser(Patches(_RANGES * size, size), book, temperature=tau)
    maps = np.linalg.qr(rng.standard_normal((domains, domains, size, size)))[0] if kind == "mapped attention" else None
    return lambda tau: AttentionDenoiser(Patches(domains * size, size), temperature=tau, maps=maps)


def _compared(soft: AttentionDenoiser, hard: AttentionDenoiser, x: Array, angle: float) -> Measured:
    distance, left, gap = [], [], []
    for start in range(0, len(x), _TOGETHER):
        points = x[start : start + _TOGETHER]
        here, there = soft.posterior(points, angle), hard.posterior(points, angle)
        distance.append(np.linalg.norm(soft.patches.split(here.mean - there.mean), axis=2))
        left.append(np.sort(here.weights, axis=2)[:, :, :-1].sum(axis=2))
        apart = here.mean_jacobian.dense() - there.mean_jacobian.dense()
        gap.append(np.linalg.norm(apart, axis=(1, 2)) / np.sqrt(soft.dim))
    return np.concatenate(distance), np.concatenate(left), np.concatenate(gap)


def _of_attention(kind: str, count: tuple[int, int, int], angle: float, rng: np.random.Generator) -> Any:
    """The leads at N(0, I), every temperature's distances, and the mean length of the hard estimates."""
    domains, size, states = count
    at = _attention(kind, domains, size, rng)
    x, hard = rng.standard_normal((states, at(1.0).dim)), at(0.0)
    logits = np.sort(at(1.0).posterior(x, angle).attention.logits, axis=2)
    found = [_compared(at(float(tau)), hard, x, angle) for tau in _TEMPERATURES]
    some = hard.posterior(x[:_TOGETHER], angle)
    return logits[..., -1] - logits[..., -2], found, np.linalg.norm(hard.patches.split(some.mean), axis=2).mean()


def _of_pifs(count: tuple[int, int, int], rng: np.random.Generator) -> Any:
    """The same of random PIFS, a fifth of the number of states, of one set of scores for all temperatures."""
    from pifs_sim.fractals import random_pifs  # 0.2 s to import, and only needed here

    domains, size, states = count
    seeds = rng.integers(2**32, size=max(1, states // 5)).tolist()

    def blocks(tau: float) -> Array:
        found = [
            random_pifs(domains, size, pairing="soft", temperature=tau, rng=np.random.default_rng(s)) for s in seeds
        ]
        return np.array([pifs.matrix for pifs in found]).reshape(-1, domains, size, domains, size).swapaxes(2, 3)

    hard, warm = blocks(0.0), blocks(1.0)
    weights = np.log(np.sort(np.linalg.norm(warm, 2, axis=(3, 4)), axis=2))  # all maps of a row have one norm
    found = []
    for tau in _TEMPERATURES:
        soft = blocks(float(tau))
        sizes = np.sort(np.linalg.norm(soft, 2, axis=(3, 4)), axis=2)
        apart = np.sqrt(((soft - hard) ** 2).sum(axis=(2, 3, 4)))
        whole = np.sqrt((apart**2).sum(axis=1) / (domains * size))
        found.append((apart, sizes[:, :, :-1].sum(axis=2) / sizes.sum(axis=2), whole))
    return weights[..., -1] - weights[..., -2], found, np.sqrt((hard**2).sum(axis=(2, 3, 4))).mean()


def run(
    *, kind: str, domains: int, size: int, angle: float, states: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """Distances to the hard limit, a row for each temperature, at the same states.

    Those of estimates, or of the rows of a PIFS, relative to the hard ones' mean length; those of Jacobians in the
    Frobenius norm over sqrt d, the size of the identity.
    """
    count = domains, size, states
    lead, found, scale = _of_pifs(count, rng) if kind == "random PIFS" else _of_attention(kind, count, angle, rng)
    rows: list[dict[str, Scalar]] = []
    for tau, (distance, left, gap) in zip(_TEMPERATURES, found, strict=True):
        seen = left > 1e-300
        rate = np.median(-tau * np.log(left[seen]) / lead[seen])
        rows.append(
            {
                "temperature": float(tau),
                "mean": float(distance.mean() / scale),
                "median": float(np.median(distance) / scale),
                "undecided": float(np.mean(lead < tau)),
                "rate": float(rate),
                "mean jacobian": float(gap.mean()),
                "median jacobian": float(np.median(gap)),
            }
        )
    return rows


def _slope(rows: Sequence[Row], name: str) -> float:
    """d ln/d ln tau over the coldest decade, by least squares."""
    cold = sorted(rows, key=lambda row: float(row["temperature"]))[:5]
    x, y = (np.log([float(row[key]) for row in cold]) for key in ("temperature", name))
    return float(np.polyfit(x, y, 1)[0])


def _cases(rows: Sequence[Row]) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[axis] for axis in ("kind", "domains", "size", "angle")), []).append(row)
    return found


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if everywhere the mean falls like tau^(1 +- 0.15) and the rate is the lead's within a tenth, when cold.

    Refuted if somewhere the power is below 1/2 or the rate off by more than a half.
    """
    cases = _cases(rows)
    slopes = {case: _slope(mine, "mean") for case, mine in cases.items()}
    rates = {case: float(min(mine, key=lambda row: row["temperature"])["rate"]) for case, mine in cases.items()}
    own = [_slope(mine, "mean jacobian") for case, mine in cases.items() if case[0] != "random PIFS"]
    kept = [
        float(min(mine, key=lambda row: row["temperature"])["mean jacobian"])
        for case, mine in cases.items()
        if case[0] != "random PIFS"
    ]
    low, high, slow, fast = min(slopes.values()), max(slopes.values()), min(rates.values()), max(rates.values())
    text = (
        f"The mean distance falls like tau^{low:.2f} to tau^{high:.2f} and a state's own like e^(-r lead/tau), r = "
        f"{slow:.3f} to {fast:.3f}. Attention's Jacobians do not follow in the mean: tau^{min(own):.2f} to "
        f"tau^{max(own):.2f}, still {min(kept):.2g} to {max(kept):.2g} of the identity's size at the coldest."
        if own
        else f"The mean distance falls like tau^{low:.2f} to tau^{high:.2f}, r = {slow:.3f} to {fast:.3f}."
    )
    near = max(abs(low - 1), abs(high - 1)) <= 0.15 and max(abs(slow - 1), abs(fast - 1)) <= 0.1
    far = low < 0.5 or max(abs(slow - 1), abs(fast - 1)) > 0.5
    numbers = {"least power": low, "largest power": high, "least rate": slow, "largest rate": fast}
    numbers |= {"largest jacobian power": max(own), "least jacobian gap": min(kept)} if own else {}
    return Verdict("confirmed" if near else "refuted" if far else "undecided", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Mean and median distances of estimates, and of Jacobians, over the temperature: one case of each kind."""
    figure, axes = figures.canvas(7.0, rows=2)
    kinds: dict[str, list[Row]] = {}
    for case, mine in _cases(rows).items():
        kinds.setdefault(str(case[0]), sorted(mine, key=lambda row: float(row["temperature"])))
    for (kind, mine), colour in zip(kinds.items(), figures.COLOURS, strict=False):
        temperature = [float(row["temperature"]) for row in mine]
        for axis, suffix in zip(axes, ("", " jacobian"), strict=True):
            axis.plot(temperature, [row[f"mean{suffix}"] for row in mine], "o-", color=colour, markersize=3, label=kind)
            axis.plot(temperature, [row[f"median{suffix}"] for row in mine], ":", color=colour)
    for axis, label in zip(axes, ("distance of estimates", "distance of Jacobians"), strict=True):
        axis.set(xscale="log", yscale="log", ylabel=label, ylim=(1e-4, 10))
    axes[0].set_title("lines: mean over states; dotted: median", fontsize=8)
    axes[1].set(xlabel="temperature τ")
    axes[0].legend(fontsize=7)
    return figure
