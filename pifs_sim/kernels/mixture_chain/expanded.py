"""Tables of the steps whose distances are products, |x - c mu|^2 = |x|^2 - 2 c <x, mu> + c^2 |mu|^2, and the guard.

Means are taken from an origin near them, so that no term is much larger than the largest distance. Where components
share one sharpness 1/N, the rounding of the terms is then that of the largest logit. A component that is much sharper
than the others may need more: its distance can be small and decide, and is then found again from differences.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pifs_sim.kernels.mixture_chain.tables import Array, coefficients
from pifs_sim.kernels.tiles import ROWS

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["CHUNK", "Tables", "packed", "tables"]

CHUNK = 128  # coordinates whose products are summed at once: they stay in the first cache, and the rounding small
_UNEVEN = 4.0  # the largest 1/N over the least from which steps are guarded


class Tables(NamedTuple):
    """For S steps, K components, d coordinates; numbers are of the points' dtype where nothing is said.

    Attributes:
        first: (K/4, d, 4) centres less the origin, rows of tiles.
        second: (d/4, K, 4) centres, rows of tiles.
        terms: (S, K, 3) kappa, beta and eta of the logits.
        mixing: (S, K, 2) alpha and gamma.
        sharpness: (S,) H.
        frames: (S, d, 2) float64, what is subtracted from coordinates and the factor then, or (S, 0, 2) for 0 and 1.
        blends: (S, d, 2) alpha and gamma of coordinates, or (S, 0, 2) where components have them.
        own: whether eta is not 0.
        guards: (S, 4) float64: cos, 1 - cos, c^2 max |mu|^2 and one nat, inf where nothing is guarded.
        rounding: what a sum of products may err by, in units of the sums of squares.
        centres: (K, d) float64, less the origin; priors: (S, K) float64: for the guard.
    """

    first: Array
    second: Array
    terms: Array
    mixing: Array
    sharpness: Array
    frames: Array
    blends: Array
    own: bool
    guards: Array
    rounding: float
    centres: Array
    priors: Array


def packed(rows: Array, height: int = ROWS) -> Array:
    """Rows (.., R, n) as tiles (.., R/height, n, height), zeros added."""
    *front, count, n = rows.shape
    tiles = np.zeros((*front, -(-count // height) * height, n), rows.dtype)
    tiles[..., :count, :] = rows
    return np.ascontiguousarray(tiles.reshape(*front, -1, height, n).swapaxes(-1, -2))


def _origin(means: Array) -> Array:
    """The middle of the means, along the axes where it is farther out than they spread."""
    middle = means.mean(axis=0)
    return np.where(middle**2 > ((means - middle) ** 2).mean(axis=0), middle, 0.0)


def tables(law: Law, steps: Steps, dtype: Any) -> Tables:
    """Of a law with isotropic components, or with one diagonal covariance for all."""
    known = coefficients(law, steps, dtype)
    (count, d), c, size = law.means.shape, known.cos[:, None], len(known.cos)
    origin = _origin(law.means)
    centres, shift = law.means - origin, c * origin
    if known.halves.shape[2] == 1:
        halves, along, onto = (
            np.broadcast_to(part[:, :, 0], (size, count)) for part in (known.halves, known.along, known.onto)
        )
        sharpness = halves.max(axis=1)
        eta = halves / sharpness[:, None]
        squares, beta = eta * (centres**2).sum(axis=1), 2 * c * eta
        eta = eta if known.halves.shape[1] > 1 else 0 * eta  # |x|^2 is common to all
        frames = np.stack([shift, np.ones_like(shift)], axis=2)[:, : d if origin.any() else 0]
        blends = np.empty((size, 0, 2))
    else:
        sharpness = known.halves[:, 0].max(axis=1)
        factors = known.halves[:, 0] / sharpness[:, None]
        along = onto = beta = np.ones((size, count))
        squares, eta = np.stack([centres**2 @ row for row in factors]), 0 * beta
        frames = np.stack([shift, 2 * c * factors], axis=2)
        blends = np.stack([known.along[:, 0], known.onto[:, 0]], axis=2)
    priors = known.prior / sharpness[:, None]
    uneven = eta.max(axis=1) > _UNEVEN * eta.min(axis=1)
    nat = np.where(uneven, math.log2(math.e) / sharpness, np.inf)
    return Tables(
        packed(centres.astype(dtype)),
        packed(law.means.T.astype(dtype)),
        np.stack([priors - c * c * squares, beta, eta], axis=2).astype(dtype),
        np.stack([along, onto], axis=2).astype(dtype),
        sharpness.astype(dtype),
        frames,
        blends.astype(dtype),
        bool(eta.any()),
        np.stack([known.cos, known.drop, known.cos**2 * (centres**2).sum(axis=1).max(), nat], axis=1),
        float(np.finfo(dtype).eps) * (CHUNK + d / CHUNK + 8),
        centres,
        priors,
    )
