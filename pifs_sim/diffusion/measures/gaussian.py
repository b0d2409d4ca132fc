"""The normal law N(mean, covariance)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.diffusion.measures.inputs import principal_axes, real_array, same_kind
from pifs_sim.dynamics.arrays import check_count, check_generator

__all__ = ["Gaussian"]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """N(mean, covariance), singular covariances allowed.

    Args:
        mean: (d,).
        covariance: (d, d) symmetric positive semidefinite. Eigenvalues within d * eps of the largest are the
            rounding of the matrix and count as 0; those of a diagonal matrix are its entries, exactly.

    Attributes:
        eigenvalues: (d,) of the covariance, in the order of the columns of `eigenvectors`.
        eigenvectors: (d, d) orthogonal, or None for a diagonal covariance (the identity).

    Raises:
        ValueError: wrong shapes, entries not finite, not symmetric, or not positive semidefinite.

    >>> Gaussian([0.0, 0.0], [[4.0, 0.0], [0.0, 0.25]]).covariance.tolist()
    [[4.0, 0.0], [0.0, 0.25]]
    """

    mean: Any
    covariance: Any
    eigenvalues: Any = field(init=False, repr=False)
    eigenvectors: Any | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        xp, mean = real_array("mean", self.mean, 1)
        covariance = same_kind("covariance", self.covariance, ("mean", mean), 2)
        d = mean.shape[0]
        if covariance.shape != (d, d):
            raise ValueError(f"`covariance` must have shape {(d, d)} like `mean`, got {tuple(covariance.shape)}.")
        covariance, values, vectors = principal_axes("covariance", covariance)
        object.__setattr__(self, "mean", xp.astype(mean, mean.dtype))  # a copy
        for name, value in (("covariance", covariance), ("eigenvalues", values), ("eigenvectors", vectors)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Gaussian(d={self.dim})"

    @property
    def dim(self) -> int:
        """Dimension d."""
        return int(self.mean.shape[0])

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """n independent points, (n, d), of the kind and precision of `mean`; `rng` as from numpy.random."""
        check_count("n", n, 0, None)
        check_generator(rng)
        xp = array_namespace(self.mean)
        z = xp.asarray(rng.standard_normal((n, self.dim)), dtype=self.mean.dtype) * xp.sqrt(self.eigenvalues)
        return self.mean + (z if self.eigenvectors is None else z @ self.eigenvectors.T)
