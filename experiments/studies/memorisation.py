"""Does a network's Jacobian become that of its training points' exact denoiser as it learns them by heart?

The empirical law of K points has an exact denoiser, which returns them. With J the Jacobians of eps_hat at x_t from the
training points or from held-out ones, of the network, of the points' law and of the normal law of all digits,

    gap = |J_network - J_points|_F / |J_normal - J_points|_F,

a root of sums over x: 0 where it is learnt by heart, about 1 where nothing of the points is known. Falsifier: with the
fewest points the gap at the training points does not shrink in training, or samples turn into copies of training points
while it does not. A copy is a sample at less than half the distance to its nearest point than to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "copies", "plot", "run", "verdict"]

NAME = "memorisation"
VERSION = 1
CLAIMS = ("empirical-denoiser-is-attention", "tweedie-jacobian")
NEEDS = ("torch", "safetensors", "sklearn")
GRIDS = {
    "smoke": {"points": [4, 64], "seed": [0], "steps": [20], "times": [1], "samples": [8]},
    "paper": {"points": [4, 16, 64, 1024], "seed": [0, 1], "steps": [2000], "times": [8], "samples": [64]},
}
TOLERANCE = 0.05  # float32 and many steps: libraries round differently
_NETWORK = {"patch": 2, "width": 40, "depth": 3, "condition": 36}
_PARTS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)  # of the schedule's steps, where Jacobians are compared
_PLACES = 4  # points x at each


def copies(samples: Any, points: Any) -> float:
    """The share of samples (n, d) less than half as far from their nearest of the points (K, d) as from the next."""
    distances = np.sort(np.linalg.norm(samples[:, None] - points, axis=2), axis=1)
    return float(np.mean(2 * distances[:, 0] < distances[:, 1]))


def _times(steps: int, times: int) -> list[int]:
    """0, and `times` steps up to the last, in constant ratio."""
    return sorted({0, *np.geomspace(min(steps, 25), steps, times).round().astype(int).tolist()})


def run(
    *, points: int, seed: int, steps: int, times: int, samples: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """A row for each time of training, place of x (training or held out) and noise level."""
    del rng  # of the seed alone
    from experiments import named
    from experiments.datasets import Images, images
    from experiments.training_loop import train
    from experiments.training_recipes import Recipe
    from pifs_sim.diffusion import Chain, exact_denoiser
    from pifs_sim.diffusion.measures import PointCloud
    from pifs_sim.networks import NetworkDenoiser

    digits = images("digits")
    draws = np.random.default_rng((seed, points))
    few = digits.training[draws.permutation(len(digits.training))[:points]]
    clouds = {"training": few.astype(np.float64), "held out": digits.validation.astype(np.float64)}
    schedule = named.schedule("cosine", 1000)
    law, normal = exact_denoiser(PointCloud(clouds["training"])), exact_denoiser(digits.matched())
    cases: list[tuple[str, float, Any, Any, Any]] = []
    for part in _PARTS:
        t = round(part * schedule.steps)
        for place, cloud in clouds.items():
            clean = cloud[draws.integers(len(cloud), size=_PLACES)]
            x = schedule.cos[t] * clean + schedule.sin[t] * draws.standard_normal(clean.shape)
            angle = float(schedule.angles[t])
            exact, other = (each.posterior(x, angle).noise_jacobian.dense() for each in (law, normal))
            cases.append((place, angle, x, exact, other))
    start, wanted = draws.standard_normal((samples, digits.training.shape[1])), _times(steps, times)
    rows: list[dict[str, Scalar]] = []
    sampling = named.schedule("cosine", 20)

    def watch(step: int, module: Any) -> None:
        if step not in wanted:
            return
        denoiser = NetworkDenoiser(module, digits.shape)
        copied = copies(Chain(sampling, denoiser).run(start), clouds["training"])
        for place, angle, x, exact, other in cases:
            ours = denoiser.posterior(x, angle).noise_jacobian.dense()
            rows.append(
                {
                    "step": step,
                    "place": place,
                    "angle": angle,
                    "gap": float(np.linalg.norm(ours - exact) / np.linalg.norm(other - exact)),
                    "network": _freedom(ours, angle),
                    "exact": _freedom(exact, angle),
                    "normal": _freedom(other, angle),
                    "copies": copied,
                }
            )

    recipe = Recipe("digits", "dit", _NETWORK, steps=steps, seed=seed)
    train(recipe, data=Images("digits", digits.shape, few, digits.validation), watch=watch)
    return rows


def _freedom(jacobians: Any, angle: float) -> float:
    """Degrees of freedom of the denoiser, cos tr J x_hat = d - sin tr J eps_hat, a mean over points."""
    traces = np.trace(jacobians, axis1=1, axis2=2)
    return float(jacobians.shape[1] - np.sin(angle) * traces.mean())


def _course(rows: Sequence[Row], points: int, place: str = "training") -> tuple[list[int], list[float], list[float]]:
    """Times, mean gaps over levels and seeds, and shares of copies."""
    mine = [row for row in rows if row["points"] == points and row["place"] == place]
    times = sorted({int(row["step"]) for row in mine})
    gaps = [float(np.mean([row["gap"] for row in mine if row["step"] == time])) for time in times]
    copied = [float(np.mean([row["copies"] for row in mine if row["step"] == time])) for time in times]
    return times, gaps, copied


def verdict(rows: Sequence[Row]) -> Verdict:
    """Refuted by the falsifier; confirmed if the fewest points' gap ends below a half and follows the copies."""
    from scipy import stats  # a second to import, and only needed here

    counts = sorted({int(row["points"]) for row in rows})
    courses = {count: _course(rows, count) for count in counts}
    gaps, copied = np.array(courses[counts[0]][1]), np.array(courses[counts[0]][2])
    ends = {count: course[1][-1] for count, course in courses.items()}
    every = [np.array(course[part]) for part in (1, 2) for course in courses.values()]
    pairs = np.concatenate(every[: len(counts)]), np.concatenate(every[len(counts) :])
    varied = np.ptp(pairs[0]) > 0 and np.ptp(pairs[1]) > 0
    rank = stats.spearmanr(*pairs) if varied else None
    rho, p = (float(rank.statistic), float(rank.pvalue)) if rank is not None else (0.0, 1.0)
    told = ", ".join(f"{gap:.2f} with {count}" for count, gap in ends.items())
    shares = ", ".join(f"{course[2][-1]:.0%} with {count}" for count, course in courses.items())
    text = (
        f"At the training points the Jacobian's distance from the points' exact denoiser ends at {told} points, from "
        f"{gaps[0]:.2f} before training with {counts[0]}; copies among samples end at {shares}. Over times and numbers "
        f"of points the rank correlation of gap and copies is {rho:.2f} (p = {p:.1g}, n = {len(pairs[0])})."
    )
    numbers = {"rank correlation": rho, "p": p, "first gap": float(gaps[0])}
    for count, course in courses.items():
        numbers |= {f"gap, {count}": ends[count], f"copies, {count}": course[2][-1]}
        numbers[f"gap held out, {count}"] = _course(rows, count, "held out")[1][-1]
    shrunk, learnt = gaps[-1] < gaps[0], gaps[-1] < 0.5 and copied[-1] > 0.5
    copying = [count for count, (_, gap, share) in courses.items() if share[-1] > share[0] and gap[-1] >= gap[0]]
    if copying:
        text += f" With {', '.join(map(str, copying))} points copies come up while the distance does not shrink."
    answer: Literal["confirmed", "refuted", "undecided"] = (
        "refuted" if copying or not shrunk else "confirmed" if learnt and rho < 0 and p < 0.05 else "undecided"
    )
    return Verdict(answer, text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Gap and copies in the course of training, and the degrees of freedom at its end over the angle."""
    figure, axes = figures.canvas(7.8, rows=3)
    counts = sorted({int(row["points"]) for row in rows})
    for count, colour in zip(counts, figures.COLOURS, strict=False):
        for place, style in (("training", "-"), ("held out", ":")):
            times, gaps, copied = _course(rows, count, place)
            named = f"{count} points" if place == "training" else None
            axes[0].plot(np.array(times) + 1, gaps, style, color=colour, label=named)
        axes[1].plot(np.array(times) + 1, copied, "-", color=colour)
        last = [
            row for row in rows if row["points"] == count and row["place"] == "training" and row["step"] == times[-1]
        ]
        angles = sorted({float(row["angle"]) for row in last})
        for name, style in (("network", "-"), ("exact", "--")):
            means = [np.mean([float(row[name]) for row in last if row["angle"] == angle]) for angle in angles]
            axes[2].plot(angles, means, style, color=colour)
    axes[0].set(xscale="log", ylabel="gap (dotted: held out)")
    axes[1].set(xscale="log", ylabel="copies among samples", xlabel="steps of training + 1")
    axes[2].set(ylabel="freedom (dashed: exact)", xlabel="angle φ_t (clean → noise)")
    axes[0].legend(fontsize=7, ncols=2, frameon=False)
    return figure
