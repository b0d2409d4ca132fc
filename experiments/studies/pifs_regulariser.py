"""Does training with L_PIFS widen the margin of contraction of a network's chain, and what does it cost?

L_PIFS adds mu C/d to the loss of the noise estimate, C = sum_{k, j != k} |[J eps_hat]_kj|_F^2 by one probe an image.
Falsifier of a benefit: no mu at which the margin 1 - max_k sum_j |[J Phi_t]_kj|, a mean over steps and noisy held-out
digits, exceeds that of mu = 0 with the same seed by a 95 % interval of Student's t over seeds; of a free one, a
validation error or an energy distance of samples that is larger by such an interval wherever it does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "Effect", "effect", "plot", "run", "verdict"]

NAME = "pifs_regulariser"
VERSION = 1
CLAIMS = ("pifs-regulariser", "patch-contraction")
NEEDS = ("torch", "safetensors", "sklearn")
GRIDS = {
    "smoke": {"coupling": [0.0, 0.1], "seed": [0, 1], "steps": [20], "samples": [32], "points": [2], "chain": [3]},
    "paper": {
        "coupling": [0.0, 0.001, 0.01, 0.1],
        "seed": [0, 1, 2, 3, 4],
        "steps": [600],
        "samples": [360],
        "points": [6],
        "chain": [50],
    },
}
TOLERANCE = 0.05  # float32 and many steps: libraries round differently
OUTCOMES = ("margin", "worst margin", "kappa", "delta", "validation", "W2", "energy", "p", "cost")
_NETWORK = {"widths": (16, 32), "condition": 32}
_PATCH = 2
_LEVELS = 0.95


class Effect(NamedTuple):
    """Mean of paired differences over seeds, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def run(
    *, coupling: float, seed: int, steps: int, samples: int, points: int, chain: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """One network on digits: its margins, errors on held-out digits, samples, and operations a step of training."""
    del rng  # of the seed alone: networks of one seed begin alike and see the same images
    from experiments import named
    from experiments.training_loop import operations, train
    from experiments.training_quality import contraction, energy_test, moments_distance
    from experiments.training_recipes import Recipe
    from experiments.training_validation import errors
    from pifs_sim.diffusion import Chain
    from pifs_sim.dynamics import Patches
    from pifs_sim.networks import NetworkDenoiser

    recipe = Recipe("digits", "unet", _NETWORK, steps=steps, coupling=coupling, patch=_PATCH, seed=seed)
    trained = train(recipe)
    data, draws = trained.data, np.random.default_rng((seed, steps + 1))
    whole = Chain(named.schedule("cosine", chain), NetworkDenoiser(trained.module, data.shape))
    held = data.validation.astype(np.float64)
    found = contraction(whole, held[:points], Patches(data.shape, _PATCH), rng=draws)
    made = whole.run(draws.standard_normal((samples, whole.dim)))
    test = energy_test(made, held, draws)
    margins = 1 - found.row_sum
    return [
        {
            "margin": float(margins.mean()),
            "worst margin": float(margins.min()),
            "kappa": float(found.kappa.mean()),
            "delta": float(found.delta.mean()),
            "validation": float(errors(trained.module, data, named.schedule("cosine", 1000)).mean()),
            "W2": moments_distance(made, held),
            "energy": test.distance,
            "p": test.p_value,
            "cost": operations(recipe, data),
        }
    ]


def effect(rows: Sequence[Row], outcome: str, coupling: float) -> Effect:
    """The outcome with that mu less that with mu = 0, over the seeds of both; infinite ends of fewer than two."""
    from scipy import stats  # a second to import, and only needed here

    table = {(float(row["coupling"]), int(row["seed"])): float(row[outcome]) for row in rows}
    seeds = [seed for mu, seed in table if mu == coupling and (0.0, seed) in table]
    paired = np.array([table[coupling, seed] - table[0.0, seed] for seed in seeds])
    if len(paired) < 2:
        return Effect(float(np.mean(paired)) if len(paired) else 0.0, -math.inf, math.inf)
    half = float(stats.t.ppf((1 + _LEVELS) / 2, len(paired) - 1) * paired.std(ddof=1) / math.sqrt(len(paired)))
    return Effect(float(paired.mean()), float(paired.mean()) - half, float(paired.mean()) + half)


def _positive(rows: Sequence[Row]) -> list[float]:
    return sorted({float(row["coupling"]) for row in rows} - {0.0})


def _spoken(found: Effect) -> str:
    return f"{found.mean:+.3g} [{found.low:+.3g}, {found.high:+.3g}]"


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if some mu widens margins at no loss that shows, refuted if none widens them, else undecided."""
    strengths, seeds = _positive(rows), len({row["seed"] for row in rows})
    found = {mu: {name: effect(rows, name, mu) for name in OUTCOMES} for mu in strengths}
    wider = [mu for mu in strengths if found[mu]["margin"].low > 0]
    free = [mu for mu in wider if found[mu]["validation"].low <= 0 and found[mu]["energy"].low <= 0]
    base = {name: float(np.mean([row[name] for row in rows if float(row["coupling"]) == 0])) for name in OUTCOMES}
    told = "; ".join(
        f"mu = {mu:g}: margin {_spoken(found[mu]['margin'])}, validation error {_spoken(found[mu]['validation'])}, "
        f"energy distance {_spoken(found[mu]['energy'])}, W2 {_spoken(found[mu]['W2'])}"
        for mu in strengths
    )
    ratio = float(np.mean([row["cost"] for row in rows if float(row["coupling"]) > 0])) / base["cost"]
    text = (
        f"Changes from mu = 0 over {seeds} seeds (95 % intervals): {told}. Without it the margin is "
        f"{base['margin']:.3g}, the error {base['validation']:.4g}, the energy distance {base['energy']:.3g}; a step "
        f"of training takes {ratio:.2f} times the operations."
    )
    numbers = {"seeds": float(seeds), "cost": ratio, **{f"without: {name}": value for name, value in base.items()}}
    for mu in strengths:
        for name in OUTCOMES[:-1]:
            for end, value in found[mu][name]._asdict().items():
                numbers[f"mu {mu:g}: {name} {end}"] = value
    answer: Literal["confirmed", "refuted", "undecided"] = "confirmed" if free else "undecided" if wider else "refuted"
    return Verdict(answer, text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Changes of margin, validation error and energy distance with mu, means and intervals, a dot for each seed."""
    figure, axes = figures.canvas(7.2, rows=3)
    strengths = _positive(rows)
    shown: list[tuple[Any, str, str]] = [
        (axes[0], "margin", "margin"),
        (axes[1], "validation", "validation error"),
        (axes[2], "energy", "energy distance"),
    ]
    for axis, name, label in shown:
        base = {row["seed"]: float(row[name]) for row in rows if float(row["coupling"]) == 0}
        for place, mu in enumerate(strengths):
            found = effect(rows, name, mu)
            dots = [
                float(row[name]) - base[row["seed"]]
                for row in rows
                if float(row["coupling"]) == mu and row["seed"] in base
            ]
            axis.plot([place + 0.12] * len(dots), dots, "o", color=figures.COLOURS[5], markersize=3)
            ends = np.array([[found.mean - found.low], [found.high - found.mean]])
            axis.errorbar(
                [place],
                [found.mean],
                np.where(np.isfinite(ends), ends, 0),
                fmt="s",
                color=figures.COLOURS[0],
                capsize=4,
                markersize=5,
            )
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set(ylabel=label, xticks=range(len(strengths)), xticklabels=[f"{mu:g}" for mu in strengths])
        axis.set_xlim(-0.5, len(strengths) - 0.5)
    axes[0].set_title("change from training without the regulariser", fontsize=8, loc="left")
    axes[2].set(xlabel="μ")
    return figure
