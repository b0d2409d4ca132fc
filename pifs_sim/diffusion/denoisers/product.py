"""The posterior of independent parts, p(x_0 | x) = prod_m p(x_0^m | x^m): parts of x say nothing of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers.protocol import Posterior
from pifs_sim.diffusion.measures import Product
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory
from pifs_sim.dynamics.operators import DirectSum, Operator

__all__ = ["ProductPosterior"]


@dataclass(frozen=True, eq=False)
class ProductPosterior:
    """The posteriors of the parts of a law, put together."""

    law: Product
    parts: tuple[Posterior, ...]

    __repr__ = one_line

    def _sum(self, operator: Callable[[Posterior], Operator]) -> DirectSum:
        return DirectSum([operator(part) for part in self.parts], self.law.indices)

    @cached_property
    def mean(self) -> Any:
        """(B, d)."""
        return self.law.join([part.mean for part in self.parts])

    @cached_property
    def noise(self) -> Any:
        """(B, d)."""
        return self.law.join([part.noise for part in self.parts])

    @cached_property
    def weights(self) -> Any:
        """(B, K_1 ... K_M) probabilities of all combinations of components, the last part's running fastest."""
        found = self.parts[0].weights
        for part in self.parts[1:]:
            check_memory("`weights`", (*found.shape, part.weights.shape[1]))
            product = found[:, :, None] * part.weights[:, None, :]
            found = array_namespace(product).reshape(product, (product.shape[0], -1))
        return found

    @property
    def log_density(self) -> Any:
        """(B,); -inf where any part has it: exponents outrun volumes."""
        xp, found = array_namespace(self.parts[0].mean), self.parts[0].log_density
        for part in self.parts[1:]:
            other = part.log_density
            off = (found == -xp.inf) | (other == -xp.inf)
            found = xp.where(off, -xp.inf, xp.where(off, 0.0, found) + xp.where(off, 0.0, other))
        return found

    @cached_property
    def covariance(self) -> DirectSum:
        """Cov(x_0 | x), without blocks between parts."""
        return self._sum(lambda part: part.covariance)

    @cached_property
    def mean_jacobian(self) -> DirectSum:
        """J x_hat."""
        return self._sum(lambda part: part.mean_jacobian)

    @cached_property
    def noise_jacobian(self) -> DirectSum:
        """J eps_hat."""
        return self._sum(lambda part: part.noise_jacobian)
