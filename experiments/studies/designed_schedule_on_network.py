"""Do the steps that are optimal for the data's spectrum beat the usual ones on a trained network?

The spectrum is that of the training images, the objective W2; the others are Karras' with rho = 7, log-linear sigma,
uniform in arctan sigma, and every so many of 1000 linear steps (the default of diffusers' DDIM), between the same ends.
All begin at the same noise. The measure is W2 of the normal laws with the moments of samples and of held-out images.
Falsifier: a number of steps from 5 to 20 at which some other schedule's W2 is smaller, by a 95 % interval of Student's
t over seeds of the noise. Beside it the W2 that the exact Gaussian predicts, and the energy distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "designed_schedule_on_network"
VERSION = 1
CLAIMS = ("optimal-step-density", "criterion-workload", "chain-law")
NEEDS = ("torch", "safetensors", "sklearn", "skimage")
GRIDS = {
    "smoke": {"data": ["digits"], "network": ["unet"], "steps": [5], "samples": [64], "seed": [0, 1]},
    "paper": {
        "data": ["digits", "grey16"],
        "network": ["dit", "unet", "conv"],
        "steps": [5, 10, 20],
        "samples": [512],
        "seed": [0, 1, 2, 3],
    },
}
TOLERANCE = 0.02  # float32 and many products: libraries round differently
_ENDS = 0.02, 80.0
_OTHERS = ("Karras", "log-linear", "arctan", "linear")


def _chains(eigenvalues: Any, steps: int) -> dict[str, Any]:
    from pifs_sim.diffusion import design, schedules

    low, high = _ENDS
    linear = schedules.linear(1000)
    inside = np.flatnonzero((linear.sigma >= low) & (linear.sigma <= high))
    rows = np.round(np.linspace(inside[0], inside[-1], steps + 1)).astype(int)
    return {
        "designed": design.optimal_schedule(eigenvalues, steps, objective="w2", sigma_min=low, sigma_max=high),
        "Karras": schedules.karras(steps, low, high),
        "log-linear": schedules.log_linear(steps, low, high),
        "arctan": schedules.from_angles(np.linspace(np.arctan(low), np.arctan(high), steps + 1)),
        "linear": linear.subsample(rows),
    }


def run(
    *, data: str, network: str, steps: int, samples: int, seed: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """A row for each schedule; the noise is that of the data and the seed alone."""
    from experiments import datasets, subjects
    from experiments.training_quality import energy_test, moments_distance
    from pifs_sim.diffusion import Chain, geometry

    del rng  # schedules, steps and networks of one seed begin at the same noise
    images = datasets.images(data)
    held, law = images.validation.astype(np.float64), images.matched()
    values, vectors = np.linalg.eigh(np.asarray(law.covariance))
    eigenvalues, mean = np.maximum(values, 1e-9), np.abs(np.asarray(law.mean) @ vectors)
    start = np.random.default_rng((seed, held.shape[1])).standard_normal((samples, held.shape[1]))
    denoiser = subjects.subject(f"{data}-{network}", steps=steps).denoiser
    found: list[dict[str, Scalar]] = []
    for name, schedule in _chains(eigenvalues, steps).items():
        made = Chain(schedule, denoiser).run(start) / float(schedule.cos[0])
        error = geometry.gaussian_error(schedule, eigenvalues, metric="w2", start="normal", mean=mean)
        test = energy_test(made, held, np.random.default_rng(seed))
        found.append(
            {
                "schedule": name,
                "W2": moments_distance(made, held),
                "energy": test.distance,
                "p": test.p_value,
                "predicted": float(error),
            }
        )
    return found


def _cases(rows: Sequence[Row]) -> dict[tuple[str, str, int], dict[str, list[float]]]:
    """W2 by data, network and steps, then by schedule, in the order of the seeds."""
    found: dict[tuple[str, str, int], dict[str, list[float]]] = {}
    for row in sorted(rows, key=lambda row: int(row["seed"])):
        case = str(row["data"]), str(row["network"]), int(row["steps"])
        found.setdefault(case, {}).setdefault(str(row["schedule"]), []).append(float(row["W2"]))
    return found


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if no other schedule is better anywhere, refuted if one is by a 95 % interval somewhere."""
    from scipy import stats

    wins, losses, open_, cases = dict.fromkeys(_OTHERS, 0), dict.fromkeys(_OTHERS, 0), 0, _cases(rows)
    ratios: dict[str, list[float]] = {other: [] for other in _OTHERS}
    for found in cases.values():
        for other in _OTHERS:
            gain = np.array(found[other]) - np.array(found["designed"])
            reach = stats.t.ppf(0.975, gain.size - 1) * gain.std(ddof=1) / np.sqrt(gain.size)
            ratios[other].append(float(np.mean(found[other]) / np.mean(found["designed"])))
            wins[other] += bool(gain.mean() > reach)
            losses[other] += bool(gain.mean() < -reach)
            open_ += bool(abs(gain.mean()) <= reach)
    told = [
        f"{other}: {np.median(ratios[other]):.2f} times its W2 in the median ({min(ratios[other]):.2f} to "
        f"{max(ratios[other]):.2f}), better by a 95 % interval in {losses[other]} of {len(cases)} cases, worse in "
        f"{wins[other]}"
        for other in _OTHERS
    ]
    numbers = {f"ratio, {other}": float(np.median(ratios[other])) for other in _OTHERS}
    numbers |= {f"better, {other}": float(losses[other]) for other in _OTHERS}
    numbers |= {"cases": float(len(cases)), "undecided": float(open_)}
    answer: Any = "refuted" if any(losses.values()) else "confirmed" if not open_ else "undecided"
    return Verdict(answer, f"Against the designed steps, {'; '.join(told)}.", numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """W2 over the number of steps: measured of the first network of each data, and predicted."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(str(row["data"]), str(row["network"]))
    figure, axes = figures.canvas(3.2 * len(first) + 0.4, rows=len(first))
    cases = _cases(rows)
    for axis, (data, network) in zip(np.atleast_1d(axes), first.items(), strict=True):
        steps = sorted(count for of, name, count in cases if (of, name) == (data, network))
        for name, colour in zip(("designed", *_OTHERS), figures.COLOURS, strict=False):
            measured = [np.mean(cases[data, network, count][name]) for count in steps]
            mine = [row for row in rows if row["data"] == data and row["schedule"] == name]
            predicted = [float(next(row["predicted"] for row in mine if row["steps"] == count)) for count in steps]
            axis.plot(steps, measured, "o-", color=colour, label=name)
            axis.plot(steps, predicted, ":", color=colour)
        axis.set(ylabel=f"W₂, {data}-{network} (dotted: predicted)", yscale="log")
        axis.legend(fontsize=7, frameon=False)
    np.atleast_1d(axes)[-1].set(xlabel="steps")
    return figure
