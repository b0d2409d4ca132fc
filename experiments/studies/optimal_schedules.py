"""Does the closed-form density of steps beat every schedule in use, on every spectrum and for every number of steps?

Falsifier: a spectrum, a number of steps N >= 5 and an error (KL or W_2, exact for Gaussian data from the marginal) with
which Karras', log-linear, arctan-uniform or beta steps between the same noise levels do better than equal shares of
rho ~ sqrt(sum_k w_k A_k psi'_k^2). The numerical optimum is beside it: the density is optimal only as N grows.
Exponential steps are log-linear ones; beta steps are quantiles of Beta(0.6, 0.6) laid over sigma.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.design import chain_error, optimal_schedule
from pifs_sim.diffusion.design.directions import Objective
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "optimal_schedules"
VERSION = 1
CLAIMS = ("optimal-step-density", "optimal-schedule-one-scale")
_RIVALS = ("Karras", "log-linear", "arctan-uniform", "beta")
GRIDS = {
    "smoke": {
        "spectrum": ["photograph", "k^-2", "two scales"],
        "steps": [5, 10],
        "error": ["kl", "w2"],
        "sigma_min": [0.02],
    },
    "paper": {
        "spectrum": ["photograph", "k^-1", "k^-2", "k^-3", "log-normal", "one scale", "two scales"],
        "steps": [5, 10, 20, 50],
        "error": ["kl", "w2"],
        "sigma_min": [0.002, 0.02],
    },
}
TOLERANCE = 1e-6
_HIGH, _MODES = 80.0, 192
_EQUAL = 1e-9  # one scale's density is arctan-uniform itself: a draw is no win


@functools.cache
def _spectrum(name: str) -> FloatArray:
    k = np.arange(1.0, _MODES + 1)
    if name == "photograph":
        return patch_spectrum(default_photograph(), 8).eigenvalues
    if name.startswith("k^-"):
        return np.asarray(k ** -float(name[3:]))
    if name == "log-normal":
        from scipy.special import ndtri  # 0.1 s to import, and only needed here

        return np.asarray(np.exp(2 * ndtri((k - 0.5) / _MODES)))
    if name in ("one scale", "two scales"):
        return np.array([1.0] if name == "one scale" else [1e-3, 1e2])
    raise ValueError(f'`spectrum` must be a photograph, "k^-p", log-normal or one or two scales, got {name!r}.')


def _schedules(steps: int, low: float) -> dict[str, Schedule]:
    from scipy.special import betaincinv  # 0.1 s to import, and only needed here

    return {
        "Karras": schedules.karras(steps, low, _HIGH),
        "log-linear": schedules.log_linear(steps, low, _HIGH),
        "arctan-uniform": schedules.uniform_angle(steps, np.arctan(low), np.arctan(_HIGH)),
        "beta": schedules.from_sigma(low + betaincinv(0.6, 0.6, np.linspace(0, 1, steps + 1)) * (_HIGH - low)),
    }


def run(
    *, spectrum: str, steps: int, error: Objective, sigma_min: float, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """The least error, and that of each schedule in units of it; W_2 as a distance."""
    del rng
    lam, low = _spectrum(spectrum), float(sigma_min)
    density = optimal_schedule(lam, steps, objective=error, sigma_min=low, sigma_max=_HIGH)
    optimum = optimal_schedule(lam, steps, objective=error, method="optimise", sigma_min=low, sigma_max=_HIGH)
    least = chain_error(optimum, lam, objective=error)
    found = {
        name: chain_error(schedule, lam, objective=error) / least
        for name, schedule in {"density": density, **_schedules(steps, low)}.items()
    }
    return [{"least": least, **found}]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if no rival is below the density anywhere, refuted otherwise."""
    density = np.array([float(row["density"]) for row in rows])
    best = np.array([min(float(row[name]) for name in _RIVALS) for row in rows])
    names = [f"{row['spectrum']}, N = {row['steps']}, {row['error']}" for row in rows]
    cases = [name for name, lost in zip(names, best < density * (1 - _EQUAL), strict=True) if lost]
    worst = int(np.argmax(density))
    ratios = {
        name: float(np.median([float(row[name]) / float(row["density"]) for row in rows if row["error"] == "kl"]))
        for name in _RIVALS
    }
    many = [float(row["density"]) for row in rows if int(row["steps"]) >= 10]
    text = (
        f"A rival beats the density in {len(cases)} of {len(rows)} cases{': ' * bool(cases)}{'; '.join(cases[:3])}. "
        f"Median KL by the density's: {', '.join(f'{name} {ratio:.2g}' for name, ratio in ratios.items())}. It is at "
        f"most {density.max() - 1:.2g} above the optimum ({names[worst]}), from N = 10 at most {max(many) - 1:.2g}."
    )
    numbers = {f"{name}, median KL": ratio for name, ratio in ratios.items()}
    numbers |= {"cases lost": float(len(cases)), "largest excess": float(density.max() - 1)}
    return Verdict("refuted" if cases else "confirmed", text, numbers | {"excess from N = 10": max(many) - 1})


def plot(rows: Sequence[Row]) -> Figure:
    """Errors in units of the least, by spectrum, at the largest sigma_min: KL above, W_2 below."""
    figure, axes = figures.canvas(6.8, rows=2)
    figure.subplots_adjust(top=0.91)
    spectra = list(dict.fromkeys(str(row["spectrum"]) for row in rows))
    counts = sorted({int(row["steps"]) for row in rows})
    low = max(float(row["sigma_min"]) for row in rows)
    for axis, metric in zip(axes, ("kl", "w2"), strict=True):
        mine = [row for row in rows if row["error"] == metric and float(row["sigma_min"]) == low]
        for i, (name, colour) in enumerate(zip(("density", *_RIVALS), figures.COLOURS, strict=False)):
            place = [spectra.index(str(row["spectrum"])) + 0.15 * (i - 2) for row in mine]
            sizes = [10 + 12 * counts.index(int(row["steps"])) for row in mine]
            axis.scatter(place, [float(row[name]) for row in mine], sizes, color=colour, label=name, alpha=0.8)
        axis.set(yscale="log", ylabel=f"{'KL' if metric == 'kl' else 'W₂'} by the least", xticks=range(len(spectra)))
        axis.set_xticklabels(spectra, fontsize=7)
    axes[1].set_title(f"σ from {low:g} to {_HIGH:g}; larger marks: N = {counts[0]} to {counts[-1]}", fontsize=9)
    axes[0].legend(fontsize=7, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure
