"""Mixtures of K normal laws, sum_k w_k N(mu_k, C_k), whose covariances may be singular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.measures.components import ComponentLaw, Components
from pifs_sim.diffusion.measures.inputs import principal_axes, probabilities, real_array, same_kind, variances
from pifs_sim.dynamics.operators import Spectral

__all__ = ["Mixture"]


@dataclass(frozen=True, eq=False)
class Mixture(ComponentLaw):
    """sum_k weights_k N(means_k, covariances_k).

    Args:
        weights: (K,) probabilities.
        means: (K, d).
        covariances: (K,) variances v_k of v_k I; (K, d) of diagonals; (K, d, d) matrices; or operators: a batch of K,
            or a sequence of K batches of 1. Eigenvalues of matrices within d * eps of the largest are rounding and
            count as 0; matrices that are all diagonal have their entries for eigenvalues, exactly.

    Attributes:
        components: the weights, means, and variances along principal axes.

    Raises:
        ValueError: wrong shapes, entries not finite, weights that are negative or do not sum to one, or covariances
            that are not symmetric positive semidefinite.

    >>> Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0]).covariance.tolist()
    [[5.0]]
    """

    weights: Any
    means: Any
    covariances: Any
    components: Components = field(init=False, repr=False)

    def __repr__(self) -> str:
        return f"Mixture(K={len(self.components.weights)}, d={self.dim})"

    def __post_init__(self) -> None:
        xp, means = real_array("means", self.means, 2)
        means = xp.astype(means, means.dtype)  # a copy
        weights = probabilities(self.weights, means.shape[0], ("means", means))
        components = Components(weights, means, *_principal(_stacked(self.covariances), means))
        for name, value in (("weights", weights), ("means", means), ("components", components)):
            object.__setattr__(self, name, value)

    @cached_property
    def mean(self) -> Any:
        """(d,)."""
        return self.components.mean()


def _stacked(covariances: Any) -> Any:
    """A sequence of operators as one Spectral, if they share their eigenvectors, or as matrices; others as they are."""
    if not (isinstance(covariances, Sequence) and covariances and _is_operator(covariances[0])):
        return covariances
    for part in covariances:
        if not (_is_operator(part) and part.shape[0] == 1):
            raise ValueError(f"`covariances` must hold operators in batches of 1, got {type(part).__name__}.")
    if isinstance(covariances[0], Spectral) and all(
        isinstance(part, Spectral) and part.basis is covariances[0].basis and part.shape == covariances[0].shape
        for part in covariances
    ):
        values = [part.values for part in covariances]
        return Spectral(array_namespace(*values).concat(values), covariances[0].basis)
    if len({part.shape for part in covariances}) > 1:
        raise ValueError(f"`covariances` must have one shape, got {sorted({part.shape for part in covariances})}.")
    matrices = [part.dense() for part in covariances]
    return array_namespace(*matrices).concat(matrices)


def _is_operator(value: Any) -> bool:
    return hasattr(value, "submatrix")


def _principal(covariances: Any, means: Any) -> tuple[Any, Any | None]:
    """Variances (K,) or (K, d), and the axes that they belong to."""
    (count, d), basis = means.shape, None
    if isinstance(covariances, Spectral):
        covariances, basis = covariances.values, covariances.basis
    elif _is_operator(covariances):
        covariances = covariances.dense()
    covariances = same_kind("covariances", covariances, ("means", means), 1, 2, 3)
    shapes = {1: (count,), 2: (count, d), 3: (count, d, d)}
    if covariances.shape != shapes[covariances.ndim]:
        expected = f"{shapes[covariances.ndim]} like `means`"
        raise ValueError(f"`covariances` must have shape {expected}, got {tuple(covariances.shape)}.")
    if covariances.ndim == 3:
        _, values, vectors = principal_axes("covariances", covariances)
        return values, vectors
    return variances("covariances", covariances), basis
