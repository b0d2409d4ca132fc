"""How near a schedule's steps are to equal shares of a density.

A density rho of steps on the axis x = ln tan phi = ln sigma gives step t the share int rho dx over the step. The
coefficient of variation of the shares is 0 where the schedule has that density, and since it is the root of a mean
square, the best member of a family is a least-squares fit. Families, with their parameters:

    log-linear      rho = 1                                               none
    angle           rho = dphi/dx = sech(x)/2                             none
    workload        rho = (1/sin phi) dphi/dx, that is 1/L* per angle     none
    karras          rho = e^(x/rho_K): equal steps of sigma^(1/rho_K)     1/rho_K
    one-scale       rho = psi' = sech(x - ln sqrt(lam))/2                 ln lam
    two-scale       rho = sqrt(psi'_1^2 + w psi'_2^2)                     ln lam_1, ln lam_2, ln w
    log-polynomial  rho = exp(a x + b x^2 + c x^3)                        a, b, c

Two-scale is the optimal density for Gaussian data of two variances; log-polynomial is the null model with as many
parameters and no theory behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import FloatArray
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.display import one_line

__all__ = ["FAMILIES", "DensityFit", "Family", "LogDensity", "density_shares", "fit_density", "fit_family"]

LogDensity: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]  # ln rho at x with parameters
Family: TypeAlias = Literal["log-linear", "angle", "workload", "karras", "one-scale", "two-scale", "log-polynomial"]

_CELL = 0.5  # widest Gauss-Legendre cell of 16 nodes: 1e-14 of the integral of sech
_NODES = np.polynomial.legendre.leggauss(16)


class DensityFit(NamedTuple):
    """Parameters (p,) of the best density, shares (T,) of the steps in it, and their coefficient of variation."""

    parameters: FloatArray
    shares: FloatArray
    variation: float

    def __repr__(self) -> str:
        return one_line(self)


def _log_cosh(x: FloatArray) -> FloatArray:
    size = np.abs(x)
    return size + np.log1p(np.exp(-2 * size)) - math.log(2)


def _two_scale(x: FloatArray, parameters: FloatArray) -> FloatArray:
    first, second, weight = parameters
    return np.logaddexp(-2 * _log_cosh(x - first / 2), weight - 2 * _log_cosh(x - second / 2)) / 2


FAMILIES: dict[str, LogDensity] = {
    "log-linear": lambda x, _: np.zeros_like(x),
    "angle": lambda x, _: -_log_cosh(x),
    "workload": lambda x, _: -np.logaddexp(0.0, 2 * x) / 2,
    "karras": lambda x, parameters: x * parameters[0],
    "one-scale": lambda x, parameters: -_log_cosh(x - parameters[0] / 2),
    "two-scale": _two_scale,
    "log-polynomial": lambda x, parameters: x * (parameters[0] + x * (parameters[1] + x * parameters[2])),
}


def _starts(family: str, x: FloatArray) -> list[tuple[float, ...]]:
    """Points from which the fit finds the best member."""
    within = (2 * np.quantile(x, [0.1, 0.4, 0.65, 0.9])).tolist()  # ln lam with ln sqrt(lam) among the noise levels
    if family == "karras":
        return [(0.1,)]
    if family == "one-scale":
        return [(log_lam,) for log_lam in within]
    if family == "two-scale":
        return [(within[0], within[2], -2.0), (within[1], within[3], 1.0)]
    return [(0.0, 0.0, 0.0)] if family == "log-polynomial" else [()]


def _log_sigma(schedule: Schedule) -> FloatArray:
    if not (schedule.angles[0] > 0 and schedule.cos[-1] > 0):
        ends = f"{float(schedule.angles[0])!r} and {float(schedule.angles[-1])!r}"
        raise ValueError(f"`schedule` must begin above 0 and end below pi/2, got angles from {ends}.")
    return np.asarray(-schedule.logsnr / 2)


class _Steps(NamedTuple):
    """Nodes (T, J) of the quadrature over each step, and their widths (T, J)."""

    nodes: FloatArray
    widths: FloatArray

    def shares(self, log_density: LogDensity, parameters: FloatArray) -> FloatArray:
        logs = log_density(self.nodes, parameters)
        mass = (np.exp(logs - logs.max()) * self.widths).sum(axis=1)
        return np.asarray(mass / mass.sum())


def _quadrature(x: FloatArray) -> _Steps:
    steps = np.diff(x)
    cells = int(np.ceil(steps.max() / _CELL))
    node, weight = (_NODES[0] + 1) / 2, _NODES[1] / 2
    place = ((np.arange(cells)[:, None] + node) / cells).ravel()
    return _Steps(x[:-1, None] + steps[:, None] * place, steps[:, None] * np.tile(weight / cells, cells))


def density_shares(schedule: Schedule, log_density: LogDensity, parameters: npt.ArrayLike = ()) -> FloatArray:
    """Shares of the steps in a density, (T,), sum 1, entry t-1 for step t.

    Args:
        schedule: 0 < phi_0, phi_T < pi/2.
        log_density: ln rho up to a constant as a function of x = ln tan phi, of any shape, and the parameters.
        parameters: (p,).

    Raises:
        ValueError: a schedule that reaches 0 or pi/2.
    """
    return _quadrature(_log_sigma(schedule)).shares(log_density, np.asarray(parameters, dtype=np.float64))


def fit_density(schedule: Schedule, log_density: LogDensity, starts: Sequence[Sequence[float]]) -> DensityFit:
    """The parameters with which the steps' shares in a density vary least; the best of the fits from all starts.

    Raises:
        ValueError: a schedule that reaches 0 or pi/2, or no start.
    """
    if not len(starts):
        raise ValueError("`starts` must hold at least one start, got none.")
    quadrature = _quadrature(_log_sigma(schedule))

    def excess(parameters: FloatArray) -> FloatArray:
        return quadrature.shares(log_density, parameters) * schedule.steps - 1

    found = [np.asarray(start, dtype=np.float64) for start in starts]
    if found[0].size:
        from scipy.optimize import least_squares  # 0.1 s to import, and only needed here

        found = [least_squares(excess, start, xtol=1e-12, ftol=1e-14, gtol=1e-14, max_nfev=200).x for start in found]
    sizes = [float(np.sqrt(np.mean(excess(parameters) ** 2))) for parameters in found]
    best = found[int(np.argmin(sizes))]
    return DensityFit(best, quadrature.shares(log_density, best), min(sizes))


def fit_family(schedule: Schedule, family: Family) -> DensityFit:
    """The member of a family of densities in which the schedule's steps have the most equal shares.

    Args:
        schedule: 0 < phi_0, phi_T < pi/2.
        family: "log-linear", "angle", "workload", "karras", "one-scale", "two-scale" or "log-polynomial"; the
            densities and their parameters are listed at the head of this module.

    Raises:
        ValueError: an unknown family, or a schedule that reaches 0 or pi/2.
    """
    if family not in FAMILIES:
        raise ValueError(f"`family` must be one of {', '.join(map(repr, FAMILIES))}, got {family!r}.")
    return fit_density(schedule, FAMILIES[family], _starts(family, _log_sigma(schedule)))
