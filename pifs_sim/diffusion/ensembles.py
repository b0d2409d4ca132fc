"""Ensembles x (T, B, d) along a chain, row t-1 at angle phi_t, and means over them with standard errors.

Of B independent values the mean is m = sum_i f(x_i)/B, and its standard error s/sqrt(B) with s^2 the sample variance.

Two ensembles are natural and differ: B exact draws from every marginal p_t, independent from row to row (`marginals`),
and B samples of the chain itself, `chain.trajectory(x_T)[1:]`, whose laws a finite chain only approximates.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.diffusion.chain import Chain
from pifs_sim.dynamics.arrays import check_generator, reals
from pifs_sim.dynamics.display import one_line

__all__ = ["Means", "check_ensemble", "ensemble_mean", "marginals"]


class Means(NamedTuple):
    """Means over an ensemble (value) and their standard errors (stderr), arrays of one shape."""

    value: Any
    stderr: Any

    def __repr__(self) -> str:
        return one_line(self)


def marginals(chain: Chain, n: int, rng: np.random.Generator) -> Any:
    """n independent points from each exact marginal p_t, t = 1..T: x_t = cos(phi_t) x_0 + sin(phi_t) eps.

    Args:
        chain: T steps with a denoiser that has a `measure`.
        n: points of each marginal.
        rng: as from numpy.random.

    Returns:
        (T, n, d), row t-1 at angle phi_t, of the kind and precision of the measure's mean.

    Raises:
        ValueError: a denoiser without a `measure`, or n < 1.
    """
    measure = getattr(chain.denoiser, "measure", None)
    if measure is None:
        raise ValueError("`marginals` needs a denoiser with a `measure`, whose law it draws from.")
    if not (isinstance(n, Integral) and n >= 1):
        raise ValueError(f"`n` must be an integer of at least 1, got {n!r}.")
    check_generator(rng)
    xp, dtype = array_namespace(measure.mean), measure.mean.dtype
    rows = []
    for cos, sin in zip(chain.schedule.cos[1:].tolist(), chain.schedule.sin[1:].tolist(), strict=True):
        noise = xp.asarray(rng.standard_normal((int(n), chain.dim)), dtype=dtype)
        rows.append(cos * measure.sample(int(n), rng) + sin * noise)
    return xp.stack(rows)


def check_ensemble(chain: Chain, x: Any) -> Any:
    """`x` as float points (T, B, d) of the chain; ValueError for another shape or entries that are not finite."""
    xp, points = reals("x", x)
    if points.ndim != 3 or points.shape[0] != chain.length or points.shape[2] != chain.dim or points.shape[1] == 0:
        expected = f"({chain.length}, batch, {chain.dim})"
        raise ValueError(f"`x` must have shape {expected}, row t-1 at angle t, got {tuple(points.shape)}.")
    if not xp.all(xp.isfinite(points)):
        raise ValueError("`x` must be finite.")
    return points


def ensemble_mean(values: Any) -> Means:
    """Mean over the ensemble, axis 1 of values (T, B, ...), and its standard error s/sqrt(B); nan from a single point.

    Raises:
        ValueError: fewer than two axes, or no points.
    """
    xp, values = reals("values", values)
    if values.ndim < 2 or values.shape[1] == 0:
        raise ValueError(f"`values` must have shape (T, batch, ...), got {tuple(values.shape)}.")
    center, count = xp.mean(values, axis=1), values.shape[1]
    if count == 1:
        return Means(center, xp.full_like(center, xp.nan))
    return Means(center, xp.std(values, axis=1, correction=1) / count**0.5)
