"""Maps of the plane and the torus.

Henon  (1 - a x^2 + y, b x)                  Lozi  (1 - a|x| + y, b x)
Holmes (y, -b x + c y - y^3)                 Ikeda (1 + u (x cos t - y sin t), u (x sin t + y cos t)),
Standard p' = p + K sin q, q' = q + p'             t = 0.4 - 6/(1 + x^2 + y^2)
Cat (2x + y, x + y) mod 1

Their Jacobian determinants are constant (-b, -b, b, u^2, 1, 1), so the sum of the exponents is known.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from pifs_sim.dynamics.catalogue.entry import Array, Entry, Reference, log_size, real
from pifs_sim.dynamics.compiled import CompiledMap
from pifs_sim.dynamics.dimension import Estimate

__all__ = ["cat", "henon", "holmes_cubic", "ikeda", "lozi", "standard_map"]

TAU = math.tau
GRID = 2**51


def _small(batch: int, rng: np.random.Generator) -> Array:
    return rng.uniform(-0.1, 0.1, (batch, 2))


def _not_zero(value: float) -> bool:
    return value != 0.0


@lru_cache(maxsize=32)
def _henon(a: float, b: float) -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        return 1.0 - a * x[0] * x[0] + x[1], b * x[0]

    def jacobian(x: Any, _: int) -> Any:
        return (-2.0 * a * x[0], 1.0), (b, 0.0)

    return CompiledMap(step, jacobian, dim=2)


def _folding(
    name: str, a: float, b: float, *, system: Any, fold: Any, source: str, reference: Reference | None
) -> Entry:
    """(x, y) -> (1 - a fold(x) + y, b x)."""
    a, b = real("a", a), real("b", b, "not be 0", _not_zero)
    return Entry(
        name=name,
        parameters={"a": a, "b": b},
        source=source,
        system=system(a, b),
        x0=_small,
        reference=reference,
        log_volume=log_size(b),
        inverse=lambda x: np.stack([x[:, 1] / b, x[:, 0] - 1.0 + a * fold(x[:, 1] / b)], axis=1),
    )


def henon(a: float = 1.4, b: float = 0.3) -> Entry:
    """The Henon map (x, y) -> (1 - a x^2 + y, b x).

    Raises:
        ValueError: a not finite, b = 0 or not finite.

    Source: Henon 1976, Commun. Math. Phys. 50, 69, doi:10.1007/BF01608556.
    """
    measured = (Estimate(0.419218, 4e-6), Estimate(-1.623190, 4e-6))
    reference = Reference(measured, Estimate(1.258268, 2e-6), 0.39) if (a, b) == (1.4, 0.3) else None
    source = "Henon 1976, Commun. Math. Phys. 50, 69, doi:10.1007/BF01608556"
    return _folding("henon", a, b, system=_henon, fold=np.square, source=source, reference=reference)


@lru_cache(maxsize=32)
def _lozi(a: float, b: float) -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        return 1.0 - a * abs(x[0]) + x[1], b * x[0]

    def jacobian(x: Any, _: int) -> Any:
        return (-a if x[0] >= 0.0 else a, 1.0), (b, 0.0)

    return CompiledMap(step, jacobian, dim=2)


def lozi(a: float = 1.7, b: float = 0.5) -> Entry:
    """The Lozi map (x, y) -> (1 - a|x| + y, b x).

    Raises:
        ValueError: a not finite, b = 0 or not finite.

    Source: Lozi 1978, J. Phys. Colloq. 39 C5, 9, doi:10.1051/jphyscol:1978505.
    """
    measured = (Estimate(0.470225, 3e-6), Estimate(-1.163372, 3e-6))
    reference = Reference(measured, Estimate(1.404191, 1e-6), 0.25) if (a, b) == (1.7, 0.5) else None
    source = "Lozi 1978, J. Phys. Colloq. 39 C5, 9, doi:10.1051/jphyscol:1978505"
    return _folding("lozi", a, b, system=_lozi, fold=np.abs, source=source, reference=reference)


@lru_cache(maxsize=32)
def _holmes(b: float, c: float) -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        return x[1], (c - x[1] * x[1]) * x[1] - b * x[0]

    def jacobian(x: Any, _: int) -> Any:
        return (0.0, 1.0), (-b, c - 3.0 * x[1] * x[1])

    return CompiledMap(step, jacobian, dim=2)


def holmes_cubic(b: float = 0.2, c: float = 2.77) -> Entry:
    """The Holmes cubic map (x, y) -> (y, -b x + c y - y^3).

    Raises:
        ValueError: b = 0 or not finite, c not finite.

    Source: Holmes 1979, Phil. Trans. R. Soc. A 292, 419, doi:10.1098/rsta.1979.0068.
    """
    b, c = real("b", b, "not be 0", _not_zero), real("c", c)
    return Entry(
        name="holmes_cubic",
        parameters={"b": b, "c": c},
        source="Holmes 1979, Phil. Trans. R. Soc. A 292, 419, doi:10.1098/rsta.1979.0068",
        system=_holmes(b, c),
        x0=_small,
        log_volume=log_size(b),
        inverse=lambda x: np.stack([((c - x[:, 0] ** 2) * x[:, 0] - x[:, 1]) / b, x[:, 0]], axis=1),
    )


@lru_cache(maxsize=32)
def _ikeda(u: float) -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        t = 0.4 - 6.0 / (1.0 + x[0] * x[0] + x[1] * x[1])
        c, s = math.cos(t), math.sin(t)
        return 1.0 + u * (x[0] * c - x[1] * s), u * (x[0] * s + x[1] * c)

    def jacobian(x: Any, _: int) -> Any:
        q = 1.0 / (1.0 + x[0] * x[0] + x[1] * x[1])
        t = 0.4 - 6.0 * q
        c, s = math.cos(t), math.sin(t)
        X, Y = u * (x[0] * c - x[1] * s), u * (x[0] * s + x[1] * c)
        tx, ty = 12.0 * q * q * x[0], 12.0 * q * q * x[1]  # the gradient of t
        return (u * c - Y * tx, -u * s - Y * ty), (u * s + X * tx, u * c + X * ty)

    return CompiledMap(step, jacobian, dim=2)


def ikeda(u: float = 0.9) -> Entry:
    """The Ikeda map: a turn by an angle t that depends on the radius, a contraction by u, a shift by 1.

    Raises:
        ValueError: u outside (0, 1).

    Source: Hammel, Jones, Moloney 1985, J. Opt. Soc. Am. B 2, 552, doi:10.1364/JOSAB.2.000552, after Ikeda 1979.
    """
    u = real("u", u, "be above 0 and below 1", lambda value: 0.0 < value < 1.0)

    def inverse(x: Array) -> Array:
        X, Y = (x[:, 0] - 1.0) / u, x[:, 1] / u
        t = 0.4 - 6.0 / (1.0 + X**2 + Y**2)
        return np.stack([X * np.cos(t) + Y * np.sin(t), Y * np.cos(t) - X * np.sin(t)], axis=1)

    return Entry(
        name="ikeda",
        parameters={"u": u},
        source="Hammel, Jones, Moloney 1985, J. Opt. Soc. Am. B 2, 552, doi:10.1364/JOSAB.2.000552",
        system=_ikeda(u),
        x0=_small,
        log_volume=2.0 * math.log(u),
        inverse=inverse,
    )


@lru_cache(maxsize=32)
def _standard(K: float) -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        p = x[1] + K * math.sin(x[0])
        p -= TAU * np.floor(p / TAU)
        q = x[0] + p
        return q - TAU * np.floor(q / TAU), p

    def jacobian(x: Any, _: int) -> Any:
        k = K * math.cos(x[0])
        return (1.0 + k, 1.0), (k, 1.0)

    return CompiledMap(step, jacobian, dim=2)


def standard_map(K: float = 6.0) -> Entry:
    """The Chirikov standard map of the torus, p' = p + K sin q, q' = q + p' mod 2 pi; points are (q, p).

    Raises:
        ValueError: K not finite.

    Source: Chirikov 1979, Phys. Rep. 52, 263, doi:10.1016/0370-1573(79)90023-1.
    """
    K = real("K", K)

    def inverse(x: Array) -> Array:
        q = np.mod(x[:, 0] - x[:, 1], TAU)
        return np.stack([q, np.mod(x[:, 1] - K * np.sin(q), TAU)], axis=1)

    return Entry(
        name="standard_map",
        parameters={"K": K},
        source="Chirikov 1979, Phys. Rep. 52, 263, doi:10.1016/0370-1573(79)90023-1",
        system=_standard(K),
        x0=lambda batch, rng: rng.uniform(0.0, TAU, (batch, 2)),
        log_volume=0.0,
        inverse=inverse,
    )


@lru_cache(maxsize=1)
def _cat() -> CompiledMap:
    def step(x: Any, _: int) -> Any:
        q, p = 2.0 * x[0] + x[1], x[0] + x[1]
        return q - np.floor(q), p - np.floor(p)

    def jacobian(x: Any, _: int) -> Any:  # noqa: ARG001
        return (2.0, 1.0), (1.0, 1.0)

    return CompiledMap(step, jacobian, dim=2)


def cat() -> Entry:
    """Arnold's cat map (x, y) -> (2x + y, x + y) mod 1; exponents +-ln((3 + sqrt 5)/2).

    It starts at points k/2^51, where doubles compute it exactly: it permutes them, with a period of 3 * 2^49 if one of
    the two k is odd, so an orbit never collapses.

    Source: Arnold, Avez 1968, Ergodic Problems of Classical Mechanics, Benjamin.
    """
    expansion = math.log((3.0 + math.sqrt(5.0)) / 2.0)
    return Entry(
        name="cat",
        parameters={},
        source="Arnold, Avez 1968, Ergodic Problems of Classical Mechanics, Benjamin",
        system=_cat(),
        x0=lambda batch, rng: rng.integers(0, GRID, (batch, 2)) / GRID,
        exponents=(expansion, -expansion),
        log_volume=0.0,
        constant_jacobian=True,
        inverse=lambda x: np.mod(np.stack([x[:, 0] - x[:, 1], 2.0 * x[:, 1] - x[:, 0]], axis=1), 1.0),
    )
