"""What attention estimates at given points, and its Jacobian.

In the symbols of `attention_weights` and with ubar_k = sum_j w_kj u_kj, the estimates are x_hat_k = o_k + g ubar_k and
eps_hat_k = (r_k - a ubar_k)/s. The logits have the derivatives beta u_kj in x_k and beta A_kj^T e_kj in x_j, where
e_kj = r_k - a u_kj, so that with d_kj = u_kj - ubar_k

    d x_hat_k/d x_i = g w_ki (I + beta d_ki e_ki^T) A_ki + [k = i] g beta sum_j w_kj d_kj d_kj^T

(A = 0 for a codebook, which leaves the second term).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.attention_weights import AttentionWeights
from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators import BlockDiagonal, PairedBlocks

__all__ = ["AttentionPosterior"]


@dataclass(frozen=True, eq=False)
class AttentionPosterior:
    """The estimates at points; every attribute is computed when first asked for.

    Args:
        attention: at the points.
        patches: of the points.
    """

    attention: AttentionWeights
    patches: Patches

    __repr__ = one_line

    @property
    def weights(self) -> Any:
        """(B, M, D) attention of range k on domain j; rows sum to 1."""
        return self.attention.weights

    @property
    def entropy(self) -> Any:
        """(B, M) entropy of every range's attention, in nats."""
        return self.attention.entropy

    @cached_property
    def _center(self) -> Any:
        """ubar, (B, M, n)."""
        return self.attention.averaged(self.weights)

    @property
    def _inverse_sine(self) -> Any:
        """1/s, (B, 1, 1), and 0 where s is 0 or has no inverse."""
        xp, sin = array_namespace(self.attention.sin), self.attention.sin
        seen = sin >= xp.finfo(sin.dtype).smallest_normal
        return xp.where(seen, 1 / xp.where(seen, sin, 1.0), 0.0)

    @cached_property
    def mean(self) -> Any:
        """(B, d) x_hat."""
        image, offsets = self.attention.gain * self._center, self.attention.values.offsets
        return self.patches.join(image if offsets is None else offsets + image)

    @cached_property
    def noise(self) -> Any:
        """(B, d) eps_hat = (x - c x_hat)/s, and 0 at angle 0, where x says nothing of the noise."""
        return self.patches.join(self._inverse_sine * self.attention.residual(self._center))

    def _spread(self, scale: Any) -> Any:
        """scale sum_j w_kj d_kj d_kj^T, (B, M, n, n), for a scale of shape (B, M, 1)."""
        xp, found = array_namespace(scale), []
        for chunk in self.attention.chunks():
            apart = self.attention.less(self._center, chunk)
            weighted = (scale[chunk, ...] * self.weights[chunk, ...])[..., None] * apart
            found.append(xp.matmul(xp.matrix_transpose(weighted), apart))
        spread = xp.concat(found, axis=0)
        return (spread + xp.matrix_transpose(spread)) / 2

    @cached_property
    def mean_jacobian(self) -> BlockDiagonal | PairedBlocks:
        """Operator, Jacobian of x_hat; in the hard limit weights are constant, and NaN marks ranges where they jump."""
        attention, values, w = self.attention, self.attention.values, self.weights
        xp, gain, u = array_namespace(w), attention.gain, attention.candidates
        steep = gain * attention.steepness
        if values.codebook is not None:
            return BlockDiagonal(self._spread(steep), patches=self.patches)
        check_memory("the Jacobian of attention", (2, *w.shape, u.shape[-1]), itemsize(w))
        left = (steep * w)[..., None] * attention.less(self._center, slice(None))
        right = attention.residual(u)
        if values.maps is not None:
            right = xp.matmul(xp.matrix_transpose(values.maps), right[..., None])[..., 0]
        return PairedBlocks(gain * w, left, right, self._spread(steep), patches=self.patches, maps=values.maps)

    @property
    def noise_jacobian(self) -> BlockDiagonal | PairedBlocks:
        """Operator, Jacobian of eps_hat; 0 at angle 0, like eps_hat itself."""
        inverse = self._inverse_sine[:, 0, 0]
        return self.mean_jacobian.affine(-self.attention.cos[:, 0, 0] * inverse, inverse)

    def _refuse_unless_posterior(self, what: str) -> None:
        if self.attention.values.codebook is None or self.attention.temperature != 1:
            raise ValueError(
                f"`{what}` has no meaning for attention to the image itself or at a temperature other than 1: "
                "only over a codebook, at temperature 1, is attention the posterior of a data law."
            )

    @property
    def covariance(self) -> BlockDiagonal:
        """Operator, Cov(x_0 | x); over a codebook at temperature 1, else ValueError."""
        self._refuse_unless_posterior("covariance")
        ones = array_namespace(self.weights).ones_like(self.weights[:, :, :1])
        return BlockDiagonal(self._spread(ones), patches=self.patches)

    @property
    def log_density(self) -> Any:
        """(B,) ln p_t(x); over a codebook at temperature 1, else ValueError. At angle 0 inf on a point, else -inf."""
        self._refuse_unless_posterior("log_density")
        attention, logits = self.attention, self.attention.logits
        xp, top = array_namespace(logits), array_namespace(logits).max(logits, axis=-1, keepdims=True)
        powers = xp.log(xp.sum(xp.exp(logits - top), axis=-1)) + top[..., 0]
        distance = xp.sum(attention.residual(attention.nearest) ** 2, axis=-1)
        variance = attention.exact_sin[:, :, 0] ** 2
        spread = xp.where(variance > 0, variance, 1.0)
        patchwise = powers - distance / (2 * spread) - self.patches.length / 2 * xp.log(2 * math.pi * spread)
        limit = xp.where(xp.all(distance == 0, axis=-1), xp.inf, -xp.inf)
        found = xp.where(variance[:, 0] > 0, xp.sum(patchwise, axis=-1), limit)
        return xp.astype(found, self.weights.dtype)
