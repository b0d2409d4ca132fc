"""Coupled map lattices: rings of d sites, each a map of the interval, coupled by a circulant matrix.

Logistic: x_i' = (1 - e) f(x_i) + e/2 (f(x_{i-1}) + f(x_{i+1})), f(x) = r x (1 - x), so
Df V = C diag(f'(x)) V with a C of three bands: d p numbers in, d p out, no matrix.

Circulant: x_i' = sum_m c_m g(x_{i+m}), g(x) = s x mod 1. Its Jacobian is s C at every point, C circulant with the
eigenvalues C_k = sum_m c_m e^{2 pi i k m/d}, hence the exponents ln|s C_k|, each with its multiplicity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pifs_sim.dynamics.catalogue.entry import Entry, log_size, real
from pifs_sim.dynamics.catalogue.interval import BELOW_ONE, logistic_exponent
from pifs_sim.dynamics.compiled import CompiledMap

__all__ = ["circulant_lattice", "circulant_logs", "logistic_lattice"]


def circulant_logs(weights: Sequence[float]) -> tuple[float, ...]:
    """ln|C_k| of the circulant matrix C_{i, i+m} = c_m, descending; -inf for those that are 0 to rounding.

    C_k and C_{d-k} are conjugate for real weights: half of them are computed, and counted twice.
    """
    d = len(weights)
    sizes = np.abs(np.fft.rfft(np.asarray(weights, dtype=np.float64)))
    sizes[sizes <= 4 * np.finfo(np.float64).eps * math.log2(2 * d) * np.abs(weights).sum()] = 0.0
    whole = np.concatenate([sizes, sizes[1 : (d + 1) // 2]])
    return tuple(sorted(map(log_size, whole.tolist()), reverse=True))


@lru_cache(maxsize=32)
def _logistic(sites: int, r: float, coupling: float) -> CompiledMap:
    own, half = 1.0 - coupling, coupling / 2.0

    def step(x: Any, _: int, out: Any) -> None:
        before = min(r * x[sites - 1] * (1.0 - x[sites - 1]), BELOW_ONE)
        here = first = min(r * x[0] * (1.0 - x[0]), BELOW_ONE)
        for i in range(sites):
            after = min(r * x[i + 1] * (1.0 - x[i + 1]), BELOW_ONE) if i + 1 < sites else first
            out[i] = own * here + half * (before + after)
            before, here = here, after

    def tangent(x: Any, _: int, V: Any, out: Any) -> None:
        for i in range(sites):
            left, right = (i if i > 0 else sites) - 1, i + 1 if i + 1 < sites else 0
            a, b, c = half * r * (1.0 - 2.0 * x[left]), own * r * (1.0 - 2.0 * x[i]), half * r * (1.0 - 2.0 * x[right])
            for m in range(V.shape[1]):
                out[i, m] = a * V[left, m] + b * V[i, m] + c * V[right, m]

    return CompiledMap(step, tangent=tangent, dim=sites)


def logistic_lattice(sites: int = 64, r: float = 4.0, coupling: float = 0.1) -> Entry:
    """The diffusive lattice of logistic maps.

    Known exactly: without coupling, d times the logistic map; for r <= 3, where all sites go to the fixed point x* of
    f (they stay in f^n of the interval that first holds them all), ln|f'(x*)| + ln|C_k|.

    Args:
        sites: d.
        r: parameter of the logistic map, in (0, 4].
        coupling: e, in [0, 1].

    Raises:
        ValueError: values outside these.

    Source: Kaneko 1984, Prog. Theor. Phys. 72, 480, doi:10.1143/PTP.72.480.
    """
    if isinstance(sites, bool) or not isinstance(sites, (int, np.integer)) or sites < 1:
        raise ValueError(f"`sites` must be an integer of at least 1, got {sites!r}.")
    r = real("r", r, "be above 0 and at most 4", lambda value: 0.0 < value <= 4.0)
    coupling = real("coupling", coupling, "be in [0, 1]", lambda value: 0.0 <= value <= 1.0)
    weights = np.zeros(sites)
    for site, weight in ((0, 1.0 - coupling), (1 % sites, coupling / 2.0), (sites - 1, coupling / 2.0)):
        weights[site] += weight
    local = logistic_exponent(r) if r <= 3.0 or coupling == 0.0 else None
    return Entry(
        name="logistic_lattice",
        parameters={"sites": int(sites), "r": r, "coupling": coupling},
        source="Kaneko 1984, Prog. Theor. Phys. 72, 480, doi:10.1143/PTP.72.480",
        system=_logistic(int(sites), r, coupling),
        x0=lambda batch, rng: rng.uniform(0.01, 0.99, (batch, int(sites))),
        exponents=None if local is None else tuple(local + log for log in circulant_logs(weights.tolist())),
    )


@lru_cache(maxsize=32)
def _circulant(weights: tuple[float, ...], slope: float) -> CompiledMap:
    sites = len(weights)
    offsets = np.flatnonzero(weights)
    values = np.array(weights)[offsets]

    def step(x: Any, _: int, out: Any) -> None:
        for i in range(sites):
            out[i] = 0.0
            for m in range(len(offsets)):
                y = slope * x[(i + offsets[m]) % sites]
                out[i] += values[m] * (y - np.floor(y))

    def tangent(x: Any, _: int, V: Any, out: Any) -> None:  # noqa: ARG001
        for i in range(sites):
            for c in range(V.shape[1]):
                out[i, c] = 0.0
            for m in range(len(offsets)):
                j, a = (i + offsets[m]) % sites, slope * values[m]
                for c in range(V.shape[1]):
                    out[i, c] += a * V[j, c]

    return CompiledMap(step, tangent=tangent, dim=sites)


def circulant_lattice(weights: Sequence[float] = (0.6, 0.3, 0.0, 0.1), slope: float = 3.0) -> Entry:
    """The lattice of maps s x mod 1 coupled by a circulant matrix; exponents ln|s C_k| exactly.

    With weights and a slope that are powers of two, orbits collapse as those of 2x mod 1 do; the exponents, which do
    not depend on the point, stay right.

    Args:
        weights: (d,) c_0, ..., c_{d-1}: c_m is the weight of the site m places on.
        slope: s.

    Raises:
        ValueError: no weights, weights that are not finite, a slope of 0 or not finite.

    Source: Davis 1979, Circulant Matrices, Wiley (their eigenvalues).
    """
    try:
        ring = tuple(real("weights", weight) for weight in weights)
    except TypeError:
        raise ValueError(f"`weights` must be a sequence of numbers, got {weights!r}.") from None
    if not ring:
        raise ValueError("`weights` must hold at least one number, got none.")
    slope = real("slope", slope, "not be 0", lambda value: value != 0.0)
    exponents = tuple(math.log(abs(slope)) + log for log in circulant_logs(ring))
    return Entry(
        name="circulant_lattice",
        parameters={"weights": ring, "slope": slope},
        source="Davis 1979, Circulant Matrices, Wiley (their eigenvalues)",
        system=_circulant(ring, slope),
        x0=lambda batch, rng: rng.random((batch, len(ring))),
        exponents=exponents,
        log_volume=math.fsum(exponents) if exponents[-1] > -math.inf else -math.inf,
        constant_jacobian=True,
    )
