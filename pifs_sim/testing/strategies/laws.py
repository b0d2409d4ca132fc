"""Data laws: normals, mixtures, point clouds, scale mixtures and their products."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from pifs_sim.diffusion.measures import Gaussian, Measure, Mixture, PointCloud, Product, ScaleMixture
from pifs_sim.dynamics.operators import Spectral
from pifs_sim.testing.strategies.values import probabilities, rotations, spd_matrices

__all__ = ["LAWS", "measures", "mixtures"]

LAWS = ("gaussian", "isotropic", "diagonal", "full", "spectral", "points", "scale", "product")


@st.composite
def mixtures(draw: st.DrawFn, kind: str, *, dim: int | None = None, singular: bool = True) -> Mixture:
    """Mixtures in `dim` dimensions, of 1 to 4 components, of the kind "isotropic", "diagonal", "full" or "spectral".

    "spectral" components share one rotated basis. Variances lie in 1e-3..10, and if `singular` some of them are 0.
    """
    d, count = dim or draw(st.integers(1, 4)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = 10.0 ** rng.uniform(-3, 1, (count, d)) * (rng.random((count, d)) < draw(st.sampled_from([1.0, 0.6])))
    spread = np.maximum(spread, 0.0 if singular else 1e-3)
    weights, means = draw(probabilities(count)), 2 * rng.standard_normal((count, d))
    if kind == "isotropic":
        return Mixture(weights, means, spread[:, 0])
    if kind == "diagonal":
        return Mixture(weights, means, spread)
    if kind == "spectral":
        return Mixture(weights, means, Spectral(spread, draw(rotations(d))))
    axes = np.array([draw(rotations(d)) for _ in range(count)])
    matrices = axes * spread[:, None, :] @ axes.swapaxes(1, 2)
    return Mixture(weights, means, (matrices + matrices.swapaxes(1, 2)) / 2)


@st.composite
def measures(draw: st.DrawFn, kinds: tuple[str, ...] = LAWS, *, singular: bool = True) -> Measure:
    """Data laws of 1 to 6 dimensions, of the kinds in `LAWS`; with directions of no variance if `singular`."""
    kind = draw(st.sampled_from(kinds))
    if kind == "product":
        others = tuple(other for other in kinds if other != "product") or ("gaussian",)
        return Product([draw(measures(others, singular=singular)) for _ in range(2)])
    if kind not in ("gaussian", "points", "scale"):
        return draw(mixtures(kind, dim=draw(st.integers(1, 3)), singular=singular))
    d, count = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    centres = 2 * rng.standard_normal((count, d))
    if kind == "points":
        return PointCloud(centres, draw(probabilities(count)))
    base = draw(spd_matrices(d, least=1e-2, largest=10, zeros=draw(st.integers(0, d - 1)) if singular else 0)).matrix
    if kind == "gaussian":
        return Gaussian(centres[0], base)
    scales = 10.0 ** rng.uniform(-2, 1, count) * (rng.random(count) < (0.7 if singular else 1.0))
    return ScaleMixture(centres[0], base, scales, draw(probabilities(count)))
