"""Data laws of every kind, each from its number alone, with the same law in mpmath."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pifs_sim.diffusion.measures import Mixture, PointCloud, Product, ScaleMixture
from tests.diffusion.mixture_oracle import ExactMixture

KINDS = ("scalar", "diagonal", "full", "cloud", "scales", "full scales", "product")


class Case(NamedTuple):
    """A measure, the same law exactly, and whether its covariances are matrices."""

    measure: Any
    exact: ExactMixture
    full: bool


def _rounded(array: Any, dtype: Any) -> np.ndarray:
    return np.asarray(array, dtype=dtype)


def _matrices(variances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Covariances (..., d, d) with given eigenvalues, exactly symmetric."""
    shape = (*variances.shape, variances.shape[-1])
    turns = np.linalg.qr(rng.standard_normal(shape))[0]
    found = (turns * variances[..., None, :]) @ np.swapaxes(turns, -1, -2)
    return (found + np.swapaxes(found, -1, -2)) / 2


def law(
    kind: str,
    rng: np.random.Generator,
    *,
    dim: int,
    count: int,
    spread: float = 2.0,
    zeros: bool = False,
    dtype: Any = float,
) -> Case:
    """A law of one of KINDS with means of size `spread`; variances over four decades, a third of them 0 if `zeros`."""
    if kind == "product":
        kinds = [str(rng.choice(["scalar", "diagonal", "cloud"])) for _ in range(2)]
        options = {"spread": spread, "zeros": zeros, "dtype": dtype}
        parts = [law(part, rng, dim=max(1, dim // 2), count=max(1, count // 2), **options) for part in kinds]  # type: ignore[arg-type]
        measure = Product(tuple(part.measure for part in parts))
        return Case(measure, ExactMixture.product([part.exact for part in parts]), False)
    weights = _rounded(rng.dirichlet(np.ones(count)), dtype)
    means = _rounded(spread * rng.standard_normal((count, dim)), dtype)
    shape = (count,) if kind == "scalar" else (count, dim)
    variances = 10 ** rng.uniform(-3, 1, shape) * (rng.uniform(size=shape) > (1 / 3 if zeros else 0))
    if kind == "cloud":
        return Case(PointCloud(means, weights), ExactMixture.points(means, weights), False)
    if kind.endswith("scales"):
        base = variances[0] if kind == "scales" else _matrices(variances[0], rng)
        base, scales = _rounded(base, dtype), _rounded(10 ** rng.uniform(-2, 2, count), dtype)
        exact = ExactMixture.scales(means[0], base, scales, weights)
        return Case(ScaleMixture(means[0], base, scales, weights), exact, kind == "full scales")
    covariances = _rounded(_matrices(variances, rng) if kind == "full" else variances, dtype)
    return Case(Mixture(weights, means, covariances), ExactMixture(weights, means, covariances), kind == "full")


def points(case: Case, angle: float, rng: np.random.Generator, count: int = 2) -> np.ndarray:
    """Points of p_t, (count, d), of the measure's precision."""
    dtype = np.asarray(case.measure.mean).dtype
    clean, noise = case.measure.sample(count, rng), rng.standard_normal((count, case.measure.dim))
    return np.asarray(np.cos(angle) * clean + np.sin(angle) * noise, dtype=dtype)
