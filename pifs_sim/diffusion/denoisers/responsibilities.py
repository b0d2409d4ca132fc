"""Posterior probabilities of normal components, exact at angle 0 too, in double precision.

Along its axes component k has the variances N = v cos^2 + sin^2 and the logit
L_k = ln w_k - (1/2) sum_i (e_i^2/N_i + ln N_i), e = x - cos(phi) mu_k. As phi -> 0, for the directions with v_i = 0,
e_i^2/N_i = (x - mu_k)_i^2/sin^2 + (x - mu_k)_i mu_ki + O(sin^2), and ln N_i = 2 ln sin. So in the limit only
components at the least distance from their support count, of those only the ones with the most directions without
variance, and they share by the finite rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

__all__ = ["Limit", "Responsibilities"]


@dataclass(frozen=True, eq=False)
class Limit:
    """What decides at angle 0.

    Args:
        here: (A, 1) which points are there.
        distance: (B, K) from x to the affine support of each component.
        rounding: (B, K) what `distance` may err by.
        nullity: (K,) the number of directions without variance.
        tilt: (B, K) -(1/2) sum of (x - mu_k)_i mu_ki over those directions.
    """

    here: Any
    distance: Any
    rounding: Any
    nullity: Any
    tilt: Any

    def winners(self, possible: Any) -> Any:
        """(B, K) the components that count, among those possible."""
        xp = array_namespace(self.distance)
        nearest = xp.min(xp.where(possible, self.distance + self.rounding, xp.inf), axis=-1, keepdims=True)
        tied = possible & (self.distance - self.rounding <= nearest)
        most = xp.max(xp.where(tied, self.nullity, -1.0), axis=-1, keepdims=True)
        return tied & (self.nullity == most)


@dataclass(frozen=True, eq=False)
class Responsibilities:
    """Logits, and what follows of them.

    Args:
        regular: (B, K) the logits, without the directions that have N = 0.
        limit: for the points at angle 0; None if there are none.
        dim: d.
    """

    regular: Any
    limit: Limit | None
    dim: int

    @cached_property
    def logits(self) -> Any:
        """(B, K), -inf for components that do not count."""
        limit, xp = self.limit, array_namespace(self.regular)
        if limit is None:
            return self.regular
        winners = limit.winners(self.regular > -xp.inf)
        return xp.where(limit.here, xp.where(winners, self.regular + limit.tilt, -xp.inf), self.regular)

    @cached_property
    def weights(self) -> Any:
        """(B, K) probabilities."""
        xp = array_namespace(self.logits)
        powers = xp.exp(self.logits - xp.max(self.logits, axis=-1, keepdims=True))
        return powers / xp.sum(powers, axis=-1, keepdims=True)

    @cached_property
    def ties(self) -> Any:
        """(A or B, 1) where components tie off their supports, at angle 0."""
        limit, xp = self.limit, array_namespace(self.regular)
        if limit is None:
            return xp.zeros((1, 1), dtype=xp.bool)
        off = xp.any((self.weights > 0) & (limit.distance > limit.rounding), axis=-1, keepdims=True)
        return limit.here & off & (xp.max(self.weights, axis=-1, keepdims=True) < 1)

    def log_density(self) -> Any:
        """(B,) ln p; at angle 0 inf on a support without volume, which adds nothing off it."""
        limit, xp, logits = self.limit, array_namespace(self.regular), self.regular
        if limit is not None:
            flat = limit.nullity > 0
            on = flat & (limit.distance <= limit.rounding) & (logits > -xp.inf)
            logits = xp.where(limit.here & flat, -xp.inf, logits)
            logits = xp.where(limit.here & on, xp.inf, logits)
        top = xp.max(logits, axis=-1)
        here = xp.isfinite(logits) & xp.isfinite(top)[:, None]  # beside inf, what is finite may be large
        least = xp.where(xp.isfinite(top), top, 0.0)[:, None]
        rest = xp.sum(xp.exp(xp.where(here, logits, least) - least) * xp.astype(here, logits.dtype), axis=-1)
        density = top + xp.log(xp.where(xp.isfinite(top), rest, 1.0))
        return density - self.dim / 2 * math.log(2 * math.pi)
