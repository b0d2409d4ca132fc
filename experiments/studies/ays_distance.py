"""Do the published Align Your Steps tables concentrate their steps as the workload criterion does, with density 1/L*?

Falsifier: a table whose ten steps have shares in the density (1/sin phi) dphi that vary more than in the log-linear
one, which knows of no criterion. The distance of a table from a family of densities is the coefficient of variation of
its steps' shares in the best member; the tables are known to three decimals of sigma, and so is the distance. Two
scales, the optimal density for Gaussian data of two variances, must also beat the null models: polynomials with as
many parameters and no theory, for ln rho per ln sigma and per angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.design.fits import FAMILIES, DensityFit, fit_density, fit_family
from pifs_sim.diffusion.design.published import ALIGN_YOUR_STEPS, AlignedModel, align_your_steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "ays_distance"
VERSION = 1
CLAIMS = ("align-your-steps", "ays-density")
_PER_ANGLE = "log-polynomial per angle"
_ORDER = ["workload", "log-linear", "angle", "karras", "one-scale", "two-scale", "log-polynomial", _PER_ANGLE]
_PARAMETERS = {"karras": 1, "one-scale": 1, "two-scale": 3, "log-polynomial": 3, _PER_ANGLE: 3}
GRIDS = {
    "smoke": {"table": list(ALIGN_YOUR_STEPS), "family": _ORDER, "draws": [1]},
    "paper": {"table": list(ALIGN_YOUR_STEPS), "family": _ORDER, "draws": [20]},
}
TOLERANCE = 1e-4  # of least squares stopped at 1e-12 in places where the fit is flat
_DIGIT = 1e-3  # of sigma, the last printed


def _per_angle(x: FloatArray, parameters: FloatArray) -> FloatArray:
    """ln of (dphi/dx) exp(a phi + b phi^2 + c phi^3)."""
    phi = np.arctan(np.exp(x))
    return np.asarray(np.log(np.sin(2 * phi)) + phi * (parameters[0] + phi * (parameters[1] + phi * parameters[2])))


def _fit(table: Schedule, family: str) -> DensityFit:
    if family == _PER_ANGLE:
        return fit_density(table, _per_angle, [(0.0, 0.0, 0.0)])
    return fit_family(table, family)  # type: ignore[arg-type]


def run(*, table: AlignedModel, family: str, draws: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """The distance of a table from a family, and how it spreads over `draws` tables that round to the printed one."""
    if family not in (*FAMILIES, _PER_ANGLE):
        raise ValueError(f"`family` must be one of {', '.join(_ORDER)}, got {family!r}.")
    printed = align_your_steps(table)
    sigma = printed.sigma
    found = [
        _fit(schedules.from_sigma(sigma + _DIGIT * rng.uniform(-0.5, 0.5, sigma.size)), family).variation
        for _ in range(draws)
    ]
    low, high = np.quantile(found, [0.05, 0.95])
    return [
        {
            "parameters": _PARAMETERS.get(family, 0),
            "distance": _fit(printed, family).variation,
            "low": float(low),
            "high": float(high),
        }
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if every table is nearer to the workload's density than to the log-linear one; refuted if none is."""
    found = {(row["table"], row["family"]): row for row in rows}
    tables = sorted({str(row["table"]) for row in rows})

    def distance(table: str, family: str) -> float:
        return float(found[table, family]["distance"])

    nearer = [table for table in tables if distance(table, "workload") < distance(table, "log-linear")]
    nulls = {table: min(distance(table, "log-polynomial"), distance(table, _PER_ANGLE)) for table in tables}
    special = [
        table
        for table in tables
        if float(found[table, "two-scale"]["high"])
        < min(float(found[table, null]["low"]) for null in ("log-polynomial", _PER_ANGLE))
    ]
    work = ", ".join(f"{table} {distance(table, 'workload'):.2f}" for table in tables)
    two = ", ".join(f"{table} {distance(table, 'two-scale'):.3f} against {nulls[table]:.3f}" for table in tables)
    text = (
        f"Shares of 1/L* vary by {work} of their mean, more than log-linear ones in {len(tables) - len(nearer)} of "
        f"{len(tables)} tables. Two scales fit best of the Gaussian densities but beat the better polynomial of three "
        f"parameters, beyond rounding, in {len(special)} of {len(tables)} ({two})."
    )
    numbers = {f"{family}, {table}": distance(table, family) for table in tables for family in _ORDER}
    answer = "confirmed" if len(nearer) == len(tables) else "undecided" if nearer else "refuted"
    return Verdict(answer, text, numbers | {"tables that two scales fit best": float(len(special))})  # type: ignore[arg-type]


def plot(rows: Sequence[Row]) -> Figure:
    """Distances of the tables from each family, the range of rounding as bars."""
    figure, axes = figures.canvas(4.4)
    figure.subplots_adjust(left=0.36)
    tables = list(ALIGN_YOUR_STEPS)
    for table, colour, mark in zip(tables, figures.COLOURS, "os^", strict=False):
        mine = {row["family"]: row for row in rows if row["table"] == table}
        families = [family for family in _ORDER if family in mine]
        y = np.array([_ORDER.index(family) for family in families]) + 0.2 * (tables.index(table) - 1)
        low, value, high = (np.array([mine[f][what] for f in families]) for what in ("low", "distance", "high"))
        axes.hlines(y, low, high, color=colour, linewidth=4, alpha=0.35)
        axes.plot(value, y, mark, color=colour, markersize=5, label=table)
    axes.set(xscale="log", xlabel="coefficient of variation of the ten steps' shares", yticks=range(len(_ORDER)))
    axes.set_yticklabels([f"{family} ({_PARAMETERS.get(family, 0)})" for family in _ORDER], fontsize=8)
    axes.invert_yaxis()
    axes.legend(fontsize=8)
    return figure
