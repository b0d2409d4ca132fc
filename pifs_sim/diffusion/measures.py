"""Data laws with exact moments, whose posterior mean under Gaussian noise is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import reals

__all__ = ["Gaussian"]


def _real_array(name: str, values: Any, ndim: int) -> tuple[Any, Any]:
    """`values` as a finite float array with `ndim` axes, and its namespace."""
    xp, values = reals(name, values)
    if values.ndim != ndim or 0 in values.shape:
        raise ValueError(f"`{name}` must have {ndim} axes and not be empty, got shape {tuple(values.shape)}.")
    if not xp.all(xp.isfinite(values)):
        raise ValueError(f"`{name}` must be finite.")
    return xp, values


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
    """

    mean: Any
    covariance: Any
    eigenvalues: Any = field(init=False, repr=False)
    eigenvectors: Any | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        xp, mean = _real_array("mean", self.mean, 1)
        other, covariance = _real_array("covariance", self.covariance, 2)
        d = mean.shape[0]
        if other is not xp:
            raise ValueError(
                f"`mean` and `covariance` must be arrays of one kind, got {xp.__name__}, {other.__name__}."
            )
        if covariance.shape != (d, d):
            raise ValueError(f"`covariance` must have shape {(d, d)} like `mean`, got {tuple(covariance.shape)}.")
        mean, covariance = xp.astype(mean, mean.dtype), xp.astype(covariance, mean.dtype)  # copies
        eps = float(xp.finfo(mean.dtype).eps)
        size = float(xp.max(xp.abs(covariance)))
        skew = float(xp.max(xp.abs(covariance - covariance.T)))
        if skew > 100 * eps * size:
            raise ValueError(
                f"`covariance` must be symmetric, got entries that differ by {skew:.3g} from the transpose."
            )
        covariance = (covariance + covariance.T) / 2
        values, vectors = xp.linalg.diagonal(covariance), None
        diagonal = not xp.any(covariance != values * xp.eye(d, dtype=mean.dtype))
        if not diagonal:
            values, vectors = xp.linalg.eigh(covariance)
        noise = 0.0 if diagonal else d * eps * float(xp.max(xp.abs(values)))
        if float(xp.min(values)) < -10 * noise:
            raise ValueError(
                f"`covariance` must be positive semidefinite, got the eigenvalue {float(xp.min(values)):.6g}."
            )
        values = xp.where(values <= noise, 0.0, values)
        for name, value in (("mean", mean), ("covariance", covariance), ("eigenvalues", values)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "eigenvectors", vectors)

    @property
    def dim(self) -> int:
        """Dimension d."""
        return int(self.mean.shape[0])

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """n independent points, (n, d), of the kind and precision of `mean`; `rng` as from numpy.random."""
        xp = array_namespace(self.mean)
        z = xp.asarray(rng.standard_normal((n, self.dim)), dtype=self.mean.dtype) * xp.sqrt(self.eigenvalues)
        return self.mean + (z if self.eigenvectors is None else z @ self.eigenvectors.T)
