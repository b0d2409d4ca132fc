"""Attention as a denoiser: each patch of the estimate is a softmax average of domain patches.

The estimate of range patch x_k is x_hat_k = sum_j w_kj y_kj, with the weights

    w_k = softmax_j(b_kj - |x_k - cos(phi) y_kj|^2/(2 tau sin^2(phi))),

in which |x_k|^2 drops out: queries x_k, keys y_kj, and the logit <x_k, y_kj>/T less half of cos(phi) |y_kj|^2/T, with
the temperature T = tau sin^2(phi)/cos(phi). Over a codebook y_kj = y_j. At tau = 1 and with biases b = ln w that is the
posterior of patches drawn independently from it: the empirical denoiser if there is one patch. In self-attention the
domains are the image's own patches, each estimated as under N(0, I), cos(phi) x_j, and carried to the range by an
affine map as in a PIFS, y_kj = o_k + A_kj cos(phi) x_j; without maps this is the non-local mean
(Buades, Coll, Morel 2005, doi:10.1109/CVPR.2005.38), and one patch alone has the exact denoiser of N(0, I).

At tau = 0 each range takes the domain whose image is nearest, the collage match of a PIFS encoder: a PIFS step whose
pairing depends on the state and is constant between switches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.attention_posterior import AttentionPosterior
from pifs_sim.diffusion.denoisers.attention_weights import AttentionWeights, Values
from pifs_sim.diffusion.denoisers.inputs import Angle, like
from pifs_sim.diffusion.denoisers.protocol import Doors
from pifs_sim.diffusion.measures.inputs import real_array
from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.arrays import check_finite, check_points, reals
from pifs_sim.dynamics.display import one_line

__all__ = ["AttentionDenoiser"]


@dataclass(frozen=True, eq=False)
class AttentionDenoiser(Doors):
    """Attention of the patches of x to a codebook, or to each other; see the module's formulas.

    The Jacobian of the estimate is block-diagonal over a codebook. In self-attention it couples the patches and is not
    symmetric in general: range k moves with domain j through its key and value, not in the way j moves with k. So no
    data law has self-attention as its exact denoiser, except where the patches do not attend to each other.

    Args:
        patches: M patches of n coordinates each, the ranges.
        codebook: (D, n) domains, or (M, D, n) for each range its own; by default the M patches of x themselves.
        temperature: tau >= 0, in units of the exact temperature sin^2/cos; 0 is the hard limit, in which equally good
            domains share in proportion to e^bias.
        bias: (M, D) added to the logits, whatever the temperature; -inf forbids a pair; 0 by default.
        maps: A, of a shape that broadcasts to (M, M, n, n); the identity by default. Self-attention only.
        offsets: (d,) o; 0 by default. Self-attention only.

    Raises:
        ValueError: shapes that do not fit, entries not finite, a negative temperature, a bias of +inf or nan or without
            a finite entry in each row, or maps or offsets beside a codebook.
    """

    patches: Patches
    codebook: Any | None = None
    temperature: float = field(default=1.0, kw_only=True)
    bias: Any | None = field(default=None, kw_only=True)
    maps: Any | None = field(default=None, kw_only=True)
    offsets: Any | None = field(default=None, kw_only=True)

    __repr__ = one_line

    def __post_init__(self) -> None:
        if not isinstance(self.patches, Patches):
            raise ValueError(f"`patches` must be Patches, got {type(self.patches).__name__}.")
        tau = self.temperature
        if not (isinstance(tau, Real) and 0 <= tau < math.inf):
            raise ValueError(f"`temperature` must be a number of at least 0, got {tau!r}.")
        for name, check in (
            ("codebook", self._checked_codebook),
            ("maps", self._checked_maps),
            ("offsets", self._checked_offsets),
            ("bias", self._checked_bias),
        ):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, check(value))

    def _checked_codebook(self, codebook: Any) -> Any:
        xp, codebook = real_array("codebook", codebook, 2, 3)
        M, n = self.patches.count, self.patches.length
        if codebook.shape[-1] != n:
            raise ValueError(f"`codebook` has patches of n={codebook.shape[-1]}, expected n={n} like `patches`.")
        if codebook.ndim == 3 and codebook.shape[0] != M:
            raise ValueError(f"`codebook` is given for {codebook.shape[0]} ranges, expected {M} like `patches`.")
        for name in ("maps", "offsets"):
            if getattr(self, name) is not None:
                raise ValueError(f"`{name}` carries an image's own patches: leave it out beside a codebook.")
        return xp.astype(codebook, codebook.dtype)  # a copy

    def _checked_maps(self, maps: Any) -> Any:
        xp, maps = real_array("maps", maps, 2, 3, 4)
        M, n = self.patches.count, self.patches.length
        shape = (1,) * (4 - maps.ndim) + tuple(maps.shape)
        if shape[2:] != (n, n) or not {*shape[:2]} <= {1, M}:
            raise ValueError(f"`maps` must broadcast to {(M, M, n, n)}, got shape {tuple(maps.shape)}.")
        return xp.reshape(xp.astype(maps, maps.dtype), shape)

    def _checked_offsets(self, offsets: Any) -> Any:
        xp, offsets = real_array("offsets", offsets, 1)
        if offsets.shape[0] != self.dim:
            raise ValueError(f"`offsets` must have shape ({self.dim},), got {tuple(offsets.shape)}.")
        return xp.astype(offsets, offsets.dtype)

    def _checked_bias(self, bias: Any) -> Any:
        xp, bias = reals("bias", bias)
        if tuple(bias.shape) != (self.patches.count, self.domains):
            expected = (self.patches.count, self.domains)
            raise ValueError(f"`bias` must have shape {expected} (ranges, domains), got {tuple(bias.shape)}.")
        if xp.any(xp.isnan(bias)) or xp.any(bias == xp.inf):
            raise ValueError("`bias` must be below +inf and not nan.")
        top = xp.max(bias, axis=-1, keepdims=True)
        if not xp.all(xp.isfinite(top)):
            raise ValueError("`bias` must allow each range a domain, got a row of -inf.")
        return xp.astype(bias, bias.dtype)

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.patches.dim

    @property
    def domains(self) -> int:
        """Number of domains D of each range."""
        return self.patches.count if self.codebook is None else int(self.codebook.shape[-2])

    def posterior(self, x: Any, angle: Any) -> AttentionPosterior:
        """The estimates at points x and an angle.

        Its `weights` are the attention, (B, M, D). At angle 0 the nearest domain takes all, and the noise is 0 by
        convention; at pi/2 the weights are softmax(bias), if tau > 0. The Jacobian is NaN where the estimate jumps, at
        ties in the hard limit. `covariance` and `log_density` raise ValueError where attention is not the posterior of
        a data law.

        Args:
            x: (B, d); float32 is computed in float32 (but for the logits), everything else in float64.
            angle: a number in [0, pi/2], or (B,), radians.

        Raises:
            ValueError: wrong shapes, x not finite, or an angle outside [0, pi/2].
        """
        x = check_finite("x", check_points(x, self.dim))
        xp, n = array_namespace(x), self.patches.length
        at, tau = Angle.at(angle, x), float(self.temperature)
        width = tau * at.variance
        soft = width > 1 / math.sqrt(float(xp.finfo(x.dtype).max))  # else numbers at the end of the range decide
        inverse = xp.where(soft, 1 / xp.where(soft, width, 1.0), math.inf)
        cos, sin, inverse = (
            xp.broadcast_to(part[:, :, None], (x.shape[0], 1, 1)) for part in (at.cos, at.sin, inverse)
        )
        codebook = None if self.codebook is None else xp.reshape(like(self.codebook, x), (1, -1, self.domains, n))
        maps = None if self.maps is None else like(self.maps, x)
        offsets = None if self.offsets is None else self.patches.split(like(self.offsets, x)[None, :])
        bias = xp.full((1, 1), -math.log(self.domains), dtype=xp.float64)
        if self.bias is not None:
            bias = like(self.bias, bias)
            top = xp.max(bias, axis=-1, keepdims=True)
            bias = bias - top - xp.log(xp.sum(xp.exp(bias - top), axis=-1, keepdims=True))
        values = Values(codebook, maps, offsets, bias)
        weights = AttentionWeights(self.patches.split(x), cos, sin, inverse, tau, values)
        return AttentionPosterior(weights, self.patches)

    def attention(self, x: Any, angle: Any) -> Any:
        """Weights (B, M, D) of range k on domain j, at points x and an angle as in `posterior`; rows sum to 1."""
        return self.posterior(x, angle).weights

    def entropy(self, x: Any, angle: Any) -> Any:
        """Entropy (B, M) of every range's attention at x and an angle, in nats, from 0 to ln D."""
        return self.posterior(x, angle).entropy
