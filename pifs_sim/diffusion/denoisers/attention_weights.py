"""Attention weights of ranges x_k on domains with the values y_kj = o_k + g u_kj.

With a = c g, r_k = x_k - c o_k and beta = a/(tau s^2) the weights of range k are

    w_k = softmax_j(b_kj + beta h_kj),    h_kj = <r_k, u_kj> - a |u_kj|^2/2 = (|r_k|^2 - |x_k - c y_kj|^2)/(2 a).

From a = 1/2 on, scores come from |x_k - c y_kj|^2, whose differences keep their digits at small angles; below, from the
product. As beta grows the best domain takes all: the hard limit, at temperature 0 and at angle 0. Equally good ones
share in proportion to e^b there, and at angle 0 by the rest of their logits, b_kj + (kappa |u_kj|^2 + <o_k, u_kj>)/
(2 tau), where kappa = lim (1 - a)/s^2 is 1, or 1/2 for a codebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.kernels.squared_distances import compute

__all__ = ["AttentionWeights", "Values"]

_NUMBERS = 1 << 22  # of an array that is larger than the results, unless a single sample needs more
_TIED = 16  # roundings of their misfit, within which domains are equally good in the hard limit


@dataclass(frozen=True, eq=False)
class Values:
    """What the values are made of, of the kind and, but for the bias, in the precision of the points.

    Args:
        codebook: u, (1, M or 1, D, n), and g = 1; or None for u_kj = A_kj x_j and g = c.
        maps: A, 4 axes that broadcast to (M, M, n, n), or None for the identity.
        offsets: o, (1, M, n), or None for 0.
        bias: b, (M, D) or (1, 1) in float64, the D exponentials of a row having the sum 1.
    """

    codebook: Any | None
    maps: Any | None
    offsets: Any | None
    bias: Any


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """The weights at points; every attribute is computed when first asked for.

    Args:
        parts: (B, M, n) the points' patches.
        exact_cos: c, (B, 1, 1) in float64.
        exact_sin: s, (B, 1, 1) in float64.
        inverse: 1/(tau s^2), (B, 1, 1) in float64, or infinite for the hard limit.
        temperature: tau.
        values: of the domains.
    """

    parts: Any
    exact_cos: Any
    exact_sin: Any
    inverse: Any
    temperature: float
    values: Values

    @cached_property
    def cos(self) -> Any:
        """c, (B, 1, 1), in the precision of the points."""
        return array_namespace(self.parts).astype(self.exact_cos, self.parts.dtype)

    @cached_property
    def sin(self) -> Any:
        """s, (B, 1, 1), in the precision of the points."""
        return array_namespace(self.parts).astype(self.exact_sin, self.parts.dtype)

    @property
    def gain(self) -> Any:
        """g, (B, 1, 1)."""
        return self.cos if self.values.codebook is None else array_namespace(self.cos).ones_like(self.cos)

    @property
    def _slope(self) -> Any:
        """a, (B, 1, 1) in float64."""
        return self.exact_cos**2 if self.values.codebook is None else self.exact_cos

    @property
    def _lost(self) -> Any:
        """1 - a without cancellation, (B, 1, 1) in float64."""
        return self.exact_sin**2 / (1.0 if self.values.codebook is None else 1 + self.exact_cos)

    @property
    def _hard(self) -> Any:
        """Where the best domain takes all, (B, 1, 1)."""
        return ~array_namespace(self.inverse).isfinite(self.inverse)

    @property
    def _sharpness(self) -> Any:
        """beta, (B, 1, 1) in float64, and 0 in the hard limit, whose weights do not move."""
        return self._slope * array_namespace(self.inverse).where(self._hard, 0.0, self.inverse)

    @cached_property
    def candidates(self) -> Any:
        """u, (B or 1, M or 1, D, n)."""
        if self.values.codebook is not None:
            return self.values.codebook
        if self.values.maps is None:
            return self.parts[:, None, :, :]
        xp = array_namespace(self.parts)
        return xp.matmul(self.values.maps, self.parts[:, None, :, :, None])[..., 0]

    @cached_property
    def _query(self) -> Any:
        """r, (B, M, n)."""
        return self.parts if self.values.offsets is None else self.parts - self.cos * self.values.offsets

    def residual(self, u: Any, chunk: slice | None = None) -> Any:
        """r - a u = (r - u) + (1 - a) u for u of shape (B, M, n), or (B, M or 1, D, n), of all samples or a chunk."""
        lost = array_namespace(u).astype(self._lost, u.dtype)
        query, lost, u = (part if chunk is None else part[chunk, ...] for part in (self._query, lost, u))
        if u.ndim == 4:
            query, lost = query[:, :, None, :], lost[..., None]
        return (query - u) + lost * u

    def averaged(self, weights: Any) -> Any:
        """sum_j weights_kj u_kj, (B, M, n)."""
        xp, u = array_namespace(self.parts), self.candidates
        if u.shape[1] == 1:
            return xp.matmul(weights, u[:, 0, :, :])
        return xp.matmul(weights[:, :, None, :], u)[:, :, 0, :]

    def chunks(self) -> list[slice]:
        """Ranges of samples whose differences (B, M, D, n) are formed at once."""
        (batch, M, n), D = self.parts.shape, self.candidates.shape[2]
        size = max(1, _NUMBERS // (M * n * D))
        check_memory("attention", (3, min(size, batch), M, D, n), itemsize(self.parts))
        return [slice(i, min(i + size, batch)) for i in range(0, max(1, batch), size)]

    def less(self, center: Any, chunk: slice) -> Any:
        """u - center of a chunk of samples, (b, M, D, n)."""
        u = self.candidates
        return (u if u.shape[0] == 1 else u[chunk, ...]) - center[chunk, :, None, :]

    def _misfits(self) -> Any:
        """|x_k - c y_kj|^2, (B, M, D)."""
        xp, u, (batch, M, n) = array_namespace(self.parts), self.candidates, self.parts.shape
        if self.values.codebook is None:
            return xp.concat([xp.sum(self.residual(u, chunk) ** 2, axis=-1) for chunk in self.chunks()], axis=0)
        queries, lost = xp.astype(self.parts, xp.float64), xp.broadcast_to(-self._lost[:, :, 0], (batch, M))
        if u.shape[1] > 1:
            one = xp.ones((batch,), dtype=xp.float64)
            own = [compute(queries[:, k, :], u[0, k, :, :], (one, lost[:, k])) for k in range(M)]
            return xp.stack(own, axis=1)
        one, far = xp.ones((batch * M,), dtype=xp.float64), xp.reshape(lost, (-1,))
        return xp.reshape(compute(xp.reshape(queries, (-1, n)), u[0, 0, :, :], (one, far)), (batch, M, -1))

    def _products(self) -> Any:
        """<r_k, u_kj> - a |u_kj|^2/2, (B, M, D)."""
        xp, u, r = array_namespace(self.parts), self.candidates, self._query
        if u.shape[1] == 1:
            products = xp.matmul(r, xp.matrix_transpose(u[:, 0, :, :]))
        else:
            products = xp.matmul(u, r[..., None])[..., 0]
        return products - self._slope / 2 * xp.sum(u**2, axis=-1)

    @cached_property
    def _scores(self) -> tuple[Any, Any]:
        """h_kj but for what all j share, (B, M, D), -inf where masked; and the size of its rounding, (B, M, 1)."""
        xp, (batch, M, _), D = array_namespace(self.parts), self.parts.shape, self.candidates.shape[2]
        check_memory("attention", (2, batch, M, D))
        allowed, near = xp.isfinite(self.values.bias), self._slope >= 0.5
        scores, size = xp.zeros((batch, M, D), dtype=xp.float64), xp.zeros((batch, M, 1), dtype=xp.float64)
        if not xp.all(near):
            scores = xp.astype(self._products(), xp.float64)
            size = xp.max(xp.abs(scores), axis=-1, keepdims=True)
        if xp.any(near):
            scores = xp.where(near, -self._misfits() / (2 * xp.where(near, self._slope, 1.0)), scores)
            size = xp.where(near, -xp.max(xp.where(allowed, scores, -xp.inf), axis=-1, keepdims=True), size)
        return xp.where(allowed, scores, -xp.inf), float(xp.finfo(self.parts.dtype).eps) * size

    @cached_property
    def nearest(self) -> Any:
        """u_kl of the best domain, (B, M, n); the first of equally good ones."""
        xp, (scores, _) = array_namespace(self.parts), self._scores
        best = xp.argmax(scores, axis=-1)[:, :, None] == xp.arange(scores.shape[-1])
        return self.averaged(xp.astype(best, self.parts.dtype))

    @cached_property
    def logits(self) -> Any:
        """b_kj + beta (h_kj - h_kl), (B, M, D) in float64."""
        xp, (scores, rounding), bias = array_namespace(self.parts), self._scores, self.values.bias
        lead = scores - xp.max(scores, axis=-1, keepdims=True)
        scaled = self._sharpness * xp.where(xp.isfinite(lead), lead, 0.0) + bias
        if not xp.any(self._hard):
            return scaled
        tied = lead >= -_TIED * rounding
        return xp.where(self._hard, xp.where(tied, bias + self._tilt, -xp.inf), scaled)

    @property
    def _tilt(self) -> Any:
        """What is left at angle 0 of logits whose best scores are equal there, (B or 1, M or 1, D)."""
        xp, u, offsets = array_namespace(self.parts), self.candidates, self.values.offsets
        if self.temperature == 0:
            return 0.0
        tilt = xp.sum(u**2, axis=-1) * (1.0 if self.values.codebook is None else 0.5)
        if offsets is not None:
            tilt = tilt + xp.sum(offsets[:, :, None, :] * u, axis=-1)
        return tilt / (2 * self.temperature)

    @cached_property
    def _powers(self) -> tuple[Any, Any, Any]:
        """e^(logit - best), and the same with one best left out, (B, M, D); the differences, 0 where it is -inf."""
        xp, logits = array_namespace(self.parts), self.logits
        best = xp.argmax(logits, axis=-1)[:, :, None] == xp.arange(logits.shape[-1])
        behind = logits - xp.max(logits, axis=-1, keepdims=True)
        powers = xp.exp(behind)
        return powers, xp.where(best, 0.0, powers), xp.where(xp.isfinite(behind), behind, 0.0)

    @cached_property
    def weights(self) -> Any:
        """w, (B, M, D); rows sum to 1."""
        xp, (powers, _, _) = array_namespace(self.parts), self._powers
        return xp.astype(powers / xp.sum(powers, axis=-1, keepdims=True), self.parts.dtype)

    @property
    def entropy(self) -> Any:
        """-sum_j w_kj ln w_kj, (B, M), in nats, its digits kept where one weight is nearly 1."""
        xp, (_, others, behind) = array_namespace(self.parts), self._powers
        found = xp.log1p(xp.sum(others, axis=-1)) - xp.sum(self.weights * behind, axis=-1)
        return xp.astype(found, self.parts.dtype)

    @property
    def steepness(self) -> Any:
        """beta, (B, M, 1), NaN where the weighted value jumps: in the hard limit, where different domains tie."""
        xp, hard = array_namespace(self.parts), self._hard
        steep = xp.broadcast_to(xp.astype(self._sharpness, self.parts.dtype), (*self.parts.shape[:2], 1))
        if not xp.any(hard):
            return steep
        differ = [xp.any(self.less(self.nearest, chunk) != 0, axis=-1) for chunk in self.chunks()]
        jumps = xp.any(xp.concat(differ, axis=0) & (self.weights > 0), axis=-1, keepdims=True)
        return xp.where(hard & jumps, xp.nan, steep)
