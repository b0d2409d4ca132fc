"""Where do margins increase with a patch's variance, for independent patches of any kurtosis and spread?

Falsifier of margin monotonicity, m_kt = 1 - E<v_k, [J Phi_t]_kk v_k> strictly increasing in lam_k at every t with
phi_t < pi/2: a cell of the diagram with a step at which it is not. Three patches of one coordinate have the variances
4/spread, 4, 4 spread and symmetric laws of excess kurtosis kappa_4: two normals below 0, a scale mixture above. Either
all have the same ("alike"), or it rises from 0 with the variance ("wider"), or falls to 0 ("narrower").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, margin_monotonicity, releases, schedules
from pifs_sim.diffusion.measures import Mixture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "patch_law", "plot", "quotients", "run", "verdict"]

NAME = "release_order"
VERSION = 1
CLAIMS = ("margin-monotonicity", "stratified-crossover", "mean-suppression")
_WHERE = ["alike", "wider", "narrower"]
GRIDS = {
    "smoke": {
        "where": _WHERE,
        "kurtosis": [-1.5, 0.0, 6.0],
        "spread": [1.2, 4.0],
        "schedule": ["cosine"],
        "steps": [20],
    },
    "paper": {
        "where": _WHERE,
        "kurtosis": [-1.99, -1.9, -1.5, -1.0, 0.0, 1.0, 3.0, 6.0, 12.0, 24.0],
        "spread": [1.05, 1.2, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0],
        "schedule": ["cosine", "log-linear"],
        "steps": [50],
    },
}
TOLERANCE = 1e-6
_TITLES = {
    "alike": "all patches have the kurtosis",
    "wider": "the widest patch has the kurtosis, the narrowest is normal",
    "narrower": "the narrowest patch has the kurtosis, the widest is normal",
}
_NODES = 601
_SHARE = 0.1  # weight of the wide component of a scale mixture: it reaches kappa_4 = 27

Array = npt.NDArray[np.float64]


def patch_law(variance: float, kurtosis: float) -> Mixture:
    """A symmetric law on the line with that variance and that excess kurtosis, -2 < kappa_4 <= 24."""
    deviation = np.sqrt(variance)
    if kurtosis < 0:
        centre = (-kurtosis / 2) ** 0.25
        return Mixture([0.5, 0.5], deviation * np.array([[-centre], [centre]]), [variance * (1 - centre**2)] * 2)
    low = np.sqrt(kurtosis / 3 * _SHARE / (1 - _SHARE))
    scales = variance * np.array([1 - low, 1 + low * (1 - _SHARE) / _SHARE])
    return Mixture([1 - _SHARE, _SHARE], np.zeros((2, 1)), scales)


def quotients(law: Mixture, schedule: Schedule) -> Array:
    """E J Phi_t over p_t, (T,), by the trapezoidal rule."""
    chain, found = Chain(schedule, exact_denoiser(law)), []
    widest = float(np.max(np.abs(law.means))) + 12 * float(np.sqrt(np.max(law.components.variances)))
    for t in range(1, schedule.steps + 1):
        reach = float(schedule.cos[t]) * widest + 12 * float(schedule.sin[t])
        x = reach * np.sinh(np.linspace(-6, 6, _NODES)) / np.sinh(6)  # as dense as narrow components ask for
        density = np.exp(chain.denoiser.posterior(x[:, None], float(schedule.angles[t])).log_density)
        values = chain.jacobian(x[:, None], schedule.steps - t).dense()[:, 0, 0]
        found.append(np.trapezoid(density * values, x) / np.trapezoid(density, x))
    return np.array(found)


def _schedule(name: str, steps: int) -> Schedule:
    return (
        schedules.log_linear(steps, 0.01, 80) if name == "log-linear" else schedules.cosine(steps, 0.0, max_beta=None)
    )


def run(
    *, where: str, kurtosis: float, spread: float, schedule: str, steps: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """Shares of the steps below pi/2 at which margins increase, and decrease, in all pairs; and the releases' order."""
    del rng
    lam = 4 * np.array([1 / spread, 1.0, spread])
    part = {"alike": [1.0, 1.0, 1.0], "wider": [0.0, 0.5, 1.0], "narrower": [1.0, 0.5, 0.0]}[where]
    made = _schedule(schedule, steps)
    below = made.cos[1:] > 0
    laws = [patch_law(float(v), kurtosis * share) for v, share in zip(lam, part, strict=True)]
    q = np.stack([quotients(law, made) for law in laws], axis=1)[below]
    found, angles = margin_monotonicity(q[:, None, :], lam), made.angles[1:][below]
    decreasing = found.reversed == found.pairs
    first = releases(1 - q)
    order = [np.sign(first[j] - first[i]) for i in range(3) for j in range(i + 1, 3)]
    return [
        {
            "increasing": float(np.mean(found.holds)),
            "decreasing": float(np.mean(decreasing)),
            "everywhere": bool(np.all(found.holds)),
            "lowest angle": float(angles[found.holds].min()) if found.holds.any() else -1.0,
            "highest angle": float(angles[found.holds].max()) if found.holds.any() else -1.0,
            "noisiest decreases": bool(decreasing[-1]),
            "released wider first": float(np.mean(order)),
            "never released": int(np.sum(first == 0)),
        }
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if margins increase at every step in every cell, refuted if in none, else undecided."""
    whole = [row for row in rows if row["everywhere"]]
    some = [row for row in rows if float(row["increasing"]) > 0]
    best = max(rows, key=lambda row: float(row["increasing"]))
    noisy = sum(bool(row["noisiest decreases"]) for row in rows)
    wider = float(np.mean([float(row["released wider first"]) > 0 for row in rows]))
    where = {name: sum(row["where"] == name for row in some) for name in dict.fromkeys(row["where"] for row in rows)}
    told = ", ".join(f"{count} {name}" for name, count in where.items())
    text = (
        f"Margins increase with variance at every step in {len(whole)} of {len(rows)} cells, at some step in "
        f"{len(some)} ({told}), at most at {float(best['increasing']):.0%} of the steps "
        f"(kurtosis {best['kurtosis']:g}, spread {best['spread']:g}, {best['where']}); at the noisiest step they "
        f"decrease in {noisy} cells."
    )
    numbers = {
        "cells": float(len(rows)),
        "everywhere": float(len(whole)),
        "somewhere": float(len(some)),
        "largest share": float(best["increasing"]),
        "noisiest decreases": float(noisy),
        "wider released first": wider,
    }
    answer: Any = "confirmed" if len(whole) == len(rows) else "undecided" if whole else "refuted"
    return Verdict(answer, text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """The share of steps at which margins increase, over kurtosis and spread: a map for each place of the kurtosis."""
    first = rows[0]["schedule"]
    mine = [row for row in rows if row["schedule"] == first]
    kurtosis = sorted({float(row["kurtosis"]) for row in mine})
    spread = sorted({float(row["spread"]) for row in mine})
    names = list(dict.fromkeys(str(row["where"]) for row in mine))
    most = max(float(row["increasing"]) for row in mine) or 1.0
    figure, axes = figures.canvas(2.9 * len(names), rows=len(names))
    for axis, name in zip(np.atleast_1d(axes), names, strict=True):
        table = np.full((len(spread), len(kurtosis)), np.nan)
        for row in mine:
            if row["where"] == name:
                place = spread.index(float(row["spread"])), kurtosis.index(float(row["kurtosis"]))
                table[place] = row["increasing"]
        image = axis.imshow(table, origin="lower", aspect="auto", vmin=0, vmax=most, cmap="cividis")
        axis.grid(visible=False)
        axis.set_xticks(range(len(kurtosis)), [f"{k:g}" for k in kurtosis])
        axis.set_yticks(range(len(spread)), [f"{s:g}" for s in spread])
        axis.set(ylabel="ratio of variances")
        axis.set_title(_TITLES[name], fontsize=8, loc="left")
        figure.colorbar(image, ax=axis, label="share of steps")
    np.atleast_1d(axes)[-1].set(xlabel=f"excess kurtosis ({first})")
    return figure
