"""Gaussian scale mixtures, sum_k w_k N(mean, scales_k base): one shape at many contrasts.

The classical model of the wavelet coefficients and patches of natural images: Wainwright, Simoncelli 2000, NIPS 12.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pifs_sim.diffusion.measures.components import ComponentLaw, Components
from pifs_sim.diffusion.measures.inputs import principal_axes, probabilities, real_array, same_kind, variances

__all__ = ["ScaleMixture"]


@dataclass(frozen=True, eq=False)
class ScaleMixture(ComponentLaw):
    """sum_k weights_k N(mean, scales_k * base): every component has the principal axes of `base`.

    Args:
        mean: (d,).
        base: (d, d) symmetric positive semidefinite; or (d,), a diagonal.
        scales: (K,) factors >= 0.
        weights: (K,) probabilities.

    Attributes:
        components: the weights, means, and variances along the axes of `base`.

    Raises:
        ValueError: wrong shapes, entries not finite, weights that are negative or do not sum to one, negative scales,
            or a base that is not symmetric positive semidefinite.

    >>> ScaleMixture([0.0, 0.0], [[1.0, 0.0], [0.0, 2.0]], [0.5, 2.5], [0.5, 0.5]).covariance.tolist()
    [[1.5, 0.0], [0.0, 3.0]]
    """

    mean: Any
    base: Any
    scales: Any
    weights: Any
    components: Components = field(init=False, repr=False)

    def __repr__(self) -> str:
        return f"ScaleMixture(K={len(self.components.weights)}, d={self.dim})"

    def __post_init__(self) -> None:
        xp, mean = real_array("mean", self.mean, 1)
        mean, d = xp.astype(mean, mean.dtype), mean.shape[0]  # a copy
        like = ("mean", mean)
        base, scales = same_kind("base", self.base, like, 1, 2), same_kind("scales", self.scales, like, 1)
        if base.shape not in ((d,), (d, d)):
            raise ValueError(f"`base` must have shape {(d, d)} or {(d,)} like `mean`, got {tuple(base.shape)}.")
        weights = probabilities(self.weights, scales.shape[0], ("scales", scales))
        if (least := float(xp.min(scales))) < 0:
            raise ValueError(f"`scales` must not be negative, got {least!r}.")
        if base.ndim == 2:
            base, values, axes = principal_axes("base", base)
        else:
            values, axes = variances("base", base), None
        means = xp.broadcast_to(mean, (scales.shape[0], d))
        components = Components(weights, means, scales[:, None] * values, axes)
        found = {"mean": mean, "base": base, "scales": scales, "weights": weights, "components": components}
        for name, value in found.items():
            object.__setattr__(self, name, value)
